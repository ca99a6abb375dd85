"""The reference and the compiled kernels are one interface."""

import inspect

import pytest

from fastmlp.kernels import activations, dense, epoch, optimizer, reference, softmax

COMPILED = {
    "activate": activations.activate,
    "affine": dense.affine,
    "cross_entropy": softmax.cross_entropy,
    "delta": dense.delta,
    "evaluate": epoch.evaluate,
    "gradient": dense.gradient,
    "limit_norms": optimizer.limit_norms,
    "predict": epoch.predict,
    "softmax": softmax.softmax,
    "step": optimizer.step,
    "train": epoch.train,
    "update": dense.update,
}
# On registers the derivative is an epilogue of the tile, not a function.
ONLY_IN_THE_REFERENCE = {"derivative"}


def plain(function):
    return getattr(function, "py_func", function)


def test_every_function_of_the_reference_has_a_compiled_twin():
    assert set(reference.__all__) == set(COMPILED) | ONLY_IN_THE_REFERENCE


@pytest.mark.parametrize("name", sorted(COMPILED))
def test_the_compiled_twin_takes_the_same_parameters(name):
    expected = inspect.signature(getattr(reference, name)).parameters
    assert list(inspect.signature(plain(COMPILED[name])).parameters) == list(expected)


@pytest.mark.parametrize("name", sorted(reference.__all__))
def test_every_function_of_the_reference_says_what_it_does(name):
    assert inspect.getdoc(getattr(reference, name))


@pytest.mark.parametrize("name", sorted(COMPILED))
def test_every_compiled_twin_says_what_it_does(name):
    assert inspect.getdoc(plain(COMPILED[name]))
