"""Settings as files store them: all of them, each in the form that `NetworkConfig` gives it."""

from typing import Any

from fastmlp.config.network import NetworkConfig
from fastmlp.errors import FastmlpError
from fastmlp.utils.records import as_json, check_nesting


def read_stored(settings: dict[str, Any], *, with_threads: bool, may_lack: bool = False) -> NetworkConfig:
    """Return the configuration of settings that were read from a file.

    Parameters
    ----------
    settings : dict
        As JSON gives them.
    with_threads : bool
        Whether they are those of `NetworkConfig.to_stored_dict`, and not of `NetworkConfig.identity`.
    may_lack : bool
        Whether settings may be missing that came after the version that wrote the file: their defaults are what it did.

    Raises
    ------
    ValueError
        If one cannot be used, is missing, unknown, or in another form.
    """
    try:
        check_nesting(settings)
        config = NetworkConfig.from_dict(settings)
        complete = as_json(config.to_stored_dict() if with_threads else config.identity())
    except (FastmlpError, ValueError) as error:
        raise ValueError(f"settings: {error}") from None
    for name, value in complete.items():
        if name not in settings:
            if may_lack:
                continue
            raise ValueError(f"settings: {name} is missing")
        if as_json(settings[name]) != value:
            raise ValueError(f"settings: {name} is {settings[name]!r}; expected {value!r}")
    if others := settings.keys() - complete.keys():
        raise ValueError(f"settings: unknown {', '.join(sorted(others))}")
    return config
