"""JSON files of a run with wrong keys, types and values: each is read as it is, or refused in one line."""

import json
import random
import re
import shutil

import pytest

from fastmlp import History
from fastmlp.cli.main import main
from fastmlp.errors import InputError
from fastmlp.report import write_report
from fastmlp.report.tables import table
from fastmlp.report.text_summary import evaluation_text, summary
from fastmlp.runs.records import CellManifest
from fastmlp.runs.run_directory import Run
from fastmlp.runs.selection import is_retrained, read_retrained
from fastmlp.utils.records import read_record
from tests.fuzz.mutators import DEEP, contents, mutated, refusal


@pytest.fixture(scope="module")
def evaluated_run(tmp_path_factory, train_file, test_file):
    """The folder of a run with seeds, a search, a reference, a cell that stopped early, and an evaluation."""
    folder = tmp_path_factory.mktemp("damaged")
    recipe = folder / "recipe.toml"
    recipe.write_text(
        "seeds = 2\n[data]\nvalidation = 0.25\n[network]\nhidden = [6]\n"
        '[training]\nepochs = 3\nbatch_size = 20\nschedule = { name = "cosine", warm_up = 1 }\n'
        "early_stopping = { patience = 1 }\n"
        "[search]\ntrials = 2\nlearning_rate = { from = 0.01, to = 1.0, log = true }\n"
        'activation = { choices = ["tanh", "relu"] }\n[[reference]]\nsource = "the course"\ntest_accuracy = 0.9\n',
        encoding="utf-8",
    )
    run = folder / "run"
    assert main(["sweep", "--recipe", str(recipe), "--data", str(train_file), "--out", str(run)]) == 0
    assert main(["retrain", str(run)]) == 0
    assert main(["evaluate", str(run), "--test", str(test_file)]) == 0
    return run


def read_all(folder):
    """Whatever is made of the JSON files of a run, but for the page."""
    run = Run(folder)
    record = run.read_record()
    table(record)
    for evaluation in run.read_evaluations():
        evaluation_text(evaluation)
    summary(run)
    if record.best is not None and not is_retrained(run, record):
        raise InputError("not retrained")


@pytest.mark.parametrize(("name", "count"), [("run.json", 500), ("evaluation.json", 300), ("retrained/cell.json", 200)])
def test_a_changed_file_is_read_or_refused_in_one_line(evaluated_run, tmp_path, name, count):
    folder = shutil.copytree(
        evaluated_run, tmp_path / "run", ignore=shutil.ignore_patterns("*.png", "model.safetensors")
    )
    value = json.loads((folder / name).read_text(encoding="utf-8"))
    choose, refused = random.Random(name), 0
    for _ in range(count):
        text = mutated(value, choose)
        (folder / name).write_text(text, encoding="utf-8", errors="surrogatepass")
        if message := refusal(read_all, folder):
            refused += 1
            assert name in message or "retrained" in message or "not finished" in message, text[:300]
    assert refused > count / 2
    made, there = ({path.relative_to(run) for path in contents(run)} for run in (folder, evaluated_run))
    assert made <= there


def test_a_changed_file_of_a_cell_is_read_or_refused_in_one_line(evaluated_run, tmp_path):
    (original, *_) = evaluated_run.glob("cells/*/cell.json")
    value, path = json.loads(original.read_text(encoding="utf-8")), tmp_path / "cell.json"
    choose, refused = random.Random(0), 0
    for _ in range(500):
        path.write_text(mutated(value, choose), encoding="utf-8", errors="surrogatepass")
        if message := refusal(read_record, path, CellManifest, "train it again"):
            refused += 1
            assert str(path) in message
    assert refused > 100


@pytest.mark.parametrize("name", ["run.json", "evaluation.json"])
def test_a_report_of_a_changed_file_is_written_or_refused(evaluated_run, tmp_path, name):
    folder = shutil.copytree(evaluated_run, tmp_path / "run")
    value = json.loads((folder / name).read_text(encoding="utf-8"))
    choose = random.Random(name)
    for _ in range(30):
        (folder / name).write_text(mutated(value, choose), encoding="utf-8", errors="surrogatepass")
        (folder / "report.html").unlink(missing_ok=True)
        assert bool(refusal(write_report, folder)) != (folder / "report.html").exists()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda value: value["cells"][1].update(epochs="3"), r"cells\[1\]\.epochs: expected `int`, got `str`"),
        (lambda value: value["cells"][0].update(epoch=3), r"cells\[0\]: object contains unknown field `epoch`"),
        (
            lambda value: value["cells"][0].update(train_accuracy=2),
            r"train_accuracy: expected `float` <= 1",
        ),
        (lambda value: value["data"].pop("digest"), "data: object missing required field `digest`"),
        (lambda value: value["cells"][0]["settings"].update(momentum=2), r"cells\[0\]\S*: settings: momentum is 2"),
        (lambda value: value["cells"][0]["settings"].pop("seed"), r"cells\[0\]\S*: settings: seed is missing"),
        (lambda value: value["cells"][0].update(folder="../.."), r"cells\[0\]\.folder: expected `str` matching regex"),
        (lambda value: value.update(best="nobody"), "best is 'nobody', which no cell is called"),
        (lambda value: value.update(format=2), r"has format 2; expected 5: use the fastmlp that wrote it"),
    ],
)
def test_what_is_wrong_is_named_with_its_place_and_the_folder_stays_as_it_is(
    evaluated_run, tmp_path, capsys, change, message
):
    folder = shutil.copytree(evaluated_run, tmp_path / "run")
    value = json.loads((folder / "run.json").read_text(encoding="utf-8"))
    change(value)
    (folder / "run.json").write_text(json.dumps(value), encoding="utf-8")
    before = contents(folder)
    for command in ("retrain", "evaluate", "report"):
        assert main([command, str(folder)]) == 2
        (line,) = capsys.readouterr().err.splitlines()
        assert re.search(rf"run\.json .*{message}", line), line
    assert contents(folder) == before
    with pytest.raises(InputError):
        Run(folder).read_record()


def test_a_retrained_network_whose_file_is_damaged_counts_as_none(evaluated_run, tmp_path):
    folder = shutil.copytree(evaluated_run, tmp_path / "run")
    (folder / "retrained" / "cell.json").write_text(DEEP)
    assert read_retrained(Run(folder)) is None
    assert not is_retrained(Run(folder), Run(folder).read_record())


@pytest.mark.parametrize("number", ["7.5", "-1e308", "1e308", "-1e299", "1e299", "0", "1e-320", "inf", "nan"])
def test_a_report_of_a_history_with_numbers_that_no_training_has_is_written(evaluated_run, tmp_path, number):
    folder = shutil.copytree(evaluated_run, tmp_path / "run")
    for path in folder.glob("cells/*/history.csv"):
        history = History.from_csv(path).to_dict()
        for name, column in history.items():
            if name.endswith(("_loss", "_accuracy")):
                column[:] = [float(number)] * len(column)
        History.from_dict(history).to_csv(path)
    assert write_report(folder).exists()


def test_a_report_of_a_history_that_is_too_short_is_written(evaluated_run, tmp_path):
    folder = shutil.copytree(evaluated_run, tmp_path / "run")
    for path in folder.glob("cells/*/history.csv"):
        path.write_text("\n".join(path.read_text(encoding="utf-8").splitlines()[:2]) + "\n", encoding="utf-8")
    assert write_report(folder).exists()
