"""Documents as other programs take them: pieces of text, each with its page, place and score."""

import os
import weakref
from collections.abc import Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Any, Literal, get_args

import ferrocr

from .._engine._inputs import ImageInput
from .._sharing import SharedEngines
from ..documents import DocumentPage
from ..documents._request import DocumentKeywords
from ..exceptions import InvalidArgumentError
from ..formats._layout import Box, blocks_of, box_of
from ..results import Block, Line

Split = Literal["page", "block", "line"]
"""The parts that a document is given in."""

SPLITS: tuple[Split, ...] = get_args(Split)

_OF_READING = DocumentKeywords.__annotations__.keys() - {"timeout"}


@dataclass(frozen=True, slots=True)
class Piece:
    """A page, a block or a line.

    Attributes:
        text: Its text.
        page: The page that it is on.
        score: Mean probability of its characters, 0 to 1; 0 for a page without text.
        box: The upright box around it in pixels of the page; the whole page for a page.
    """

    text: str
    page: DocumentPage
    score: float
    box: Box

    def metadata(self) -> dict[str, str | int | float]:
        """Return all that is known of it but text, page number and source, as values that every store takes."""
        left, top, right, bottom = self.box
        known: dict[str, str | int | float] = {
            **{"left": left, "top": top, "right": right, "bottom": bottom},
            **{"page_width": self.page.page.width, "page_height": self.page.page.height},
            "score": round(self.score, 4),
            "text_origin": self.page.origin,
        }
        return known if self.page.dpi is None else {**known, "dpi": self.page.dpi}


class Pieces:
    """An engine, and the way in which documents are read with it.

    The engine is made here and belongs to this: it is released by :meth:`close`, when nobody has this any more, and at
    the end of the process. It can be pickled, and used in a forked child: each process has an engine of its own.
    """

    def __init__(self, split: Split = "page", *, timeout: float | None = None, **options: Any) -> None:  # noqa: ANN401
        """Prepare to read; nothing is loaded yet.

        Args:
            split: The parts to give: ``"page"``, ``"block"`` or ``"line"``.
            timeout: Seconds for each page.
            options: Options of :meth:`ferrocr.OcrEngine.recognize_document`, of which ``text_layer`` is ``"auto"``
                here, and of :class:`ferrocr.OcrEngine`.

        Raises:
            InvalidArgumentError: One is out of its range.
            TypeError: There is no such option.
        """
        if split not in SPLITS:
            message = f"split is one of {', '.join(map(repr, SPLITS))}, not {split!r}"
            raise InvalidArgumentError(message)
        self._arguments = split, timeout, options
        reading = {name: value for name, value in options.items() if name in _OF_READING}
        self._reading: dict[str, Any] = {"text_layer": "auto", "timeout": timeout, **reading}
        of_engine = {name: value for name, value in options.items() if name not in _OF_READING}
        self._split = split
        self._engines: SharedEngines[None] = SharedEngines(lambda _: ferrocr.OcrEngine(**of_engine))
        self._engines.engine(None)  # refuses what is wrong with its options
        weakref.finalize(self, self._engines.release)

    def pages(self, document: ImageInput, **options: Any) -> Generator[DocumentPage]:  # noqa: ANN401
        """Give the pages of a document, each when it is asked for; `options` hold for this one.

        Raises:
            OcrError: As :meth:`ferrocr.OcrEngine.recognize_pages`.
        """
        return self._engines.engine(None).recognize_pages(document, on_error="raise", **{**self._reading, **options})

    def of(self, document: ImageInput) -> Generator[Piece]:
        """Give the pieces of a document, each when it is asked for.

        Raises:
            OcrError: As :meth:`ferrocr.OcrEngine.recognize_pages`.
        """
        with closing(self.pages(document)) as pages:
            for page in pages:
                yield from self._parts(page)

    def engine(self) -> "ferrocr.OcrEngine":
        """Return the engine of this process."""
        return self._engines.engine(None)

    def close(self) -> None:
        """Give the models back. A later use loads them again."""
        self._engines.release()

    def _parts(self, page: DocumentPage) -> Iterator[Piece]:
        if self._split == "page":
            text = "\n\n".join(block.text for block in blocks_of(page.page))
            yield Piece(text, page, _score(page.page.lines), Box(0, 0, page.page.width, page.page.height))
            return
        for block in blocks_of(page.page):
            parts: Sequence[Block | Line] = (block,) if self._split == "block" else block.lines
            for part in parts:
                lines = part.lines if isinstance(part, Block) else (part,)
                yield Piece(part.text, page, _score(lines), box_of(part.quad, page.page))

    def __reduce__(self) -> tuple[Any, ...]:
        return _made_anew, self._arguments


def source_of(name: str | os.PathLike[str] | None) -> str:
    """Return a document's name; empty where it has none."""
    return "" if name is None else os.fspath(name)


def _made_anew(split: Split, timeout: float | None, options: dict[str, Any]) -> Pieces:
    return Pieces(split, timeout=timeout, **options)


def _score(lines: Sequence[Line]) -> float:
    weights = [max(len(line.text), 1) for line in lines]
    scores = (line.score * weight for line, weight in zip(lines, weights, strict=True))
    return sum(scores) / sum(weights) if weights else 0.0
