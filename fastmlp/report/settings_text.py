"""Settings in words, as summary.md lists them. Every function takes the settings of one cell, as in run.json."""

from typing import Any

from fastmlp.config import losses, optimizers
from fastmlp.config.network import DEFAULT_INIT_SCALE, NetworkConfig
from fastmlp.config.optimizers import Optimizer
from fastmlp.runs.recipe_record import DistributionRecord, SearchRecord
from fastmlp.utils.options import value_text


def layers(settings: dict[str, Any], inputs: int, outputs: int) -> str:
    """Such as "784-100-10 (1 hidden layer and the softmax output)"."""
    hidden = list(settings["hidden"])
    output = losses.from_setting(_of(settings, "loss")).output
    count = f"{len(hidden)} hidden layer{'' if len(hidden) == 1 else 's'} and the {output} output"
    return f"{'-'.join(map(str, [inputs, *hidden, outputs]))} ({count})"


def loss(settings: dict[str, Any]) -> str:
    """What is minimised, without the regulariser."""
    text = losses.from_setting(_of(settings, "loss")).label
    weights = _of(settings, "class_weight")
    return text if weights is None else f"{text}, class weights {value_text(weights)}"


def batch(settings: dict[str, Any], rows: int) -> str:
    """The batch size; `rows` are the samples that the cell was trained on."""
    if settings["batch_size"] >= rows or _optimizer(settings).is_full_batch:
        return f"all {rows} training samples"
    return str(settings["batch_size"])


def optimiser(settings: dict[str, Any]) -> str:
    """The optimiser with its numbers, such as "SGD, momentum 0.9, dampening 0.9"."""
    setting = _of(settings, "optimizer")
    numbers = {} if isinstance(setting, str) else {key: value for key, value in setting.items() if key != "name"}
    parts = [_optimizer(settings).label]
    parts += [f"momentum {_of(settings, 'momentum'):g}"] if _of(settings, "momentum") else []
    parts += [f"{key.replace('_', ' ')} {value_text(value)}" for key, value in numbers.items() if key != "weight_decay"]
    parts += [f"gradients cut to norm {settings['clip_norm']:g}"] if _of(settings, "clip_norm") else []
    return ", ".join(parts)


def initial_rate(settings: dict[str, Any]) -> str:
    """The learning rate of the first epoch; what takes its place where the optimiser has none."""
    return f"{settings['learning_rate']}" if _optimizer(settings).has_learning_rate else "chosen by line search"


def schedule(settings: dict[str, Any]) -> str:
    """How the learning rate goes on, and for how long."""
    setting, count = _of(settings, "schedule"), settings["epochs"]
    epochs = _epochs(count)
    name, options = (setting["name"], setting) if isinstance(setting, dict) else (setting, {})
    numbers = value_text({key: value for key, value in options.items() if key != "name"})
    extra = f" ({numbers})" if numbers else ""
    if not _optimizer(settings).has_learning_rate:
        text = f"{count} iterations"
    elif name not in (None, "constant", "decay"):
        text = f"{name} schedule{extra} over {epochs}"
    elif settings["decay_epochs"]:
        text = f"{_decays(settings)}{extra} of {count}"
    else:
        text = f"constant{extra} over {epochs}"
    return text if _of(settings, "early_stopping") is None else f"{text} at most"


def search(record: SearchRecord) -> str:
    """Return what was searched and how.

    Parameters
    ----------
    record : SearchRecord
        That of the recipe.

    Returns
    -------
    str
    """
    how = "chosen by Optuna" if record.method == "optuna" else "drawn at random"
    parts = [f"{name.replace('_', ' ')} {_distribution(one)}" for name, one in record.distributions.items()]
    trials = f"{record.trials} trial{'' if record.trials == 1 else 's'}"
    return f"{trials} {how}: {'; '.join(parts)}"


def _distribution(distribution: DistributionRecord) -> str:
    if distribution.choices is not None:
        return " or ".join(map(value_text, distribution.choices))
    return f"from {distribution.low:g} to {distribution.high:g}" + (
        " on a logarithmic scale" if distribution.log else ""
    )


def _epochs(count):
    return f"{count} epoch{'' if count == 1 else 's'}"


def _decays(settings):
    decays, factor = settings["decay_epochs"], settings["decay_factor"]
    change = "halved" if factor == 0.5 else f"multiplied by {factor:g}"
    *first, last = map(str, decays)
    return f"{change} after epochs {', '.join(first)} and {last}" if first else f"{change} after epoch {last}"


def initialisation(settings: dict[str, Any]) -> str:
    """The law of the first weights."""
    scale, which = settings["init_scale"], settings["init"]
    biases = "biases alike" if settings["init_bias"] == "same" else "biases zero"
    factor = "" if scale is None else f" times {scale:g}"
    width = DEFAULT_INIT_SCALE if scale is None else scale
    match which:
        case "normal":
            law = f"normal with mean 0 and standard deviation {width:g}"
        case "uniform":
            law = f"uniform from {-width:g} to {width:g}"
        case "auto":
            law = f"He (normal) before relu, Xavier (uniform) elsewhere{factor}"
        case _:
            law = f"{which.capitalize()}{factor}"
    return f"{law}, {biases}"


def regulariser(settings: dict[str, Any]) -> str:
    """All that keeps the network from learning its samples by heart; "none" for nothing."""
    l1, l2, decay = _of(settings, "l1"), _of(settings, "l2"), getattr(_optimizer(settings), "weight_decay", 0)
    most, smoothing = _of(settings, "max_norm"), _of(settings, "label_smoothing")
    texts = [
        f"L1, {l1:g} times the sum of the weights' sizes" if l1 else "",
        f"L2, {l2:g} / 2 times the sum of squared weights" if l2 else "",
        f"weight decay {decay:g}" if decay else "",
        _dropout(_of(settings, "dropout")),
        f"norm of the weights into a hidden unit at most {most:g}" if most else "",
        f"label smoothing {smoothing:g}" if smoothing else "",
        _stopping(_of(settings, "early_stopping")),
    ]
    return "; ".join(filter(None, texts)) or "none"


def _dropout(setting):
    if isinstance(setting, int | float):
        return f"dropout of {setting:g} of the hidden units" if setting else ""
    if not any(setting):
        return ""
    inputs, *hidden = setting
    of_hidden = ", ".join(f"{share:g}" for share in hidden)
    return f"dropout of {inputs:g} of the inputs" + (f" and {of_hidden} of the hidden units" if hidden else "")


def _stopping(setting):
    if setting is None:
        return ""
    options = setting if isinstance(setting, dict) else {"patience": setting}
    what = options.get("monitor", "validation_loss").replace("_", " ")
    least = f" of more than {options['min_delta']:g}" if options.get("min_delta") else ""
    return f"stopped after {_epochs(options['patience'])} without a gain{least} in {what}"


def _optimizer(settings: dict[str, Any]) -> Optimizer:
    return optimizers.from_setting(_of(settings, "optimizer"), _of(settings, "momentum"))


def _of(settings, name):
    """A setting, or its default where the run is older than the setting."""
    return settings.get(name, NetworkConfig.FIELDS[name].default)
