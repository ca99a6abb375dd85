"""The base class of all losses, and the table of those that there are.

A loss stands between the labels of a person and the numbers of the kernels. `classes` (C,) are the labels that the
columns of the outputs stand for, in order; where there are none, the numbers of the columns, or their scale (C, 2). A
subclass of `Loss` is registered under its name when it is defined.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from typing import Any, ClassVar

from numpy.typing import ArrayLike, NDArray

LOSSES: dict[str, "type[Loss]"] = {}

Targets = NDArray[Any]  # (N,) int64 class numbers, or (N, C) numbers in the network's dtype
Classes = NDArray[Any]  # (C,), see `fastmlp.utils.labels`; (C, 2), see `fastmlp.config.target_scaling`


class Loss(ABC):
    """Base class of all losses. Any two instances of a class with the same `target_scaling` are the same.

    Attributes
    ----------
    target_scaling : str
        How numbers to predict are scaled, see `fastmlp.config.target_scaling`; "none" unless `from_setting` says more.
    name : str
        What the setting calls it.
    label : str
        What a person calls it.
    kind : int
        The kernels' code of its formula.
    output : str
        The function of the output layer.
    baseline : str
        What `prior_loss` is the loss of, for messages.
    measure : str
        What `accuracy` returns.
    has_classes : bool
        Whether each sample has one label: labels can be smoothed, classes have weights, streams can be trained on.
    has_probabilities : bool
        Whether outputs are probabilities.
    """

    name: ClassVar[str]
    label: ClassVar[str]
    kind: ClassVar[int]
    output: ClassVar[str]
    baseline: ClassVar[str]
    measure: ClassVar[str] = "accuracy"
    has_classes: ClassVar[bool] = False
    has_probabilities: ClassVar[bool] = True
    target_scaling: str = "none"

    def __init_subclass__(cls, *, name: str, label: str, **options: Any):
        super().__init_subclass__(**options)
        cls.name, cls.label = name, label
        LOSSES[name] = cls

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and self.target_scaling == getattr(other, "target_scaling", None)

    def __hash__(self) -> int:
        return hash(self.name)

    def __repr__(self) -> str:
        return f"{type(self).__name__}()"

    @abstractmethod
    def prepare(self, y: ArrayLike, rows: int, classes: Iterable[Any] | None, dtype: str) -> tuple[Targets, Classes]:
        """Check the targets of a training set.

        Parameters
        ----------
        y : array_like
            Labels or numbers, see `MLP.fit`.
        rows : int
            Number of samples.
        classes : iterable or None
            All labels that there are, where `y` may lack some.
        dtype : str
            Of the network.

        Returns
        -------
        tuple of ndarray
            What the kernels compare outputs with, and the classes (C,).

        Raises
        ------
        InputError, InputTypeError
            For targets that the loss does not take.
        """

    @abstractmethod
    def compare(self, y: ArrayLike, rows: int, classes: Classes, dtype: str, name: str = "y") -> Targets:
        """Check the targets of other samples than those of the training set.

        Parameters
        ----------
        y, rows, dtype
            As for `prepare`.
        classes : ndarray, (C,)
            What `prepare` returned.
        name : str
            Of `y` in messages.

        Returns
        -------
        ndarray
            What the kernels compare outputs with.
        """

    @abstractmethod
    def decide(self, outputs: NDArray[Any], classes: Classes) -> NDArray[Any]:
        """Return predictions.

        Parameters
        ----------
        outputs : ndarray, (N, C)
            Of the network.
        classes : ndarray, (C,)
            What `prepare` returned.

        Returns
        -------
        ndarray
            Labels (N,), or one value for each column: (N, C), or (N,) where C is 1.
        """

    def unit(self, classes: Classes) -> float:
        """Return what a loss of the kernels is multiplied by to be one of the targets as they were given.

        Parameters
        ----------
        classes : ndarray, (C,)
            What `prepare` returned.
        """
        return 1.0

    def spread(self, targets: Targets, weights: NDArray[Any]) -> float:
        """Return what `accuracy` measures by: the number of samples; for R^2 their squared deviations from the mean.

        For D^2 it is half their deviance about the mean.

        Parameters
        ----------
        targets, weights : ndarray
            What the kernels compared with; weights of the samples, empty when all are 1: they count in R^2 and D^2
            alone.
        """
        return float(len(targets))

    def accuracy(self, totals: Sequence[float], spread: float) -> float:
        """Return the share of right answers, 0 to 1; R^2 or D^2 for a regression.

        Parameters
        ----------
        totals : sequence of float, (2,)
            Summed loss and number of right answers.
        spread : float
            What `spread` returned for the same samples.
        """
        return totals[1] / spread

    @abstractmethod
    def prior_loss(self, targets: Targets, weights: NDArray[Any]) -> float:
        """Return the loss of the constant predictor that outputs the class frequencies, or means, of the training set.

        Parameters
        ----------
        targets : ndarray
            What the kernels compare with.
        weights : ndarray, (N,) or (0,)
            Weights of the samples, empty when all are 1.

        Returns
        -------
        float
            Mean loss, of cross entropies in nats.
        """

    @abstractmethod
    def uniform_loss(self, targets: Targets, columns: int) -> float:
        """Return the loss of the constant predictor that gives every class the same probability.

        Parameters
        ----------
        targets : ndarray
            What the kernels compare with.
        columns : int
            Number of outputs.

        Returns
        -------
        float
            Mean loss, of cross entropies in nats.
        """
