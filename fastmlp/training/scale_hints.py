"""Advice on the scale of the inputs, where it may be the cause of trouble."""

from fastmlp.training.probes import SAMPLE, largest_input
from fastmlp.training.session import Session

# Inputs of variance 1 are hardly ever beyond the first; of inputs that are all below the second little is learned.
LARGE_INPUT, SMALL_INPUT = 6, 0.05


def scale_hints(session: Session) -> list[str]:
    """Return the hint to scale the inputs; none where they are scaled, or about 1 as they are.

    Parameters
    ----------
    session : Session
        The training.
    """
    scaling = session.data.encoder.scaling
    if scaling.kind not in ("none", "pixels") or not scaling.columns:
        return []
    if scaling.low is None or scaling.high is None:  # of a stream, which was not measured
        largest = largest_input(session.data.batches.sample(SAMPLE)[0])
    else:
        largest = max(abs(scaling.low), abs(scaling.high)) / float(scaling.scale[0])
    if SMALL_INPUT <= largest <= LARGE_INPUT or not largest:
        return []
    size = f"{largest:,.0f}" if largest >= 10 else f"{largest:.2g}"
    better = "standard" if session.config.scaling == "auto" else "auto"
    return [f"scaling='{better}' (the inputs go up to {size})"]
