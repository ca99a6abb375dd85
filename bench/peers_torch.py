"""PyTorch, eager and compiled."""

import os

import numpy as np

# Its compiling processes would keep running during the turns of others.
os.environ.setdefault("TORCHINDUCTOR_COMPILE_THREADS", "1")

import torch

from .baselines import BETA1, BETA2, EPSILON

ACTIVATIONS = {"relu": torch.nn.ReLU, "tanh": torch.nn.Tanh}


class Eager:
    title = "PyTorch, eager"

    def __init__(self, task, threads):
        torch.set_num_threads(threads)
        self.task = task
        self.floats = task.floats
        self.X, self.y = torch.from_numpy(self.floats), torch.from_numpy(task.y)
        modules = []
        for W in task.weights:
            modules += [torch.nn.Linear(*W.shape), ACTIVATIONS[task.activation]()]
        self.model = torch.nn.Sequential(*modules[:-1])
        self.linear = [module for module in self.model if isinstance(module, torch.nn.Linear)]
        self.loss = _half_squared_error if task.is_regression else torch.nn.CrossEntropyLoss()
        self.start()

    def start(self):
        with torch.no_grad():
            for layer, W, b in zip(self.linear, self.task.weights, self.task.biases, strict=True):
                layer.weight.copy_(torch.from_numpy(np.ascontiguousarray(W.T)))
                layer.bias.copy_(torch.from_numpy(b))
        parameters, rate = self.model.parameters(), self.task.rate
        if self.task.optimizer == "adam":
            self.optimizer = torch.optim.Adam(parameters, lr=rate, betas=(BETA1, BETA2), eps=EPSILON, fused=True)
        else:
            self.optimizer = torch.optim.SGD(parameters, lr=rate)

    def begin(self, order):
        self.order = torch.from_numpy(order)

    def batches(self):
        """The inputs and targets of each step."""
        for rows in self.order.split(self.task.batch):
            yield (self.X, self.y) if self.task.is_full_batch else (self.X[rows], self.y[rows])

    def train(self):
        for X, y in self.batches():
            self.optimizer.zero_grad()
            self.loss(self.model(X), y).backward()
            self.optimizer.step()

    def arrays(self):
        with torch.no_grad():
            return [layer.weight.numpy().T for layer in self.linear], [layer.bias.numpy() for layer in self.linear]

    def probabilities(self):
        with torch.inference_mode():
            return torch.softmax(self.model(torch.from_numpy(self.floats)), dim=1).numpy()


class Compiled(Eager):
    """One graph for the whole step: gather, loss, gradients and update."""

    title = "PyTorch, torch.compile"

    def __init__(self, task, threads):
        super().__init__(task, threads)
        torch._dynamo.reset()  # graphs of another task would count as recompilations of this one
        self.parameters = dict(self.model.named_parameters())
        self.step = torch.compile(self._adam if task.optimizer == "adam" else self._sgd, dynamic=False)
        self.forward = torch.compile(lambda X: torch.softmax(self.model(X), dim=1), dynamic=False)

    def start(self):
        super().start()
        named = [(name, parameter.detach()) for name, parameter in self.model.named_parameters()]
        self.m = {name: torch.zeros_like(parameter) for name, parameter in named}
        self.v = {name: torch.zeros_like(parameter) for name, parameter in named}
        self.powers = torch.ones(2)  # beta1 and beta2 to the number of steps

    def _gradients(self, X, y, rows):
        def loss(parameters, X, y):
            return self.loss(torch.func.functional_call(self.model, parameters, (X,)), y)

        taken = (X, y) if self.task.is_full_batch else (X[rows], y[rows])
        return torch.func.grad(loss)(self.parameters, *taken)

    def _sgd(self, X, y, rows, *_):
        gradients = self._gradients(X, y, rows)
        for name, parameter in self.parameters.items():
            parameter.sub_(gradients[name], alpha=self.task.rate)

    def _adam(self, X, y, rows, means, squares, powers):
        gradients = self._gradients(X, y, rows)
        powers.mul_(torch.tensor([BETA1, BETA2]))
        first, second = 1 - powers[0], 1 - powers[1]
        for name, parameter in self.parameters.items():
            g = gradients[name]
            m = means[name].mul_(BETA1).add_(g, alpha=1 - BETA1)
            v = squares[name].mul_(BETA2).addcmul_(g, g, value=1 - BETA2)
            parameter.sub_(self.task.rate * (m / first) / ((v / second).sqrt() + EPSILON))

    def train(self):
        with torch.no_grad():
            for rows in self.order.split(self.task.batch):
                self.step(self.X, self.y, rows, self.m, self.v, self.powers)

    def probabilities(self):
        with torch.inference_mode():
            return self.forward(torch.from_numpy(self.floats)).numpy()


def _half_squared_error(outputs, y):
    return torch.nn.functional.mse_loss(outputs, y, reduction="sum") / (2 * len(y))
