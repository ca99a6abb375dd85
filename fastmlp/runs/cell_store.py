"""The cells of a run on the disk, each identified by its settings, its data and the engine.

cells/<slug>-<first digits of the identity>/   the folder of a cell
    cell.json    written last: its identity, what went into that, and the SHA-256 of model.safetensors
    model.safetensors, history.csv, curve.png    of one that was pruned no model.safetensors
    checkpoint/  while it is trained
"""

import hashlib
from functools import cached_property
from pathlib import Path

from fastmlp.config.network import NetworkConfig
from fastmlp.errors import InputError
from fastmlp.mlp import MLP
from fastmlp.runs.cells import Cell, CellResult
from fastmlp.runs.records import CellInputs, CellManifest, TrainingDataRecord
from fastmlp.runs.run_directory import Run
from fastmlp.training.checkpoints import CheckpointStore
from fastmlp.training.history import History
from fastmlp.utils.atomic_files import write_bytes
from fastmlp.utils.digests import digest_of_values, engine_version
from fastmlp.utils.records import read_record, to_plain, write_record

DIGITS = 8  # of an identity in a folder's name; all of them are compared


class CellStore:
    """The folders of a run's cells.

    Parameters
    ----------
    run : Run
        The run directory.
    data : TrainingDataRecord
        The data that the cells are trained on.
    """

    def __init__(self, run: Run, data: TrainingDataRecord):
        self._run, self._data = run, data

    def inputs(self, cell: Cell) -> CellInputs:
        """Return all that the result of a cell depends on.

        Parameters
        ----------
        cell : Cell
            What is trained.
        """
        settings = NetworkConfig.from_dict(cell.settings).identity()
        return CellInputs(settings=settings, data=self._data, engine=engine_version())

    def identity(self, cell: Cell) -> str:
        """Return the SHA-256, in hexadecimal, of all that distinguishes a cell from others, whatever its name.

        Parameters
        ----------
        cell : Cell
            What is trained.
        """
        return digest_of_values(to_plain(self.inputs(cell)))

    def folder(self, cell: Cell) -> Path:
        """Return the folder of a cell, which need not exist; a sweep with another grid may have named it otherwise.

        Parameters
        ----------
        cell : Cell
            What is trained.
        """
        digits = self.identity(cell)[:DIGITS]
        return self._folders.setdefault(digits, self._run.cell(f"{cell.slug}-{digits}"))

    @cached_property
    def _folders(self) -> dict[str, Path]:
        """The folders by the digits in their names: those that were there before, listed once, and those asked for."""
        return {path.name[-DIGITS:]: path for path in self._run.cells.glob(f"*-{'?' * DIGITS}") if path.is_dir()}

    def checkpoints(self, cell: Cell) -> CheckpointStore:
        """Return the checkpoints of the training of a cell.

        Parameters
        ----------
        cell : Cell
            What is trained.
        """
        return CheckpointStore(self.folder(cell) / "checkpoint", identity=self.identity(cell))

    def load(self, cell: Cell) -> CellResult | None:
        """Return the result of a cell that was trained to its end or pruned; None without one, or for damaged files.

        Parameters
        ----------
        cell : Cell
            What is trained.
        """
        folder = self.folder(cell)
        try:
            manifest = read_record(folder / "cell.json", CellManifest, "train it again")
            if manifest.identity != self.identity(cell):
                return None
            if manifest.pruned is not None:
                mlp = MLP(**cell.settings)
                mlp.history = History.from_csv(self._run.history(folder))
                return CellResult(cell, mlp, manifest.pruned)
            model = self._run.model(folder).read_bytes()
        except (InputError, OSError):
            return None
        if manifest.model_sha256 != hashlib.sha256(model).hexdigest():
            return None
        self.checkpoints(cell).remove()  # of a process that was killed before it did so
        mlp = MLP.load(self._run.model(folder))
        self._restore_history(folder, mlp.history)
        return CellResult(cell, mlp)

    def _restore_history(self, folder: Path, history: History) -> None:
        """Rewrite history.csv if it differs from the history in the network's file."""
        path = self._run.history(folder)
        if not path.exists() or path.read_bytes() != history.to_csv().encode():
            history.to_csv(path)

    def save(self, result: CellResult) -> None:
        """Write a cell that did not fail, and remove its checkpoints.

        Parameters
        ----------
        result : CellResult
            The trained network.
        """
        cell, mlp = result.cell, result.mlp
        folder, inputs = self.folder(cell), self.inputs(cell)
        mlp.history.to_csv(self._run.history(folder))
        digest = None
        if result.pruned is None:
            model = mlp.to_bytes()
            write_bytes(self._run.model(folder), model)
            digest = hashlib.sha256(model).hexdigest()
        manifest = CellManifest(
            identity=digest_of_values(to_plain(inputs)),
            pruned=result.pruned,
            settings=inputs.settings,
            data=inputs.data,
            engine=inputs.engine,
            model_sha256=digest,
        )
        write_record(folder / "cell.json", manifest)
        self.checkpoints(cell).remove()
