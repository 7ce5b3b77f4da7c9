"""Arguments of the model store, checked and in the form that the core takes."""

import math
import re
from collections.abc import Iterable
from contextlib import suppress
from datetime import timedelta
from numbers import Real

from .._arguments import names_of
from ..exceptions import InvalidArgumentError
from .audit import ModelState

Age = timedelta | float
"""The age of something: a difference of times, or seconds."""


_LONGEST_AGE = timedelta.max.total_seconds()


def states_of(states: str | Iterable[str]) -> list[str]:
    """Return names of states, in capitals.

    Raises:
        InvalidArgumentError: There is no such state.
    """
    return [state_of(state).value for state in names_of(states)]


def state_of(name: str) -> ModelState:
    """Return the state of that name, which may be in small letters.

    Raises:
        InvalidArgumentError: There is no such state.
    """
    try:
        return ModelState(name.upper())
    except (AttributeError, TypeError, ValueError):
        message = f"there is no state {name!r}; the states are {', '.join(ModelState)}"
        raise InvalidArgumentError(message) from None


def seconds_of(age: Age | None) -> float | None:
    """Return an age in seconds.

    Raises:
        InvalidArgumentError: It is negative, no number, or longer than Python can count.
    """
    if age is None:
        return None
    seconds = math.nan
    if isinstance(age, timedelta):
        seconds = age.total_seconds()
    elif isinstance(age, Real) and not isinstance(age, bool):
        with suppress(OverflowError):
            seconds = float(age)
    if math.isfinite(seconds) and 0 <= seconds <= _LONGEST_AGE:
        return seconds
    message = f"older_than is a timedelta or a number of seconds from 0 on, not {age!r}"
    raise InvalidArgumentError(message)


def checked_hash(sha256: str | None) -> str | None:
    """Return a hash that was given: one that is mistyped would make every file look damaged.

    Raises:
        InvalidArgumentError: It is no SHA-256 in hexadecimal.
    """
    if sha256 is None or (isinstance(sha256, str) and re.fullmatch("[0-9A-Fa-f]{64}", sha256)):
        return sha256
    message = f"a SHA-256 has 64 hexadecimal digits, and this is {sha256!r}"
    raise InvalidArgumentError(message)
