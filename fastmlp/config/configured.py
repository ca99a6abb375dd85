"""Objects whose settings are a `NetworkConfig`, each of them an attribute."""

from collections.abc import Callable
from functools import wraps
from inspect import signature
from typing import Any, ParamSpec, TypeVar

from fastmlp.config.fields import described
from fastmlp.config.network import NetworkConfig
from fastmlp.errors import InputError, InputTypeError
from fastmlp.utils.options import nearest
from fastmlp.utils.other_names import ARGUMENTS, ATTRIBUTES, called_here
from fastmlp.utils.showing import shown

P = ParamSpec("P")
T = TypeVar("T")


class Configured:
    """Base class of what is made of settings, which are its attributes and cannot be changed.

    Parameters
    ----------
    SETTINGS

    Attributes
    ----------
    config : NetworkConfig
        The settings.

    Raises
    ------
    InputError, InputTypeError
        For a setting that cannot be used.
    """

    __signature__ = signature(NetworkConfig)  # what help() and editors show in the place of **settings

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        _describe_settings(cls)

    def __init__(self, *_unnamed: object, **settings: Any):
        if _unnamed:
            raise InputTypeError(
                f"{type(self).__name__} was given {shown(_unnamed[0])} without a name; expected settings by name, "
                f"such as {type(self).__name__}(hidden=(128, 64))"
            )
        self.config = NetworkConfig.from_dict(settings)

    def __setattr__(self, name: str, value: object) -> None:
        """Refuse to change a setting, but for `threads`, which changes no result."""
        if name == "threads":
            name, value = "config", self.config.replace(threads=value)
        elif name in NetworkConfig.FIELDS:
            raise InputError(
                f"{name} is {shown(getattr(self, name))} since the network was made; expected it to stay: make another "
                f"one, MLP(**{{**mlp.settings(), {name!r}: {shown(value)}}})"
            )
        super().__setattr__(name, value)

    def __getattr__(self, name: str) -> Any:
        """Return a setting."""
        if name not in NetworkConfig.FIELDS:
            hint = f"; {ATTRIBUTES[name]}" if name in ATTRIBUTES else ""
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}{hint}")
        return self.config.plain(name)

    def __dir__(self) -> list[str]:
        return [*super().__dir__(), *NetworkConfig.FIELDS]

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.config.changes_text()})"

    def settings(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain values: `MLP(**mlp.settings())` is the network untrained."""
        return self.config.to_dict()


def naming_what_was_meant(method: Callable[P, T]) -> Callable[P, T]:
    """Have a method say of a keyword that it does not have which one was meant, or that it is a setting.

    Parameters
    ----------
    method : callable
        Of a class whose settings are a `NetworkConfig`.
    """
    known = list(signature(method).parameters)[1:]
    trains = "callbacks" in known

    @wraps(method)
    def checked(*args: P.args, **kwargs: P.kwargs) -> T:
        for name in kwargs:
            if name not in known:
                setting = name if name in NetworkConfig.FIELDS else called_here(name, NetworkConfig.FIELDS)
                if name in ARGUMENTS:
                    hint = ARGUMENTS[name]
                elif trains and setting is not None and called_here(name, known) is None:
                    hint = f"it is a setting of the network: MLP({setting}=...)"
                else:
                    hint = nearest(name, known)
                raise InputTypeError(f"{method.__name__} has no argument {name!r}; {hint}")
        return method(*args, **kwargs)

    return checked


def _describe_settings(kind: type) -> None:
    """Put the settings in the place of SETTINGS in a docstring."""
    if kind.__doc__:  # python -OO leaves none
        kind.__doc__ = kind.__doc__.replace("SETTINGS", described(NetworkConfig))


_describe_settings(Configured)
