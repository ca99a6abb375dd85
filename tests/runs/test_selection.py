"""The network that is trained again on all rows: with which settings, and when it is there."""

import hashlib

import pytest
from run_records import cell_record, data_record, run_record

from fastmlp.errors import InputError
from fastmlp.runs.records import RetrainedManifest
from fastmlp.runs.run_directory import Run
from fastmlp.runs.selection import identity, is_retrained, retraining_settings
from fastmlp.utils.records import write_record

CELL = cell_record("tanh")
RECORD = run_record([CELL], "tanh")


def test_a_network_that_stopped_early_is_retrained_for_the_epochs_whose_weights_it_kept():
    settings = {"early_stopping": 3, "epochs": 50, "decay_epochs": [2, 5, 8, 20], "l2": 0.1}
    expected = {"early_stopping": None, "epochs": 8, "decay_epochs": [2, 5], "l2": 0.1}
    assert retraining_settings(settings, 8) == expected


def test_a_network_that_did_not_stop_early_is_retrained_with_its_own_settings():
    settings = {"early_stopping": None, "epochs": 50, "decay_epochs": [2, 20]}
    assert retraining_settings(settings, 8) == settings


def test_a_retraining_is_known_by_all_its_rows_and_not_by_how_they_were_split():
    def of_rows(training, validation, digest="0" * 64):
        data = data_record(rows=9, training_rows=training, validation_rows=validation, digest=digest)
        return identity(run_record([CELL], "tanh", data=data), CELL)

    assert of_rows(4, 2) == of_rows(3, 3)
    assert len({of_rows(4, 2), of_rows(4, 3), of_rows(5, 2), of_rows(4, 2, "1" * 64)}) == 3
    assert identity(RECORD, CELL) != identity(RECORD, cell_record("tanh", {"seed": 1}))


@pytest.fixture
def run(tmp_path):
    """A run whose best cell was retrained to the end; its network is bytes of no meaning."""
    run, model = Run(tmp_path), b"network"
    run.retrained.mkdir()
    run.model(run.retrained).write_bytes(model)
    digest = hashlib.sha256(model).hexdigest()
    manifest = RetrainedManifest(identity=identity(RECORD, CELL), slug="tanh", model_sha256=digest)
    write_record(run.retrained / "cell.json", manifest)
    return run


def test_a_network_is_retrained_when_all_its_files_are_whole_and_no_checkpoint_is_left(run):
    assert is_retrained(run, RECORD)
    (run.retrained / "checkpoint").mkdir()
    assert not is_retrained(run, RECORD)


@pytest.mark.parametrize("name", ["model.safetensors", "cell.json"])
def test_a_network_is_not_retrained_while_one_of_its_files_is_missing_or_torn(run, name):
    path = run.retrained / name
    path.write_bytes(path.read_bytes()[:-3])
    assert not is_retrained(run, RECORD)
    path.unlink()
    assert not is_retrained(run, RECORD)


@pytest.mark.parametrize(
    ("best", "now"),
    [
        (cell_record("relu", {"seed": 1}), "cell of the sweep is now relu; delete"),
        (cell_record("tanh", {"seed": 1}), "cell of the sweep is now tanh with other settings or rows; delete"),
    ],
)
def test_a_retrained_network_of_another_cell_than_the_best_is_refused(run, best, now):
    with pytest.raises(InputError, match=now):
        is_retrained(run, run_record([best], best.slug))
