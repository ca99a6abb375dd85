"""What a [search] table may hold, and what random search draws from it."""

import collections
import math

import numpy as np
import pytest

from fastmlp.errors import InputError, InputTypeError
from fastmlp.experiment.recipe_file import load_recipe
from fastmlp.experiment.search_space import Choices, Range, Search, from_table

GOOD = """
title = "Searched"
[training]
epochs = 30
[search]
trials = 12
learning_rate = { from = 0.01, to = 1.0, log = true }
hidden = { choices = [[64], [128, 64]] }
batch_size = { from = 20, to = 500, log = true, whole = true }
"""


def many(law, count=2000):
    """So many draws of one setting, repeated ones too."""
    shares = np.random.default_rng(5).random(count)
    return [law.at(share) for share in shares]


def test_every_draw_is_in_its_range_and_different(written):
    cells = load_recipe(written(GOOD)).cells()
    assert len({cell.slug for cell in cells}) == 12
    for cell in cells:
        assert 0.01 <= cell.settings["learning_rate"] <= 1
        assert cell.settings["hidden"] in ([64], [128, 64])
        assert isinstance(cell.settings["batch_size"], int)
        assert 20 <= cell.settings["batch_size"] <= 500
        assert cell.settings["epochs"] == 30


def test_the_seed_decides_and_more_trials_go_on_where_fewer_end(written):
    recipe = load_recipe(written(GOOD))
    assert recipe.cells() == load_recipe(written(GOOD)).cells()
    assert recipe.searched(None, 30).cells()[:12] == recipe.cells()
    assert recipe.override(seed=1).varied() != recipe.varied()


def test_fixing_one_setting_leaves_the_draws_of_the_others(written):
    recipe = load_recipe(written(GOOD))
    fixed = recipe.override(batch_size=50)
    assert [cell.settings["learning_rate"] for cell in fixed.cells()] == [
        cell.settings["learning_rate"] for cell in recipe.cells()
    ]
    assert {cell.settings["batch_size"] for cell in fixed.cells()} == {50}


def test_with_every_setting_fixed_one_network_is_left(written):
    recipe = load_recipe(written(GOOD)).override(batch_size=50, hidden=[10], learning_rate=0.1)
    assert [cell.slug for cell in recipe.cells()] == ["only"]


@pytest.mark.parametrize(
    ("law", "cumulative"),
    [
        (Range(2.0, 6.0), lambda x: (x - 2) / 4),
        (Range(0.001, 10.0, log=True), lambda x: math.log(x / 0.001) / math.log(10_000)),
    ],
)
def test_numbers_are_uniform_on_their_scale(law, cumulative):
    stats = pytest.importorskip("scipy.stats", reason="scipy is the reference")
    shares = [cumulative(value) for value in many(law)]
    assert stats.kstest(shares, "uniform").pvalue > 0.01


def test_whole_numbers_are_equally_probable_both_ends_among_them():
    stats = pytest.importorskip("scipy.stats", reason="scipy is the reference")
    counts = collections.Counter(many(Range(3, 7, whole=True)))
    assert sorted(counts) == [3, 4, 5, 6, 7]
    assert stats.chisquare(list(counts.values())).pvalue > 0.01


def test_whole_numbers_on_a_logarithmic_scale_are_as_probable_as_their_room_on_it():
    stats = pytest.importorskip("scipy.stats", reason="scipy is the reference")
    counts = collections.Counter(many(Range(1, 6, log=True, whole=True)))
    expected = [2000 * math.log((k + 1) / k) / math.log(7) for k in range(1, 7)]
    assert stats.chisquare([counts[k] for k in range(1, 7)], expected).pvalue > 0.01


def test_the_shares_of_a_seed_are_uniform_and_of_no_two_settings_alike():
    stats = pytest.importorskip("scipy.stats", reason="scipy is the reference")
    laws = {name: Range(0.0, 1.0) for name in ("l1", "l2")}
    drawn = Search(laws, trials=500).configurations(0)
    first, second = ([values[name] for values in drawn] for name in laws)
    assert stats.kstest(first, "uniform").pvalue > 0.01
    assert abs(np.corrcoef(first, second)[0, 1]) < 0.15


def test_numbers_have_few_digits_and_more_in_a_narrow_range():
    assert all(float(f"{value:.2e}") == value for value in many(Range(0.01, 1.0, log=True), 100))
    narrow = many(Range(0.9, 0.999), 1000)
    assert len(set(narrow)) > 300
    assert 0.9 <= min(narrow) < max(narrow) <= 0.999


def test_more_trials_than_there_are_configurations_is_an_error(written):
    text = "[search]\ntrials = 6\nhidden = { choices = [[4], [5], [6]] }\nshuffle = { choices = [true, false] }\n"
    assert len(load_recipe(written(text)).cells()) == 6
    with pytest.raises(InputError, match=r"trials is 7, and there are 6 different configurations; ask for no more"):
        load_recipe(written(text.replace("6", "7", 1)))


def test_a_grid_is_searched_among_its_values(written):
    text = 'title = "Grid"\n[grid]\nactivation = ["tanh", "relu"]\nlearning_rate = [0.5, 0.1, 0.02]\n'
    recipe = load_recipe(written(text))
    few = recipe.searched("random", 4)
    assert {cell.slug for cell in few.cells()} < {cell.slug for cell in recipe.cells()}
    with pytest.raises(InputError, match=r"a \[grid\] searched by 'optuna' has no number of trials; pass --trials"):
        recipe.searched("optuna", None)
    with pytest.raises(InputError, match=r"has neither \[search\] nor \[grid\]"):
        load_recipe(written("[training]\nepochs = 3\n")).searched("random", 3)


def test_fewer_epochs_shorten_the_decays_that_are_searched(written):
    text = "[training]\nepochs = 30\n[search]\ntrials = 2\ndecay_epochs = { choices = [[10, 20], [10, 25], [5]] }\n"
    recipe = load_recipe(written(text)).shortened(15)
    assert recipe.search.distributions == {"decay_epochs": Choices(([10], [5]))}


def test_a_figure_of_a_search_has_rows_of_five(written):
    recipe = load_recipe(written(GOOD))
    assert [recipe.shape(count) for count in (1, 3, 5, 6, 12)] == [(1, 1), (1, 3), (1, 5), (2, 5), (3, 5)]


def test_distributions_as_plain_values_are_the_table_they_were_read_from():
    table = {
        "learning_rate": {"from": 0.01, "to": 1.0, "log": True},
        "batch_size": {"from": 20, "to": 500, "whole": True},
        "hidden": {"choices": [[64], []]},
    }
    assert {name: one.to_dict() for name, one in from_table(table).distributions.items()} == table


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("trials = 12", "trials = 0", "trials is 0; expected at least 1"),
        ("trials = 12", "trials = 2.5", "trials is 2.5; expected a whole number"),
        ("trials = 12", "method = 'grid'", "method is 'grid'; expected one of random, optuna"),
        ("trials = 12", "pruner = 'mean'", r"pruner is 'mean'; did you mean 'median'\? expected one of median, none"),
        ("hidden =", "hiden =", r"\[search\] has the unknown key 'hiden'; did you mean 'hidden'\?"),
        ("trials = 12", "seed = { choices = [1, 2] }", r"\[search\] has the unknown key 'seed'; it belongs in"),
        ("trials = 12", "epochs = { choices = [1, 2] }", "epochs is in .search. and has a value of its own"),
        (
            "{ from = 0.01, to = 1.0, log = true }",
            "[0.1, 1]",
            r"learning_rate in .search. is \[0.1, 1\]; expected \{ from",
        ),
        ("from = 0.01", "form = 0.01", "learning_rate in .search. has the unknown key 'form'; did you mean 'from'"),
        ("to = 1.0, ", "", "learning_rate in .search. has no 'to'"),
        ("from = 0.01", "from = 2", "learning_rate in .search. goes from 2.0 to 1.0; expected a larger"),
        (
            "from = 0.01",
            "from = 0",
            "'from' of learning_rate in .search. is 0.0 and log is true; expected a number above",
        ),
        ("from = 0.01", "from = 'a'", "'from' of learning_rate in .search. is 'a'; expected a number"),
        ("to = 1.0", "to = inf", "'to' of learning_rate in .search. is inf; expected a finite number"),
        ("log = true", "log = 1", "log of learning_rate in .search. is 1; expected true or false"),
        ("from = 20", "from = 20.5", "'from' of batch_size in .search. is 20.5 and whole is true; expected a whole"),
        ("[[64], [128, 64]]", "64", "choices of hidden in .search. is 64; expected a list of values"),
        ("[[64], [128, 64]]", "[]", r"choices of hidden in .search. is \[\]; expected a list of values"),
        ("[[64], [128, 64]]", "[[64], [64]]", r"choices of hidden in .search. has \[64\] twice"),
        (
            "[[64], [128, 64]]",
            "[[64]], log = true",
            "hidden in .search. has the unknown key 'log'; expected one of choi",
        ),
        ("[[64], [128, 64]]", "[[64], [0]]", "a width in hidden is 0"),
        ("from = 20, to = 500, log = true", "from = 0, to = 500", "batch_size is 0; expected at least 1"),
        ("[search]", "[grid]\nl2 = [0.1]\n[search]", r"has a \[grid\] and a \[search\]; remove one of the two"),
    ],
)
def test_a_mistake_is_named_with_its_mend(written, old, new, message):
    path = written(GOOD.replace(old, new, 1))
    with pytest.raises((InputError, InputTypeError), match=message) as caught:
        load_recipe(path)
    assert "\n" not in str(caught.value)


def test_a_search_without_settings_is_named(written):
    with pytest.raises(InputError, match=r"\[search\] has nothing to search; give a setting its range"):
        load_recipe(written("[search]\ntrials = 3\n"))
