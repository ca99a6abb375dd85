"""Files with the same numbers give the same network, whatever their format, their types and the order of columns."""

import h5py
import numpy as np
import pytest

from fastmlp import MLP
from fastmlp.data import load

ROWS, COLUMNS = 200, 64
Y = np.arange(ROWS) % 4
NAMES = [f"pixel{number}" for number in range(COLUMNS)]
SMALL = {"hidden": (8,), "epochs": 10, "batch_size": 20, "first_layer": "dense"}


def digits(most):
    """(ROWS, COLUMNS) whole numbers from 0 to `most`, brighter where a row's class has its quarter of the columns."""
    random = np.random.RandomState(0)
    X = random.randint(0, most // 2, (ROWS, COLUMNS))
    X[np.arange(COLUMNS) // 16 == Y[:, None]] += most // 3
    X[0, 0], X[1, 0] = 0, most
    return X


def write_csv(path, X, label_is_last):
    head, rows = ["label", *NAMES], np.column_stack([Y, X])
    order = [*range(1, COLUMNS + 1), 0] if label_is_last else range(COLUMNS + 1)
    lines = [",".join(head[column] for column in order)]
    lines += [",".join(str(row[column]) for column in order) for row in rows.tolist()]
    path.write_text("\n".join(lines) + "\n")


def write_npz(path, X, dtype):
    np.savez(path, x=X.astype(dtype), y=Y)


def write_hdf5(path, X, dtype):
    with h5py.File(path, "w") as file:
        file["xdata"], file["ydata"] = X.astype(dtype), Y


def write_svmlight(path, X):
    rows = zip(Y.tolist(), X.tolist(), strict=True)
    path.write_text("".join(f"{y} " + " ".join(f"{k}:{x}" for k, x in enumerate(row, 1)) + "\n" for y, row in rows))


FILES = {
    "first.csv": lambda path, X: write_csv(path, X, False),
    "last.csv": lambda path, X: write_csv(path, X, True),
    "bytes.npz": lambda path, X: write_npz(path, X, np.uint8),
    "integers.npz": lambda path, X: write_npz(path, X, np.int64),
    "floats.npz": lambda path, X: write_npz(path, X, np.float64),
    "bytes.h5": lambda path, X: write_hdf5(path, X, np.uint8),
    "floats.h5": lambda path, X: write_hdf5(path, X, np.float32),
}


def fitted(path):
    data = load(path)
    return MLP(**SMALL).fit(data.X, data.y), data


@pytest.mark.parametrize(("most", "scaling"), [(16, "standard"), (100, "standard"), (255, "pixels")])
def test_files_with_the_same_numbers_give_the_same_network(tmp_path, most, scaling):
    X, networks = digits(most), {}
    for name, write in FILES.items():
        write(tmp_path / name, X)
        networks[name], _ = fitted(tmp_path / name)
    first = networks["first.csv"]
    assert first.fit_info["scaling"] == scaling
    assert first.score(X, Y) > 0.9
    for mlp in networks.values():
        assert [W.tobytes() for W in mlp.weights] == [W.tobytes() for W in first.weights]
        for name in FILES:
            data = load(tmp_path / name)
            assert mlp.evaluate(data.X, data.y) == first.evaluate(X, Y)


@pytest.mark.parametrize(("most", "scaling"), [(16, "standard"), (255, "pixels")])
def test_sparse_text_is_read_by_the_same_rule(tmp_path, most, scaling):
    X = digits(most)
    write_svmlight(tmp_path / "rows.svm", X)
    mlp, data = fitted(tmp_path / "rows.svm")
    assert mlp.fit_info["scaling"] == scaling
    np.testing.assert_allclose(mlp.predict_proba(X), mlp.predict_proba(data.X), rtol=1e-5)
    assert MLP(**SMALL).fit(X, Y).evaluate(data.X, data.y) == MLP(**SMALL).fit(X, Y).evaluate(X, Y)


def test_bits_of_any_type_are_read_as_they_are(tmp_path):
    X = digits(16) % 2
    networks = []
    for dtype in (bool, np.uint8, np.int64, np.float32):
        write_npz(tmp_path / "bits.npz", X, dtype)
        networks.append(fitted(tmp_path / "bits.npz")[0])
    assert {mlp.fit_info["scaling"] for mlp in networks} == {"none"}
    assert len({mlp.weights[0].tobytes() for mlp in networks}) == 1
