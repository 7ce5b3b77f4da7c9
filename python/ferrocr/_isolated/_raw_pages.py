"""Pages between two processes: the core's tuples as bytes, and back. Numbers come over as the 32 bits that they have.

A worker may be in anybody's hands, so what it sends is read, and never run as code.
"""

from array import array
from collections.abc import Iterable, Iterator
from itertools import islice
from struct import Struct
from struct import error as StructError
from typing import TYPE_CHECKING, cast

from .._workers._wire import Data

if TYPE_CHECKING:
    from .._core import _Char, _Line, _Quad, _RawBlock, _RawPage, _RawTimings, _RawUnread, _Word

_LENGTHS = Struct("=IIII")
"""Counts of whole numbers, scores and coordinates, and bytes of text."""

MOST_BYTES = 2**28
"""Bytes of a page. 4,000 lines with 250 characters each, which is the most that an engine reads unasked, have 45 MB."""


_STAGES = 8
"""Timings of a page: the whole, and its stages."""


class _Out:
    """Collects the parts of a page, in the order in which they are met."""

    def __init__(self) -> None:
        self.counts, self.scores, self.places = array("I"), array("f"), array("f")
        self.texts: list[str] = []

    def text(self, text: str) -> None:
        self.counts.append(len(text))
        self.texts.append(text)

    def quad(self, quad: "_Quad") -> None:
        for point in quad:
            self.places.extend(point)

    def run(self, text: str, score: float, quad: "_Quad", parts: int) -> None:
        self.text(text)
        self.scores.append(score)
        self.quad(quad)
        self.counts.append(parts)


def packed_page(raw: "_RawPage") -> bytes:
    """Return a page as bytes."""
    width, height, lines, blocks, unread, timings = raw
    out = _Out()
    out.scores.extend(timings)
    out.counts.extend((width, height, len(lines), len(blocks), len(unread)))
    for text, score, quad, words in lines:
        out.run(text, score, quad, len(words))
        for word, sure, place, characters, doubtful in words:
            out.run(word, sure, place, 2 * len(characters) + doubtful)
            for character in characters:
                out.run(*character, 0)
    for first, end, quad in blocks:
        out.counts.extend((first, end))
        out.quad(quad)
    for reason, quad in unread:
        out.text(reason)
        out.quad(quad)
    content = "".join(out.texts).encode()
    lengths = _LENGTHS.pack(len(out.counts), len(out.scores), len(out.places), len(content))
    return b"".join((lengths, out.counts.tobytes(), out.scores.tobytes(), out.places.tobytes(), content))


class _In:
    """Gives the parts of a page in the same order."""

    def __init__(self, data: Data) -> None:
        lengths = _LENGTHS.unpack_from(data)
        at, view = _LENGTHS.size, memoryview(data)
        counts, scores, places = array("I"), array("f"), array("f")
        columns: tuple[array[int] | array[float], ...] = (counts, scores, places)
        for column, length in zip(columns, lengths, strict=False):
            column.frombytes(view[at : at + 4 * length])
            if len(column) != length:
                raise ValueError
            at += 4 * length
        self.all_text = str(view[at:], "utf-8")
        if len(view) != at + lengths[3]:
            raise ValueError
        self._at = 0
        self.counts, self.scores = iter(counts), iter(scores)
        points = zip(*[iter(places)] * 2, strict=True)
        self.quads: Iterator[_Quad] = zip(*[points] * 4, strict=True)

    def text(self) -> str:
        start, self._at = self._at, self._at + next(self.counts)
        return self.all_text[start : self._at]

    def runs(self, count: int) -> "Iterator[tuple[str, float, _Quad, int]]":
        for _ in range(count):
            yield self.text(), next(self.scores), next(self.quads), next(self.counts)

    def check_end(self) -> None:
        if self._at != len(self.all_text) or any(_has_more(rest) for rest in (self.counts, self.scores, self.quads)):
            raise ValueError


def page_of(data: Data) -> "_RawPage":
    """Return the page that the bytes are.

    Raises:
        ValueError: They are none.
    """
    try:
        return _page(_In(data))
    except (StopIteration, RuntimeError, OverflowError, ArithmeticError, LookupError, StructError):
        message = "these bytes are no page"
        raise ValueError(message) from None


def _page(parts: _In) -> "_RawPage":
    width, height, line_count, block_count, unread_count = islice(parts.counts, 5)
    timings = cast("_RawTimings", tuple(islice(parts.scores, _STAGES)))
    lines: list[_Line] = [(*line[:3], _words(parts, line[3])) for line in parts.runs(line_count)]
    blocks: list[_RawBlock] = [(next(parts.counts), next(parts.counts), next(parts.quads)) for _ in range(block_count)]
    unread: list[_RawUnread] = [(parts.text(), next(parts.quads)) for _ in range(unread_count)]
    if len(timings) != _STAGES or any(not first <= end <= line_count for first, end, _ in blocks):
        raise ValueError
    parts.check_end()
    return width, height, lines, blocks, unread, timings


def _words(parts: _In, count: int) -> "list[_Word]":
    return [(*word[:3], _characters(parts, word[3] // 2), bool(word[3] % 2)) for word in parts.runs(count)]


def _characters(parts: _In, count: int) -> "list[_Char]":
    return [character[:3] for character in parts.runs(count)]


def _has_more(rest: "Iterable[object]") -> bool:
    return any(True for _ in rest)
