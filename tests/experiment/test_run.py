import pytest

from fastmlp.errors import InputError
from fastmlp.experiment.run import Run


def test_a_new_run_may_be_made_in_an_empty_folder(tmp_path):
    Run(tmp_path / "deep" / "new").create()
    assert (tmp_path / "deep" / "new").is_dir()
    Run(tmp_path / "deep" / "new").create()


@pytest.mark.parametrize(
    ("file", "message"),
    [
        ("run.json", "holds a run already; choose another --out"),
        ("cells/tanh/history.csv", "holds an unfinished sweep"),
        ("thesis.txt", "is there already and not empty"),
    ],
)
def test_a_folder_with_files_is_refused_and_left_alone(tmp_path, file, message):
    path = tmp_path / "run" / file
    path.parent.mkdir(parents=True)
    path.write_text("mine")
    with pytest.raises(InputError, match=message):
        Run(tmp_path / "run").create()
    assert [p.read_text() for p in (tmp_path / "run").rglob("*") if p.is_file()] == ["mine"]


def test_a_file_in_the_way_is_refused(tmp_path):
    (tmp_path / "run").write_text("mine")
    with pytest.raises(InputError, match="is there already"):
        Run(tmp_path / "run").create()


def test_a_record_comes_back_as_it_was_written(tmp_path):
    run = Run(tmp_path)
    run.write_record({"recipe": "é", "accuracy": 0.1 + 0.2, "diverged": None})
    assert run.read_record() == {"recipe": "é", "accuracy": 0.1 + 0.2, "diverged": None}


@pytest.mark.parametrize("text", ["", "{", "[]"])
def test_a_damaged_record_is_named(tmp_path, text):
    (tmp_path / "run.json").write_text(text)
    with pytest.raises(InputError, match=r"run\.json"):
        Run(tmp_path).read_record()


def test_a_folder_without_a_sweep_is_named(tmp_path):
    with pytest.raises(InputError, match="holds no finished sweep"):
        Run(tmp_path).read_record()
    with pytest.raises(InputError, match="is not there"):
        Run(tmp_path / "nowhere").read_record()


def test_removing_keeps_a_folder_that_holds_something(tmp_path):
    kept, gone = Run(tmp_path / "kept"), Run(tmp_path / "gone")
    for run in (kept, gone):
        run.create()
    (kept.folder / "file").touch()
    kept.remove_if_empty()
    gone.remove_if_empty()
    assert (kept.folder.exists(), gone.folder.exists()) == (True, False)
