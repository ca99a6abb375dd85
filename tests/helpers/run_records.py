"""Records of runs for tests: complete, and as small as their checks allow."""

from fastmlp.mlp import MLP
from fastmlp.runs.evaluation_record import EvaluationRecord, TestDataRecord
from fastmlp.runs.recipe_record import RecipeDataRecord, RecipeRecord
from fastmlp.runs.records import CellRecord, DataRecord, EnvironmentRecord, RunRecord
from fastmlp.utils.records import to_record

DIGEST = "0" * 64
TIME = "2001-02-03T04:05:06+00:00"
VERSIONS = dict.fromkeys(("numpy", "numba", "llvmlite", "h5py", "matplotlib"), "1.0")
ENVIRONMENT = EnvironmentRecord(
    fastmlp="0.1", python="3.11", **VERSIONS, platform="Linux", machine="x86_64", cores=2
)  # fmt: skip


def cell_record(slug="only", settings=None, **changes):
    """A cell that was trained for two epochs."""
    complete = MLP(**(settings or {})).settings()
    del complete["threads"]
    values = {
        "slug": slug,
        "label": slug,
        "group": slug,
        "configuration": slug,
        "folder": f"{slug}-01234567",
        "settings": complete,
        "failure_reason": None,
        "diagnoses": (),
        "pruned": None,
        "epochs": 50,
        "kept_epoch": 50,
        "train_loss": 0.5,
        "train_accuracy": 0.9,
        "validation_loss": 0.5,
        "validation_accuracy": 0.9,
        "best_epoch": 1,
        "best_validation_accuracy": 0.9,
        "seconds": 1.0,
    }
    return to_record({**values, **changes}, CellRecord, "a cell")


def data_record(**changes):
    """5 samples of 64 features in 3 classes."""
    values = {
        "name": "digits",
        "key": "/digits.npz",
        "source": "/digits.npz",
        "synthetic": False,
        "digest": DIGEST,
        "rows": 5,
        "training_rows": 4,
        "validation_rows": 1,
        "test_rows": 0,
        "features": 64,
        "n_features": None,
        "label": None,
        "columns": None,
        "image_shape": (8, 8),
        "image_style": None,
        "classes": (0, 1, 2),
        "class_names": (),
    }
    return DataRecord(**{**values, **changes})


def recipe_record(**changes):
    """A recipe of one network."""
    values = {
        "title": "Homework",
        "data": RecipeDataRecord(name="digits"),
        "settings": {},
        "grid": {},
        "search": None,
        "seeds": 1,
        "reference": (),
        "epoch_lines": False,
    }
    return RecipeRecord(**{**values, **changes})


def run_record(cells=(), best=None, data=None, recipe=None, **changes):
    """A finished sweep."""
    values = {
        "finished": True,
        "started": TIME,
        "seconds": 1.0,
        "recipe": recipe or recipe_record(),
        "data": data or data_record(),
        "environment": ENVIRONMENT,
        "notes": (),
        "cells": tuple(cells),
        "best": best,
    }
    return RunRecord(**{**values, **changes})


def evaluation_record(**changes):
    """An evaluation on 5 samples of 3 classes."""
    values = {
        "time": TIME,
        "test": TestDataRecord(name="digits", source="/test.npz", synthetic=False, rows=5, digest=DIGEST),
        "network_digest": DIGEST,
        "loss": 0.5,
        "accuracy": 0.8,
        "class_names": ("0", "1", "2"),
        "confusion": ((2, 0, 0), (0, 1, 1), (0, 0, 1)),
        "slug": "only",
        "identity": DIGEST,
        "finished": True,
    }
    return EvaluationRecord(**{**values, **changes})
