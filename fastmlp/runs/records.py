"""The records of a run and its cells: `run.json` and the `cell.json` of each trained network."""

from typing import Annotated, Any, ClassVar

from msgspec import Meta

from fastmlp.config.network import NetworkConfig
from fastmlp.config.stored import read_stored
from fastmlp.inputs.image_style import ImageStyle
from fastmlp.runs.recipe_record import RecipeRecord
from fastmlp.training.history import DiagnosisRecord
from fastmlp.utils.records import Count, Digest, Name, Position, Record, Score, Seconds, Slug, Time


class EnvironmentRecord(Record, frozen=True, kw_only=True):
    """The versions and the machine that a result depends on; None for a package that is not installed.

    Attributes
    ----------
    fastmlp, python : str
        Versions.
    numpy, numba, llvmlite, h5py, matplotlib : str or None
        Versions.
    platform, machine : str
        Operating system and processor, as `platform` names them.
    cores : int or None
        Number of logical processors.
    """

    fastmlp: str
    python: str
    numpy: str | None
    numba: str | None
    llvmlite: str | None
    h5py: str | None
    matplotlib: str | None
    platform: str
    machine: str
    cores: Count | None


class DataRecord(Record, frozen=True, kw_only=True):
    """The data of a run: enough to load them again and to be sure that they are the same.

    Attributes
    ----------
    name : str
        Such as "mnist".
    key : str
        Name of a data set, or absolute path of a file.
    source : str
        Where the samples came from, for a person.
    synthetic : bool
        Whether the samples were made by this library.
    digest : str
        SHA-256 of the samples and labels.
    rows, training_rows, validation_rows, test_rows : int
        Number of samples: all, those in each part, and those that are set aside for the test.
    features : int
        Number of features.
    n_features : int or None
        Number of features that sparse text is read with.
    label : str, int or None
        Column of the labels of a table in text.
    columns : tuple of str or None
        Names of the features, where they have some.
    image_shape : tuple of int or None
        (height, width) where the inputs are images.
    image_style : ImageStyle or None
        What these look like.
    classes : tuple of int, str or bool, or None
        The labels of the classes; None for a regression.
    class_names : tuple of str
        A name for each class; () stands for the labels.
    """

    name: Name
    key: Name
    source: str
    synthetic: bool
    digest: Digest
    rows: Position
    training_rows: Position
    validation_rows: Count
    test_rows: Count = 0
    features: Position
    n_features: Position | None
    label: str | int | None
    columns: tuple[str, ...] | None
    image_shape: tuple[Position, Position] | None
    image_style: ImageStyle | None
    classes: Annotated[tuple[bool | int | str, ...], Meta(min_length=1)] | None
    class_names: tuple[str, ...]

    def __post_init__(self) -> None:
        if self.class_names and len(self.class_names) != len(self.classes or ()):
            raise ValueError(f"class_names has {len(self.class_names)} names for {len(self.classes or ())} classes")
        if len(set(self.classes or ())) < len(self.classes or ()):
            raise ValueError("classes has a label twice")
        if self.columns is not None and len(self.columns) != self.features:
            raise ValueError(f"columns has {len(self.columns)} names for {self.features} features")
        if self.image_shape is not None and self.image_shape[0] * self.image_shape[1] != self.features:
            raise ValueError(f"image_shape is {list(self.image_shape)} for {self.features} features")
        if self.image_style is not None and self.image_style.shape != self.image_shape:
            raise ValueError(f"images have the shape {self.image_style.shape} for an image_shape {self.image_shape}")
        if self.training_rows + self.validation_rows + self.test_rows > self.rows:
            raise ValueError(f"training_rows, validation_rows and test_rows are more than {self.rows} rows")

    @property
    def names_of_classes(self) -> list[str]:
        """One name per class: the data's own, or the labels. None for a regression, which has none."""
        return list(self.class_names) or [str(label) for label in self.classes or ()]

    @property
    def task(self) -> str:
        """What there is to learn: "classification" or "regression"."""
        return "regression" if self.classes is None else "classification"

    @property
    def outputs(self) -> int:
        """Number of outputs of a network: one for each class, or one."""
        return len(self.classes or (0,))


class CellRecord(Record, frozen=True, kw_only=True):
    """The settings and the results of a cell in `run.json`.

    Results are those of the weights that the network has: after its last epoch, or, where it stopped early, after
    `kept_epoch`. A result is None where it is not finite, or where a failed cell has none.

    Attributes
    ----------
    slug, label : str
        Name of its folder without the digits, and name for a person.
    group, configuration : str
        Slug and label without the seed: common to cells that differ in the seed alone.
    folder : str or None
        Its folder in `cells`; None if it failed with an error and has none.
    settings : dict
        Arguments of `MLP` as plain values, without `threads`.
    failure_reason : str or None
        Why its training failed.
    diagnoses : tuple of DiagnosisRecord
        What was seen during its training.
    pruned : int or None
        The epoch, from 1, after which a search gave it up.
    epochs, kept_epoch : int
        Number of epochs, and the epoch whose weights were kept; 0 for none.
    train_loss, train_accuracy, validation_loss, validation_accuracy : float or None
        Losses per sample, in nats for cross entropies; accuracies from 0 to 1, or R² for the squared error.
    best_epoch : int or None
        The epoch, from 1, with the highest validation accuracy.
    best_validation_accuracy : float or None
        The validation accuracy after that epoch.
    seconds : float
        Duration of the training.
    """

    slug: Slug
    label: str
    group: Slug
    configuration: str
    folder: Slug | None
    settings: dict[str, Any]
    failure_reason: Annotated[str, Meta(min_length=1)] | None
    diagnoses: tuple[DiagnosisRecord, ...]
    pruned: Position | None
    epochs: Count
    kept_epoch: Count
    train_loss: float | None
    train_accuracy: Score | None
    validation_loss: float | None
    validation_accuracy: Score | None
    best_epoch: Position | None
    best_validation_accuracy: Score | None
    seconds: Seconds

    def __post_init__(self) -> None:
        if max(self.kept_epoch, self.best_epoch or 0, self.pruned or 0) > self.epochs:
            raise ValueError(f"kept_epoch, best_epoch or pruned is beyond the last of {self.epochs} epochs")
        read_stored(self.settings, with_threads=False)

    @property
    def failure(self) -> str | None:
        """Why it has no result; None if it has one, or was pruned."""
        if self.failure_reason is None and self.pruned is None and self.validation_accuracy is None:
            return "has no result"
        return self.failure_reason

    @property
    def is_sound(self) -> bool:
        """Whether it was trained to the end and has a result."""
        return self.failure is None and self.pruned is None

    @property
    def config(self) -> NetworkConfig:
        """Its settings, checked."""
        return NetworkConfig.from_dict(self.settings)

    @property
    def seed(self) -> int:
        """The seed of its settings."""
        seed: int = self.settings["seed"]
        return seed


class RunRecord(Record, frozen=True, kw_only=True):
    """What was run (`run.json`): recipe, data and versions; once it is finished, the cells' results and the best one.

    Attributes
    ----------
    format : int
        `FORMAT`.
    finished : bool
        Whether all cells were trained; before, there are none here.
    started : str
        When the first sweep into this folder began.
    seconds : float
        Duration of the sweeps together.
    recipe : RecipeRecord
        What was asked for.
    data : DataRecord
        The samples.
    environment : EnvironmentRecord
        Versions and machine.
    notes : tuple of str
        Remarks on the recipe and the data.
    cells : tuple of CellRecord
        The trainings, in the order of the grid.
    best : str or None
        Slug of the cell to retrain; None if there is none.
    """

    FORMAT: ClassVar[int] = 5

    format: int = FORMAT
    finished: bool
    started: Time
    seconds: Seconds
    recipe: RecipeRecord
    data: DataRecord
    environment: EnvironmentRecord
    notes: tuple[str, ...]
    cells: tuple[CellRecord, ...] = ()
    best: Slug | None = None

    def __post_init__(self) -> None:
        slugs = {cell.slug for cell in self.cells}
        if len(slugs) < len(self.cells):
            raise ValueError("two cells have the same slug")
        if self.best is not None and self.best not in slugs:
            raise ValueError(f"best is {self.best!r}, which no cell is called")
        if self.best is not None and not self.find(self.best).is_sound:
            raise ValueError(f"best is {self.best!r}, which has no result")
        if self.cells and not self.finished:
            raise ValueError("it has cells and is not finished")

    def find(self, slug: str) -> CellRecord:
        """Return the cell of that slug.

        Parameters
        ----------
        slug : str
            Must be that of a cell.
        """
        return next(cell for cell in self.cells if cell.slug == slug)

    @property
    def best_cell(self) -> CellRecord | None:
        """The cell to retrain; None if there is none."""
        return None if self.best is None else self.find(self.best)


class TrainingDataRecord(Record, frozen=True, kw_only=True):
    """What distinguishes the data of a training from all others.

    Attributes
    ----------
    digest : str
        SHA-256 of all samples and labels.
    training_rows, validation_rows, test_rows : int
        Number of samples in each part, and of those that are set aside for the test.
    stratify : bool
        Whether the validation samples were drawn from each class.
    """

    digest: Digest
    training_rows: Position
    validation_rows: Count
    test_rows: Count = 0
    stratify: bool


class CellInputs(Record, frozen=True, kw_only=True):
    """All that the result of a cell depends on.

    Attributes
    ----------
    settings : dict
        Arguments of `MLP` as plain values, without `threads`.
    data : TrainingDataRecord
        The samples.
    engine : str
        See `fastmlp.utils.digests.engine_version`.
    """

    settings: dict[str, Any]
    data: TrainingDataRecord
    engine: str


class CellManifest(CellInputs, frozen=True, kw_only=True):
    """What is in the folder of a cell (`cell.json`), written last.

    Attributes
    ----------
    settings, data, engine
        See `CellInputs`.
    identity : str
        SHA-256 of its inputs.
    pruned : int or None
        The epoch, from 1, after which a search gave it up.
    model_sha256 : str or None
        SHA-256 of `model.safetensors`; None if it was pruned.
    """

    identity: Digest
    pruned: Position | None
    model_sha256: Digest | None

    def __post_init__(self) -> None:
        if (self.pruned is None) == (self.model_sha256 is None):
            raise ValueError("expected either pruned or model_sha256")


class RetrainedManifest(Record, frozen=True, kw_only=True):
    """What is in the folder `retrained` (`cell.json`), written last.

    Attributes
    ----------
    identity : str
        SHA-256 of the settings and the data: see `fastmlp.runs.selection.identity`.
    slug : str
        Slug of the cell that was trained again.
    model_sha256 : str
        SHA-256 of `model.safetensors`.
    """

    identity: Digest
    slug: Slug
    model_sha256: Digest
