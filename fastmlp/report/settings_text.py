"""Settings as text, as summary.md lists them."""

import re
from collections.abc import Iterable, Mapping

from fastmlp.config.network import DEFAULT_INIT_SCALE, NetworkConfig
from fastmlp.runs.recipe_record import DistributionRecord, SearchRecord
from fastmlp.utils.options import value_text

MOST_LISTED = 8  # different settings; of more the least and the greatest are told
_NUMBER = re.compile(r"(?<![\w.])\d+(?:\.\d+)?(?:e[-+]?\d+)?")


def several(texts: Iterable[str]) -> list[str]:
    """Return distinct texts in order; if there are very many, merge those that differ only in numbers into ranges.

    Parameters
    ----------
    texts : iterable of str
        A setting of several cells, such as "L2, 0.1", "L2, 0.2" and so on, of which this makes "L2, 0.1 to 0.9".
    """
    different = list(dict.fromkeys(texts))
    if len(different) <= MOST_LISTED:
        return different
    alike: dict[str, list[str]] = {}
    for text in different:
        alike.setdefault(_NUMBER.sub("", text), []).append(text)
    return [_ranged(group) for group in alike.values()]


def _ranged(texts: list[str]) -> str:
    """Merge texts that differ only in numbers."""
    columns = zip(*(_NUMBER.findall(text) for text in texts), strict=True)
    ends = [(min(column, key=float), max(column, key=float)) for column in columns]
    numbers = iter(low if low == high else f"{low} to {high}" for low, high in ends)
    return _NUMBER.sub(lambda _: next(numbers), texts[0])


def layers(config: NetworkConfig, inputs: int, outputs: int) -> str:
    """Return the layers, such as "784-100-10 (1 hidden layer and the softmax output)".

    Parameters
    ----------
    config : NetworkConfig
        The settings of a cell.
    inputs, outputs : int
        Number of features and of outputs.
    """
    hidden = config.hidden
    count = f"{len(hidden)} hidden layer{'' if len(hidden) == 1 else 's'} and the {config.loss_function.output} output"
    return f"{'-'.join(map(str, [inputs, *hidden, outputs]))} ({count})"


def loss(config: NetworkConfig) -> str:
    """Return what is minimised, without the regulariser.

    Parameters
    ----------
    config : NetworkConfig
        The settings of a cell.
    """
    text, weights = config.loss_function.label, config.class_weight
    return text if weights is None else f"{text}, class weights {value_text(weights)}"


def batch(config: NetworkConfig, rows: int) -> str:
    """Return the batch size.

    Parameters
    ----------
    config : NetworkConfig
        The settings of a cell.
    rows : int
        Number of training samples.
    """
    if config.batch_size >= rows or config.optimizer_config.is_full_batch:
        return f"all {rows} training samples"
    return str(config.batch_size)


def optimiser(config: NetworkConfig) -> str:
    """Return the optimiser with its numbers, such as "SGD, momentum 0.9, dampening 0.9".

    Parameters
    ----------
    config : NetworkConfig
        The settings of a cell.
    """
    setting = config.optimizer
    numbers = {} if isinstance(setting, str) else {key: value for key, value in setting.items() if key != "name"}
    parts = [config.optimizer_config.label]
    parts += [f"momentum {config.momentum:g}"] if config.momentum else []
    parts += [f"{key.replace('_', ' ')} {value_text(value)}" for key, value in numbers.items() if key != "weight_decay"]
    parts += [f"gradients clipped to norm {config.clip_norm:g}"] if config.clip_norm else []
    return ", ".join(parts)


def initial_rate(config: NetworkConfig) -> str:
    """Return the learning rate of the first epoch, or what replaces it where the optimiser has none.

    Parameters
    ----------
    config : NetworkConfig
        The settings of a cell.
    """
    return f"{config.learning_rate}" if config.optimizer_config.has_learning_rate else "chosen by line search"


def schedule(config: NetworkConfig) -> str:
    """Return how the learning rate changes, and for how many epochs.

    Parameters
    ----------
    config : NetworkConfig
        The settings of a cell.
    """
    setting, epochs = config.schedule, _epochs(config.epochs)
    options = setting if isinstance(setting, Mapping) else {"name": setting}
    name, numbers = options["name"], value_text({key: _short(value) for key, value in options.items() if key != "name"})
    extra = f" ({numbers})" if numbers else ""
    if not config.optimizer_config.has_learning_rate:
        text = f"{config.epochs} iterations"
    elif name not in (None, "constant", "decay"):
        text = f"{name} schedule{extra} over {epochs}"
    elif config.decay_epochs:
        text = f"{_decays(config)}{extra} of {config.epochs}"
    else:
        text = f"constant{extra} over {epochs}"
    return text if config.early_stopping is None else f"{text} at most"


def search(record: SearchRecord) -> str:
    """Return what was searched and how.

    Parameters
    ----------
    record : SearchRecord
        That of the recipe.
    """
    how = "chosen by Optuna" if record.method == "optuna" else "drawn at random"
    parts = [f"{name.replace('_', ' ')} {_distribution(one)}" for name, one in record.distributions.items()]
    trials = f"{record.trials} trial{'' if record.trials == 1 else 's'}"
    return f"{trials} {how}: {'; '.join(parts)}"


def _distribution(distribution: DistributionRecord) -> str:
    if distribution.choices is not None:
        return " or ".join(map(value_text, distribution.choices))
    scale = " on a logarithmic scale" if distribution.log else ""
    return f"from {distribution.low:g} to {distribution.high:g}{scale}"


def _short(value: object) -> object:
    """A whole number without its decimal."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _epochs(count: int) -> str:
    return f"{count} epoch{'' if count == 1 else 's'}"


def _decays(config: NetworkConfig) -> str:
    factor = config.decay_factor
    change = "halved" if factor == 0.5 else f"multiplied by {factor:g}"
    *first, last = map(str, config.decay_epochs)
    return f"{change} after epochs {', '.join(first)} and {last}" if first else f"{change} after epoch {last}"


def initialisation(config: NetworkConfig) -> str:
    """Return the distribution of the first weights.

    Parameters
    ----------
    config : NetworkConfig
        The settings of a cell.
    """
    scale = config.init_scale
    factor = "" if scale is None else f" times {scale:g}"
    width = DEFAULT_INIT_SCALE if scale is None else scale
    match config.init:
        case "normal":
            distribution = f"normal with mean 0 and standard deviation {width:g}"
        case "uniform":
            distribution = f"uniform from {-width:g} to {width:g}"
        case "auto":
            distribution = f"He (normal) before relu, Xavier (uniform) elsewhere{factor}"
        case name:
            distribution = f"{name.capitalize()}{factor}"
    return f"{distribution}, {'biases alike' if config.init_bias == 'same' else 'biases zero'}"


def regulariser(config: NetworkConfig) -> str:
    """Return everything that limits overfitting; "none" for nothing.

    Parameters
    ----------
    config : NetworkConfig
        The settings of a cell.
    """
    decay = getattr(config.optimizer_config, "weight_decay", 0)
    texts = [
        f"L1, {config.l1:g} times the sum of the weights' sizes" if config.l1 else "",
        f"L2, {config.l2:g} / 2 times the sum of squared weights" if config.l2 else "",
        f"weight decay {decay:g}" if decay else "",
        _dropout(config.dropout),
        f"norm of the weights into a hidden unit at most {config.max_norm:g}" if config.max_norm else "",
        f"label smoothing {config.label_smoothing:g}" if config.label_smoothing else "",
        _stopping(config),
    ]
    return "; ".join(filter(None, texts)) or "none"


def _dropout(setting: float | tuple[float, ...]) -> str:
    if not isinstance(setting, tuple):
        return f"dropout of {setting:g} of the hidden units" if setting else ""
    if not any(setting):
        return ""
    inputs, *hidden = setting
    of_hidden = ", ".join(f"{share:g}" for share in hidden)
    return f"dropout of {inputs:g} of the inputs" + (f" and {of_hidden} of the hidden units" if hidden else "")


def _stopping(config: NetworkConfig) -> str:
    stopping = config.early_stopping_config
    if stopping is None:
        return ""
    what = stopping.monitor.replace("_", " ")
    least = f" of more than {stopping.min_delta:g}" if stopping.min_delta else ""
    return f"stopped after {_epochs(stopping.patience)} without an improvement{least} in {what}"
