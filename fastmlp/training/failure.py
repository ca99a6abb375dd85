"""Why a training failed."""

KINDS = ("diverged", "died", "stuck")


class FailureReason(str):
    """Why a training failed, as one line of text.

    Attributes
    ----------
    kind : str
        "diverged": the loss is not finite, or far above that of a constant prediction; "died": the network gives every
        sample the same answer; "stuck": the same, and it never did better; "error": the training stopped with an
        exception.
    """

    __slots__ = ()

    @property
    def kind(self) -> str:
        """One of "diverged", "died", "stuck" or "error"."""
        first = str(self).partition(":")[0]
        return first if first in KINDS else "error"
