"""Arguments that several parts of the package take, checked and in the form that the core takes."""

import os
from collections.abc import Iterable
from numbers import Real

from .exceptions import InvalidArgumentError

AnyPath = str | bytes | os.PathLike[str] | os.PathLike[bytes]
"""A path in the forms that Python's own functions take."""


def text_of(text: str, what: str) -> str:
    """Return a text that was given; `what` names it in the error.

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
    """Return a time in seconds.

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
    """Return a name that was given.

    Raises:
        InvalidArgumentError: It is no text.
    """
    return text_of(name, "a name")


def names_of(names: str | Iterable[str] | None) -> list[str]:
    """Return a list of names. One name alone is one name: its letters are never taken for names.

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
    """Return a path as text. Bytes that are no UTF-8 are in it as :func:`os.fsdecode` puts them there.

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
