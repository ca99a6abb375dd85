"""Printed digits as large bitmaps, taken from the fonts that matplotlib brings along."""

from functools import cache

import numpy as np

from fastmlp.home import lend_matplotlib_a_folder

SIZE = 56  # height and width of a shape, in pixels: two for each pixel of the pictures drawn from it
FONTS = (
    *("DejaVuSans", "DejaVuSans-Bold", "DejaVuSans-Oblique", "DejaVuSans-BoldOblique"),
    *("DejaVuSansMono", "DejaVuSansMono-Bold", "DejaVuSansMono-Oblique", "DejaVuSansMono-BoldOblique"),
    *("DejaVuSerif", "DejaVuSerif-Bold", "DejaVuSerif-Italic", "DejaVuSerif-BoldItalic"),
    *("STIXGeneral", "STIXGeneralBol", "STIXGeneralItalic", "STIXGeneralBolIta"),
    *("cmr10", "cmb10", "cmss10", "cmti10", "cmtt10"),
)
THICKENINGS = (0, 1, 2, 3)  # radii of the pen that goes around the outline, in half pixels of a shape
_POINTS = (
    110  # at 72 dots per inch: the digits are 70 to 85 half pixels high, so that 2 x SIZE holds them with a margin
)


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
    from matplotlib.ft2font import FT2Font

    font = FT2Font(f"{matplotlib.get_data_path()}/fonts/ttf/{font_name}.ttf")
    font.set_size(_POINTS, 72)
    digits = np.zeros((10, 2 * SIZE, 2 * SIZE), np.uint8)
    for digit in range(10):
        font.set_text(str(digit))
        font.draw_glyphs_to_bitmap(antialiased=True)
        bitmap = np.asarray(font.get_image())
        height, width = bitmap.shape
        top, left = SIZE - height // 2, SIZE - width // 2
        digits[digit, top : top + height, left : left + width] = bitmap
    return digits


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
