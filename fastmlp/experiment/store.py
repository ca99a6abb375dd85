"""The cells of a run on the disk. A cell is known by what made it: its settings, its data and the engine.

cells/<slug>-<first digits of the identity>/   the folder of a cell
    cell.json    written last: its identity, what went into that, and the SHA-256 of model.h5
    model.h5, history.csv, curve.png
    checkpoint/  while it is trained
"""

import hashlib
from pathlib import Path
from typing import Any

from fastmlp import plots
from fastmlp.checkpoint import Checkpoints
from fastmlp.errors import InputError
from fastmlp.files import write_bytes
from fastmlp.identity import digest_of_values, engine_version
from fastmlp.mlp import MLP
from fastmlp.modelfile import dumps

from .recipe import Cell
from .record import kept_epoch
from .run import Run, read_json, write_json

DIGITS = 8  # of an identity in a folder's name; the whole is compared


class Store:
    """What a run keeps of its cells.

    data  plain values that tell the data of a training from all others: see `sweep`
    """

    def __init__(self, run: Run, data: dict[str, Any]):
        self._run, self._data = run, data

    def made_of(self, cell: Cell) -> dict[str, Any]:
        """All that a cell's result depends on, as plain values."""
        settings = MLP(**cell.settings).settings()
        del settings["threads"]  # changes no result
        return {"settings": settings, "data": self._data, "engine": engine_version()}

    def folder(self, cell: Cell) -> Path:
        """The folder of a cell; it may have been made under another name, by a sweep with another grid."""
        identity = digest_of_values(self.made_of(cell))
        for path in self._run.cells.glob(f"*-{identity[:DIGITS]}"):
            if path.is_dir():
                return path
        return self._run.cell(f"{cell.slug}-{identity[:DIGITS]}")

    def checkpoints(self, cell: Cell) -> Checkpoints:
        """Where the training of a cell is kept."""
        return Checkpoints(self.folder(cell) / "checkpoint", identity=digest_of_values(self.made_of(cell)))

    def finished(self, cell: Cell) -> MLP | None:
        """The network of a cell that was trained to its end; None when there is none, or it is damaged."""
        folder = self.folder(cell)
        try:
            record, model = read_json(folder / "cell.json"), self._run.model(folder).read_bytes()
        except (InputError, OSError):
            return None
        whole = record.get("model_sha256") == hashlib.sha256(model).hexdigest()
        if not whole or record.get("identity") != digest_of_values(self.made_of(cell)):
            return None
        return MLP.load(self._run.model(folder))

    def keep(self, cell: Cell, mlp: MLP, heading: str) -> None:
        """Write a trained cell; its checkpoints go. `heading` is that of its figure."""
        folder, model = self.folder(cell), dumps(mlp)
        mlp.history.to_csv(self._run.history(folder))
        write_bytes(self._run.model(folder), model)
        plots.save(plots.curves_figure([panel(cell.label, mlp)], (1, 1), heading), self._run.curve(folder))
        made_of = self.made_of(cell)
        record = {"identity": digest_of_values(made_of), "model_sha256": hashlib.sha256(model).hexdigest(), **made_of}
        write_json(folder / "cell.json", record)
        self.checkpoints(cell).remove()


def panel(label: str, mlp: MLP) -> plots.Panel:
    """What a figure shows of a trained cell."""
    kept = kept_epoch(mlp.history.to_dict(), mlp.early_stopping)
    return plots.Panel(label, mlp.history, mlp.decay_epochs, mlp.diverged, kept)
