import functools

import pytest
from exported_networks import CASES


@functools.cache
def trained(name):
    return CASES[name]()


@pytest.fixture
def case():
    """A function from the name of a case to its network and its inputs, which are trained once."""
    return trained
