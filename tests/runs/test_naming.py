"""The names of cells: a folder that every system can make, and a line for a person."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fastmlp.runs.naming import distinct, label, slug

SCALARS = st.one_of(st.text(max_size=30), st.integers(-1000, 1000), st.floats(allow_nan=False), st.booleans())
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=9), inner)),
    max_leaves=6,
)


@pytest.mark.parametrize(
    ("varied", "folder", "line"),
    [
        ({}, "only", ""),
        ({"activation": "tanh", "learning_rate": 0.5}, "tanh-0.5", "tanh, learning rate 0.5"),
        ({"hidden": [20, 10]}, "hidden-20-10", "hidden 20-10"),
        ({"hidden": []}, "hidden-none", "hidden none"),
        ({"shuffle": False}, "shuffle-false", "shuffle false"),
        ({"optimizer": {"name": "adam"}}, "optimizer-adam", "optimizer adam"),
        (
            {"optimizer": {"name": "adam", "beta2": 0.99}},
            "optimizer-adam-beta2-0.99",
            "optimizer adam (beta2 0.99)",
        ),
        (
            {"schedule": {"name": "cosine", "warm_up": 5, "floor": 0.1}, "l2": 1e-4},
            "schedule-cosine-warm-up-5-floor-0.1-l2-0.0001",
            "schedule cosine (warm up 5, floor 0.1), l2 0.0001",
        ),
        (
            {"early_stopping": {"patience": 5, "monitor": "validation_loss"}},
            "early-stopping-patience-5-monitor-validation-loss",
            "early stopping patience 5, monitor validation_loss",
        ),
    ],
)
def test_values_of_every_kind_have_a_short_folder_and_a_readable_line(varied, folder, line):
    assert slug(varied) == folder
    assert label(varied) == line


@given(st.dictionaries(st.sampled_from(["hidden", "optimizer", "activation", "schedule"]), VALUES, min_size=1))
def test_a_folder_is_legal_on_every_system(varied):
    name = slug(varied)
    assert re.fullmatch(r"[A-Za-z0-9+-][A-Za-z0-9.+-]*", name)
    assert not name.endswith(".")
    assert len(name) <= 100


def test_long_values_keep_folders_apart():
    first, second = (slug({"hidden": [100] * 40 + [last]}) for last in (1, 2))
    assert first != second


def test_equal_names_get_a_number_whatever_their_case():
    assert distinct(["a", "b", "A", "a-2", "a"]) == ["a", "b", "A-2", "a-2-2", "a-3"]
