"""Printed digits as large bitmaps, from the fonts that are installed with matplotlib.

The outlines are filled in here and not by matplotlib, whose versions hint and fill them differently. They are whole
numbers, of which only sums, products and quotients are computed, so the shapes are the same everywhere.
"""

import logging
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastmlp.utils.matplotlib_setup import import_matplotlib

SIZE = 56  # height and width of a shape, in pixels: two for each pixel of the images drawn from it
FONTS = (  # those that every version of matplotlib from 3.8 on has, each in the same file
    *("DejaVuSans", "DejaVuSans-Bold", "DejaVuSans-Oblique", "DejaVuSans-BoldOblique"),
    *("DejaVuSansMono", "DejaVuSansMono-Bold", "DejaVuSansMono-Oblique", "DejaVuSansMono-BoldOblique"),
    *("DejaVuSerif", "DejaVuSerif-Bold", "DejaVuSerif-Italic", "DejaVuSerif-BoldItalic"),
    *("STIXGeneral", "STIXGeneralBol", "STIXGeneralItalic", "STIXGeneralBolIta"),
    *("cmr10", "cmb10", "cmss10", "cmtt10"),
)
THICKENINGS = (0, 1, 2, 3)  # radii of the pen that goes around the outline, in half pixels of a shape
_EM = 110  # in half pixels: the digits are 70 to 85 half pixels high, so that they fit into 2 x SIZE with a margin
_PIECES = 8  # straight ones in place of a curve of an outline
_FINE = 4  # points a side that are sampled in each half pixel


@cache
def digit_shapes() -> NDArray[np.uint8]:
    """Return all digits in all styles, each a font in a thickness.

    Returns
    -------
    ndarray of shape (styles, 10, SIZE, SIZE), uint8
        White on black; read-only.
    """
    shapes = np.concatenate([_thicken(_drawn(font)) for font in FONTS])
    shapes.flags.writeable = False  # shared by all callers
    return shapes


def _drawn(font_name: str) -> NDArray[np.uint8]:
    """Draw the ten digits of a font, (10, 2 * SIZE, 2 * SIZE), each in the middle of its image."""
    import_matplotlib()
    import matplotlib
    from fontTools.ttLib import TTFont

    # It would warn of the fonts of TeX, which lack a date.
    logging.getLogger("fontTools.ttLib").setLevel(logging.ERROR)
    with TTFont(f"{matplotlib.get_data_path()}/fonts/ttf/{font_name}.ttf") as font:
        names, glyphs = font.getBestCmap(), font.getGlyphSet()
        em = font["head"].unitsPerEm
        return np.stack([_filled(_outline(glyphs, names[ord(digit)]) * (_EM * _FINE / em)) for digit in "0123456789"])


def _outline(glyphs: Any, name: str) -> NDArray[np.float64]:
    """Return straight pieces around a glyph of fontTools, the middle at (0, 0).

    They are (2, pieces, 2): where each begins and ends, right and down, in the unit of the font, in which the outline's
    points are whole numbers.
    """
    from fontTools.pens.basePen import decomposeQuadraticSegment
    from fontTools.pens.recordingPen import DecomposingRecordingPen

    pen = DecomposingRecordingPen(glyphs)
    glyphs[name].draw(pen)
    begins: list[NDArray[np.float64]] = []
    ends: list[NDArray[np.float64]] = []
    t = np.arange(1, _PIECES + 1)[:, None] / _PIECES
    first = current = np.zeros((1, 2))
    for operation, points in pen.value:
        if operation == "moveTo":
            first = current = np.array(points, float)
            continue
        if points and points[-1] is None:  # an outline without a corner begins midway between two control points
            first = current = np.mean([points[-2:-1], points[:1]], axis=0)
            points = (*points[:-1], first[0])
        if operation == "qCurveTo":
            curves = [np.array(curve, float) for curve in decomposeQuadraticSegment(points)]
        else:  # a line, or the one that closes the outline
            curves = [np.array(points, float) if points else first]
        for curve in curves:
            way = curve
            if len(curve) == 2:
                control, point = curve
                way = current * (1 - t) ** 2 + control * (2 * t * (1 - t)) + point * t**2
            begins += [current, way[:-1]]
            ends.append(way)
            current = way[-1:]
    pieces = np.array([np.concatenate(begins), np.concatenate(ends)])
    centred: NDArray[np.float64] = (pieces - (pieces.min(axis=(0, 1)) + pieces.max(axis=(0, 1))) / 2) * (1, -1)
    return centred


def _filled(pieces: NDArray[np.float64]) -> NDArray[np.uint8]:
    """Fill an outline around (0, 0), whose unit is a _FINE-th of a half pixel: (2 * SIZE, 2 * SIZE).

    A point is inside if, of the pieces that cross its row on its left, not as many go up as go down.
    """
    side = 2 * SIZE * _FINE
    (x0, y0), (x1, y1) = (pieces + side / 2).transpose(0, 2, 1)
    rows = np.arange(side) + 0.5
    piece, row = np.nonzero((y0[:, None] <= rows) != (y1[:, None] <= rows))
    crossing = x0[piece] + (rows[row] - y0[piece]) * (x1 - x0)[piece] / (y1 - y0)[piece]
    turns = np.zeros((side, side), np.int64)
    np.add.at(turns, (row, np.ceil(crossing - 0.5).astype(np.int64)), np.where(y1 > y0, 1, -1)[piece])
    inside = turns.cumsum(axis=1) != 0
    points = inside.reshape(2 * SIZE, _FINE, 2 * SIZE, _FINE).sum(axis=(1, 3))
    filled: NDArray[np.int64] = points * 255 // _FINE**2
    return filled.astype(np.uint8)


def _thicken(digits: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Draw ten digits in every thickness, at half the resolution: (len(THICKENINGS), 10, SIZE, SIZE)."""
    grown = np.empty((len(THICKENINGS), *digits.shape), np.uint8)
    for radius, out in zip(THICKENINGS, grown, strict=True):
        out[:] = digits
        for down in range(-radius, radius + 1):
            for right in range(-radius, radius + 1):
                if down * down + right * right <= radius * radius:
                    np.maximum(out, np.roll(digits, (down, right), axis=(1, 2)), out=out)
    means: NDArray[np.float64] = grown.reshape(len(THICKENINGS), 10, SIZE, 2, SIZE, 2).mean(axis=(3, 5))
    return means.astype(np.uint8)
