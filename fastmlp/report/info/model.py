"""What is in a model file."""

import os
from typing import Any

from fastmlp.config import target_scaling
from fastmlp.export.model_file import ModelRecord
from fastmlp.export.sealed_tensors import FORMAT_VERSION
from fastmlp.report import settings_text
from fastmlp.report.info.facts import Info, counted, listed
from fastmlp.report.tables import number_text
from fastmlp.runs.run_record import finite
from fastmlp.training.early_stopping import kept_epoch
from fastmlp.utils.records import to_plain

_FIGURES = ("train_loss", "train_accuracy", "validation_loss", "validation_accuracy")


def describe_model(record: ModelRecord, path: str | os.PathLike[str]) -> Info:
    """Describe a trained network.

    Parameters
    ----------
    record : ModelRecord
        What was read from the file.
    path : path
        Of the file.
    """
    config, parameters, encoder = record.config, record.parameters, record.encoder
    loss, scaling = config.loss_function, encoder.scaling
    epochs, kept = len(record.history), kept_epoch(record.history, config.early_stopping_config)
    last = list(record.history)[kept - 1] if kept else {}
    figures = {name: finite(last.get(name)) for name in _FIGURES}
    size = sum(array.size for array in (*parameters.weights, *parameters.biases))
    classes = record.classes.tolist() if loss.has_classes else None
    reason = record.failure_reason
    facts = [
        ("layers", settings_text.layers(config, parameters.features, parameters.outputs)),
        ("parameters", f"{size:,} of {config.dtype}"),
        ("activation", ", ".join(dict.fromkeys(config.layer_activations))),
        ("loss", settings_text.loss(config)),
        ("optimiser", settings_text.optimiser(config)),
        ("learning rate", f"{settings_text.initial_rate(config)}, {settings_text.schedule(config)}"),
        ("regulariser", settings_text.regulariser(config)),
        ("inputs", encoder.describe()),
        ("of numbers", listed([str(one.name) for one in encoder.columns if one.name and one.categories is None])),
        (
            "of text",
            listed([f"{one.name}: {listed(one.categories)}" for one in encoder.columns if one.categories], "\n"),
        ),
        ("predicts", target_scaling.describe(record.classes)),
        ("classes", f"{len(classes):,}: {listed([str(label) for label in classes])}" if classes else ""),
        ("trained for", _epochs(epochs, kept)),
        ("training", _figures(figures, "train", loss.measure)),
        ("validation", _figures(figures, "validation", loss.measure)),
        ("failed", "" if reason is None else f"it {reason}"),
        ("diagnoses", "\n".join(str(one["sentence"]) for one in record.history.diagnoses)),
    ]
    values = {
        "kind": "model",
        "path": os.fspath(path),
        "fastmlp_version": record.fastmlp_version,
        "format_version": FORMAT_VERSION,
        "layers": [parameters.features, *config.hidden, parameters.outputs],
        "parameters": size,
        "activations": list(config.layer_activations),
        "inputs": {
            "columns": encoder.width, "features": encoder.features, "scaling": scaling.kind, "low": scaling.low,
            "high": scaling.high, "missing": encoder.missing, "text": encoder.describe(),
            "table": [
                {"name": column.name, "kind": "numbers" if column.categories is None else "text",
                 "values": column.categories} for column in encoder.columns
            ],
        },
        "classes": classes,
        "epochs": epochs,
        "kept_epoch": kept,
        "measure": loss.measure,
        **figures,
        "failure_reason": None if reason is None else str(reason),
        "diagnoses": [to_plain(one) for one in record.history.diagnosis_records()],
        "settings": config.to_stored_dict(),
    }  # fmt: skip
    return Info(f"{path}: a network, written by fastmlp {record.fastmlp_version}", facts, values)


def _epochs(epochs: int, kept: int) -> str:
    return counted(epochs, "epoch") + (f", and has the weights of epoch {kept}" if kept < epochs else "")


def _figures(figures: dict[str, Any], part: str, measure: str) -> str:
    loss, accuracy = figures[f"{part}_loss"], figures[f"{part}_accuracy"]
    if loss is None and accuracy is None:
        return ""
    return f"loss {number_text(loss)}, {measure} {number_text(accuracy)}"
