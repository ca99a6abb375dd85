"""Distorted copies of image inputs, made where the first layer reads them: no augmented data set is ever stored.

Each sample of an epoch is drawn anew through one bilinear interpolation. Output pixel p shows the image at

    A (p - centre - t) + centre + alpha * d(p),      0 outside of the image

    t         shift, each axis uniform in +-shift pixels
    A         the inverse of rotation * shear * scale about the image's centre, (height - 1) / 2 and (width - 1) / 2:
              scale     factors of width and height, drawn apart, uniform in 1 +- scale
              shear     pixels to the side per pixel of height, uniform in +-shear
              rotation  uniform in +-rotation degrees; x runs right and y down, so positive turns clockwise
    d         two fields (dx, dy) of numbers uniform in [-1, 1), smoothed by a Gaussian of `sigma` pixels whose weights
              sum to 1; beyond the image's border the fields are 0 (Simard, Steinkraus, Platt 2003)

Well within the image the smoothed numbers have a standard deviation of 1 / sqrt(3) / (2 sqrt(pi) sigma), 0.041 for
sigma 4: alpha 34 moves pixels by 1.4 on either axis, seldom by 4. Towards the border they are smaller.

A distorted image depends on the image and on (seed, epoch, position in the epoch) alone. All of it is computed in the
network's dtype, each pixel by the same steps in the same order on any CPU: fma is explicit, sine, cosine and the
Gaussian are our own.
"""

import decimal
import math
from typing import NamedTuple

import numpy as np
from llvmlite import ir
from numba.core import cgutils, types
from numba.extending import intrinsic

from .cpu import REGISTER_BYTES
from .dense import TILE_ROWS
from .gather import gather
from .jit import entry, inlined, jit
from .layout import LINE, aligned_zeros
from .random_bits import sample_keys, splat_integer, uniform_row
from .registers import (
    INDEX,
    INT32,
    UNIT,
    ZERO,
    Vector,
    as_index,
    lanes_of,
    load,
    pointer,
    prefetch,
    row_stride,
    shifted,
)
from .sparse_rows import to_network
from .task_types import FIELD, GEOMETRY
from .tile import Tile

# The smoothing tile is two registers wide. Rows of the fields are padded to two of the widest registers there are, so
# that no CPU needs a narrower tile.
TILE_REGISTERS = 2
STRIP_BYTES = 128
# A frame of zeros around the image: one pixel before it and two after, for the neighbours of the last position.
FRAME = 3
# Uniform numbers that one sample's geometry takes, and space for them.
DRAWS = np.int64(6)
RADIANS = math.pi / 180


class _Places(NamedTuple):
    """Where the parts of a workspace start, and the padded shape of the fields, in elements."""

    weights: int  # the Gaussian's middle
    zeros: int
    frame: int
    noise: int
    between: int
    fields: int
    end: int
    stride: int
    rows: int


@inlined
def _places(recipe, strip):
    """The layout of a workspace; `strip` is the number of elements in STRIP_BYTES."""
    height, width = recipe.height, recipe.width
    stride = (width + strip - 1) // strip * strip
    rows = (height + TILE_ROWS - 1) // TILE_ROWS * TILE_ROWS
    # The weights are read as a Toeplitz matrix: tiles that reach over the edge of its band find zeros there.
    weights = (recipe.reach + 2 * strip - 1) // strip * strip
    zeros = 2 * weights + strip
    frame = zeros + stride
    noise = frame + ((height + FRAME) * (width + FRAME) + strip - 1) // strip * strip
    between = noise + (2 * height * width + 2 * strip - 1) // strip * strip
    fields = between + rows * stride
    return _Places(weights, zeros, frame, noise, between, fields, fields + 2 * rows * stride, stride, rows)


def gaussian_weights(sigma, reach):
    """Weights (2 reach + 1,) float64 of a Gaussian of `sigma` > 0 pixels that ends after `reach`; their sum is 1.

    The same bits on any machine: decimal's exp is rounded right, unlike that of C libraries. The values are float32
    numbers, so that both dtypes smooth with the same ones.
    """
    with decimal.localcontext(prec=30):
        width = 2 * decimal.Decimal(sigma) ** 2
        half = [(-d * d / width).exp() for d in map(decimal.Decimal, range(reach + 1))]
        total = 2 * sum(half) - half[0]
        weights = [float(w / total) for w in half]
    return np.array(weights[:0:-1] + weights, np.float32).astype(np.float64)


def workspace(recipe, dtype, threads=1):
    """Buffers (threads, elements) of the network's dtype for `distort_block`, whole cache lines for each thread.

    They hold the Gaussian of the recipe: the strengths, the seed and the epoch may change, but nothing else.
    """
    places = _places.py_func(recipe, STRIP_BYTES // np.dtype(dtype).itemsize)
    buffers = aligned_zeros(threads * places.end, dtype).reshape(threads, places.end)
    first = places.weights - recipe.reach
    buffers[:, first : places.weights + recipe.reach + 1] = gaussian_weights(recipe.sigma, recipe.reach)
    return buffers


@intrinsic
def _fma(typing, x, y, z):
    """x * y + z of float64, rounded once."""

    def codegen(context, builder, signature, arguments):
        return builder.fma(*arguments)

    return types.float64(types.float64, types.float64, types.float64), codegen


@inlined
def _sine_and_cosine(angle):
    """Of radians within +-pi, by their Taylor series: the first term left out is below 2e-16."""
    square = angle * angle
    # sin = x (1 - x^2/2/3 (1 - x^2/4/5 (...))), cos = 1 - x^2/1/2 (1 - x^2/3/4 (...)): from the inside out
    sine = cosine = 1.0
    for n in range(28, 0, -2):
        cosine = _fma(-square / (n * (n - 1)), cosine, 1.0)
        sine = _fma(-square / (n * (n + 1)), sine, 1.0)
    return angle * sine, cosine


@jit
def _geometry(recipe, draws):
    """The map from an output pixel to its source: x = xx x' + xy y' + x0 and y = yx x' + yy y' + y0.

    draws: pointer to DRAWS uniform numbers in [-1, 1)
    """
    sine, cosine = _sine_and_cosine(RADIANS * recipe.rotation * load(draws, 2))
    wider, higher = _fma(recipe.scale, load(draws, 3), 1.0), _fma(recipe.scale, load(draws, 4), 1.0)
    shear = recipe.shear * load(draws, 5)
    # (R H S)^-1 = S^-1 H^-1 R^-1 with R = [[c, -s], [s, c]], H = [[1, shear], [0, 1]], S = diag(wider, higher)
    xx, xy = _fma(shear, sine, cosine) / wider, _fma(-shear, cosine, sine) / wider
    yx, yy = -sine / higher, cosine / higher
    x_middle, y_middle = (recipe.width - 1) / 2, (recipe.height - 1) / 2
    right, down = _fma(recipe.shift, load(draws, 0), x_middle), _fma(recipe.shift, load(draws, 1), y_middle)
    return xx, xy, _fma(-xx, right, _fma(-xy, down, x_middle)), yx, yy, _fma(-yx, right, _fma(-yy, down, y_middle))


@intrinsic
def _product_tile(typing, A, a_row, B, b_row, depth, zeros, C, c_row):
    """C = A @ B for TILE_ROWS rows and TILE_REGISTERS registers, with strides as in dense.py."""

    def codegen(context, builder, signature, arguments):
        A, a_row, B, b_row, depth, zeros, C, c_row = as_index(context, builder, signature, arguments)
        tile = Tile(builder, context.get_value_type(signature.args[6].dtype), TILE_ROWS, TILE_REGISTERS, None)
        sums = tile.accumulate(A, a_row, INDEX(1), B, b_row, depth, zeros, INDEX(0))
        for m, row in enumerate(sums):
            for total, column in zip(row, tile.columns(), strict=True):
                tile.v.store(total, C, builder.add(builder.mul(INDEX(m), c_row), column))
        return context.get_dummy_value()

    return types.void(A, a_row, B, b_row, depth, zeros, C, c_row), codegen


@jit
def _band_product(rows, columns, A, a_row, B, b_row, depth, down, across, reach, zeros, C, c_row):
    """C = A @ B, where terms further than `reach` off the diagonal of a band matrix are known to be 0.

    The band matrix is A where (down, across) is (1, 0), and B where it is (0, 1). One loop serves both: a second tile
    costs a tenth of a second of compiling. C is written in whole tiles, beyond its last row and column.
    """
    strip = TILE_REGISTERS * lanes_of(C)
    for i in range(0, rows, TILE_ROWS):
        for j in range(0, columns, strip):
            at = i * down + j * across
            first, last = at - reach, at + TILE_ROWS * down + strip * across + reach
            if first < 0:
                first = ZERO
            if last > depth:
                last = depth
            left, right = shifted(A, i * a_row + first), shifted(B, first * b_row + j)
            _product_tile(left, a_row, right, b_row, last - first, zeros, shifted(C, i * c_row + j), c_row)


@inlined
def _smooth(recipe, places, work, noise, out):
    """out (rows, stride) = the field `noise` (height, width) smoothed along its columns, then along its rows.

    Either is a product with the band matrix K[i, k] = weights[i - k], of which the weights alone are stored.
    """
    height, width, reach, stride = recipe.height, recipe.width, recipe.reach, places.stride
    K, zeros, between = shifted(work, places.weights), shifted(work, places.zeros), shifted(work, places.between)
    _band_product(height, width, K, -UNIT, noise, width, height, UNIT, ZERO, reach, zeros, between, stride)
    _band_product(height, width, between, stride, K, -UNIT, width, ZERO, UNIT, reach, zeros, out, stride)


def _pairs(v, frame, places):
    """(frame[place], frame[place + 1]) for the place in each lane, as two registers."""
    b = v.b
    pair = ir.VectorType(v.element, 2)
    parts = []
    for lane in range(v.lanes):
        at = b.gep(frame, [b.sext(b.extract_element(places, INT32(lane)), INDEX)])
        parts.append(b.load(b.bitcast(at, pair.as_pointer()), align=v.bits // 8))
    # Two, four ... pairs to a register, as the lanes of one twice as wide as the CPU's; then its even and odd lanes.
    while len(parts) > 1:
        length = 2 * parts[0].type.count
        joined = ir.Constant(ir.VectorType(INT32, length), list(range(length)))
        parts = [b.shuffle_vector(left, right, joined) for left, right in zip(parts[::2], parts[1::2], strict=True)]
    left, right = (
        ir.Constant(ir.VectorType(INT32, v.lanes), list(range(odd, 2 * v.lanes, 2))) for odd in (False, True)
    )
    return b.shuffle_vector(parts[0], parts[0], left), b.shuffle_vector(parts[0], parts[0], right)


def _interpolate(lanes):
    """The intrinsic that makes one register of a distorted image's row."""

    @intrinsic
    def run(typing, frame, shape, x_step, x_start, y_step, y_start, alpha, dx, dy, column, out):
        def codegen(context, builder, signature, arguments):
            b, element_type = builder, signature.args[-1].dtype
            frame, shape, *line, alpha, dx, dy, column, out = arguments
            v = Vector(b, context.get_value_type(element_type), lanes)
            column = context.cast(b, column, signature.args[-2], types.int64)
            x_step, x_start, y_step, y_start, alpha = (
                v.splat(context.cast(b, number, types.float64, element_type)) for number in (*line, alpha)
            )
            along = v.splat(b.sitofp(column, v.element))
            along = b.fadd(along, ir.Constant(v.type, [float(lane) for lane in range(v.lanes)]))
            height, width = (b.extract_value(shape, i) for i in range(2))
            integers = ir.VectorType(INT32, v.lanes)

            def position(step, start, field, size):
                """The whole part, as int32, and the rest of a coordinate within the frame."""
                at = v.fma(alpha, v.load(field, column), v.fma(step, along, start))
                # Comparisons that a nan fails: it ends up at 0 too, so that no place is outside of the frame.
                at = b.select(b.fcmp_ordered(">", at, v.constant(0.0)), at, v.constant(0.0))
                limit = v.splat(b.sitofp(b.add(size, INDEX(1)), v.element))
                at = b.select(b.fcmp_ordered("<", at, limit), at, limit)
                whole = b.fptosi(at, integers)
                return whole, b.fsub(at, b.sitofp(whole, v.type))

            x, right = position(x_step, x_start, dx, width)
            y, below = position(y_step, y_start, dy, height)
            row = b.trunc(b.add(width, INDEX(FRAME)), INT32)
            place = b.add(b.mul(y, splat_integer(b, row, v.lanes)), x)
            upper_left, upper_right = _pairs(v, frame, place)
            lower_left, lower_right = _pairs(v, b.gep(frame, [b.sext(row, INDEX)]), place)
            upper = v.fma(right, b.fsub(upper_right, upper_left), upper_left)
            lower = v.fma(right, b.fsub(lower_right, lower_left), lower_left)
            v.store(v.fma(below, b.fsub(lower, upper), upper), out, column)
            return context.get_dummy_value()

        real = types.float64
        return types.void(frame, shape, real, real, real, real, real, dx, dy, column, out), codegen

    return run


_interpolate_register, _interpolate_lane = _interpolate(None), _interpolate(1)


@intrinsic
def _copy(typing, source, target, count):
    """target[:count] = source[:count]."""

    def codegen(context, builder, signature, arguments):
        source, target, count = as_index(context, builder, signature, arguments)
        cgutils.raw_memcpy(builder, target, source, count, context.get_abi_sizeof(source.type.pointee))
        return context.get_dummy_value()

    return types.void(source, target, count), codegen


@jit
def _warp(height, width, geometry, alpha, fields, field_row, field_size, frame, image):
    """Distort an image in place, by way of its copy in the frame of zeros.

    fields: dx, and dy field_size elements after it, both with rows field_row elements apart
    """
    for y in range(height):
        _copy(shifted(image, y * width), shifted(frame, (y + 1) * (width + FRAME) + 1), width)
    xx, xy, x0, yx, yy, y0 = geometry
    shape, lanes = (height, width), lanes_of(image)
    for y in range(height):
        x_start, y_start = _fma(xy, float(y), x0 + 1), _fma(yy, float(y), y0 + 1)  # the frame starts at -1
        dx, line = shifted(fields, y * field_row), shifted(image, y * width)
        dy = shifted(dx, field_size)
        if width < lanes:
            for x in range(width):
                _interpolate_lane(frame, shape, xx, x_start, yx, y_start, alpha, dx, dy, x, line)
        else:
            # The last register overlaps the one before, and computes the same numbers there again.
            for x in range(0, width, lanes):
                column = x if x + lanes <= width else width - lanes
                _interpolate_register(frame, shape, xx, x_start, yx, y_start, alpha, dx, dy, column, line)


@inlined
def distort_rows(count, position, recipe, work, out, out_row):
    """Distort the images in `count` rows of `out`, in place; the first is at `position` in the epoch.

    Where every distortion is off they are left as they are, bit for bit.
    work: pointer to a thread's row of the workspace; out: pointer of the same type
    """
    strengths = (recipe.shift, recipe.rotation, recipe.scale, recipe.shear, recipe.alpha)
    places = _places(recipe, STRIP_BYTES // REGISTER_BYTES * lanes_of(work))
    height, width, pixels = recipe.height, recipe.width, recipe.height * recipe.width
    frame, noise = shifted(work, places.frame), shifted(work, places.noise)
    for i in range(ZERO if strengths == (0.0, 0.0, 0.0, 0.0, 0.0) else count):
        image = shifted(out, i * out_row)
        k0, k1 = sample_keys(recipe.seed, recipe.epoch, GEOMETRY, position + i)
        uniform_row(k0, k1, DRAWS, noise)
        geometry = _geometry(recipe, noise)
        fields, field_row, field_size = shifted(work, places.zeros), ZERO, ZERO
        if recipe.alpha != 0:
            fields, field_row, field_size = shifted(work, places.fields), places.stride, places.rows * places.stride
            k0, k1 = sample_keys(recipe.seed, recipe.epoch, FIELD, position + i)
            uniform_row(k0, k1, 2 * pixels, noise)
            for axis in range(2):
                _smooth(recipe, places, work, shifted(noise, axis * pixels), shifted(fields, axis * field_size))
        _warp(height, width, geometry, recipe.alpha, fields, field_row, field_size, frame, image)


@inlined
def distort_block(X, x_row, rows, first, count, position, recipe, work, out, out_row):
    """out[i] = the image in row rows[first + i] of X, distorted as the sample at `position + i` of the epoch.

    As `gather` in all else, which it is, bit for bit, where every distortion is off. X, work (one thread's row of the
    workspace) and out are pointers, the last two of one type.
    """
    pixels, line = recipe.height * recipe.width, LINE // REGISTER_BYTES * lanes_of(X)
    for i in range(count):
        # Shuffled rows stand anywhere in memory: the next one is prefetched while this one is distorted.
        if i + 1 < count:
            for j in range(0, pixels, line):
                prefetch(X, rows[first + i + 1] * x_row + j)
        image = shifted(out, i * out_row)
        gather(X, x_row, rows, first + i, UNIT, pixels, image, out_row)
        distort_rows(UNIT, position + i, recipe, work, image, out_row)


def distort(X, rows, position, recipe, out):
    """out (n, height * width) = the given `rows` (n,) int64 of X, distorted as the samples from `position` on.

    X: (N, height * width) uint8, float32 or float64; out: of the network's dtype, with contiguous rows. With a piece of
    an epoch's order as `rows` this is what the epoch trains on. Returns out.
    """
    out[...] = to_network(X, rows, out.dtype)
    _distort_in_place(position, recipe, workspace(recipe, out.dtype)[0], out)
    return out


def _distort_all(position, recipe, work, out):
    distort_rows(out.shape[0], position, recipe, pointer(work), pointer(out), row_stride(out))


_distort_in_place = entry("distort", _distort_all)
