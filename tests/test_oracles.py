"""Training against other libraries, where they are installed: same start, same batches, same weights."""

import numpy as np
import pytest

from fastmlp import MLP
from fastmlp.training.parameters import Parameters

ENGINES = pytest.mark.parametrize("engine", ["numba", "numpy"])
ROWS, FEATURES, CLASSES, BATCH, EPOCHS, RATE = 90, 8, 4, 20, 3, 0.1

PYTORCHS = {
    "relu": "ReLU",
    "tanh": "Tanh",
    "sigmoid": "Sigmoid",
    "leaky_relu": "LeakyReLU",
    "elu": "ELU",
    "softplus": "Softplus",
}


@pytest.fixture(scope="module")
def data():
    random = np.random.RandomState(0)
    return random.standard_normal((ROWS, FEATURES)), np.arange(ROWS) % CLASSES


def start(hidden, activation):
    """The weights and biases that MLP(seed=0) starts from."""
    p = Parameters((FEATURES, *hidden, CLASSES), (activation,) * len(hidden), "float64")
    p.initialise("auto", None, "zero", 0)
    return p.weights, p.biases


def trained(data, engine, hidden, activation, **settings):
    settings = dict(hidden=hidden, activation=activation, learning_rate=RATE, epochs=EPOCHS, scaling="none", **settings)
    return MLP(batch_size=BATCH, shuffle=False, dtype="float64", engine=engine, **settings).fit(*data)


def pytorchs(torch, data, activation, kind, decay, **settings):
    """The linear layers of the same network, trained by PyTorch from the same start."""
    X, y = map(torch.from_numpy, data)
    layers, W, b = [], *start((7, 5), activation)
    for weights, bias in zip(W, b, strict=True):
        linear = torch.nn.Linear(*weights.shape, dtype=torch.float64)
        with torch.no_grad():
            linear.weight.copy_(torch.from_numpy(weights.T.copy()))
            linear.bias.copy_(torch.from_numpy(bias.copy()))
        layers += [linear, getattr(torch.nn, PYTORCHS[activation])()]
    network = torch.nn.Sequential(*layers[:-1])
    groups = [
        {"params": [linear.weight for linear in layers[::2]], "weight_decay": decay},
        {"params": [linear.bias for linear in layers[::2]], "weight_decay": 0.0},
    ]
    optimizer = getattr(torch.optim, kind)(groups, lr=RATE, **settings)
    for _ in range(EPOCHS):
        for at in range(0, ROWS, BATCH):
            optimizer.zero_grad()
            torch.nn.functional.cross_entropy(network(X[at : at + BATCH]), y[at : at + BATCH]).backward()
            optimizer.step()
    return layers[::2]


def assert_same_weights(mlp, linears):
    for linear, weights, bias in zip(linears, mlp.weights, mlp.biases, strict=True):
        np.testing.assert_allclose(weights, linear.weight.detach().numpy().T, rtol=0, atol=1e-10)
        np.testing.assert_allclose(bias, linear.bias.detach().numpy(), rtol=0, atol=1e-10)


@pytest.mark.oracle
@ENGINES
@pytest.mark.parametrize("activation", PYTORCHS)
@pytest.mark.parametrize(("momentum", "decay"), [(0.0, 0.0), (0.9, 0.0), (0.5, 0.01), (0.0, 0.01)])
def test_sgd_is_pytorchs(data, engine, activation, momentum, decay):
    torch = pytest.importorskip("torch")
    linears = pytorchs(torch, data, activation, "SGD", decay, momentum=momentum)
    assert_same_weights(trained(data, engine, (7, 5), activation, momentum=momentum, l2=decay), linears)


# Ours, and PyTorch's class, decay of the weights and other numbers.
ADAPTIVE = (
    ({"name": "adam", "epsilon": 1e-8}, "Adam", 0.0, {}),
    ({"name": "adamw", "epsilon": 1e-8, "weight_decay": 0.05}, "AdamW", 0.05, {}),
    ({"name": "rmsprop", "epsilon": 1e-8, "beta2": 0.99}, "RMSprop", 0.0, {"alpha": 0.99}),
)


@pytest.mark.oracle
@ENGINES
@pytest.mark.parametrize(("ours", "kind", "decay", "numbers"), ADAPTIVE, ids=[ours["name"] for ours, *_ in ADAPTIVE])
def test_adaptive_optimizers_count_their_steps_over_epochs_as_pytorchs_do(data, engine, ours, kind, decay, numbers):
    torch = pytest.importorskip("torch")
    linears = pytorchs(torch, data, "tanh", kind, decay, eps=1e-8, **numbers)
    assert_same_weights(trained(data, engine, (7, 5), "tanh", optimizer=ours), linears)


@ENGINES
@pytest.mark.parametrize(("activation", "theirs"), [("relu", "relu"), ("tanh", "tanh"), ("sigmoid", "logistic")])
def test_sgd_is_scikit_learns(data, engine, activation, theirs):
    neural_network = pytest.importorskip("sklearn.neural_network")
    X, y = data
    # One call of partial_fit on a whole batch is one step, whose rate is constant and whose penalty is switched off.
    oracle = neural_network.MLPClassifier(
        (7, 5), activation=theirs, solver="sgd", alpha=0, batch_size=ROWS, learning_rate_init=1e-300, momentum=0,
        nesterovs_momentum=False, shuffle=False,
    )  # fmt: skip
    oracle.partial_fit(X, y, classes=np.arange(CLASSES))  # makes the arrays; its rate moves nothing
    W, b = start((7, 5), activation)
    for place, value in zip((*oracle.coefs_, *oracle.intercepts_), (*W, *b), strict=True):
        place[...] = value
    oracle._optimizer.learning_rate = RATE
    for _ in range(EPOCHS):
        oracle.partial_fit(X, y)
    settings = {"hidden": (7, 5), "activation": activation, "learning_rate": RATE, "epochs": EPOCHS, "batch_size": ROWS}
    mlp = MLP(shuffle=False, dtype="float64", engine=engine, scaling="none", **settings).fit(X, y)
    for ours, their in zip((*mlp.weights, *mlp.biases), (*oracle.coefs_, *oracle.intercepts_), strict=True):
        np.testing.assert_allclose(ours, their, rtol=0, atol=1e-12)
    np.testing.assert_allclose(mlp.predict_proba(X), oracle.predict_proba(X), rtol=0, atol=1e-12)


def test_softmax_regression_reaches_scikit_learns_minimum(data):
    linear_model = pytest.importorskip("sklearn.linear_model")
    X, y = data
    l2 = 0.05  # l2 / 2 |W|^2 on the mean loss is |W|^2 / (2 C) on the sum with C = 1 / (l2 rows)
    oracle = linear_model.LogisticRegression(C=1 / (l2 * ROWS), tol=1e-12, max_iter=10_000).fit(X, y)
    settings = {
        "hidden": (),
        "learning_rate": 0.5,
        "epochs": 1500,
        "batch_size": ROWS,
        "l2": l2,
        "train_metrics": "running",
    }
    mlp = MLP(dtype="float64", engine="numpy", scaling="none", **settings).fit(X, y)
    np.testing.assert_allclose(mlp.predict_proba(X), oracle.predict_proba(X), rtol=0, atol=1e-6)
