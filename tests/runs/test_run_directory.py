import os

import pytest
from run_records import cell_record, evaluation_record, recipe_record, run_record

from fastmlp.errors import InputError
from fastmlp.runs.run_directory import Run

RECORD = run_record()


def test_a_run_may_be_made_in_a_new_folder_and_in_an_empty_one(tmp_path):
    (tmp_path / "empty").mkdir()
    for folder in (tmp_path / "deep" / "new", tmp_path / "empty"):
        run = Run(folder)
        run.check_usable()
        with run.claimed():
            run.write_record(RECORD)
        run.check_usable()
        assert run.read_record() == RECORD


def test_a_folder_with_files_of_another_kind_is_refused_and_left_alone(tmp_path):
    (tmp_path / "thesis.txt").write_text("mine")
    with pytest.raises(InputError, match="is there already and holds no run"):
        Run(tmp_path).check_usable()
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


def test_what_a_process_killed_at_once_has_left_is_no_file_of_another_kind(tmp_path):
    for name in (".lock", ".run.1234.0123abcd.json"):
        (tmp_path / name).touch()
        Run(tmp_path).check_usable()


def test_a_folder_is_for_one_at_a_time(tmp_path):
    with (
        Run(tmp_path / "run").claimed(),
        pytest.raises(InputError, match="is in use by another process"),
        Run(tmp_path / "run").claimed(),
    ):
        pass
    with Run(tmp_path / "run").claimed():
        pass


@pytest.mark.skipif(os.name == "nt", reason="links need special rights on Windows")
def test_a_lock_that_is_a_link_leaves_what_it_leads_to_as_it_is(tmp_path):
    with Run(tmp_path / "run").claimed():
        (lock,) = (tmp_path / "run").iterdir()
    (tmp_path / "thesis.txt").write_text("mine")
    lock.parent.mkdir(exist_ok=True)
    lock.unlink(missing_ok=True)
    lock.symlink_to(tmp_path / "thesis.txt")
    with pytest.raises(InputError, match="cannot be written to"), Run(tmp_path / "run").claimed():
        pass
    assert (tmp_path / "thesis.txt").read_text() == "mine"


@pytest.mark.skipif(os.name == "nt", reason="links need special rights on Windows")
@pytest.mark.parametrize("name", ["cells", "retrained", "cells/tanh-01234567", "study.journal"])
def test_a_link_by_which_a_run_would_write_elsewhere_is_refused(tmp_path, name):
    outside, link = tmp_path / "outside", tmp_path / "run" / name
    (outside / "checkpoint").mkdir(parents=True)
    link.parent.mkdir(parents=True)
    link.symlink_to(outside / "mine.txt" if "." in name else outside)
    with pytest.raises(InputError, match=f"{name} is a link; expected a"), Run(tmp_path / "run").claimed():
        pass
    link.unlink()
    (tmp_path / "link").symlink_to(tmp_path / "run")  # which its user has chosen
    with Run(tmp_path / "link").claimed():
        pass


def test_a_file_in_the_way_is_refused(tmp_path):
    (tmp_path / "run").write_text("mine")
    with pytest.raises(InputError, match="is there already"):
        Run(tmp_path / "run").check_usable()
    with pytest.raises(InputError, match="run is a file; expected the --out of a sweep"):
        Run(tmp_path / "run").read_record()


def test_a_record_comes_back_as_it_was_written(tmp_path):
    run = Run(tmp_path)
    failed = cell_record("b", failure_reason="diverged: é", validation_loss=None)
    cells = [cell_record("a", validation_accuracy=0.1 + 0.2), failed]
    record = run_record(cells, "a", recipe=recipe_record(title="é"))
    run.write_record(record)
    assert run.read_record() == record


def test_a_sweep_that_is_not_finished_is_not_read_as_one(tmp_path):
    run = Run(tmp_path)
    run.write_record(run_record(finished=False))
    with pytest.raises(InputError, match="not finished"):
        run.read_record()
    assert run.read_unfinished() == run_record(finished=False)


def test_a_run_of_another_format_is_named(tmp_path):
    Run(tmp_path).write_record(run_record(format=2))
    with pytest.raises(InputError, match=r"run\.json has format 2; expected 5: use the fastmlp that wrote it"):
        Run(tmp_path).read_record()


@pytest.mark.parametrize("text", ["", "{", "[]", '{"format": 5}'])
def test_a_damaged_record_is_named(tmp_path, text):
    (tmp_path / "run.json").write_text(text)
    with pytest.raises(InputError, match=r"run\.json"):
        Run(tmp_path).read_record()


@pytest.mark.parametrize("text", ["", "{}", '{"evaluations": 3}', '{"evaluations": [{}]}'])
def test_damaged_evaluations_are_named(tmp_path, text):
    (tmp_path / "evaluation.json").write_text(text)
    with pytest.raises(InputError, match=r"evaluation\.json"):
        Run(tmp_path).read_evaluations()


def test_evaluations_come_back_as_they_were_written(tmp_path):
    evaluations = (evaluation_record(loss=None), evaluation_record(accuracy=0.1 + 0.2, finished=False))
    Run(tmp_path).write_evaluations(evaluations)
    assert Run(tmp_path).read_evaluations() == evaluations


def test_a_folder_without_a_sweep_is_named(tmp_path):
    with pytest.raises(InputError, match="holds no sweep"):
        Run(tmp_path).read_record()
    with pytest.raises(InputError, match="is not there"):
        Run(tmp_path / "nowhere").read_record()


def test_a_claim_on_a_folder_in_which_nothing_is_made_leaves_nothing(tmp_path):
    (tmp_path / "kept").mkdir()
    (tmp_path / "kept" / "file").touch()
    for name in ("kept", "gone"):
        with Run(tmp_path / name).claimed():
            pass
    assert [path.name for path in tmp_path.rglob("*")] == ["kept", "file"]
