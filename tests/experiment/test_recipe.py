import functools
import itertools
from pathlib import Path

import pytest

from fastmlp.errors import InputError, InputTypeError
from fastmlp.experiment.builtin_recipes import recipe_names
from fastmlp.experiment.recipe import Recipe
from fastmlp.experiment.recipe_file import load_recipe
from fastmlp.experiment.sweep import sweep

GOOD = """
title = "Two by three"
[data]
name = "mnist"
validation = 0.2
[network]
hidden = [30, 20]
[training]
epochs = 30
decay_epochs = [10, 20]
[grid]
activation = ["tanh", "relu"]
learning_rate = [0.5, 0.1, 0.02]
"""


def test_a_grid_gives_every_combination_in_order(written):
    cells = load_recipe(written(GOOD)).cells()
    expected = list(itertools.product(["tanh", "relu"], [0.5, 0.1, 0.02]))
    assert [(cell.settings["activation"], cell.settings["learning_rate"]) for cell in cells] == expected
    assert all(cell.settings["hidden"] == [30, 20] and cell.settings["epochs"] == 30 for cell in cells)


def test_every_cell_has_a_folder_name_of_its_own(written):
    slugs = [cell.slug for cell in load_recipe(written(GOOD)).cells()]
    assert slugs[:2] == ["tanh-0.5", "tanh-0.1"]
    assert len(set(slugs)) == 6


def test_the_figure_has_a_column_for_each_value_of_the_last_key(written):
    assert load_recipe(written(GOOD)).shape(6) == (2, 3)


def test_a_recipe_without_a_grid_is_one_network(written):
    (cell,) = load_recipe(written('title = "One"\n[training]\nlearning_rate = 0.3\n')).cells()
    assert cell.settings == {"learning_rate": 0.3}


def test_widths_and_batch_sizes_can_be_swept_too(written):
    text = 'title = "Widths"\n[grid]\nhidden = [[10], [20, 10], []]\nbatch_size = [10, 50]\n'
    slugs = [cell.slug for cell in load_recipe(written(text)).cells()]
    assert slugs[:3] == ["hidden-10-batch-size-10", "hidden-10-batch-size-50", "hidden-20-10-batch-size-10"]
    assert slugs[4] == "hidden-none-batch-size-10"


def test_the_course_recipe_is_the_assignment():
    recipe = load_recipe("ee541")
    assert recipe.data == {"name": "mnist", "validation": 10_000}
    theirs = {cell["cell"]: cell["test_accuracy"] for cell in recipe.reference[0]["cells"]}
    assert theirs == {
        **{"relu-0.5": 0.9707, "relu-0.05": 0.9566, "relu-0.005": 0.8534},
        **{"tanh-0.5": 0.9742, "tanh-0.05": 0.9532, "tanh-0.005": 0.8505},
    }
    assert recipe.grid == {"activation": ["tanh", "relu"], "learning_rate": [0.5, 0.05, 0.005]}
    expected = {
        "hidden": [100, 50, 25],
        "init": "normal",
        "init_scale": 0.1,
        "init_bias": "same",
        "batch_size": 500,
        "epochs": 50,
        "decay_epochs": [20, 40],
        "decay_factor": 0.5,
        "shuffle": False,
        "momentum": 0.0,
        "l2": 0.0,
    }
    assert expected.items() <= recipe.settings.items()


@pytest.mark.parametrize("name", recipe_names())
def test_every_named_recipe_loads(name):
    assert load_recipe(name).title


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("hidden =", "hiden =", r"\[network\] has the unknown key 'hiden'; did you mean 'hidden'\? expected one of"),
        (
            "epochs = 30",
            "epochs = 30\nhidden = [3]",
            r"\[training\] has the unknown key 'hidden'; it belongs in \[netw",
        ),
        ("title", "titel", "unknown key 'titel'; did you mean 'title'"),
        ("[data]", "[dat]", "unknown key 'dat'; did you mean 'data'"),
        ("epochs = 30", "threads = 2", "unknown key 'threads'"),
        ('"relu"]', '"rellu"]', r"activation is 'rellu'; did you mean 'relu'\? expected one of"),
        ("[0.5,", "[0,", "learning_rate is 0; expected a number above 0"),
        ("[0.5,", "[-0.5,", "learning_rate is -0.5"),
        ("[0.5,", "[inf,", "learning_rate is inf; expected a finite number"),
        ("[0.5,", "[nan,", "learning_rate is nan; expected a finite number"),
        ("[10, 20]", "[20, 10]", "decay_epochs has 10 after 20; expected rising epochs"),
        ("[10, 20]", "[10, 31]", "decay_epochs has 31, beyond the last of 30 epochs"),
        ("epochs = 30", "epochs = 30\nbatch_size = 0", "batch_size is 0; expected at least 1"),
        ("[30, 20]", "[30, 0]", "a width in hidden is 0"),
        ("[30, 20]", "[]\nactivation = 'relu'", "activation is in .grid. and has a value of its own"),
        ("[0.5, 0.1, 0.02]", "[0.5, 0.5]", "learning_rate in .grid. has 0.5 twice"),
        ("[0.5, 0.1, 0.02]", "[]", "learning_rate in .grid. is ..; expected a list of values"),
        ('["tanh", "relu"]', "[]", r"activation in .grid. is \[\]; expected a list .*: add one, or remove the key$"),
        ("[0.5, 0.1, 0.02]", "0.5", "learning_rate in .grid. is 0.5; expected a list of values"),
        ("validation = 0.2", "validation = 'half'", "validation in .data. is 'half'"),
        ("validation = 0.2", "validation = 0", "validation in .data. is 0"),
        ("validation = 0.2", "stratify = 1", "stratify in .data. is 1; expected true or false"),
        ("validation = 0.2", "training = 0", "training in .data. is 0; expected a whole number of samples, above 0"),
        ("validation = 0.2", "training = 0.5", "training in .data. is 0.5"),
        ("title", "epoch_lines = 1\ntitle", "epoch_lines is 1; expected true or false"),
        ('"mnist"', "3", "name in .data. is 3; expected a name or a path in quotes"),
        ('"Two by three"', "2", "title is 2; expected a line of text"),
        ("[data]", "[data", "is not TOML"),
        ("epochs = 30", f"epochs = 1{5000 * '0'}", "is not TOML"),
        ("epochs = 30", "epochs = 10_000_000_000_000", "epochs is 10000000000000; expected at most 10000000"),
    ],
)
def test_a_mistake_is_named_with_its_mend(written, old, new, message):
    path = written(GOOD.replace(old, new, 1))
    with pytest.raises((InputError, InputTypeError), match=message) as caught:
        load_recipe(path)
    assert str(caught.value).startswith(str(path))
    assert "\n" not in str(caught.value)


def test_a_section_that_is_no_table_is_named(written):
    with pytest.raises(InputTypeError, match=r"network is \[30\]; expected a table"):
        load_recipe(written('title = "No table"\nnetwork = [30]\n'))


def test_an_unknown_name_lists_the_recipes_there_are():
    with pytest.raises(InputError, match=r"recipe 'ee542' is not there; did you mean 'ee541'\? .* or a TOML file"):
        load_recipe("ee542")


def test_a_binary_file_is_no_recipe(tmp_path):
    path = tmp_path / "image.toml"
    path.write_bytes(b"\x89PNG\xff")
    with pytest.raises(InputError, match="cannot be read"):
        load_recipe(path)


def test_fewer_epochs_drop_the_decays_beyond_the_end_and_say_so(written):
    recipe = load_recipe(written(GOOD)).shortened(15)
    assert recipe.settings["epochs"] == 15
    assert recipe.settings["decay_epochs"] == [10]
    assert recipe.notes == ("the learning rate does not decay after epoch 20: training ends at epoch 15",)


def test_fewer_epochs_shorten_the_decays_of_a_grid_and_drop_those_that_become_alike(written):
    text = "[training]\nepochs = 30\n[grid]\ndecay_epochs = [[10, 20], [10, 25], [5]]\n"
    recipe = load_recipe(written(text)).shortened(15)
    assert recipe.grid == {"decay_epochs": [[10], [5]]}
    assert recipe.notes == ("the learning rate does not decay after epoch 20 or 25: training ends at epoch 15",)


def test_a_decay_after_the_last_epoch_never_comes(written):
    assert load_recipe(written(GOOD)).shortened(20).settings["decay_epochs"] == [10]


def test_more_epochs_leave_the_schedule_as_it_is(written):
    recipe = load_recipe(written(GOOD)).shortened(40)
    assert (recipe.settings["epochs"], recipe.settings["decay_epochs"], recipe.notes) == (40, [10, 20], ())


def test_a_setting_from_the_command_line_wins_over_the_grid(written):
    recipe = load_recipe(written(GOOD)).override(learning_rate=0.3, hidden=None)
    assert [cell.settings["learning_rate"] for cell in recipe.cells()] == [0.3, 0.3]
    assert recipe.settings["hidden"] == [30, 20]


def test_a_recipe_without_a_title_is_called_by_its_file(written):
    path = written("[training]\nlearning_rate = 0.3\n")
    assert load_recipe(path).title == Path(path).stem


# ----------------------------------------------------------------------------------------------------------- seeds


def test_every_configuration_is_trained_with_seeds_that_follow_one_another(written):
    plain = load_recipe(written(GOOD)).override(seed=7)
    cells = plain.repeated(3).cells()
    assert [cell.settings.get("seed") for cell in cells] == [7, 8, 9] * 6
    assert [cell.slug for cell in cells[:3]] == ["tanh-0.5", "tanh-0.5-seed-8", "tanh-0.5-seed-9"]
    assert cells[1].label == "tanh, learning rate 0.5, seed 8"
    assert {(cell.group, cell.configuration) for cell in cells[:3]} == {("tanh-0.5", "tanh, learning rate 0.5")}


def test_a_grid_may_vary_the_seed_itself(written):
    cells = load_recipe(written("[grid]\nseed = [1, 2, 5]\n")).cells()
    assert [cell.settings["seed"] for cell in cells] == [1, 2, 5]


def test_the_first_seed_of_a_repeated_recipe_is_the_recipe_itself(written):
    recipe = load_recipe(written(GOOD))
    first = [(cell.slug, cell.settings) for cell in recipe.repeated(3).cells()[::3]]
    assert first == [(cell.slug, cell.settings) for cell in recipe.cells()]


def test_a_recipe_may_ask_for_seeds_itself(written):
    recipe = load_recipe(written("seeds = 2" + GOOD))
    assert len(recipe.cells()) == 12
    assert len(recipe.repeated(None).cells()) == 12
    assert len(recipe.repeated(1).cells()) == 6


def test_what_a_reference_got_belongs_to_all_seeds_of_a_cell():
    recipe = load_recipe("ee541").repeated(2)
    known = {cell["cell"] for cell in recipe.reference[0]["cells"]}
    assert {cell.group for cell in recipe.cells()} == known


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("seeds = 0", "seeds is 0; expected at least 1"),
        ("seeds = 2.5", "seeds is 2.5; expected a whole number"),
        ("seeds = 2\n[training]\nseed = -1", "seed is -1; expected at least 0"),
        ("seeds = 2\n[grid]\nseed = [1, 2]", "seeds is 2 and seed is in .grid.; remove one of the two"),
        (
            "seeds = 2\n[search]\nmethod = 'optuna'\nl2 = {from = 0, to = 1}",
            "seeds is 2 and method 'optuna', which trains",
        ),
    ],
)
def test_seeds_that_cannot_be_are_named(written, text, message):
    with pytest.raises((InputError, InputTypeError), match=message):
        load_recipe(written(text + "\n"))


def half(t):
    return 0.5


@pytest.mark.parametrize("schedule", [half, functools.partial(max, 0.5), "custom"])
def test_a_sweep_refuses_a_function_that_it_could_not_tell_from_another(tmp_path, train_file, schedule):
    settings = {"hidden": (4,), "epochs": 1}
    for recipe in (
        Recipe("One", {"name": str(train_file), "validation": 0.25}, {**settings, "schedule": schedule}),
        Recipe("Two", {"name": str(train_file), "validation": 0.25}, settings, {"schedule": [None, schedule]}),
    ):
        with pytest.raises(InputError, match=r"schedule is .*expected a name or a table"):
            sweep(recipe, tmp_path / "run")
        assert not (tmp_path / "run").exists()
