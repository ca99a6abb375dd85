"""Fuzzing guided by coverage, with atheris: readers of data, model files, checkpoints, recipes and records.

    python -m tests.fuzz.guided idx FOLDER 20    fuzzes one of `TARGETS` for so many minutes; FOLDER has what is found
    python -m tests.fuzz.guided idx FOLDER       keeps of that the smallest cases that reach as many lines

No part of the project needs atheris: it goes beside it, on Linux or macOS, with `pip install atheris`. What it finds is
kept in tests/fuzz/corpus, an archive for each target, whose cases are among the fast tests. HDF5 and MATLAB are left
out: nothing is seen of their libraries in C, and their crashes would end the fuzzer, that of scipy within seconds; see
`data_files.in_another_process`.
"""

import hashlib
import io
import json
import shutil
import sys
import tempfile
import zipfile
from pathlib import Path

CORPUS = Path(__file__).parent / "corpus"
LONGEST = 4096  # bytes of a case
PACKAGES = ["fastmlp", "zipfile", "gzip", "csv", "tomllib", "numpy.lib", "PIL"]


def _data(name, seeds):
    """A target for a file of data with that name."""

    def prepare(folder):
        from tests.fuzz import data_files

        def take(data):
            (folder / name).write_bytes(data)
            data_files.tried(folder / name)

        return take, seeds(data_files)

    return prepare


def image(folder):
    from tests.fuzz.data_files import image_files, image_reader

    read = image_reader(folder)
    return lambda data: read("a.png", data), list(image_files().values())


def model(folder):
    """A model file, which gets the right checksum."""
    from fastmlp import MLP
    from tests.fuzz.mutators import refusal
    from tests.helpers.exported_networks import BITS, NAMES, THIRDS, WIDE, network, table
    from tests.helpers.model_files import sealed

    def take(data):
        length = int.from_bytes(data[:8], "little")
        refusal(MLP.from_bytes, sealed(data[8 : 8 + length], data[8 + length :], length))

    networks = [
        network(table(True), NAMES, hidden=(2,), missing="median"),
        network(WIDE, BITS, hidden=(2,), dtype="float64", loss="binary_cross_entropy"),
        network(WIDE, THIRDS, hidden=()),
    ]
    return take, [mlp.to_bytes() for mlp in networks]


def checkpoint(folder):
    """What is in a checkpoint with the right checksum."""
    from fastmlp.training.checkpoints import MAGIC
    from tests.fuzz.mutators import refusal
    from tests.fuzz.records import paused_training

    store, *_ = paused_training(folder)
    (path,) = store.folder.iterdir()
    start = len(MAGIC) + 65

    def take(data):
        path.write_bytes(MAGIC + hashlib.sha256(data).hexdigest().encode() + b"\n" + data)
        refusal(store.newest)

    whole = path.read_bytes()[start:]
    with zipfile.ZipFile(io.BytesIO(whole)) as archive:
        meta = archive.read("meta.npy")
    small = io.BytesIO()
    with zipfile.ZipFile(small, "w") as archive:
        archive.writestr("meta.npy", meta)
    return take, [whole, small.getvalue()]


def recipe(folder):
    from fastmlp.experiment.recipe_file import load_recipe
    from tests.fuzz.mutators import refusal
    from tests.fuzz.recipes import RECIPE, SEARCH

    def take(data):
        (folder / "mine.toml").write_bytes(data)
        refusal(load_recipe, folder / "mine.toml")

    return take, [RECIPE.encode(), SEARCH.encode()]


def record(folder):
    """Each kind of record of a run, as which every case is read."""
    from fastmlp.runs.evaluation_record import EvaluationsRecord
    from fastmlp.runs.records import CellManifest, RetrainedManifest, RunRecord
    from fastmlp.utils.records import read_record
    from tests.fuzz.mutators import refusal
    from tests.fuzz.records import evaluated_run

    run, path = evaluated_run(folder), folder / "record.json"

    def take(data):
        path.write_bytes(data)
        for kind in (RunRecord, CellManifest, RetrainedManifest, EvaluationsRecord):
            refusal(read_record, path, kind, "train it again")

    return take, [json.dumps(json.loads(file.read_bytes())).encode() for file in sorted(run.rglob("*.json"))]


TARGETS = {
    "idx": _data("train-images-idx3-ubyte", lambda data: list(data.idx_files().values())),
    "npz": _data("data.npz", lambda data: [*data.archives(), data.npy(data.Y)]),
    "csv": _data("data.csv", lambda data: [text.encode()[:400] for text in data.TABLES]),
    "svmlight": _data("data.svm", lambda data: [data.PAIRS.encode()[:400]]),
    "packed": _data("data.csv", lambda data: [pack(data.TABLES[1].encode()) for pack in data.PACKINGS]),
    "image": image,
    "model": model,
    "checkpoint": checkpoint,
    "recipe": recipe,
    "record": record,
}


def kept(name):
    """The cases of a target that the repository has."""
    path = CORPUS / f"{name}.zip"
    if not path.exists():
        return []
    with zipfile.ZipFile(path) as archive:
        return [archive.read(entry) for entry in archive.infolist()]


def fuzz(name, found, minutes):
    """Fuzz a target; a case that fails ends it, and is in the folder as failed-..."""
    import atheris

    found.mkdir(parents=True, exist_ok=True)
    with atheris.instrument_imports(include=PACKAGES, exclude=["fastmlp.kernels"]):
        import fastmlp.data
        import fastmlp.mlp  # noqa: F401  to be instrumented

        work = found.with_name(f"{found.name}-work")  # libFuzzer ends the process, and nothing would delete it
        shutil.rmtree(work, ignore_errors=True)
        work.mkdir()
        take, seeds = TARGETS[name](work)
        for case in (*seeds, *kept(name)):  # which imports what the readers import late
            take(case)
            (found / hashlib.sha256(case).hexdigest()).write_bytes(case)
    limits = [f"-max_total_time={60 * minutes:.0f}", f"-max_len={LONGEST}", "-timeout=60", "-rss_limit_mb=4096"]
    atheris.Setup([name, *limits, "-print_final_stats=1", f"-artifact_prefix={found}/failed-", str(found)], take)
    atheris.Fuzz()


def keep(name, found):
    """Put into the repository the smallest cases of a folder that reach all lines that its cases reach."""
    reached, cases = set(), []
    with tempfile.TemporaryDirectory() as folder:
        take, _ = TARGETS[name](Path(folder))
        for case in sorted((file.read_bytes() for file in found.iterdir()), key=lambda case: (len(case), case)):
            lines = _lines(take, case)
            if not lines <= reached:
                reached |= lines
                cases.append(case)
    CORPUS.mkdir(exist_ok=True)
    with zipfile.ZipFile(CORPUS / f"{name}.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for case in cases:
            archive.writestr(zipfile.ZipInfo(hashlib.sha256(case).hexdigest()[:12]), case, zipfile.ZIP_DEFLATED)


def _lines(take, case):
    """The lines of Python that are reached by a case, as (file, number)."""
    lines = set()

    def trace(frame, event, argument):
        if event == "line":
            lines.add((frame.f_code.co_filename, frame.f_lineno))
        return trace

    sys.settrace(trace)
    try:
        take(case)
    finally:
        sys.settrace(None)
    return lines


if __name__ == "__main__":
    name, found, *minutes = sys.argv[1:]
    fuzz(name, Path(found), float(*minutes)) if minutes else keep(name, Path(found))
