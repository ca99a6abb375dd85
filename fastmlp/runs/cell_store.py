"""The cells of a run on the disk. A cell is known by what made it: its settings, its data and the engine.

cells/<slug>-<first digits of the identity>/   the folder of a cell
    cell.json    written last: its identity, what went into that, and the SHA-256 of model.h5
    model.h5, history.csv, curve.png    of one that was pruned no model.h5
    checkpoint/  while it is trained
"""

import hashlib
from pathlib import Path
from typing import Any

from fastmlp import plots
from fastmlp.config.network import NetworkConfig
from fastmlp.errors import InputError
from fastmlp.export.model_file import dumps
from fastmlp.mlp import MLP
from fastmlp.report.figures import panel
from fastmlp.runs.cells import Cell, CellResult
from fastmlp.runs.run_directory import Run, read_json, write_json
from fastmlp.training.checkpoints import Checkpoints
from fastmlp.training.history import History
from fastmlp.utils.atomic_files import write_bytes
from fastmlp.utils.digests import digest_of_values, engine_version

DIGITS = 8  # of an identity in a folder's name; the whole is compared


class Store:
    """What a run keeps of its cells.

    data  plain values that tell the data of a training from all others: see `sweep`
    """

    def __init__(self, run: Run, data: dict[str, Any]):
        self._run, self._data = run, data

    def made_of(self, cell: Cell) -> dict[str, Any]:
        """All that a cell's result depends on, as plain values."""
        return {
            "settings": NetworkConfig.from_dict(cell.settings).identity(),
            "data": self._data,
            "engine": engine_version(),
        }

    def identity(self, cell: Cell) -> str:
        """What tells a cell from all others, whatever it is called."""
        return digest_of_values(self.made_of(cell))

    def folder(self, cell: Cell) -> Path:
        """The folder of a cell; it may have been made under another name, by a sweep with another grid."""
        identity = self.identity(cell)
        for path in self._run.cells.glob(f"*-{identity[:DIGITS]}"):
            if path.is_dir():
                return path
        return self._run.cell(f"{cell.slug}-{identity[:DIGITS]}")

    def checkpoints(self, cell: Cell) -> Checkpoints:
        """Where the training of a cell is kept."""
        return Checkpoints(self.folder(cell) / "checkpoint", identity=self.identity(cell))

    def finished(self, cell: Cell) -> CellResult | None:
        """What became of a cell that was trained to its end, or pruned; None where there is none, or it is damaged."""
        folder = self.folder(cell)
        try:
            record = read_json(folder / "cell.json")
            if record.get("identity") != self.identity(cell):
                return None
            if record.get("pruned"):
                mlp = MLP(**cell.settings)
                mlp.history = History.from_csv(self._run.history(folder))
                return CellResult(cell, mlp, record["pruned"])
            model = self._run.model(folder).read_bytes()
        except (InputError, OSError):
            return None
        if record.get("model_sha256") != hashlib.sha256(model).hexdigest():
            return None
        self.checkpoints(cell).remove()  # of a process that was killed before it did so
        mlp = MLP.load(self._run.model(folder))
        self._mend_history(folder, mlp.history)
        return CellResult(cell, mlp)

    def _mend_history(self, folder, history):
        """Write history.csv anew where it is not what the network says."""
        path = self._run.history(folder)
        if not path.exists() or path.read_bytes() != history.to_csv().encode():
            history.to_csv(path)

    def keep(self, trained: CellResult, heading: str) -> None:
        """Write a cell that did not fail; its checkpoints go. `heading` is that of its figure."""
        cell, mlp = trained.cell, trained.mlp
        folder, made_of = self.folder(cell), self.made_of(cell)
        mlp.history.to_csv(self._run.history(folder))
        figure = plots.curves_figure([panel(cell.label, mlp, trained.pruned)], (1, 1), heading)
        plots.save(figure, self._run.curve(folder))
        record = {"identity": digest_of_values(made_of), "pruned": trained.pruned, **made_of}
        if trained.pruned is None:
            model = dumps(mlp)
            write_bytes(self._run.model(folder), model)
            record["model_sha256"] = hashlib.sha256(model).hexdigest()
        write_json(folder / "cell.json", record)
        self.checkpoints(cell).remove()
