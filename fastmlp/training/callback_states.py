"""The states of callbacks, which are kept with that of the training."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from fastmlp.errors import InputError, InputTypeError
from fastmlp.utils.records import one_line

CallbackState = Mapping[str, Any]


class Stateful(Protocol):
    """An object whose state is kept with that of the training."""

    def state_dict(self) -> CallbackState: ...

    def load_state_dict(self, state: CallbackState) -> None:
        """Continue from a state.

        Parameters
        ----------
        state : mapping
            What `state_dict` returned.
        """


@dataclass
class CallbackStates:
    """The callbacks of a training that have a state, and restored states that no callback has claimed yet.

    Attributes
    ----------
    active : dict
        The callbacks of the training under way, by name.
    waiting : dict
        States by the name of the callback that is to load them.
    source : str
        Name of the file that the states were read from; empty for none.
    """

    active: dict[str, Stateful] = field(default_factory=dict)
    waiting: dict[str, CallbackState] = field(default_factory=dict)
    source: str = ""

    def add(self, callbacks: Mapping[str, Stateful]) -> None:
        """Take in the callbacks of a training; those for which a state is waiting load it.

        Parameters
        ----------
        callbacks : mapping
            By name.

        Raises
        ------
        InputError
            When a callback cannot use its state in a file.
        """
        self.active = dict(callbacks)
        for name in [name for name in self.waiting if name in callbacks]:
            try:
                callbacks[name].load_state_dict(self.waiting.pop(name))
            except Exception as error:
                if not self.source:
                    raise
                raise InputError(
                    f"{self.source} cannot be read ({one_line(error, f'state.callbacks.{name}')}); expected what its "
                    "state_dict returned: delete the folder to start over"
                ) from error

    def to_arrays(self) -> tuple[dict[str, dict[str, Any]], dict[str, NDArray[Any]]]:
        """Return the states as plain values by callback and key, and their arrays by "callback.key".

        Raises
        ------
        InputTypeError
            When a state has something that is neither.
        """
        states: dict[str, dict[str, Any]] = {}
        arrays = {}
        for name, callback in self.active.items():
            states[name] = {}
            for key, value in callback.state_dict().items():
                if isinstance(value, np.ndarray) and not value.dtype.hasobject:
                    arrays[f"{name}.{key}"] = value
                else:
                    states[name][key] = value
            _check_plain(name, states[name])
        return states, arrays

    @classmethod
    def from_arrays(
        cls, states: Mapping[str, CallbackState], arrays: Mapping[str, NDArray[Any]], source: str
    ) -> "CallbackStates":
        """Return what `to_arrays` returned, waiting for its callbacks.

        Parameters
        ----------
        states : mapping
            Plain values.
        arrays : mapping
            Arrays by "callback.key".
        source : str
            Name of the file that they were read from.

        Raises
        ------
        ValueError
            When an array belongs to no callback, or has the name of a value.
        """
        waiting = {name: dict(state) for name, state in states.items()}
        for full_name, array in arrays.items():
            name, _, key = full_name.partition(".")
            if key in waiting.get(name, {key: None}):
                raise ValueError(f"unknown array callback.{full_name}")
            waiting[name][key] = array
        return cls(waiting=dict(waiting), source=source)


def _check_plain(name: str, state: dict[str, Any]) -> None:
    try:
        json.dumps(state)
    except (TypeError, ValueError) as error:
        raise InputTypeError(
            f"state_dict of callback {name} cannot be kept ({error}); expected plain values and arrays"
        ) from None
