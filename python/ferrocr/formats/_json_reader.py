"""Reads what :mod:`.json` writes. The files may come from anywhere: what does not fit is refused, with its place."""

import json
import re
from collections.abc import Iterable, Iterator
from typing import Any, NoReturn

from ..exceptions import InvalidArgumentError
from ..results import Block, Char, Line, Page, Quad, Word
from ._layout import blocks_of
from ._sheet import Failure, Sheet


def from_dict(data: object) -> Sheet | Failure:
    """Return the page that plain data describe: what :func:`to_dict` gave, or a line of JSON Lines.

    Raises:
        InvalidArgumentError: They are of another form, or of a newer version.
    """
    return _entry_from(data, "the page")


def read(text: str | bytes) -> tuple[Sheet | Failure, ...]:
    """Return the pages of a JSON file.

    Raises:
        InvalidArgumentError: It is no JSON, or of another form, or of a newer version.
    """
    return file_from_dict(_loaded(text, "the file"))


def file_from_dict(data: object) -> tuple[Sheet | Failure, ...]:
    """Return the pages of a JSON file whose plain data are there already: what ``json.loads`` gave of it.

    Raises:
        InvalidArgumentError: They are of another form, or of a newer version.
    """
    document = _object(data, "the file")
    _check_version(document, "the file", needed=True)
    pages = _list(document.get("pages"), "pages")
    return tuple(_entry_from(entry, f"pages[{index}]") for index, entry in enumerate(pages))


def read_lines(lines: Iterable[str | bytes]) -> Iterator[Sheet | Failure]:
    """Give the pages of a JSON Lines file, such as an open one, as they come. Empty lines are skipped.

    Raises:
        InvalidArgumentError: A line is no JSON, or of another form, or of a newer version.
    """
    for number, line in enumerate(lines, 1):
        if line.strip():
            yield _entry_from(_loaded(line, f"line {number}"), f"line {number}")


def _loaded(text: str | bytes, where: str) -> object:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        message = f"{where} is no JSON: {error}"
        raise InvalidArgumentError(message) from error


def _check_version(data: dict[str, Any], where: str, *, needed: bool) -> None:
    version = data.get("schema_version")
    if version is None and not needed:
        return
    if not isinstance(version, str) or not re.fullmatch(r"1\.\d+", version):
        message = f"{where} has the schema version {version!r}, and this reader knows 1.x"
        raise InvalidArgumentError(message)


def _entry_from(data: object, where: str) -> Sheet | Failure:
    entry = _object(data, where)
    _check_version(entry, where, needed=False)
    source = None if entry.get("source") is None else _text(entry["source"], f"{where}.source")
    number = _count(entry.get("number", 1), f"{where}.number")
    if "error" in entry:
        return Failure(_text(entry["error"], f"{where}.error"), source, number)
    dpi = None if entry.get("dpi") is None else _number(entry["dpi"], f"{where}.dpi", 0.01, 1e6)
    return Sheet(_page_from(entry, where), source, number, dpi)


def _page_from(entry: dict[str, Any], where: str) -> Page:
    lines = tuple(
        _line_from(line, f"{where}.lines[{index}]")
        for index, line in enumerate(_list(entry.get("lines"), f"{where}.lines"))
    )
    page = Page(
        _count(entry.get("width"), f"{where}.width"),
        _count(entry.get("height"), f"{where}.height"),
        lines,
        tuple(
            _block_from(block, lines, f"{where}.blocks[{index}]")
            for index, block in enumerate(_list(entry.get("blocks", []), f"{where}.blocks"))
        ),
    )
    blocks_of(page)  # refuses blocks that leave lines out
    return page


def _block_from(data: object, lines: tuple[Line, ...], where: str) -> Block:
    block = _object(data, where)
    indexes = _list(block.get("lines"), f"{where}.lines")
    for index in indexes:
        if isinstance(index, bool) or not isinstance(index, int) or not 0 <= index < len(lines):
            message = f"{where}.lines names the line {index!r}, and there are {len(lines)}"
            raise InvalidArgumentError(message)
    return Block(_quad_from(block.get("quad"), f"{where}.quad"), tuple(lines[index] for index in indexes))


def _line_from(data: object, where: str) -> Line:
    line = _object(data, where)
    words = _list(line.get("words", []), f"{where}.words")
    return Line(
        *_written_from(line, where),
        tuple(_word_from(word, f"{where}.words[{index}]") for index, word in enumerate(words)),
    )


def _word_from(data: object, where: str) -> Word:
    word = _object(data, where)
    characters = _list(word.get("characters", []), f"{where}.characters")
    return Word(
        *_written_from(word, where),
        tuple(
            Char(*_written_from(_object(one, f"{where}.characters[{index}]"), f"{where}.characters[{index}]"))
            for index, one in enumerate(characters)
        ),
        _flag(word.get("doubtful", False), f"{where}.doubtful"),
    )


def _written_from(data: dict[str, Any], where: str) -> tuple[str, float, Quad]:
    return (
        _text(data.get("text"), f"{where}.text"),
        _number(data.get("score"), f"{where}.score", 0, 1),
        _quad_from(data.get("quad"), f"{where}.quad"),
    )


def _quad_from(data: object, where: str) -> Quad:
    corners = [_list(corner, where) for corner in _list(data, where)]
    if [len(corner) for corner in corners] != [2, 2, 2, 2]:
        _refuse("list of four corners [x, y]", data, where)
    first, second, third, fourth = ((_number(x, where), _number(y, where)) for x, y in corners)
    return (first, second, third, fourth)


def _object(data: object, where: str) -> dict[str, Any]:
    if not isinstance(data, dict):
        _refuse("object", data, where)
    return data


def _flag(data: object, where: str) -> bool:
    if not isinstance(data, bool):
        _refuse("true or false", data, where)
    return data


def _list(data: object, where: str) -> list[Any]:
    if not isinstance(data, list):
        _refuse("list", data, where)
    return data


def _text(data: object, where: str) -> str:
    if not isinstance(data, str):
        _refuse("text", data, where)
    return data


def _count(data: object, where: str) -> int:
    if isinstance(data, bool) or not isinstance(data, int) or data < 1:
        _refuse("whole number from 1 on", data, where)
    return data


def _number(data: object, where: str, least: float = -1e300, most: float = 1e300) -> float:
    # Any number has bounds too: JSON has some that no float holds, and Python's reader takes NaN, for which no
    # comparison is true.
    if isinstance(data, bool) or not isinstance(data, int | float) or not least <= data <= most:
        _refuse("number" if least < 0 else f"number from {least:g} to {most:g}", data, where)
    return float(data)


def _refuse(what: str, data: object, where: str) -> NoReturn:
    found = "missing" if data is None else repr(data)[:60]
    message = f"{where} is no {what}: {found}"
    raise InvalidArgumentError(message)
