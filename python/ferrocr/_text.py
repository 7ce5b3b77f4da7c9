"""Text that comes from a disk and goes to a person's terminal or log."""

from . import _core


def path_text(path: str) -> str:
    r"""A path, or a file's name, in one line that no terminal takes for a command and that says exactly which it is.

    It is escaped as ``repr`` does it, the backslash too, except where it separates folders.
    """
    return _core.path_text(path)


def printable(text: str) -> str:
    r"""The same text in one line that no terminal takes for a command.

    Whatever Python's ``repr`` would escape is escaped here too: control characters, line breaks, marks that turn the
    direction of writing, and bytes that are no UTF-8. A backslash stays as it is: a message may have
    escapes in it already.
    """
    return "".join(letter if letter.isprintable() else _escaped(letter) for letter in text)


def _escaped(letter: str) -> str:
    return letter.encode("unicode_escape").decode("ascii")
