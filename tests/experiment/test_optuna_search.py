"""Search by Optuna, the real one."""

import contextlib
import json
import os
import shutil
import statistics
import subprocess
import sys
import time

import numpy as np
import pytest

from fastmlp.cli.main import main
from fastmlp.data import load, split
from fastmlp.errors import InputError
from fastmlp.experiment.executors.base import SweepData
from fastmlp.experiment.executors.threads import ThreadExecutor
from fastmlp.experiment.optuna_search import OptunaSearch
from fastmlp.experiment.recipe_file import load_recipe

optuna = pytest.importorskip("optuna", reason="optuna is not installed")
event = pytest.importorskip("sqlalchemy.event")
Pool = pytest.importorskip("sqlalchemy.pool").Pool

# Of five decades only the upper two get anywhere in so few epochs.
RECIPE = """
title = "Rates"
[data]
validation = 0.25
[network]
hidden = [8]
[training]
epochs = 4
batch_size = 20
seed = 3
[search]
method = "optuna"
trials = 16
learning_rate = { from = 1e-5, to = 1.0, log = true }
"""


@pytest.fixture
def recipe_of(tmp_path):
    """A function that reads a recipe from TOML."""

    def read(text=RECIPE):
        path = tmp_path / "rates.toml"
        path.write_text(text, encoding="utf-8")
        return load_recipe(path)

    return read


@pytest.fixture(scope="module")
def data(train_file):
    """Training and validation set of the bars."""
    return SweepData(*split(load(str(train_file)), validation=0.25))


def study_of(storage, name="rates"):
    """The study as Optuna itself reads it."""
    backend = optuna.storages.journal.JournalFileBackend(str(storage))
    return optuna.load_study(study_name=name, storage=optuna.storages.JournalStorage(backend))


def searched(recipe, data, storage, threads=1, **options):
    """The trials of a search that begins in `storage`."""
    with contextlib.closing(OptunaSearch(recipe, storage, "rates", **options)) as search:
        return list(search.train(ThreadExecutor(threads), data))


def rates(trained):
    return [one.cell.settings["learning_rate"] for one in trained]


@pytest.fixture(scope="module")
def made_once(tmp_path_factory, data):
    """(trials, storage) of the search."""
    folder = tmp_path_factory.mktemp("optuna")
    path = folder / "rates.toml"
    path.write_text(RECIPE, encoding="utf-8")
    return searched(load_recipe(path), data, folder / "study.journal"), folder / "study.journal"


def test_it_soon_looks_where_networks_learn(made_once):
    trained, _ = made_once
    assert all(1e-5 <= rate <= 1 for rate in rates(trained))
    begun, later = rates(trained)[:10], rates(trained)[10:]  # the sampler's first ten are drawn at random
    assert statistics.median(begun) < 0.01 < statistics.median(later)
    best = max(
        (one for one in trained if one.pruned is None), key=lambda one: one.mlp.history["validation_accuracy"][-1]
    )
    assert best.cell.settings["learning_rate"] > 0.01


def test_what_is_pruned_was_worse_than_most_at_that_epoch_and_nothing_else_was(made_once):
    finished = []
    for one in made_once[0]:
        accuracies = one.mlp.history["validation_accuracy"]
        for epoch in range(1, len(accuracies) + 1):
            others = [other[epoch - 1] for other in finished]
            hopeless = len(finished) >= 5 and epoch >= 2 and max(accuracies[:epoch]) < np.median(others)
            assert hopeless == (one.pruned == epoch)
        if one.pruned is None:
            finished.append(accuracies)
    assert any(one.pruned for one in made_once[0])


def test_longer_trainings_are_pruned_after_a_fifth_of_their_epochs(recipe_of, data, tmp_path):
    text = RECIPE.replace("epochs = 4", "epochs = 20").replace("trials = 16", "trials = 12")
    pruned = [one.pruned for one in searched(recipe_of(text), data, tmp_path / "study") if one.pruned]
    assert min(pruned) == 5


def test_the_study_has_the_accuracies_of_the_networks(made_once, data):
    trained, storage = made_once
    validation = data.validation
    for one, trial in zip(trained, study_of(storage).trials, strict=True):
        assert trial.params["learning_rate"] == pytest.approx(one.cell.settings["learning_rate"], rel=1e-2)
        assert list(trial.intermediate_values.values()) == one.mlp.history["validation_accuracy"]
        if one.pruned is None:
            assert trial.value == pytest.approx(one.mlp.score(validation.X, validation.y))


def test_the_same_seed_makes_the_same_trials_and_another_one_others(made_once, recipe_of, data, tmp_path):
    few = recipe_of().searched(None, 4)
    assert rates(searched(few, data, tmp_path / "again")) == rates(made_once[0])[:4]
    assert rates(searched(few.override(seed=4), data, tmp_path / "other")) != rates(made_once[0])[:4]


def test_nothing_is_pruned_where_nothing_is_to_be(recipe_of, data, tmp_path):
    trained = searched(
        recipe_of(RECIPE.replace("trials = 16", 'trials = 8\npruner = "none"')), data, tmp_path / "study"
    )
    assert [one.pruned for one in trained] == [None] * 8
    assert all(len(one.mlp.history) == 4 for one in trained)


def test_trials_side_by_side_are_all_made(recipe_of, data, tmp_path):
    trained = searched(recipe_of(), data, tmp_path / "study", threads=3)
    trials = study_of(tmp_path / "study").trials
    assert len(trials) == 16
    assert {trial.state.name for trial in trials} <= {"COMPLETE", "PRUNED"}
    # Which rates are drawn depends on which trials end first; one that comes up again is not trained again.
    twins = sum(bool(trial.user_attrs.get("twin")) for trial in trials)
    assert len({one.cell.slug for one in trained}) == len(trained) == 16 - twins


def test_the_accuracy_of_a_network_that_stopped_early_is_that_of_the_weights_it_kept(recipe_of, data, tmp_path):
    text = RECIPE.replace("epochs = 4", "epochs = 30\nearly_stopping = 2").replace("trials = 16", "trials = 3")
    trained = searched(recipe_of(text), data, tmp_path / "study")
    assert any(len(one.mlp.history) < 30 for one in trained)
    for one, trial in zip(trained, study_of(tmp_path / "study").trials, strict=True):
        assert trial.value == pytest.approx(one.mlp.score(data.validation.X, data.validation.y))


def test_settings_that_come_up_again_are_not_trained_again(recipe_of, data, tmp_path):
    law = "hidden = { choices = [[4], [4, 4]] }\nactivation = { choices = ['relu'] }\n"
    text = RECIPE.replace("hidden = [8]", "").replace("learning_rate = { from = 1e-5, to = 1.0, log = true }", law)
    recipe = recipe_of(text)
    for threads in (1, 3):
        storage = tmp_path / f"study-{threads}"
        trained = searched(recipe, data, storage, threads)
        assert sorted(one.cell.slug for one in trained) == ["hidden-4-4-relu", "hidden-4-relu"]
        trials = study_of(storage).trials
        assert {trial.state.name for trial in trials} == {"COMPLETE"}
        assert len(trials) == 16
        seen = {(trial.params["hidden"], trial.value, *trial.intermediate_values.values()) for trial in trials}
        assert [len(values) for values in seen] == [6, 6]


def test_a_network_that_diverges_is_no_failure_of_the_search(recipe_of, data, tmp_path):
    text = RECIPE.replace("from = 1e-5, to = 1.0", "from = 1e20, to = 1e30").replace("trials = 16", "trials = 3")
    trained = searched(recipe_of(text), data, tmp_path / "study")
    assert all(one.mlp.failure_reason for one in trained)
    assert all(trial.state.name == "COMPLETE" for trial in study_of(tmp_path / "study").trials)


# ----------------------------------------------------------------------------------------------------- beginning again


def test_a_search_goes_on_with_more_trials_as_if_it_had_not_ended(made_once, recipe_of, data, tmp_path):
    first = searched(recipe_of().searched(None, 5), data, tmp_path / "study")
    networks = {one.cell.slug: one for one in first}
    search = OptunaSearch(recipe_of(), tmp_path / "study", "rates", lambda cell: networks[cell.slug])
    assert rates(search.earlier) == rates(first)
    assert search.remaining == 11
    assert rates(first) + rates(search.train(ThreadExecutor(1), data)) == rates(made_once[0])


def test_what_was_being_trained_at_the_end_is_trained_first(made_once, recipe_of, data, tmp_path):
    begun = OptunaSearch(recipe_of(), tmp_path / "study", "rates").train(ThreadExecutor(1), data)
    kept = {one.cell.slug: one for one in (next(begun), next(begun), next(begun))}
    lost = list(kept)[-1]  # told to nobody: the generator was not asked for another
    begun.close()
    search = OptunaSearch(recipe_of(), tmp_path / "study", "rates", lambda cell: kept[cell.slug])
    assert [one.cell.slug for one in search.earlier] == list(kept)[:2]
    trained = list(search.train(ThreadExecutor(1), data))
    assert trained[0].cell.slug == lost
    assert rates(search.earlier) + rates(trained) == rates(made_once[0])
    assert [trial.state.name for trial in study_of(tmp_path / "study").trials].count("FAIL") == 1


def test_a_trial_whose_network_is_gone_is_made_up_for(recipe_of, data, tmp_path):
    few = recipe_of().searched(None, 3)
    searched(few, data, tmp_path / "study")
    assert OptunaSearch(few, tmp_path / "study", "rates").remaining == 3


def test_the_lock_and_the_torn_line_of_a_process_that_was_killed_are_cleared_away(recipe_of, data, tmp_path):
    few = recipe_of().searched(None, 3)
    first = searched(few, data, tmp_path / "study")
    whole = (tmp_path / "study").read_bytes()
    (tmp_path / "study").write_bytes(whole + b'{"op_code":')
    (tmp_path / "study.lock").write_bytes(b"")
    networks = {one.cell.slug: one for one in first}
    search = OptunaSearch(few, tmp_path / "study", "rates", lambda cell: networks[cell.slug])
    assert (search.remaining, len(search.earlier)) == (0, 3)
    now = (tmp_path / "study").read_bytes()
    assert now.startswith(whole)
    assert all(json.loads(line) for line in now.splitlines())


def sweep_arguments(folder, train_file):
    """Of a sweep whose last two trials are pruned."""
    recipe = folder.parent / "rates.toml"
    recipe.write_text(RECIPE, encoding="utf-8")
    options = ["--trials", "7", "--threads", "1"]
    return ["sweep", "--recipe", str(recipe), "--data", str(train_file), "--out", str(folder), *options]


def record_of(folder):
    return json.loads((folder / "run.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def swept_once(tmp_path_factory, train_file):
    folder = tmp_path_factory.mktemp("optuna") / "run"
    assert main(sweep_arguments(folder, train_file)) == 0
    return folder


@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGKILL")
def test_a_sweep_that_was_killed_goes_on_and_ends_as_if_it_had_not_been(swept_once, tmp_path, train_file):
    killed = tmp_path / "run"
    process = subprocess.Popen(
        [sys.executable, "-m", "fastmlp", *sweep_arguments(killed, train_file)],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    until = time.monotonic() + 120
    while len(list(killed.glob("cells/*/model.safetensors"))) < 2 and time.monotonic() < until:
        time.sleep(0.01)
    process.kill()
    process.wait()
    assert not record_of(killed)["finished"]
    before = {path: path.stat().st_mtime_ns for path in killed.glob("cells/*/model.safetensors")}
    assert main(sweep_arguments(killed, train_file)) == 0
    kept = [path for path, changed in before.items() if path.stat().st_mtime_ns == changed]
    assert len(kept) >= len(before) - 1 >= 1  # the last may have been written and not yet told
    ours, theirs = record_of(killed), record_of(swept_once)
    for cell in (*ours["cells"], *theirs["cells"]):
        del cell["seconds"]
    assert (ours["cells"], ours["best"]) == (theirs["cells"], theirs["best"])


def test_a_search_that_goes_on_keeps_when_it_began(swept_once, tmp_path, train_file, capsys):
    folder = shutil.copytree(swept_once, tmp_path / "run")
    begun = {"started": "2001-02-03T04:05:06+00:00", "seconds": 1000.5}
    (folder / "run.json").write_text(json.dumps({**record_of(folder), **begun}), encoding="utf-8")
    before = record_of(folder)
    assert main(sweep_arguments(folder, train_file)) == 0
    assert record_of(folder) == before
    assert capsys.readouterr().err.splitlines()[-1] == "7 trials are there already"
    assert main([*sweep_arguments(folder, train_file), "--trials", "8"]) == 0
    assert record_of(folder)["started"] == begun["started"]
    assert 1000.5 < record_of(folder)["seconds"] < 2000


# ---------------------------------------------------------------------------------------------------- command line


def test_a_sweep_tells_what_it_pruned_and_never_chooses_it(swept_once):
    record = record_of(swept_once)
    pruned = [cell for cell in record["cells"] if cell["pruned"]]
    assert pruned
    table = (swept_once / "table.csv").read_text(encoding="utf-8")
    for cell in pruned:
        assert cell["pruned"] == cell["epochs"] < 4
        assert f"pruned after epoch {cell['pruned']}" in table
        assert not (swept_once / "cells" / cell["folder"] / "model.safetensors").exists()
    assert record["best"] not in [cell["slug"] for cell in pruned]
    text = (swept_once / "summary.md").read_text(encoding="utf-8")
    assert "- Search: 7 trials chosen by Optuna: learning rate from 1e-05 to 1 on a logarithmic scale\n" in text


def test_the_best_of_a_search_can_be_retrained(swept_once, tmp_path):
    folder = shutil.copytree(swept_once, tmp_path / "run")
    assert main(["retrain", str(folder)]) == 0


def test_a_study_can_be_kept_in_a_database(made_once, recipe_of, data, tmp_path):
    url = f"sqlite:///{(tmp_path / 'studies.db').as_posix()}"
    trained = searched(recipe_of().searched(None, 6), data, url)
    assert rates(trained) == rates(made_once[0])[:6]
    storage = optuna.storages.RDBStorage(url)
    study = optuna.load_study(study_name="rates", storage=storage)
    assert [trial.state.name for trial in study.trials] == ["COMPLETE"] * 5 + ["PRUNED"]
    storage.remove_session()
    storage.engine.dispose()


@pytest.fixture
def connections():
    """[opened, closed]: how many connections to databases were, since the test began."""
    counts = [0, 0]
    listeners = {"connect": lambda *_: count(0), "close": lambda *_: count(1)}

    def count(which):
        counts[which] += 1

    for name, listener in listeners.items():
        event.listen(Pool, name, listener)
    yield counts
    for name, listener in listeners.items():
        event.remove(Pool, name, listener)


def test_a_search_leaves_no_connection_to_its_database(recipe_of, data, train_file, tmp_path, connections):
    def lost(cell):
        raise OSError("the disk is gone")

    recipe_of()
    url = f"sqlite:///{(tmp_path / 'studies.db').as_posix()}"
    arguments = ["--recipe", str(tmp_path / "rates.toml"), "--data", str(train_file), "--out", str(tmp_path / "run")]
    assert main(["sweep", *arguments, "--trials", "2", "--storage", url]) == 0
    assert connections[0] == connections[1] > 0
    searched(recipe_of().searched(None, 2), data, url, threads=2)
    assert connections[0] == connections[1]
    with pytest.raises(OSError, match="the disk is gone"):
        OptunaSearch(recipe_of(), url, "rates", lost)
    assert connections[0] == connections[1]


def test_a_grid_can_be_searched_by_optuna(tmp_path, train_file, recipe_file):
    folder = tmp_path / "run"
    arguments = ["--recipe", str(recipe_file), "--data", str(train_file), "--out", str(folder), "--threads", "1"]
    assert main(["sweep", *arguments, "--method", "optuna", "--trials", "3"]) == 0
    record = json.loads((folder / "run.json").read_text(encoding="utf-8"))
    slugs = {cell["slug"] for cell in record["cells"]}
    assert slugs <= {"tanh-0.5", "tanh-0.05", "relu-0.5", "relu-0.05"}
    assert 1 <= len(slugs) <= 3


def test_a_storage_that_cannot_be_used_is_one_line_without_its_password(recipe_of):
    with pytest.raises(InputError, match="storage nowhere://host/studies cannot be used") as caught:
        OptunaSearch(recipe_of(), "nowhere://me:secret@host/studies", "rates")
    assert "secret" not in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_storage_without_optuna_and_optuna_without_its_package_are_refused(
    tmp_path, train_file, recipe_file, capsys, monkeypatch
):
    folder = tmp_path / "run"
    arguments = ["sweep", "--recipe", str(recipe_file), "--data", str(train_file), "--out", str(folder)]
    assert main([*arguments, "--storage", "sqlite:///studies.db"]) == 2
    assert "nothing is searched by Optuna" in capsys.readouterr().err
    monkeypatch.setitem(sys.modules, "optuna", None)
    assert main([*arguments, "--method", "optuna", "--trials", "3"]) == 2
    assert "needs optuna; install it (pip install optuna)" in capsys.readouterr().err
    assert not folder.exists()
