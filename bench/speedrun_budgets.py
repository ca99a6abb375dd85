"""The settings of the speed run: one network for each time that there is.

They were chosen by the accuracy on the last 10,000 training images of MNIST, trained on the 50,000 before, and by the
time of an epoch; no test image was looked at. `python -m bench.speedrun --validate` measures that again. Those of the
two longest budgets are those of a training of 80 epochs, and have not been validated at their whole length: at a rate
of 0.004 two thirds of the upper units die in it, at 0.001 few do, and the decay brings a further 0.05%.
"""

from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Budget:
    """So many seconds, the test accuracy that is wanted, and the settings of an `MLP`."""

    name: str
    seconds: float
    wanted: float
    hidden: tuple[int, ...]
    batch_size: int
    learning_rate: float
    epochs: int
    weight_decay: float = 0.0
    label_smoothing: float = 0.1
    augment: str | None = None
    schedule: str = "one-cycle"

    def settings(self):
        """Settings of the network, as `MLP` takes them."""
        names = ("hidden", "batch_size", "learning_rate", "epochs", "label_smoothing", "augment", "schedule")
        settings = {name: getattr(self, name) for name in names}
        return settings | {"optimizer": {"name": "adamw", "weight_decay": self.weight_decay}}

    def shortened(self):
        """The same network, for one epoch."""
        return replace(self, epochs=1)


BUDGETS = (
    Budget("half-second", 0.5, 0.980, (128,), 64, 0.01, 5),
    Budget("two-seconds", 2, 0.984, (512,), 128, 0.006, 8, weight_decay=0.15),
    Budget("half-minute", 30, 0.988, (1024,), 128, 0.006, 15, weight_decay=0.1),
    Budget("three-minutes", 180, 0.993, (1024, 512), 128, 0.001, 100, weight_decay=0.05, augment="elastic"),
    Budget("twenty-minutes", 1200, 0.995, (1024, 512), 128, 0.001, 400, weight_decay=0.05, augment="elastic"),
)
# What is measured without --only: the whole takes about a quarter of an hour.
DEFAULT = ("half-second", "two-seconds", "half-minute")
