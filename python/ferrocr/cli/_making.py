"""What one output file is made of: text of some format, the annotated picture, or the PDF that can be searched."""

import io
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import chain
from typing import IO, Literal, TypeAlias

from ..exceptions import InvalidArgumentError
from ..formats import WRITERS, Failure, Sheet, TextWriter, Writer, writer
from ._pictures import drawn
from ._sources import Source, as_file

PICTURE, PDF = "png", "pdf"
"""The formats that are no text."""

Entry: TypeAlias = Sheet | Failure
Pairs: TypeAlias = Iterator[tuple[Source, Entry]]
"""Pages, each with what it was read from."""


class NothingToWriteError(Exception):
    """Nothing of what a file would hold could be read: no empty file is left in its place."""


@dataclass(frozen=True, slots=True)
class Making:
    """How files of a format are made.

    Attributes:
        name: The format.
        headers: Whether text has the name of its input above each page.
        password: What opens encrypted PDF files.
        keeps_own_text: Whether pages of a PDF that have their text already get no more of it.
    """

    name: str
    headers: bool = False
    password: str | None = None
    keeps_own_text: bool = True

    @property
    def suffix(self) -> str:
        """Of a file's name, with its dot."""
        return f".{self.name}" if self.is_binary else WRITERS[self.name].suffix

    @property
    def is_binary(self) -> bool:
        """Whether it is no text."""
        return self.name in (PICTURE, PDF)

    @property
    def holds_one(self) -> bool:
        """Whether a file has one input at most."""
        return self.name == PDF or self.holds_one_page

    @property
    def holds_one_page(self) -> bool:
        """Whether a file has one page at most."""
        return self.name == PICTURE or (self.name != PDF and WRITERS[self.name].one_page)

    def check(self) -> None:
        """Find out whether what it needs is installed, before models are fetched and loaded for nothing.

        Raises:
            PillowMissingError: It draws, and Pillow is not there.
            RuntimeUnavailableError: It makes a PDF, and what that needs is not there.
        """
        if self.name == PICTURE:
            from ..formats.draw import check_pillow

            check_pillow()
        if self.name == PDF:
            from ..searchable_pdf import _document as pdf

            pdf.check_packages()

    def write(self, out: IO[str], pairs: Pairs) -> None:
        """Write one file, page by page.

        Raises:
            NothingToWriteError: It holds one input, and nothing of that could be read.
            InvalidArgumentError: It holds one page, and there are more.
            ImageError: Its picture or document cannot be opened once more.
        """
        if self.holds_one:
            pairs = something(pairs)
        if self.holds_one_page:
            pairs = self._no_second_page(pairs)
        if self.name == PICTURE:
            _write_picture(out, pairs, self.password)
        elif self.name == PDF:
            _write_pdf(out, pairs, self.password, "keep" if self.keeps_own_text else "add")
        else:
            _write_text(out, self._writer(), pairs)

    def _no_second_page(self, pairs: Pairs) -> Pairs:
        count = 0
        for source, entry in pairs:
            count += isinstance(entry, Sheet)
            if count > 1:
                message = f"a file of the format {self.name} holds one page, and {source.label} has more"
                raise InvalidArgumentError(message, "say which one: --pages N, or name a folder: -o DIR/")
            yield source, entry

    def _writer(self) -> Writer:
        return TextWriter(headers=self.headers) if self.name == TextWriter.name else writer(self.name)


def something(pairs: Pairs) -> Pairs:
    """The same, where there is a page that could be read.

    Raises:
        NothingToWriteError: There is none.
    """
    failures: list[tuple[Source, Entry]] = []
    for pair in pairs:
        if isinstance(pair[1], Sheet):
            return chain(failures, [pair], pairs)
        failures.append(pair)
    raise NothingToWriteError


def _write_text(out: IO[str], making: Writer, pairs: Pairs) -> None:
    _put(out, making, making.begin())
    for source, entry in pairs:
        entry = replace(entry, source=source.name) if isinstance(making, TextWriter) else entry
        _put(out, making, making.add(entry))
        out.flush()  # whoever reads along need not wait for the next page
    _put(out, making, making.end())


def _put(out: IO[str], making: Writer, piece: str) -> None:
    """Write a piece: text as the terminal or the file wants it, everything else as UTF-8 without translation."""
    buffer = getattr(out, "buffer", None)  # whatever stands in for stdout may have none
    if isinstance(making, TextWriter) or buffer is None:
        out.write(piece)
    else:
        buffer.write(piece.encode(errors="backslashreplace"))


def _write_picture(out: IO[str], pairs: Pairs, password: str | None) -> None:
    data = io.BytesIO()
    for source, sheet in _sheets(pairs):
        drawn(source, sheet, password).save(data, PICTURE)
    out.buffer.write(data.getvalue())  # type: ignore[attr-defined]  # every stream of text has one but stand-ins


def _write_pdf(out: IO[str], pairs: Pairs, password: str | None, own_text: Literal["keep", "add"]) -> None:
    from ..searchable_pdf._document import SearchablePdf

    first = next(pairs)
    with as_file(first[0]) as path, SearchablePdf(path, password=password, own_text=own_text) as pdf:
        for _, sheet in _sheets(chain([first], pairs)):
            pdf.add(sheet)
        pdf.save(out.buffer)  # type: ignore[attr-defined]


def _sheets(pairs: Pairs) -> Iterator[tuple[Source, Sheet]]:
    for source, entry in pairs:
        if isinstance(entry, Sheet):
            yield source, entry
