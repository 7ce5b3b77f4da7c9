"""Arguments of the model store, checked and in the form that the core takes."""

import math
import os
import re
import sys
import time
from collections.abc import Iterable
from contextlib import suppress
from datetime import timedelta
from numbers import Real
from pathlib import Path

from .exceptions import InvalidArgumentError
from .models.audit import ModelState

Age = timedelta | float
"""How long ago something was: a difference of times, or seconds."""

AnyPath = str | bytes | os.PathLike[str] | os.PathLike[bytes]
"""A path in the forms that Python's own functions take."""

_LONGEST_AGE = timedelta.max.total_seconds()

_FORGOTTEN_AFTER = 90 * 86_400
"""Seconds after which a memory of hashes goes that nothing was added to: one of a deleted directory has up to 3 MB, and
without one of a directory that is there, an audit takes as long as the first one did."""


def text_of(text: str, what: str) -> str:
    """A text that was given; `what` it is says the error.

    Raises:
        InvalidArgumentError: It is no ``str``, or has bytes in it that are no UTF-8.
    """
    if not isinstance(text, str):
        message = f"{what} is a str, not {text!r}"
        raise InvalidArgumentError(message)
    try:
        text.encode()
    except UnicodeEncodeError:
        message = f"{what} is text, and {text!r} has bytes that are no UTF-8"
        raise InvalidArgumentError(message) from None
    return text


def checked_seconds(name: str, seconds: float) -> float:
    """A time.

    Raises:
        InvalidArgumentError: It is negative, no number, or a whole number that no time is counted in.
    """
    try:
        # Written so that it refuses what is no number.
        if isinstance(seconds, Real) and seconds >= 0:
            return float(seconds)
    except OverflowError:
        message = f"{name} is a number of seconds from 0 on, not one with {int(seconds).bit_length()} bits"
        raise InvalidArgumentError(message, "None or math.inf sets no bound") from None
    message = f"{name} is a number of seconds from 0 on, not {seconds!r}"
    raise InvalidArgumentError(message)


def name_of(name: str) -> str:
    """A name that was given.

    Raises:
        InvalidArgumentError: It is no text.
    """
    return text_of(name, "a name")


def names_of(names: str | Iterable[str] | None) -> list[str]:
    """A list of names. One name alone is one name: its letters are never taken for names.

    Raises:
        InvalidArgumentError: It is no name and no series of names.
    """
    if names is None:
        return []
    if isinstance(names, str):
        return [name_of(names)]
    if isinstance(names, Iterable) and not isinstance(names, (bytes, bytearray)):
        return [name_of(name) for name in names]
    message = f"names are a str or several of them, not {names!r}"
    raise InvalidArgumentError(message)


def path_of(path: AnyPath) -> str:
    """A path that was given. Bytes that are no UTF-8 are in it as :func:`os.fsdecode` puts them there.

    Raises:
        InvalidArgumentError: It is no path, or no system could have it.
    """
    try:
        text = os.fsdecode(path)
        os.fsencode(text)
    except (TypeError, UnicodeError):
        message = f"a path is a str, bytes or os.PathLike, not {path!r}"
        raise InvalidArgumentError(message) from None
    return text


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
    except (AttributeError, TypeError, ValueError):
        message = f"there is no state {name!r}; the states are {', '.join(ModelState)}"
        raise InvalidArgumentError(message) from None


def seconds_of(age: Age | None) -> float | None:
    """An age in seconds.

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
    """A hash that was given: one that is mistyped would make every file look damaged.

    Raises:
        InvalidArgumentError: It is no SHA-256 in hexadecimal.
    """
    if sha256 is None or (isinstance(sha256, str) and re.fullmatch("[0-9A-Fa-f]{64}", sha256)):
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


def forget_directories(memory: Path) -> None:
    """Delete the hash memories beside `memory` that nothing was added to for a long time.

    Most are of directories that are gone. Where one is still there, its models are read once more.
    """
    with suppress(OSError):
        for other in list(memory.parent.iterdir()):
            with suppress(OSError):  # what somebody else has put there, or deletes too
                if other != memory and time.time() - other.lstat().st_mtime > _FORGOTTEN_AFTER:
                    other.unlink()


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
