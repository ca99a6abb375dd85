"""Printed digits as large bitmaps, taken from the fonts that matplotlib brings along.

The outlines are filled in here and not by matplotlib, whose versions hint and fill them differently. Whole numbers go
in, and nothing but sums, products and quotients is made of them, so the shapes are the same everywhere.
"""

import logging
from functools import cache

import numpy as np

from fastmlp.utils.home import lend_matplotlib_a_folder

SIZE = 56  # height and width of a shape, in pixels: two for each pixel of the pictures drawn from it
FONTS = (  # those that every version of matplotlib from 3.8 on has, each in the same file
    *("DejaVuSans", "DejaVuSans-Bold", "DejaVuSans-Oblique", "DejaVuSans-BoldOblique"),
    *("DejaVuSansMono", "DejaVuSansMono-Bold", "DejaVuSansMono-Oblique", "DejaVuSansMono-BoldOblique"),
    *("DejaVuSerif", "DejaVuSerif-Bold", "DejaVuSerif-Italic", "DejaVuSerif-BoldItalic"),
    *("STIXGeneral", "STIXGeneralBol", "STIXGeneralItalic", "STIXGeneralBolIta"),
    *("cmr10", "cmb10", "cmss10", "cmtt10"),
)
THICKENINGS = (0, 1, 2, 3)  # radii of the pen that goes around the outline, in half pixels of a shape
_EM = 110  # in half pixels: the digits are 70 to 85 half pixels high, so that 2 x SIZE holds them with a margin
_PIECES = 8  # straight ones that stand for a curve of an outline
_FINE = 4  # points a side that are looked at in each half pixel


@cache
def digit_shapes() -> np.ndarray:
    """All digits in all styles (a font in a thickness): (styles, 10, SIZE, SIZE) uint8, white on black."""
    shapes = np.concatenate([_thicken(_drawn(font)) for font in FONTS])
    shapes.flags.writeable = False  # shared by all who ask
    return shapes


def _drawn(font_name):
    """The ten digits of one font, (10, 2 * SIZE, 2 * SIZE) uint8, each in the middle of its picture."""
    lend_matplotlib_a_folder()
    import matplotlib
    from fontTools.ttLib import TTFont

    # It would warn of the fonts of TeX, which do not say when they were made.
    logging.getLogger("fontTools.ttLib").setLevel(logging.ERROR)
    with TTFont(f"{matplotlib.get_data_path()}/fonts/ttf/{font_name}.ttf") as font:
        names, glyphs = font.getBestCmap(), font.getGlyphSet()
        em = font["head"].unitsPerEm
        return np.stack([_filled(_outline(glyphs, names[ord(digit)]) * (_EM * _FINE / em)) for digit in "0123456789"])


def _outline(glyphs, name):
    """Straight pieces around a glyph, the middle at (0, 0): (2, pieces, 2), where each begins and ends, right and down.

    The unit is that of the font, in which the outline's points are whole numbers.
    """
    from fontTools.pens.basePen import BasePen

    begins, ends = [], []
    share = np.arange(1, _PIECES + 1)[:, None] / _PIECES

    class Pen(BasePen):
        def _moveTo(self, point):
            self._first = point

        def _lineTo(self, point):
            begins.append(self._getCurrentPoint())
            ends.append(point)

        def _qCurveToOne(self, control, point):
            begin, control, point = np.array([self._getCurrentPoint(), control, point])
            way = begin * (1 - share) ** 2 + control * (2 * share * (1 - share)) + point * share**2
            begins.extend([begin, *way[:-1]])
            ends.extend(way)

        def _closePath(self):
            self._lineTo(self._first)

    glyphs[name].draw(Pen(glyphs))
    pieces = np.array([begins, ends])
    return (pieces - (pieces.min(axis=(0, 1)) + pieces.max(axis=(0, 1))) / 2) * (1, -1)


def _filled(pieces):
    """What an outline around (0, 0) encloses, as (2 * SIZE, 2 * SIZE) uint8; its unit is a _FINE-th of a half pixel.

    A point is inside where the pieces that cross its row left of it do not go up as often as down.
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
    return (points * 255 // _FINE**2).astype(np.uint8)


def _thicken(digits):
    """Every thickness of ten digits, at half the resolution: (len(THICKENINGS), 10, SIZE, SIZE) uint8."""
    grown = np.empty((len(THICKENINGS), *digits.shape), np.uint8)
    for radius, out in zip(THICKENINGS, grown, strict=True):
        out[:] = digits
        for down in range(-radius, radius + 1):
            for right in range(-radius, radius + 1):
                if down * down + right * right <= radius * radius:
                    np.maximum(out, np.roll(digits, (down, right), axis=(1, 2)), out=out)
    quarters = grown.reshape(len(THICKENINGS), 10, SIZE, 2, SIZE, 2)
    return quarters.mean(axis=(3, 5)).astype(np.uint8)
