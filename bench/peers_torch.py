"""PyTorch, eager and compiled."""

import os

import numpy as np

# Its compiling processes would keep running beside the competitors.
os.environ.setdefault("TORCHINDUCTOR_COMPILE_THREADS", "1")

import torch

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
        self.loss = torch.nn.CrossEntropyLoss()
        self.optimizer = torch.optim.SGD(self.model.parameters(), lr=task.rate)
        self.start()

    def start(self):
        with torch.no_grad():
            for layer, W, b in zip(self.linear, self.task.weights, self.task.biases, strict=True):
                layer.weight.copy_(torch.from_numpy(np.ascontiguousarray(W.T)))
                layer.bias.copy_(torch.from_numpy(b))

    def begin(self, order):
        self.order = torch.from_numpy(order)

    def train(self):
        for batch in self.order.split(self.task.batch):
            self.optimizer.zero_grad()
            self.loss(self.model(self.X[batch]), self.y[batch]).backward()
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
        self.parameters = dict(self.model.named_parameters())
        self.step = torch.compile(self._step, dynamic=False)
        self.forward = torch.compile(lambda X: torch.softmax(self.model(X), dim=1), dynamic=False)

    def _loss(self, parameters, X, y):
        return self.loss(torch.func.functional_call(self.model, parameters, (X,)), y)

    def _step(self, X, y, batch):
        gradients = torch.func.grad(self._loss)(self.parameters, X[batch], y[batch])
        for name, parameter in self.parameters.items():
            parameter.sub_(gradients[name], alpha=self.task.rate)

    def train(self):
        with torch.no_grad():
            for batch in self.order.split(self.task.batch):
                self.step(self.X, self.y, batch)

    def probabilities(self):
        with torch.inference_mode():
            return self.forward(torch.from_numpy(self.floats)).numpy()
