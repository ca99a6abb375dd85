"""Keys of a recipe that are changed on the command line, and the resolved recipe in the folder of a run."""

import json
import tomllib

import pytest

from fastmlp.cli.commands.arguments import read_recipe
from fastmlp.cli.main import main
from fastmlp.cli.parser import parse
from fastmlp.errors import FastmlpError
from fastmlp.experiment.overrides import override, parse_override
from fastmlp.experiment.recipe_file import load_recipe

RECIPE = """
[network]
hidden = [30, 20]
[training]
epochs = 30
decay_epochs = [10, 20]
momentum = 0.5
[grid]
activation = ["tanh", "relu"]
learning_rate = [0.5, 0.05]
"""
SEARCH = '[search]\ntrials = 2\nactivation = { choices = ["tanh", "relu"] }\n'


def changed(recipe, *texts):
    return override(recipe, map(parse_override, texts))


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("300,100", [300, 100]),
        ("300,", [300]),
        ("tanh, relu", ["tanh", "relu"]),
        ("[300],[300,100]", [[300], [300, 100]]),
        ("0.01", 0.01),
        ("1e-3", 1e-3),
        ("false", False),
        ("adam", "adam"),
        ('"a, b"', "a, b"),
        ('{ name = "adam", beta2 = 0.99 }', {"name": "adam", "beta2": 0.99}),
        ("folder/data=1.csv", "folder/data=1.csv"),
        ("2024-01-31", "2024-01-31"),
        ("", None),
    ],
)
def test_a_value_is_toml_or_bare_words(text, value):
    assert parse_override(f"training.x={text}") == ("training.x", value)


@pytest.mark.parametrize("text", ["network.hidden", "=3", "network.hidden=[3", 'title="a', "title=1\nseeds = 2", "a={"])
def test_what_is_no_key_and_value_is_refused(text):
    with pytest.raises(FastmlpError, match=r"expected KEY=VALUE|is not TOML"):
        parse_override(text)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("network.hiden=3", r"\[network\] has the unknown key 'hiden'; did you mean 'hidden'"),
        ("network.epochs=3", "it belongs in .training."),
        ("netwrok.hidden=3", "did you mean 'network'"),
        ("hidden=3", "did you mean network.hidden"),
        ("epoch=3", "did you mean training.epochs"),
        ("network=3", "network is a table"),
        ("training.epochs=soon", "epochs is 'soon'; expected a whole number"),
        ("seeds=0", "seeds is 0"),
        ("title=3", "title is 3; expected a line of text"),
        ("data.validation=-1", "validation in .data. is -1"),
        ("grid.learning_rate=0.1,0.1", "learning_rate in .grid. has 0.1 twice"),
        ("search.trials=3.5", "trials is 3.5"),
        ("search.learning_rate=0.1", "learning_rate in .search. is 0.1; expected .* from"),
    ],
)
def test_a_mistake_in_a_change_is_named_with_its_mend(written, text, message):
    with pytest.raises(FastmlpError, match=message):
        changed(load_recipe(written(RECIPE)), text)


def test_a_value_takes_a_setting_out_of_the_grid_and_values_put_it_there(written):
    recipe = changed(load_recipe(written(RECIPE)), "training.learning_rate=0.3", "grid.hidden=[5],[6]")
    assert recipe.grid == {"activation": ["tanh", "relu"], "hidden": [[5], [6]]}
    assert recipe.settings["learning_rate"] == 0.3
    assert "hidden" not in recipe.settings


def test_nothing_takes_a_setting_or_a_table_out_of_the_recipe(written):
    recipe = changed(load_recipe(written(RECIPE)), "training.momentum=", "training.decay_epochs=", "grid=")
    assert (recipe.settings, recipe.grid) == ({"hidden": [30, 20], "epochs": 30}, {})


def test_one_number_is_a_list_where_the_setting_is_one(written):
    recipe = changed(load_recipe(written(RECIPE)), "network.hidden=7", "training.decay_epochs=3")
    assert (recipe.settings["hidden"], recipe.settings["decay_epochs"]) == ([7], [3])


def test_what_is_searched_is_changed_as_well(written):
    recipe = changed(
        load_recipe(written(SEARCH)), "search.learning_rate={ from = 0.1, to = 0.2 }", "search.activation=", "seeds=2"
    )
    assert recipe.search.distributions.keys() == {"learning_rate"}
    assert (recipe.search.trials, recipe.seeds) == (2, 2)
    grid = changed(load_recipe(written(RECIPE)), "search.method=random", "search.trials=3")
    assert (grid.search.trials, grid.search.distributions.keys()) == (3, {"activation", "learning_rate"})


@pytest.mark.parametrize(
    ("option", "change"),
    [
        (["--hidden", "7", "8"], "network.hidden=7,8"),
        (["--hidden"], "network.hidden=[]"),
        (["--epochs", "15"], "training.epochs=15"),
        (["--batch-size", "5"], "training.batch_size=5"),
        (["--seed", "5"], "training.seed=5"),
        (["--seeds", "5"], "seeds=5"),
        (["--validation", "0.1"], "data.validation=0.1"),
        (["--stratify"], "data.stratify=true"),
        (["--no-stratify"], "data.stratify=false"),
        (["--data", "x.csv"], "data.name=x.csv"),
        (["--label", "-1"], "data.label=-1"),
        (["--trials", "3"], "search.trials=3"),
    ],
)
def test_an_option_is_short_for_a_change(written, option, change):
    path = str(written(RECIPE))
    short, long = (parse(["sweep", "--out", "run", *arguments]) for arguments in (option, ["--set", change]))
    assert read_recipe(short, path) == read_recipe(long, path) != load_recipe(path)


def test_the_later_of_two_changes_wins(written):
    options = parse(["sweep", "--out", "run", "--set", "training.epochs=3", "--epochs", "4", "--set", "seeds=2"])
    recipe = read_recipe(options, str(written(RECIPE)))
    assert (recipe.settings["epochs"], recipe.seeds) == (4, 2)


@pytest.mark.parametrize("name", ["bars", "search"])
def test_the_recipe_in_the_folder_of_a_run_repeats_it(name, tmp_path, train_file, written, monkeypatch, capsys):
    monkeypatch.chdir(train_file.parent)
    text = SEARCH if name == "search" else '[grid]\nactivation = ["tanh", "relu"]\n'
    text += "batch_size = { from = 10, to = 30, whole = true }\n" if name == "search" else ""
    changes = ("training.epochs=2", "network.hidden=5", "data.validation=50", "training.optimizer=adam")
    arguments = [word for change in changes for word in ("--set", change)]
    command = ["sweep", "--recipe", str(written(text)), "--data", train_file.name, "--out", str(tmp_path / "a")]
    assert main([*command, *arguments, "--verbose"]) == 0
    resolved = (tmp_path / "a" / "recipe.toml").read_text(encoding="utf-8")
    assert resolved in capsys.readouterr().err
    values = tomllib.loads(resolved)
    assert values["data"] == {"name": str(train_file), "validation": 50}
    assert (values["network"]["hidden"], values["training"]["shuffle"]) == ([5], True)
    monkeypatch.chdir(tmp_path)
    assert main(["sweep", "--recipe", "a/recipe.toml", "--out", "b"]) == 0
    first, second = (json.loads((tmp_path / run / "run.json").read_text("utf-8"))["cells"] for run in "ab")
    for cell in (*first, *second):
        del cell["seconds"]
    assert first == second
    assert (tmp_path / "b" / "recipe.toml").read_text(encoding="utf-8") == resolved


@pytest.mark.parametrize("changes", [[], ["--set", "grid.activation=relu"]])
def test_references_are_kept_where_the_settings_are(changes, tmp_path, train_file, written):
    text = (
        f"[data]\nname = '{train_file}'\n[training]\nepochs = 1\n[network]\nhidden = [4]\n"
        '[grid]\nactivation = ["tanh", "relu"]\n[[reference]]\nsource = "a book"\ntest_accuracy = 0.9\n'
        'cells = [{ cell = "tanh", test_accuracy = 0.8 }]\n'
    )
    assert main(["sweep", "--recipe", str(written(text)), "--out", str(tmp_path / "run"), *changes]) == 0
    recipe = load_recipe(tmp_path / "run" / "recipe.toml")
    assert [one["source"] for one in recipe.reference] == ([] if changes else ["a book"])
