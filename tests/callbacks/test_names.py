"""What `fastmlp.callbacks` has, and what it says of callbacks that other libraries have."""

import importlib

import pytest

from fastmlp import callbacks


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("EarlyStopping", r"MLP\(early_stopping="),
        ("LearningRateScheduler", r"MLP\(schedule=function\)"),
        ("ReduceLROnPlateau", r"MLP\(schedule='plateau'\)"),
        ("BackupAndRestore", r"fit\(checkpoint=folder\)"),
    ],
)
def test_a_callback_that_is_a_setting_here_names_it(name, hint):
    with pytest.raises(ImportError, match=rf"{name} is not a callback here but .*{hint}"):
        exec(f"from fastmlp.callbacks import {name}")


def test_another_name_is_missing_as_in_any_module():
    assert not hasattr(callbacks, "Nothing")
    with pytest.raises(ImportError, match="cannot import name 'Nothing'"):
        exec("from fastmlp.callbacks import Nothing")


def test_every_public_name_is_there():
    module = importlib.import_module("fastmlp.callbacks")
    assert all(getattr(module, name) is not None for name in module.__all__)
