"""Model files that have to stay loadable, with the outputs that they gave.

`python tests/helpers/golden_models.py` adds those of this version to tests/export/golden. What a released version wrote
is never made anew.
"""

import json
from pathlib import Path

import numpy as np
from exported_networks import BITS, PIXELS, THIRDS, WIDE, network, outputs, rows_of, table

from fastmlp import __version__
from fastmlp.inputs.table import Table

FOLDER = Path(__file__).parents[1] / "export" / "golden"


def models():
    """(name, network, some rows of its inputs) of each."""
    gaps = {"missing": "median", "optimizer": "adam", "dropout": 0.1, "early_stopping": 3}
    words = np.array(["no", "yes", "perhaps"])[THIRDS]
    X = table(True)
    yield "table", network(X, words, (X, words), **gaps), X
    yield "pixels", network(PIXELS, THIRDS, schedule="cosine", class_weight="balanced", hidden=(4,)), PIXELS
    bits = {"dtype": "float64", "loss": "binary_cross_entropy", "activation": ("tanh", "sigmoid")}
    yield "bits", network(WIDE, BITS, **bits), WIDE


def inputs_of(golden):
    """The inputs of a golden model, from its JSON file."""
    if golden["names"] is None:
        return np.array(golden["rows"], golden["dtype"])
    columns = list(zip(*golden["rows"], strict=True))
    kinds = [object if any(isinstance(value, str) for value in column) else float for column in columns]
    return Table(tuple(golden["names"]), tuple(map(np.array, columns, kinds)))


def main():
    FOLDER.mkdir(exist_ok=True)
    for name, mlp, X in models():
        stem = f"{__version__}-{name}"
        some = X[:12]
        golden = {
            "names": list(some.names) if isinstance(some, Table) else None,
            "dtype": None if isinstance(some, Table) else some.dtype.name,
            "rows": [[None if value != value else value for value in row] for row in rows_of(some)],
            "outputs": outputs(mlp, some).tolist(),
            "predictions": mlp.predict(some).tolist(),
        }
        (FOLDER / f"{stem}.json").write_text(json.dumps(golden) + "\n", encoding="utf-8")
        mlp.save(FOLDER / f"{stem}.safetensors")


if __name__ == "__main__":
    main()
