"""What an evaluation finds out of a network that classifies: accuracy, confusions, most confident mistakes."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastmlp import plots
from fastmlp.data import Dataset
from fastmlp.mlp import MLP
from fastmlp.report.tables import data_line
from fastmlp.runs.evaluation_record import EvaluationRecord
from fastmlp.runs.run_directory import Run, write_csv
from fastmlp.utils.atomic_files import remove, write_bytes
from fastmlp.utils.labels import class_numbers
from fastmlp.utils.npz import npz_bytes

MISTAKES_SHOWN = 25
Arrays = dict[str, NDArray[Any]]


def measure(mlp: MLP, data: Dataset) -> tuple[dict[str, Any], Arrays]:
    """Measure a network on test data.

    Parameters
    ----------
    mlp : MLP
        The network.
    data : Dataset
        The test data, with the classes of the training.

    Returns
    -------
    results : dict
        accuracy, class_names and confusion of an `EvaluationRecord`.
    mistakes : dict
        Of the most confident mistakes: their rows, numbers of the true and given classes, and certainty.
    """
    # Numbers that were trained to be 0 or 1 stand for probabilities.
    has_probabilities = mlp.config.loss_function.has_probabilities
    probabilities = mlp.predict_proba(data.X) if has_probabilities else mlp.predict(data.X).clip(0, 1)
    given, classes = probabilities.argmax(axis=1), np.asarray(data.classes)
    true = class_numbers(data.y, classes)
    matrix = np.zeros((len(classes),) * 2, np.int64)
    np.add.at(matrix, (true, given), 1)
    wrong = np.flatnonzero(given != true)
    certainty = probabilities[wrong, given[wrong]]
    shown = np.argsort(-certainty, kind="stable")[:MISTAKES_SHOWN]
    rows = wrong[shown]
    results = {
        "accuracy": float(np.mean(given == true)),
        "class_names": tuple(data.class_names or map(str, classes.tolist())),
        "confusion": tuple(map(tuple, matrix.tolist())),
    }
    return results, {"rows": rows, "true": true[rows], "given": given[rows], "certainty": certainty[shown]}


def write(run: Run, data: Dataset, evaluation: EvaluationRecord, mistakes: Arrays) -> None:
    """Write the confusion matrix and the mistakes, as files and figures.

    Parameters
    ----------
    run : Run
        The run directory.
    data : Dataset
        The test data.
    evaluation : EvaluationRecord
        Its record.
    mistakes : dict
        As `measure` returned them.
    """
    names, matrix, name = evaluation.class_names, np.array(evaluation.confusion), data_line(evaluation.test)
    write_csv(run.confusion_table, ["true \\ given", *names], [[n, *row] for n, row in zip(names, matrix, strict=True)])
    title = f"{name}, test accuracy {evaluation.score:.2%}"
    plots.save(plots.confusion_figure(matrix, names, title), run.confusion_figure)
    # What an earlier evaluation left is perhaps of other data.
    remove(run.mistakes)
    remove(run.mistakes_data)
    if not len(mistakes["rows"]):
        return
    if data.image_shape is not None and isinstance(data.X, np.ndarray):
        images = data.X[mistakes["rows"]].reshape(-1, *data.image_shape)
        true, given, certainty = mistakes["true"], mistakes["given"], mistakes["certainty"]
        plots.save(plots.mistakes_figure(images, true, given, certainty, names, name), run.mistakes)
        mistakes = {**mistakes, "images": images}
    write_bytes(run.mistakes_data, npz_bytes(mistakes))
