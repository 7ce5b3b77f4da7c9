"""Arguments of the model store, checked and in the form that the core takes."""

import math
import os
import re
import sys
from collections.abc import Iterable
from datetime import timedelta
from pathlib import Path

from .audit import ModelState
from .exceptions import InvalidArgumentError

Age = timedelta | float
"""How long ago something was: a difference of times, or seconds."""

_LONGEST_AGE = timedelta.max.total_seconds()


def names_of(names: str | Iterable[str] | None) -> list[str]:
    """A list of names. One name alone is one name: its letters are never taken for names."""
    if names is None:
        return []
    return [names] if isinstance(names, str) else list(names)


def states_of(states: str | Iterable[str]) -> list[str]:
    """Names of states, in capitals.

    Raises:
        InvalidArgumentError: There is no such state.
    """
    return [state_of(state).value for state in names_of(states)]


def state_of(name: str) -> ModelState:
    """The state of that name, which may be in small letters.

    Raises:
        InvalidArgumentError: There is no such state.
    """
    try:
        return ModelState(name.upper())
    except ValueError:
        message = f"there is no state {name!r}; the states are {', '.join(ModelState)}"
        raise InvalidArgumentError(message) from None


def seconds_of(age: Age | None) -> float | None:
    """An age in seconds.

    Raises:
        InvalidArgumentError: It is negative, no number, or longer than Python can count.
    """
    if age is None:
        return None
    seconds = age.total_seconds() if isinstance(age, timedelta) else float(age)
    if math.isfinite(seconds) and 0 <= seconds <= _LONGEST_AGE:
        return seconds
    message = f"older_than is a time in seconds from 0 on, not {age}"
    raise InvalidArgumentError(message)


def checked_hash(sha256: str | None) -> str | None:
    """A hash that was given: one that is mistyped would make every file look damaged.

    Raises:
        InvalidArgumentError: It is no SHA-256 in hexadecimal.
    """
    if sha256 is None or re.fullmatch("[0-9A-Fa-f]{64}", sha256):
        return sha256
    message = f"a SHA-256 has 64 hexadecimal digits, and this is {sha256!r}"
    raise InvalidArgumentError(message)


def hash_memory(directory: str) -> Path | None:
    """The file in the user's cache that remembers the hashes of the models in `directory`.

    It is outside of that directory, because an audit writes nothing there. None for a user without a home.
    """
    from hashlib import sha256

    cache = _cache_directory()
    digest = sha256(directory.encode("utf-8", "surrogatepass")).hexdigest()
    return None if cache is None else cache / "ferrocr" / "hashes" / f"{digest[:16]}.txt"


def _cache_directory() -> Path | None:
    # A relative path would mean another place in every working directory; the specification says to ignore it.
    if (named := Path(os.environ.get("XDG_CACHE_HOME", ""))).is_absolute():
        return named
    if sys.platform == "win32":
        local = os.environ.get("LOCALAPPDATA")
        return Path(local) if local else None
    try:
        home = Path.home()
    except RuntimeError:
        return None
    if not home.is_absolute():
        return None
    return home / "Library" / "Caches" if sys.platform == "darwin" else home / ".cache"


def interpreter() -> str | None:
    """The interpreter whose pip can fetch wheels. In a frozen program ``sys.executable`` is the program itself."""
    return None if getattr(sys, "frozen", False) else sys.executable or None
