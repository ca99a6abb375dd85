"""What an evaluation finds out of a network that predicts numbers: R², the root mean squared error, the predictions."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastmlp import plots
from fastmlp.data import Dataset
from fastmlp.mlp import MLP
from fastmlp.report.tables import data_line, quantity_text
from fastmlp.runs.evaluation_record import EvaluationRecord
from fastmlp.runs.run_directory import Run
from fastmlp.runs.run_record import finite
from fastmlp.utils.atomic_files import write_bytes
from fastmlp.utils.npz import npz_bytes

Arrays = dict[str, NDArray[Any]]


def measure(mlp: MLP, data: Dataset) -> tuple[dict[str, Any], Arrays]:
    """Measure a network on test data.

    Parameters
    ----------
    mlp : MLP
        The network.
    data : Dataset
        The test data.

    Returns
    -------
    results : dict
        accuracy (R²) and rmse of an `EvaluationRecord`.
    predictions : dict
        true and predicted numbers of all rows, float64.
    """
    predicted = mlp.predict(data.X).astype(np.float64)
    squares = np.mean((predicted - data.y) ** 2)
    spread = np.mean((data.y - data.y.mean(axis=0)) ** 2)
    # Whatever was minimised: the score of a network may be another one.
    r_squared = finite(float(1 - squares / spread)) if spread > 0 else None
    results = {"accuracy": r_squared, "rmse": float(np.sqrt(squares))}
    return results, {"true": data.y, "predicted": predicted}


def write(run: Run, data: Dataset, evaluation: EvaluationRecord, predictions: Arrays) -> None:
    """Write the predictions, as a file and a figure.

    Parameters
    ----------
    run : Run
        The run directory.
    data : Dataset
        The test data.
    evaluation : EvaluationRecord
        Its record.
    predictions : dict
        As `measure` returned them.
    """
    size = quantity_text(evaluation.rmse or 0.0)
    title = f"{data_line(evaluation.test)}, test R² {evaluation.score:.4f}, RMSE {size}"
    figure = plots.predictions_figure(predictions["true"], predictions["predicted"], title)
    plots.save(figure, run.predictions)
    write_bytes(run.predictions_data, npz_bytes(predictions))
