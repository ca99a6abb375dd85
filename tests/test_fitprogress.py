"""The progress bar of a fit."""

from fastmlp.training.progress import reporter

RECORD = {"train_loss": 0.5, "train_accuracy": 0.875, "validation_loss": 0.6, "validation_accuracy": 0.75}


def test_the_bar_of_a_training_that_goes_on_stands_at_its_epoch(capsys):
    with reporter(True, 9) as report:
        for epoch in (7, 8):
            report({"epoch": epoch, **RECORD})
    assert "8/9" in capsys.readouterr().out
