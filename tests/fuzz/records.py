"""Campaigns against the JSON files of a run and the values of a checkpoint: types and values are changed."""

import contextlib
import hashlib
import io
import json
import shutil

import numpy as np

from fastmlp import MLP
from fastmlp.cli.main import main
from fastmlp.experiment.optuna_search import OptunaSearch
from fastmlp.experiment.recipe_file import load_recipe
from fastmlp.runs.records import CellManifest
from fastmlp.training.checkpoints import MAGIC, CheckpointStore, Paused
from fastmlp.utils.records import read_record
from tests.fuzz.campaign import Campaign, command
from tests.fuzz.mutators import mutated, mutated_bytes, refusal

RECIPE = """
seeds = 2
[data]
validation = 0.25
[network]
hidden = [6]
[training]
engine = "numpy"
epochs = 3
batch_size = 20
schedule = { name = "cosine", warm_up = 1 }
early_stopping = { patience = 1 }
[search]
trials = 2
learning_rate = { from = 0.01, to = 1.0, log = true }
activation = { choices = ["tanh", "relu"] }
[[reference]]
source = "the course"
test_accuracy = 0.9
"""


def evaluated_run(folder):
    """The folder of a run with seeds, a search, a reference and an evaluation, and its data beside it."""
    run, recipe, data, test = folder / "evaluated", folder / "recipe.toml", folder / "rows.npz", folder / "test.npz"
    if run.exists():
        return run
    random = np.random.default_rng(0)
    for path in (data, test):
        np.savez(path, X=random.standard_normal((60, 5)), y=np.arange(60) % 3)
    recipe.write_text(RECIPE, encoding="utf-8")
    quiet = ("sweep", "--quiet", "--recipe", recipe, "--data", data, "--out", run)
    for arguments in (quiet, ("retrain", "-q", run), ("evaluate", "-q", run, "--test", test)):
        with contextlib.redirect_stdout(io.StringIO()):
            assert main([str(argument) for argument in arguments]) == 0
    return run


def _changed(name, *commands):
    """A campaign's function for a file of a run, which is changed before each of some commands."""

    def prepare(folder):
        run = shutil.copytree(evaluated_run(folder), folder / name.replace("/", "-") / "run")
        path = run / name
        whole = path.read_text(encoding="utf-8")
        value = json.loads(whole)

        def case(choose):
            path.write_text(mutated(value, choose), encoding="utf-8", errors="surrogatepass")
            subcommand, *others = choose.choice(commands)
            command(subcommand, run, *others, folder=run.parent)

        return case

    return prepare


def report(folder):
    """A report is a page that is written, which takes some time where the record is still a right one."""
    run = shutil.copytree(evaluated_run(folder), folder / "report" / "run")
    texts = {name: (run / name).read_text(encoding="utf-8") for name in ("run.json", "evaluation.json")}

    def case(choose):
        name = choose.choice(sorted(texts))
        (run / name).write_text(mutated(json.loads(texts[name]), choose), encoding="utf-8", errors="surrogatepass")
        command("report", run, folder=run.parent)
        (run / name).write_text(texts[name], encoding="utf-8")

    return case


def cell(folder):
    (original, *_) = evaluated_run(folder).glob("cells/*/cell.json")
    value, path = json.loads(original.read_text(encoding="utf-8")), folder / "cell.json"

    def case(choose):
        path.write_text(mutated(value, choose), encoding="utf-8", errors="surrogatepass")
        refusal(read_record, path, CellManifest, "train it again")

    return case


def paused_training(folder):
    """The checkpoints of a training in the middle, its data and its settings."""
    X = np.random.default_rng(2).standard_normal((60, 4)).astype(np.float32)
    data = (X[:50], np.arange(50) % 3, (X[50:], np.arange(10) % 3))
    settings = {
        "hidden": (3,), "batch_size": 10, "epochs": 4, "momentum": 0.9, "early_stopping": {"patience": 3},
        "schedule": {"name": "plateau", "patience": 1}, "engine": "numpy",
    }  # fmt: skip
    store = CheckpointStore(folder / "kept", seconds=0.0)
    store.stop.set()
    with contextlib.suppress(Paused):
        MLP(**settings).fit(*data, checkpoint=store)
    store.stop.clear()
    return store, data, settings


def checkpoint(folder):
    """A training in the middle, whose checkpoint is changed and has the right SHA-256."""
    store, data, settings = paused_training(folder)
    (path,) = store.folder.iterdir()
    with np.load(io.BytesIO(path.read_bytes()[len(MAGIC) + 65 :])) as archive:
        arrays = dict(archive)
    value = json.loads(arrays.pop("meta").tobytes())

    def case(choose):
        for other in store.folder.iterdir():
            other.unlink()
        stream, text = io.BytesIO(), mutated(value, choose).encode(errors="surrogatepass")
        np.savez(stream, meta=np.frombuffer(text, np.uint8), **arrays)
        body = stream.getvalue()
        path.write_bytes(MAGIC + hashlib.sha256(body).hexdigest().encode() + b"\n" + body)
        if refusal(lambda: MLP(**settings).fit(*data, checkpoint=store)):
            assert list(store.folder.iterdir()) == [path]

    return case


def study(folder):
    """The journal of a search by Optuna, of which a line is changed."""
    run, recipe = folder / "searched" / "run", folder / "searched" / "optuna.toml"
    run.parent.mkdir()
    recipe.write_text(RECIPE.replace("seeds = 2", "").replace("trials = 2", 'trials = 4\nmethod = "optuna"'), "utf-8")
    evaluated_run(folder)
    with contextlib.redirect_stdout(io.StringIO()):
        assert (
            main(["sweep", "-q", "--recipe", str(recipe), "--data", str(folder / "rows.npz"), "--out", str(run)]) == 0
        )
    path = run / "study.journal"
    lines = path.read_bytes().splitlines()
    name = json.loads(lines[0])["study_name"]
    asked = load_recipe(recipe)

    def case(choose):
        changed, place = [*lines], choose.randrange(len(lines))
        text = mutated(json.loads(lines[place]), choose).encode("utf-8", "surrogatepass")
        changed[place] = text if choose.random() < 0.7 else mutated_bytes(lines[place], choose)
        path.write_bytes(b"\n".join(changed) + b"\n")
        refusal(lambda: OptunaSearch(asked, path, name).close())

    return case


INFO, EXPORT = ("info",), ("export", "--to", "json", "--force")
CAMPAIGNS = (
    Campaign("types and values in run.json, read by `info`, `export`", _changed("run.json", INFO, EXPORT)),
    Campaign("types and values in evaluation.json, read by `info`", _changed("evaluation.json", INFO)),
    Campaign("types and values in retrained/cell.json, read by `info`", _changed("retrained/cell.json", INFO, EXPORT)),
    Campaign("types and values in run.json and evaluation.json, read by `report`", report, sample=20),
    Campaign("types and values in the cell.json of a cell", cell),
    Campaign("types and values in a checkpoint with a right checksum", checkpoint),
    Campaign("types, values and bytes in the journal of a search by Optuna", study, sample=50),
)
