"""PNG and JPEG files: read in grey, and made like the images that a network was trained on."""

import warnings
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fastmlp.data.checks import check_file
from fastmlp.errors import InputError, first_line
from fastmlp.inputs.image_style import NEAR, ImageStyle, edge

ENDINGS = (".png", ".jpg", ".jpeg")
SIGNATURES = (b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff")
_FORMATS = ("PNG", "JPEG")
_WHITE = 255
_BYTES = ("1", "L", "LA", "P", "PA", "RGB", "RGBA", "RGBa", "La", "CMYK", "YCbCr")  # Pillow's modes of a byte each
_INK = 0.2  # of the darkest ink: what is fainter, as the shade of paper in a photograph, is background
_OTHER = 0.9  # share of the pixels at the edges of an image whose background is of the other kind


def is_image_name(path: Path) -> bool:
    """Return True for the name of a PNG or JPEG file that is not hidden.

    Parameters
    ----------
    path : Path
        A path.
    """
    return path.suffix.lower() in ENDINGS and not path.name.startswith(".")


def read_image(path: Path) -> NDArray[np.uint8 | np.float32]:
    """Read an image without its colours; what is transparent is white.

    Parameters
    ----------
    path : Path
        PNG or JPEG file.

    Returns
    -------
    ndarray of shape (height, width), uint8, or float32 for 16 bits a pixel
        Grey as Pillow's `convert("L")` makes it, or the numbers of an image with 16 bits.

    Raises
    ------
    InputError
        If it is no such file, damaged, or too large, or Pillow is not installed.
    """
    try:
        from PIL import Image, ImageOps
    except ImportError:
        raise InputError(
            f"{path} is an image, which Pillow reads; it is not installed: pip install 'fastmlp[images]'"
        ) from None
    check_file(path)
    try:
        with (
            warnings.catch_warnings(action="error", category=Image.DecompressionBombWarning),
            Image.open(path, formats=_FORMATS) as file,
        ):
            image = ImageOps.exif_transpose(file)  # upright, as it was photographed
            if image.mode not in _BYTES:
                return np.asarray(image, np.float32)
            if image.has_transparency_data:
                white = Image.new("RGBA", image.size, (_WHITE,) * 4)
                return np.asarray(Image.alpha_composite(white, image.convert("RGBA")).convert("L"))
            return np.asarray(image.convert("L"))
    except Exception as error:  # what Pillow raises about a damaged file is of many kinds
        raise InputError(
            f"{path} cannot be read as PNG or JPEG ({first_line(error)}); it is damaged, empty or something else: "
            "replace or delete it"
        ) from error


def like_training(image: NDArray[np.uint8 | np.float32], style: ImageStyle) -> NDArray[np.uint8 | np.float32]:
    """Make an image like those that a network was trained on.

    One of their height and width stays as it is, but that black and white change places if nine of ten pixels at its
    edges are of the other background. Any other size is resized to theirs. If they are drawings, the background of such
    an image is the median of the pixels at its edges; what differs from it by more than a fifth of the largest
    difference is ink, which is fitted into a box of the share that drawings fill, keeping its proportions, and moved by
    whole pixels until its centre of mass is in the middle, as MNIST was made and as the panel of a report does.

    Parameters
    ----------
    image : ndarray of shape (height, width), uint8 or float32
        Grey from 0 to 255, or to the largest number of 16 bits.
    style : ImageStyle
        What the others look like.

    Returns
    -------
    ndarray of shape (height * width,), uint8 or float32
        A row of inputs on the scale of the others: uint8 where that is 0 to 255.
    """
    shares = image.astype(np.float32) / np.float32(_WHITE if image.dtype == np.uint8 else np.iinfo(np.uint16).max)
    is_light = style.background == "light"
    if image.shape == style.shape:
        other = shares if is_light else 1 - shares
        if style.background is not None and (edge(other) <= NEAR).mean() >= _OTHER:
            shares = 1 - shares
    elif style.background is None:
        shares = _resized(shares, style.shape)
    else:
        ink = _drawn_anew(_ink(shares), style)
        shares = 1 - ink if is_light else ink
    if (style.low, style.high) == (0, _WHITE):
        return np.asarray(np.rint(shares * _WHITE), np.uint8).ravel()
    return np.asarray(style.low + shares * np.float32(style.high - style.low), np.float32).ravel()


def _ink(shares: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return how much ink, from 0 to 1, there is at each pixel of an image of any background."""
    background = np.median(edge(shares))
    ink = np.maximum(0, background - shares if background > 0.5 else shares - background)
    darkest = ink.max()
    if darkest <= NEAR:
        return np.zeros_like(shares)  # an empty sheet
    ink /= darkest
    ink[ink < _INK] = 0
    return np.asarray(ink)


def _drawn_anew(ink: NDArray[np.float32], style: ImageStyle) -> NDArray[np.float32]:
    """Return ink at the place and of the size that it has in an image of the style."""
    sheet = np.zeros(style.shape, np.float32)
    rows, columns = np.flatnonzero(ink.any(axis=1)), np.flatnonzero(ink.any(axis=0))
    if not len(rows):
        return sheet
    ink = ink[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    box = [max(1, round(style.fill * side)) for side in style.shape]
    scale = min(room / size for room, size in zip(box, ink.shape, strict=True))
    height, width = (max(1, min(room, round(scale * size))) for room, size in zip(box, ink.shape, strict=True))
    ink = _resized(ink, (height, width))
    ink = np.clip(ink / ink.max(), 0, 1)  # a thin line does not fade
    top, left = _place(ink.sum(axis=1), style.shape[0]), _place(ink.sum(axis=0), style.shape[1])
    sheet[top : top + height, left : left + width] = ink
    return sheet


def _place(profile: NDArray[np.float32], size: int) -> int:
    """Return where ink of these amounts begins along a side, for its centre of mass to be the middle pixel."""
    centre = float(profile @ np.arange(len(profile))) / float(profile.sum())
    return int(min(max(0, np.floor(size // 2 - centre + 0.5)), size - len(profile)))


def _resized(shares: NDArray[np.float32], shape: tuple[int, int]) -> NDArray[np.float32]:
    """Return an image in another size: pixels are averaged, or put between others."""
    from PIL import Image

    smaller = shape[0] * shape[1] < shares.size
    method = Image.Resampling.BOX if smaller else Image.Resampling.BILINEAR
    return np.asarray(Image.fromarray(shares).resize(shape[::-1], method))
