"""Built-in callbacks, their base class, and a search for the learning rate.

from fastmlp.callbacks import Callback, CSVLogger, ModelCheckpoint, TensorBoard, find_learning_rate
"""

from fastmlp.callbacks.csv_logger import CSVLogger
from fastmlp.callbacks.learning_rate import LearningRateSearch, find_learning_rate
from fastmlp.callbacks.model_checkpoint import ModelCheckpoint
from fastmlp.callbacks.tensorboard import TensorBoard
from fastmlp.training.callbacks import Callback, StopTraining, TrainingView

__all__ = [
    "CSVLogger",
    "Callback",
    "LearningRateSearch",
    "ModelCheckpoint",
    "StopTraining",
    "TensorBoard",
    "TrainingView",
    "find_learning_rate",
]

# What is a callback in Keras or PyTorch Lightning, and a setting or an argument here.
_ELSEWHERE = {
    "EarlyStopping": "a setting, which the model file and a sweep have too: MLP(early_stopping={'patience': 5})",
    "ReduceLROnPlateau": "a setting: MLP(schedule='plateau')",
    "LearningRateScheduler": "a setting: MLP(schedule=function), a factor on the rate after t epochs",
    "LearningRateFinder": "a function: find_learning_rate(mlp, X, y)",
    "BackupAndRestore": "an argument: fit(checkpoint=folder)",
    "TerminateOnNaN": "what every training does",
    "LambdaCallback": "a subclass of Callback; or fit(progress=function), called with each epoch's record",
    "History": "an attribute of the network: mlp.history",
    "ProgbarLogger": "an argument: fit(progress=True)",
}


def __getattr__(name: str) -> object:
    if name in _ELSEWHERE:  # no AttributeError, whose text `from fastmlp.callbacks import ...` would not show
        raise ImportError(f"{name} is not a callback here but {_ELSEWHERE[name]}", name=__name__)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
