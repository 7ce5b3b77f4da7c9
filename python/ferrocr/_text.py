"""Text that somebody else has chosen: names of files, and what stands in documents."""

import re

from . import _core

# The last ones end a line for some readers: next line, line separator, paragraph separator.
_BREAK = re.compile("[\t-\r\x85\u2028\u2029]+")
# Control characters, of which U+009B begins a command to a terminal as Escape does; and marks that make the text beside
# them run in the other direction. Marks for a single place (U+200E, U+200F, U+061C) do no harm and belong to scripts.
_COMMAND = re.compile("[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
_HALF = re.compile("[\ud800-\udfff]")
_UNSEEN = re.compile("[\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")


def line_text(text: str) -> str:
    """Return the text as a line of plain text may have it, which goes to terminals too.

    Breaks are spaces. Control characters and marks that turn the direction of writing are left out: they are commands
    and no text. Halves of characters stay.
    """
    return _COMMAND.sub("", _BREAK.sub(" ", text))


def whole_characters(text: str) -> str:
    """Return the text with U+FFFD in the place of halves of characters, which no encoding takes."""
    return _HALF.sub("\ufffd", text)


def escaped_json(text: str) -> str:
    """Return JSON in which whatever cannot be seen, or printed, is escaped; it says the same.

    ``json.dumps`` escapes all of it only together with every letter beyond ASCII.
    """
    return _UNSEEN.sub(lambda match: f"\\u{ord(match[0]):04x}", text)


def path_text(path: str) -> str:
    r"""Return a path, or a file's name, exactly, and in one line that no terminal takes for a command.

    It is escaped as ``repr`` does it, the backslash too, except where it separates folders.
    """
    return _core.path_text(path)


def printable(text: str) -> str:
    r"""Return the same text in one line that no terminal takes for a command.

    Whatever Python's ``repr`` would escape is escaped here too: control characters, line breaks, marks that turn the
    direction of writing, and bytes that are no UTF-8. A backslash stays as it is: a message may have
    escapes in it already.
    """
    return "".join(letter if letter.isprintable() else _escaped(letter) for letter in text)


def _escaped(letter: str) -> str:
    return letter.encode("unicode_escape").decode("ascii")
