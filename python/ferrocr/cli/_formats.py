"""The formats of ``ferrocr read``: a row for each, with all that the command line asks of it.

Formats of text say it of themselves, in :data:`ferrocr.formats.WRITERS`; those that are made with the input have their
rows here.
"""

import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from itertools import chain
from typing import IO, Literal, TypeAlias

from ..exceptions import InvalidArgumentError
from ..formats import WRITERS, Failure, Sheet, TextWriter, Writer
from ._pictures import drawn
from ._sources import Source, as_file

Entry: TypeAlias = Sheet | Failure
Results: TypeAlias = Iterator[tuple[Source, Entry]]
"""Pages, each with what it was read from."""


class NothingToWriteError(Exception):
    """Nothing of what a file would hold could be read: no empty file is left in its place."""


@dataclass(frozen=True, slots=True)
class Settings:
    """Choices for the files of one run.

    Attributes:
        headers: True if text has the name of its input above each page.
        password: The password of encrypted PDF files.
        keeps_own_text: True if pages of a PDF that have their text already get no more of it.
    """

    headers: bool = False
    password: str | None = None
    keeps_own_text: bool = True


Write: TypeAlias = Callable[[IO[str], Results, Settings], None]
"""Writes the pages of one file."""


def _nothing_needed() -> None:
    pass


@dataclass(frozen=True, slots=True)
class Format:
    """A format that files can have.

    Attributes:
        name: Its name on the command line.
        suffix: The end of a file's name, with its dot.
        summary: The content of a file in a few words, for the help.
        covers: The most that one file holds: all that is read in a run, a document, or a page.
        write: Writes the pages of one file.
        is_binary: True for what is no text.
        has_characters: True if it holds the characters of words.
        has_own_text: True if text that a PDF brings is in the file anyhow.
        check: Raises OcrError where a package that it needs is not installed.
    """

    name: str
    suffix: str
    summary: str
    covers: Literal["run", "document", "page"]
    write: Write
    is_binary: bool = False
    has_characters: bool = False
    has_own_text: bool = False
    check: Callable[[], None] = _nothing_needed


@dataclass(frozen=True, slots=True)
class Output:
    """Files of a format, as one run makes them."""

    format: Format
    settings: Settings

    def write(self, out: IO[str], results: Results) -> None:
        """Write one file, page by page.

        Raises:
            NothingToWriteError: It holds one input, and nothing of that could be read.
            InvalidArgumentError: It holds one page, and there are more.
            ImageError: Its picture or document cannot be opened once more.
        """
        if self.format.covers != "run":
            results = with_a_page(results)
        if self.format.covers == "page":
            results = self._no_second_page(results)
        self.format.write(out, results, self.settings)

    def _no_second_page(self, results: Results) -> Results:
        count = 0
        for source, entry in results:
            count += isinstance(entry, Sheet)
            if count > 1:
                message = f"a file of the format {self.format.name} holds one page, and {source.label} has more"
                raise InvalidArgumentError(message, "say which one: --pages N, or name a folder: -o DIR/")
            yield source, entry


def with_a_page(results: Results) -> Results:
    """Return the same results, of which at least one is a page that could be read.

    Raises:
        NothingToWriteError: There is none.
    """
    failures: list[tuple[Source, Entry]] = []
    for result in results:
        if isinstance(result[1], Sheet):
            return chain(failures, [result], results)
        failures.append(result)
    raise NothingToWriteError


def _write_plain(out: IO[str], results: Results, settings: Settings) -> None:
    """Write text as the terminal or the file wants it."""
    named = ((source, replace(entry, source=source.name)) for source, entry in results)
    _write_pieces(out, TextWriter(headers=settings.headers), named, out.write)


def _write_encoded(kind: type[Writer], out: IO[str], results: Results, _settings: Settings) -> None:
    """Write text as UTF-8 without translation."""
    buffer = getattr(out, "buffer", None)  # whatever stands in for stdout may have none

    def put(piece: str) -> object:
        return out.write(piece) if buffer is None else buffer.write(piece.encode(errors="backslashreplace"))

    _write_pieces(out, kind(), results, put)


def _write_pieces(out: IO[str], writer: Writer, results: Results, put: Callable[[str], object]) -> None:
    put(writer.begin())
    for _, entry in results:
        put(writer.add(entry))
        out.flush()  # whoever reads along need not wait for the next page
    put(writer.end())


def _write_picture(out: IO[str], results: Results, settings: Settings) -> None:
    data = io.BytesIO()
    for source, sheet in _sheets(results):
        drawn(source, sheet, settings.password).save(data, "png")
    out.buffer.write(data.getvalue())  # type: ignore[attr-defined]  # every stream of text has one but stand-ins


def _write_pdf(out: IO[str], results: Results, settings: Settings) -> None:
    from ..searchable_pdf._document import SearchablePdf

    own_text: Literal["keep", "add"] = "keep" if settings.keeps_own_text else "add"
    first = next(results)
    with as_file(first[0]) as path, SearchablePdf(path, password=settings.password, own_text=own_text) as pdf:
        for _, sheet in _sheets(chain([first], results)):
            pdf.add(sheet)
        pdf.save(out.buffer)  # type: ignore[attr-defined]


def _sheets(results: Results) -> Iterator[tuple[Source, Sheet]]:
    for source, entry in results:
        if isinstance(entry, Sheet):
            yield source, entry


def check_drawing() -> None:
    """Refuse to draw without Pillow.

    Raises:
        PillowMissingError: It is not installed.
    """
    from ..formats.draw import check_pillow

    check_pillow()


def _check_pdf() -> None:
    from ..searchable_pdf._document import check_packages

    check_packages()


def _of_text(kind: type[Writer]) -> Format:
    """Return the row of a format that says all of itself."""
    write = _write_plain if kind is TextWriter else partial(_write_encoded, kind)
    covers: Literal["run", "page"] = "page" if kind.one_page else "run"
    return Format(kind.name, kind.suffix, kind.summary, covers, write, has_characters=kind.has_characters)


FORMATS = {
    row.name: row
    for row in (
        *map(_of_text, WRITERS.values()),
        Format(
            "png",
            ".png",
            "the picture with outlines, reading order and scores drawn over it",
            "page",
            _write_picture,
            is_binary=True,
            check=check_drawing,
        ),
        Format(
            "pdf",
            ".pdf",
            "PDF that can be searched: the picture with its text behind it",
            "document",
            _write_pdf,
            is_binary=True,
            has_own_text=True,
            check=_check_pdf,
        ),
    )
}
"""The formats by name."""
