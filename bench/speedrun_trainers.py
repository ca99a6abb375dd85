"""One training of the speed run, in a separate process that never sees what it is judged by.

python -m bench.speedrun_trainers BUDGET PEER SEED ROWS FILE      prints the seconds and writes the weights to FILE

It trains on the first ROWS training images of MNIST.
"""

import importlib.util
import itertools
import sys
import time

import numpy as np

from fastmlp.config.schedules import from_setting
from fastmlp.data import load

from .baselines import BETA1, BETA2, EPSILON
from .speedrun_budgets import BUDGETS
from .workloads import save_weights

# scikit-learn's rate changes between calls: so often in an epoch.
CALLS_PER_EPOCH = 10
# Images of the training that comes before the clock starts: everything is compiled and loaded then.
WARM_UP_BATCHES = 4


def fastmlp(budget, X, y, seed):
    """All settings are its own."""
    from fastmlp import MLP

    mlp = MLP(**budget.settings(), scaling="pixels", train_metrics="running", seed=seed).fit(X, y)
    return mlp.weights, mlp.biases


def torch(budget, X, y, seed):
    """Eager, with fused AdamW; the same label smoothing, decay of weights alone, and rate of every step."""
    import torch

    torch.manual_seed(seed)
    inputs, targets = torch.from_numpy(X).float().div_(255), torch.from_numpy(y)
    widths, modules = (X.shape[1], *budget.hidden, int(y.max()) + 1), []
    for fan_in, fan_out in itertools.pairwise(widths):
        modules += [torch.nn.Linear(fan_in, fan_out), torch.nn.ReLU()]
    model = torch.nn.Sequential(*modules[:-1])
    loss = torch.nn.CrossEntropyLoss(label_smoothing=budget.label_smoothing)
    weights, biases = ([p for p in model.parameters() if p.ndim == dimensions] for dimensions in (2, 1))
    groups = [{"params": weights, "weight_decay": budget.weight_decay}, {"params": biases, "weight_decay": 0.0}]
    optimizer = torch.optim.AdamW(groups, betas=(BETA1, BETA2), eps=EPSILON, fused=True)
    for rates in _rates(budget, len(y)):
        for rate, rows in zip(rates, torch.randperm(len(y)).split(budget.batch_size), strict=True):
            for group in optimizer.param_groups:
                group["lr"] = rate
            optimizer.zero_grad()
            loss(model(inputs[rows]), targets[rows]).backward()
            optimizer.step()
    layers = [module for module in model if isinstance(module, torch.nn.Linear)]
    return [layer.weight.detach().numpy().T for layer in layers], [layer.bias.detach().numpy() for layer in layers]


def scikit_learn(budget, X, y, seed):
    """Without label smoothing and decoupled decay, which it has not; the rate is that of the middle of each call."""
    from sklearn.neural_network import MLPClassifier

    random = np.random.RandomState(seed)
    inputs, classes = (X / 255).astype(np.float32), np.unique(y)
    network = MLPClassifier(
        budget.hidden, batch_size=budget.batch_size, alpha=0, shuffle=False, max_iter=1, random_state=random
    )
    for rates in _rates(budget, len(y)):
        order = random.permutation(len(y))
        for steps in np.array_split(np.arange(len(rates)), min(CALLS_PER_EPOCH, len(rates))):
            rows = order[steps[0] * budget.batch_size : (steps[-1] + 1) * budget.batch_size]
            rate = rates[steps[len(steps) // 2]]
            network.learning_rate_init = rate
            if hasattr(network, "_optimizer"):
                network._optimizer.learning_rate_init = rate
            network.partial_fit(inputs[rows], y[rows], classes=classes)
    return network.coefs_, network.intercepts_


TRAINERS = {"fastmlp": fastmlp, "torch": torch, "scikit-learn": scikit_learn}
PACKAGES = {"fastmlp": "fastmlp", "torch": "torch", "scikit-learn": "sklearn"}


def reason_for_absence(budget, peer):
    """Why a peer does not take part in a budget, or None."""
    if importlib.util.find_spec(PACKAGES[peer]) is None:
        return f"{PACKAGES[peer]} is not installed"
    if budget.augment and peer != "fastmlp":
        return "it does not distort images"
    return None


def _rates(budget, rows):
    """The rate of each step, for one epoch after the other."""
    schedule = from_setting(budget.schedule, budget.learning_rate, budget.epochs)
    steps = -(-rows // budget.batch_size)
    return (schedule.rates(epoch, steps).tolist() for epoch in range(1, budget.epochs + 1))


def main(name, peer, seed, rows, file):
    budget, train = next(budget for budget in BUDGETS if budget.name == name), TRAINERS[peer]
    dataset = load("auto")
    X, y = dataset.X[: int(rows)], dataset.y[: int(rows)]
    few = slice(WARM_UP_BATCHES * budget.batch_size)
    train(budget.shortened(), X[few], y[few], int(seed))
    begun = time.perf_counter()
    weights, biases = train(budget, X, y, int(seed))
    seconds = time.perf_counter() - begun
    save_weights(file, weights, biases)
    print(seconds)


if __name__ == "__main__":
    main(*sys.argv[1:])
