"""Errors between two processes."""

from typing import cast

from .. import exceptions
from .._workers._wire import Header
from ..exceptions import OcrError, OutOfMemoryError

_CLASSES = {
    name: found for name, found in vars(exceptions).items() if isinstance(found, type) and issubclass(found, OcrError)
}

_MOST_TEXT = 2**13
"""Characters of a text that come over; paths are shorter."""


def header_of_error(error: BaseException) -> Header:
    """Return the words of an error."""
    if isinstance(error, MemoryError) and not isinstance(error, OcrError):
        error = OutOfMemoryError("the engine's process got no memory")
    if not isinstance(error, OcrError):
        error = OcrError(f"a defect in ferrocr: {error!r}", "please report it with the call that caused it")
    name = type(error).__name__
    return {
        "error": name if name in _CLASSES else "OcrError",
        "text": str(error.args[0] if error.args else "")[:_MOST_TEXT],
        "hint": None if error.hint is None else error.hint[:_MOST_TEXT],
        "shell_hint": None if error.shell_hint is None else error.shell_hint[:_MOST_TEXT],
    }


def error_of(header: Header, names: tuple[str, str] | None = None) -> OcrError:
    """Return the error.

    Args:
        header: Its words.
        names: The name of a file for the other process, and its name here.
    """

    def text_of(name: str) -> str | None:
        text = header.get(name)
        if text is None:
            return None
        return str(text) if names is None else str(text).replace(*names)

    kind, text = _CLASSES.get(str(header.get("error")), OcrError), text_of("text") or ""
    # As in the core, none of the classes' own code runs, which Ctrl-C could fall into.
    base: type = kind
    while base.__module__ != "builtins":
        assert base.__base__ is not None
        base = base.__base__
    error = cast("type[OcrError]", base).__new__(kind, text)
    base.__init__(error, text)  # type: ignore[misc]
    error.hint, error.shell_hint = text_of("hint"), text_of("shell_hint")
    return error
