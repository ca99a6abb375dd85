"""A panel for an HTML page, in which the reader draws an image and the network classifies it live.

The network is in the page: `panel.js` is its forward pass, and nothing is loaded or sent.
"""

import base64
from collections.abc import Sequence
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING

import numpy as np
from markupsafe import Markup

from fastmlp.config.target_scaling import folded
from fastmlp.errors import InputError
from fastmlp.inputs.image_style import MNIST_FILL
from fastmlp.inputs.scaling import WHITE, Scaling
from fastmlp.mlp import MLP
from fastmlp.utils.showing import shown

if TYPE_CHECKING:
    from jinja2 import Template

# 2 MB as base64 of float32, 16/3 bytes each. Half as many bytes would not do: weights rounded to float16 moved the
# probabilities of MNIST's digits by up to 2e-3.
MOST_NUMBERS = 375_000


def panel(
    mlp: MLP,
    image_shape: tuple[int, int] | None,
    class_names: Sequence[str],
    fill: float = MNIST_FILL,
    shades: tuple[float, float] | None = None,
) -> str:
    """Return an HTML fragment with its own style and script, for the body of a page that allows both; one per page.

    The page defines `window.fastmlpPanel`, see panel.js.

    Parameters
    ----------
    mlp : MLP
        A trained network whose inputs are pixels.
    image_shape : tuple of int or None
        (height, width) of its inputs; None where they are no images.
    class_names : sequence of str
        A name for each column of its outputs.
    fill : float
        Share of the image's sides that a drawing is to fill, above 0 and at most 1. Letters of notMNIST fill 1.
    shades : tuple of float, optional
        The numbers of paper and of ink in the images of the training; None: the smallest and the largest one.

    Returns
    -------
    str
        "" where there is nothing to draw or to distinguish: no images alone, one output, weights that are not finite. A
        sentence for a network of more than `MOST_NUMBERS` weights and biases.

    Raises
    ------
    InputError
        For a shape or names that do not fit the network, for another fill, and for a network without weights.
    """
    *hidden, last = zip(mlp.weights, mlp.biases, strict=True)
    layers = [array for layer in (*hidden, folded(*last, mlp.target_scale)) for array in layer]
    features, outputs = mlp.weights[0].shape[0], mlp.biases[-1].size
    if image_shape is not None and image_shape[0] * image_shape[1] != features:
        raise InputError(f"image_shape is {image_shape}, but the network has {features} inputs; pass their shape")
    if len(class_names) != outputs:
        raise InputError(f"class_names has {len(class_names)} names for {outputs} outputs; give one per output")
    if not 0 < fill <= 1:
        raise InputError(f"fill is {shown(fill)}; expected a share above 0 and at most 1, such as 20 / 28")
    with np.errstate(over="ignore"):  # a float64 too large becomes infinite, which is caught below
        numbers = np.concatenate([array.ravel() for array in layers]).astype("<f4")
    scaling = None if mlp.encoder is None or mlp.encoder.features > mlp.encoder.scaling.columns else mlp.encoder.scaling
    if image_shape is None or scaling is None or outputs < 2 or not np.isfinite(numbers).all():
        return ""
    template = _template()
    if numbers.size > MOST_NUMBERS:
        return template.render(css=_text("panel.css"), count=numbers.size, network=None)
    height, width = map(int, image_shape)
    paper, ink = shades or _shades(scaling)
    output = mlp.config.loss_function.output  # numbers of a regression were trained to be 0 or 1, and are clipped
    network = {
        "height": height,
        "width": width,
        "box": [max(1, round(fill * side)) for side in (height, width)],
        # What the network reads of a pixel: gain times the share of it that is ink, plus shift.
        "gain": ((ink - paper) / scaling.scale).tolist(),
        "shift": ((paper - scaling.offset) / scaling.scale).tolist(),
        "names": [str(name) for name in class_names],
        "widths": [features, *(bias.size for bias in mlp.biases)],
        "activations": [*mlp.config.layer_activations, "identity"],
        "output": "clip" if output == "identity" else output,
        "numbers": base64.b64encode(numbers.tobytes()).decode("ascii"),
    }
    return template.render(css=_text("panel.css"), script=_text("panel.js"), network=network)


def _shades(scaling: Scaling) -> tuple[float, float]:
    """The numbers of paper and ink where they are not known."""
    if scaling.kind == "pixels":
        return 0, WHITE
    if scaling.low is None or scaling.high is None or (scaling.low >= 0 and scaling.high <= 1):
        return 0, 1
    return scaling.low, scaling.high


@cache
def _template() -> "Template":
    from jinja2 import Environment, PackageLoader, StrictUndefined

    # The escaping is asked for by name: Jinja does not take a .jinja file for HTML.
    loader = PackageLoader("fastmlp.report", "")
    environment = Environment(loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True)
    return environment.get_template("panel.html.jinja")


def _text(name: str) -> Markup:
    """A file of this package as it is, not to be escaped."""
    return Markup((files("fastmlp.report") / name).read_text("utf-8"))  # noqa: S704  it has nothing of a run
