"""The progress bar of a fit."""

from types import SimpleNamespace

from fastmlp.training.progress import ProgressBar

RECORD = {"train_loss": 0.5, "train_accuracy": 0.875, "validation_loss": 0.6, "validation_accuracy": 0.75}


def test_the_bar_of_a_training_that_goes_on_stands_at_its_epoch(capsys):
    bar, view = ProgressBar(), SimpleNamespace(epoch=6, last_epoch=9, record=None, error=None)
    bar.on_fit_start(view)
    for view.epoch in (7, 8):
        view.record = {"epoch": view.epoch, **RECORD}
        bar.on_epoch_end(view)
    bar.on_fit_end(view)
    assert "8/9" in capsys.readouterr().out
