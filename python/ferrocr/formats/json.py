"""JSON and JSON Lines, which hold all that a page has, and their readers.

The form is described by the JSON Schema that :func:`schema` gives; its version is in every file. Within a major version
things are only added, so a reader ignores what it does not know.
"""

import json
from collections.abc import Iterable
from typing import Any, ClassVar, cast

from .._core import __version__
from .._text import escaped_json
from ..exceptions import InvalidArgumentError
from ..results import Char, Line, Quad, Word
from ._json_reader import file_from_dict, from_dict, read, read_lines
from ._layout import grouped
from ._sheet import Failure, Sheet
from ._writer import Writer

__all__ = [
    "SCHEMA_VERSION",
    "JsonLinesWriter",
    "JsonWriter",
    "file_dict",
    "file_from_dict",
    "from_dict",
    "read",
    "read_lines",
    "schema",
    "to_dict",
]

SCHEMA_VERSION = "1.0"


class JsonWriter(Writer):
    """One object with a list of pages, each of which is a line of the file."""

    name: ClassVar[str] = "json"
    suffix: ClassVar[str] = ".json"
    media_type: ClassVar[str] = "application/json"
    summary: ClassVar[str] = "text, scores and positions of lines and words, in one object"
    has_characters: ClassVar[bool] = True

    def __init__(self) -> None:
        super().__init__()
        self._entries = 0

    def begin(self) -> str:
        """Return the object up to its list."""
        return f'{dumped(_head())[:-1]}, "pages": ['

    def end(self) -> str:
        """Return the end of the list and of the object."""
        return "\n]}\n" if self._entries else "]}\n"

    def _page(self, sheet: Sheet) -> str:
        return self._entry(to_dict(sheet))

    def _failure(self, failure: Failure) -> str:
        return self._entry(to_dict(failure))

    def _entry(self, plain: dict[str, Any]) -> str:
        self._entries += 1
        return (",\n " if self._entries > 1 else "\n ") + dumped(plain)


class JsonLinesWriter(Writer):
    """An object a line, one for each page."""

    name: ClassVar[str] = "jsonl"
    suffix: ClassVar[str] = ".jsonl"
    media_type: ClassVar[str] = "application/jsonl"
    summary: ClassVar[str] = "the same as JSON Lines: a picture a line, as soon as it is read"
    has_characters: ClassVar[bool] = True

    def _page(self, sheet: Sheet) -> str:
        return self._line(to_dict(sheet))

    def _failure(self, failure: Failure) -> str:
        return self._line(to_dict(failure))

    def _line(self, plain: dict[str, Any]) -> str:
        return dumped({"schema_version": SCHEMA_VERSION, **plain}) + "\n"


def schema() -> dict[str, Any]:
    """Return the JSON Schema of a JSON file. A line of JSON Lines is what ``#/$defs/line`` in it says."""
    from importlib.resources import files  # which imports more than all formats together

    text = files(__package__).joinpath("result-1.schema.json").read_text(encoding="utf-8")
    return cast("dict[str, Any]", json.loads(text))


def file_dict(entries: Iterable[Sheet | Failure]) -> dict[str, Any]:
    """Return plain data of a whole file: what ``json.loads`` gives of it."""
    return {**_head(), "pages": list(map(to_dict, entries))}


def to_dict(entry: Sheet | Failure) -> dict[str, Any]:
    """Return plain data of a page: what a file's ``pages`` hold.

    Scores have four digits behind the point, positions one.
    """
    if isinstance(entry, Failure):
        return {"source": entry.source, "number": entry.number, "error": entry.error}
    page = entry.page
    return {
        "source": entry.source,
        "number": entry.number,
        "dpi": entry.dpi,
        "width": page.width,
        "height": page.height,
        "text": page.text,
        "lines": [_line(line) for line in page.lines],
        "blocks": [{"quad": _corners(block.quad), "lines": lines} for block, lines in grouped(page)],
    }


def _head() -> dict[str, Any]:
    return {"schema_version": SCHEMA_VERSION, "generator": f"ferrocr {__version__}"}


def dumped(plain: dict[str, Any]) -> str:
    """Return plain data as JSON in one line, in which whatever cannot be seen is escaped.

    Raises:
        InvalidArgumentError: A number in it is none.
    """
    try:
        text = json.dumps(plain, ensure_ascii=False, allow_nan=False)
    except ValueError as error:
        message = "a page has a number that is none"
        raise InvalidArgumentError(message) from error
    return escaped_json(text)


def _line(line: Line) -> dict[str, Any]:
    return {**_written(line), "words": [_word(word) for word in line.words]}


def _word(word: Word) -> dict[str, Any]:
    plain = _written(word)
    if word.characters:
        plain["characters"] = [_written(one) for one in word.characters]
    if word.doubtful:
        plain["doubtful"] = True
    return plain


def _written(part: Line | Word | Char) -> dict[str, Any]:
    return {"text": part.text, "score": round(part.score, 4), "quad": _corners(part.quad)}


def _corners(quad: Quad) -> list[list[float]]:
    return [[round(x, 1), round(y, 1)] for x, y in quad]
