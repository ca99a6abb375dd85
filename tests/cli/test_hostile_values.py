"""Numbers, brackets and names out of all bounds are refused at once: one line, exit status 2, no file changed."""

import math
import tracemalloc

import pytest

from fastmlp.cli.main import main
from fastmlp.errors import printable
from fastmlp.experiment.recipe_file import load_recipe
from tests.fuzz.mutators import contents

GRID = "[grid]\n" + "\n".join(
    f"{key} = {list(range(1, 201))}" for key in ("batch_size", "epochs", "seed")
)  # 8,000,000 networks


@pytest.fixture
def said(capsys, tmp_path, monkeypatch):
    """A function that runs the command line in an empty folder and returns its one line."""
    monkeypatch.chdir(tmp_path)

    def said(*arguments):
        before = contents(tmp_path)
        assert main(list(arguments)) == 2
        out, err = capsys.readouterr()
        assert (out, err.count("\n")) == ("", 1)
        assert err.strip().isprintable()
        assert len(err) < 1500
        assert contents(tmp_path) == before
        return err

    return said


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (GRID, "the recipe has 8000000 networks; expected at most 100000: shorten [grid], or lower seeds or trials"),
        (f"seeds = 1{'0' * 23}", "networks; expected at most 100000"),
        ("seeds = 1000000000", "the recipe has 1000000000 networks"),
        ("[search]\ntrials = 1000000000\nl2 = { from = 0.0, to = 1.0 }", "the recipe has 1000000000 networks"),
        (f"x = {'[' * 3000}{']' * 3000}", "is not TOML (brackets are nested too deeply)"),
        (f"x = {'{ a = ' * 3000}1{' }' * 3000}", "is not TOML (brackets are nested too deeply)"),
        (f"seeds = {'9' * 5000}", "is not TOML (Exceeds the limit (4300 digits) for integer string conversion"),
        ("[training]\nlearning_rate = 1e400", "learning_rate is inf; expected"),
        ("[training]\nlearning_rate = nan", "learning_rate is nan; expected"),
        ("[data]\nvalidation = nan", "validation in [data] is nan; expected a share such as 0.2"),
        (f"[[reference]]\nsource = 'x'\ntest_loss = 1{'0' * 400}", "test_loss"),
        (f'[data]\nname = "{"x" * 5000}.csv"', "xxx.csv"),
        ('[data]\nname = "a\\u0000b.csv"', "'a\\x00b.csv' has a null character"),
        ('[data]\nname = "~nosuchuser/x.csv"', "~nosuchuser/x.csv is in a home folder that is not known"),
        ('[data]\nname = "a\\nb.csv"', "a\\nb.csv"),
        ('[data]\nname = "\\u001b[31mred.csv"', "\\x1b[31mred.csv"),
    ],
    ids=lambda text: text[:20].replace("\n", " "),
)
def test_a_recipe_out_of_all_bounds_is_refused(said, tmp_path, text, message):
    (tmp_path / "mine.toml").write_text(text, encoding="utf-8")
    data = () if "name" in text else ("--data", "absent.csv")
    assert message in said("sweep", "--recipe", "mine.toml", "--out", "run", *data)


@pytest.mark.parametrize("name", ["~nosuchuser/x", "a\0b", "x" * 5000, "a\nb", "\x1b[31mred"], ids=ascii)
@pytest.mark.parametrize("command", ["info", "predict", "report", "retrain", "evaluate", "export"])
def test_a_name_that_nothing_has_is_refused(said, command, name):
    rest = {"predict": ("x.csv",), "export": ("--to", "c")}.get(command, ())
    assert printable(name)[:20] in said(command, name, *rest)


def test_a_recipe_without_an_end_is_refused(said):
    assert "recipe /dev/full is a device; expected a TOML file" in said(
        "sweep", "--recipe", "/dev/full", "--out", "run"
    )


def test_a_recipe_of_many_megabytes_is_refused_before_it_is_read(said, tmp_path_factory):
    path = tmp_path_factory.mktemp("large") / "mine.toml"
    with open(path, "wb") as file:
        file.truncate(1 << 28)
    tracemalloc.start()
    try:
        message = said("sweep", "--recipe", str(path), "--out", "run")
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert "mine.toml has more than 1,000,000 characters; expected a TOML file" in message
    assert peak < 30e6


@pytest.mark.parametrize("name", ["...toml", "....toml"])
def test_a_recipe_of_dots_does_not_run_in_the_folder_above(said, tmp_path, name):
    (tmp_path / name).write_text("title = 'dots'\n", encoding="utf-8")
    assert "has no name that a folder can have; pass --out" in said("run", name)


def test_a_random_search_of_as_many_trials_as_are_allowed_is_drawn(tmp_path):
    (tmp_path / "mine.toml").write_text(
        "[search]\ntrials = 2000\nl2 = { from = 0.0, to = 1.0 }\nl1 = { from = 0.0, to = 1.0 }\n", encoding="utf-8"
    )
    drawn = load_recipe(tmp_path / "mine.toml").varied()
    assert len({(one["l1"], one["l2"]) for one in drawn}) == 2000
    assert all(math.isfinite(one["l1"]) for one in drawn)
