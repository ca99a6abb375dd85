"""Distorted images: against the reference, against scipy, and the same bits however the work is cut."""

import hashlib

import llvmlite.binding as llvm
import numpy as np
import pytest

from fastmlp.kernels import augment, random_bits, reference_augment
from fastmlp.kernels import task_types as task
from fastmlp.kernels.jit import jit
from fastmlp.kernels.registers import REGISTER_BYTES, pointer
from fastmlp.kernels.sparse_rows import to_network
from fastmlp.kernels.task_types import Distortion

OFF = Distortion(
    height=28, width=28, shift=0.0, rotation=0.0, scale=0.0, shear=0.0, alpha=0.0, sigma=4.0, reach=12, seed=1, epoch=0
)
ALL = OFF._replace(shift=2.0, rotation=15.0, scale=0.1, shear=0.1, alpha=34.0)
RECIPES = {
    "shift": OFF._replace(shift=3.0),
    "rotation": OFF._replace(rotation=180.0),
    "scale": OFF._replace(scale=0.5),
    "shear": OFF._replace(shear=0.5),
    "elastic": OFF._replace(alpha=34.0),
    "all": ALL,
    "beyond": OFF._replace(shift=100.0, alpha=500.0),
}
# Shapes below and above one register, one tile, and the reach of the Gaussian.
SHAPES = [(1, 1), (3, 5), (8, 8), (9, 17), (16, 16), (5, 40), (33, 12)]
# Positions are rounded to 2^-24 of the image's size and neighbouring pixels differ by up to 1; in float64 the rounding
# of the Gaussian's weights to float32 is what remains.
TOLERANCE = {"float32": 2e-5, "float64": 2e-6}
DTYPES = list(TOLERANCE)
X86 = "86" in llvm.get_process_triple().split("-")[0]
AVX2 = X86 and llvm.get_host_cpu_features().get("avx2") and llvm.get_host_cpu_features().get("fma")


@jit
def distort_span(X, rows, first, count, position, recipe, work, out):
    augment.distort_block(
        pointer(X), X.shape[1], rows, first, count, position, recipe, pointer(work), pointer(out), out.shape[1]
    )


def images(count=20, shape=(28, 28), dtype="uint8", seed=0):
    X = np.random.RandomState(seed).randint(0, 256, (count, shape[0] * shape[1])).astype(np.uint8)
    return X if dtype == "uint8" else (X / 255).astype(dtype)


def distorted(recipe, dtype="float32", X=None, position=3, module=augment):
    X = images(shape=(recipe.height, recipe.width)) if X is None else X
    return module.distort(X, np.arange(len(X)), position, recipe, np.full(X.shape, np.nan, dtype))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", RECIPES)
def test_images_are_those_of_the_reference(name, dtype):
    got, right = distorted(RECIPES[name], dtype), distorted(RECIPES[name], dtype, module=reference_augment)
    np.testing.assert_allclose(got, right, rtol=0, atol=TOLERANCE[dtype] * max(1, RECIPES[name].alpha / 50))


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("dtype", DTYPES)
def test_images_of_any_shape_are_those_of_the_reference(shape, dtype):
    recipe = ALL._replace(height=shape[0], width=shape[1])
    right = distorted(recipe, dtype, module=reference_augment)
    np.testing.assert_allclose(distorted(recipe, dtype), right, rtol=0, atol=TOLERANCE[dtype])


@pytest.mark.parametrize(("stored", "dtype"), [("uint8", "float32"), ("float64", "float32"), ("uint8", "float64")])
def test_with_everything_off_inputs_are_as_gathered_bit_for_bit(stored, dtype):
    X, rows, out = images(dtype=stored), np.array([5, 0, 5, 19]), np.empty((3, 784), dtype)
    right = to_network(X, rows, np.dtype(dtype))
    distort_span(X, rows, 1, 3, 0, OFF, augment.workspace(OFF, dtype)[0], out)
    assert out.tobytes() == right[1:].tobytes()
    assert distorted(OFF, dtype, X[rows]).tobytes() == right.tobytes()


@pytest.mark.parametrize(("stored", "dtype"), [("uint8", "float32"), ("float64", "float32"), ("uint8", "float64")])
def test_blocks_are_what_the_function_for_arrays_makes_of_inputs_of_any_type(stored, dtype):
    X, out = images(dtype=stored), np.empty((20, 784), dtype)
    distort_span(X, np.arange(20), 0, 20, 3, ALL, augment.workspace(ALL, dtype)[0], out)
    assert out.tobytes() == distorted(ALL, dtype).tobytes()


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("step", [(0, 0), (2, 0), (0, -3), (-5, 4), (30, 0)])
def test_a_shift_by_whole_pixels_is_exact_and_brings_in_zeros(dtype, step):
    # A shift of 128 pixels times a draw that is a multiple of 1 / 128 is whole.
    image = to_network(images(1), [0], np.dtype(dtype)).reshape(28, 28)
    right = np.zeros_like(image)
    x, y = step
    if abs(x) < 28:
        kept = image[max(0, -y) : 28 - max(0, y), max(0, -x) : 28 - max(0, x)]
        right[max(0, y) : 28 - max(0, -y), max(0, x) : 28 - max(0, -x)] = kept
    geometry = geometry_of(np.array([x / 128, y / 128, 0, 0, 0, 0]), OFF._replace(shift=128.0))
    assert warped(image, geometry).tobytes() == right.tobytes()


@jit
def warp(image, geometry, alpha, fields, frame):
    height, width = image.shape
    step = width if alpha else 0
    augment._warp(height, width, geometry, alpha, pointer(fields), step, height * step, pointer(frame), pointer(image))


@jit
def geometry_of(draws, recipe):
    return augment._geometry(recipe, pointer(draws))


def warped(image, geometry, alpha=0.0, fields=None):
    """The image (height, width) under a geometry and, with alpha, two fields (2, height, width)."""
    image = np.array(image, order="C")
    fields = np.zeros_like(image) if fields is None else np.ascontiguousarray(fields, image.dtype)
    warp(image, geometry, alpha, fields, np.zeros((image.shape[0] + 3) * (image.shape[1] + 3), image.dtype))
    return image


def test_the_directions_are_those_of_the_documentation():
    image = np.zeros((9, 9))
    image[4, 7] = 1  # to the right of the middle
    recipe = OFF._replace(height=9, width=9, rotation=90.0, shift=2.0, scale=0.5, shear=1.0)

    def drawn(*draws):
        return geometry_of(np.array(draws, float), recipe)

    assert warped(image, drawn(0, 0, 1, 0, 0, 0))[7, 4] == pytest.approx(1)  # clockwise, to below the middle
    assert warped(image, drawn(0.5, 1, 0, 0, 0, 0))[6, 8] == 1  # right by 1, down by 2
    assert warped(image, drawn(0, 0, 0, -2 / 3, 0, 0))[4, 6] == pytest.approx(1)  # two thirds of the width
    lower = np.roll(image, 2, axis=0)
    assert warped(lower, drawn(0, 0, 0, 0, 0, 0.5))[6, 8] == pytest.approx(1)  # 2 below the middle: right by 1


@pytest.mark.parametrize("degrees", [-180, -90.5, -45, -1e-3, 0, 30, 90, 135, 180])
def test_sine_and_cosine_are_those_of_the_library(degrees):
    got = sine_and_cosine(np.radians(degrees))
    np.testing.assert_allclose(got, (np.sin(np.radians(degrees)), np.cos(np.radians(degrees))), rtol=0, atol=2e-15)


@jit
def sine_and_cosine(angle):
    return augment._sine_and_cosine(angle)


@pytest.mark.parametrize(("sigma", "reach"), [(4.0, 12), (0.3, 1), (1.7, 5)])
def test_the_weights_are_a_gaussian_of_float32_numbers_whose_sum_is_one(sigma, reach):
    weights = augment.gaussian_weights(sigma, reach)
    np.testing.assert_allclose(weights, reference_augment.gaussian_weights(sigma, reach), rtol=6e-8)
    np.testing.assert_array_equal(weights, weights[::-1])
    np.testing.assert_array_equal(weights, weights.astype("float32"))
    assert weights.sum() == pytest.approx(1, abs=1e-6)


def test_the_reference_distorts_as_scipy_does():
    ndimage = pytest.importorskip("scipy.ndimage", reason="scipy is an oracle only where it is installed")
    X, position = images(5), 3
    got = distorted(ALL, "float64", X, position)
    for i, image in enumerate(X):
        keys = random_bits.sample_keys(ALL.seed, ALL.epoch, task.FIELD, position + i)
        noise = np.empty(2 * 784)
        reference_augment.uniform_row(*keys, noise.size, noise)
        affine = ALL._replace(alpha=0.0)
        x, y = reference_augment.sources(position + i, affine)
        field = [
            ndimage.gaussian_filter(part, ALL.sigma, mode="constant", truncate=3.0) for part in noise.reshape(2, 28, 28)
        ]
        at = [y + ALL.alpha * field[1], x + ALL.alpha * field[0]]
        right = ndimage.map_coordinates(image.reshape(28, 28) / 255, at, order=1, mode="grid-constant", cval=0.0)
        np.testing.assert_allclose(got[i], right.ravel(), rtol=0, atol=TOLERANCE["float64"])


def test_displacements_are_as_large_as_documented():
    middle = [
        np.array(reference_augment.sources(p, OFF._replace(alpha=34.0)))[:, 12:16, 12:16]
        - np.indices((28, 28))[::-1, 12:16, 12:16]
        for p in range(300)
    ]
    assert np.std(middle) == pytest.approx(1.4, rel=0.1)
    assert np.quantile(np.abs(middle), 0.99) < 4


@pytest.mark.parametrize("dtype", DTYPES)
def test_the_same_bits_however_the_block_is_cut(dtype):
    X, rows = images(40), np.random.RandomState(1).permutation(40)
    work = augment.workspace(ALL, dtype, threads=2)
    whole, cut = np.empty((40, 784), dtype), np.empty((40, 784), dtype)
    distort_span(X, rows, 0, 40, 7, ALL, work[0], whole)
    for thread, (first, last) in enumerate([(21, 40), (0, 1), (1, 21)]):
        distort_span(X, rows, first, last - first, 7 + first, ALL, work[thread % 2], cut[first:last])
    assert cut.tobytes() == whole.tobytes()


def test_an_image_depends_on_seed_epoch_and_position_and_on_no_neighbour():
    X = np.repeat(images(1), 4, axis=0)
    base = distorted(ALL, X=X)
    assert len({row.tobytes() for row in base}) == 4
    assert distorted(ALL, X=X[:1], position=5).tobytes() == base[2].tobytes()
    assert distorted(ALL._replace(seed=2), X=X).tobytes() != base.tobytes()
    assert distorted(ALL._replace(epoch=1), X=X).tobytes() != base.tobytes()
    assert distorted(ALL, X=X).tobytes() == base.tobytes()


@pytest.mark.parametrize("dtype", DTYPES)
def test_one_lane_and_a_whole_register_give_the_same_bits(dtype):
    # The left part of a wide image in whole registers, and the same part as a narrow image in single lanes.
    narrow = REGISTER_BYTES // np.dtype(dtype).itemsize - 1
    random, geometry = np.random.RandomState(2), (1.1, 0.2, 0.3, -0.1, 0.9, 0.4)
    image, fields = random.random_sample((6, 40)).astype(dtype), random.standard_normal((2, 6, 40))
    image[:, narrow:] = 0
    wide = warped(image, geometry, 1.5, fields)[:, :narrow]
    assert warped(image[:, :narrow], geometry, 1.5, fields[:, :, :narrow]).tobytes() == wide.tobytes()


def test_rows_and_workspace_are_not_written_beyond_their_ends():
    recipe = ALL._replace(height=9, width=17)
    X, rows = images(3, (9, 17)), np.arange(3)
    buffer = np.full(augment.workspace(recipe, "float32").size + 64, np.nan, "float32")
    work = buffer[:-64]
    work[:] = augment.workspace(recipe, "float32")[0]
    out = np.full((5, 170), np.nan, "float32")
    distort_span(X, rows, 0, 3, 0, recipe, work, out[1:4])
    assert np.isnan(buffer[-64:]).all()
    assert np.isfinite(work).all()
    assert np.isfinite(out[1:4, :153]).all()
    assert np.isnan(out[[0, 4]]).all()
    assert np.isnan(out[:, 153:]).all()


def test_a_field_of_nan_or_infinity_reads_nothing_outside_of_the_image():
    got = distorted(OFF._replace(shift=1e300, alpha=1e38))
    assert np.isfinite(got).all()


def digest_of_distortions():
    """SHA-256 of images of a few shapes, in float32."""
    digest = hashlib.sha256()
    for height, width in ((28, 28), (5, 9), (20, 35)):
        digest.update(distorted(ALL._replace(height=height, width=width)).tobytes())
    return digest.hexdigest()


SCRIPT = """
import sys
sys.path.insert(0, sys.argv[1])
from test_augment import digest_of_distortions
from fastmlp.kernels import registers
print(registers.REGISTER_BYTES, digest_of_distortions())"""


@pytest.mark.skipif(not AVX2, reason="these CPUs can be had on an x86-64 with AVX2 and FMA alone")
@pytest.mark.parametrize(
    ("width", "name", "features"),
    [
        (32, "haswell", "+avx,+avx2,+fma,+bmi,+bmi2,+f16c,+popcnt,+sse4.2"),
        pytest.param(16, "x86-64", "+sse2", marks=pytest.mark.slow),
    ],
)
def test_another_cpu_distorts_to_the_same_bits(run_python, width, name, features, request):
    done = run_python(SCRIPT, request.path.parent, NUMBA_CPU_NAME=name, NUMBA_CPU_FEATURES=features)
    assert done.stdout.split() == [str(width), digest_of_distortions()]
