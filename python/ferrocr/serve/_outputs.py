"""The formats of answers: a row for each."""

import io
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Protocol

from ..formats import WRITERS, Failure, Sheet, Writer
from ._problems import refuse


class FileMaker(Protocol):
    """Makes the file of one answer."""

    def begin(self) -> bytes:
        """Return the piece before the first page."""

    def add(self, entry: Sheet | Failure) -> bytes:
        """Return the piece for a page."""

    def end(self, out: BinaryIO) -> None:
        """Write the piece behind the last page."""

    def close(self) -> None:
        """Give back what it holds."""


def _nothing_needed() -> None:
    pass


@dataclass(frozen=True, slots=True)
class Output:
    """A format that answers can have.

    Attributes:
        name: Its name.
        suffix: The end of a file's name, with its dot.
        media_type: For the header.
        summary: The content in a few words.
        make: Returns what makes a file of the upload at a path, which is None for formats that need none.
        needs_file: True if it is made with the upload.
        is_streamed: True if pages are sent while others are read.
        one_page: True if it holds one page.
        has_characters: True if it holds the characters of words.
        has_own_text: True if text that a PDF brings is in the file anyhow.
        check: Raises OcrError where a package that it needs is not installed.
    """

    name: str
    suffix: str
    media_type: str
    summary: str
    make: "Callable[[Path | None, str, str | None, bool], FileMaker]"
    needs_file: bool = False
    is_streamed: bool = False
    one_page: bool = False
    has_characters: bool = False
    has_own_text: bool = False
    check: Callable[[], None] = _nothing_needed


class _Text:
    """Makes a file of text."""

    def __init__(self, writer: Writer) -> None:
        self._writer = writer

    def begin(self) -> bytes:
        return self._writer.begin().encode(errors="replace")

    def add(self, entry: Sheet | Failure) -> bytes:
        return self._writer.add(entry).encode(errors="replace")

    def end(self, out: BinaryIO) -> None:
        out.write(self._writer.end().encode(errors="replace"))

    def close(self) -> None:
        pass


class _Picture:
    """Draws what was read over a page."""

    def __init__(self, path: Path, label: str, password: str | None) -> None:
        self._path, self._label, self._password = path, label, password
        self._data = io.BytesIO()

    def begin(self) -> bytes:
        return b""

    def add(self, entry: Sheet | Failure) -> bytes:
        from ..formats._drawn import drawn

        if isinstance(entry, Sheet):
            if self._data.getbuffer().nbytes:
                refuse("a picture holds one page, and the document has more", "say which one: pages=1")
            drawn(self._path, self._label, entry, self._password).save(self._data, "png")
        return b""

    def end(self, out: BinaryIO) -> None:
        out.write(self._data.getvalue())

    def close(self) -> None:
        self._data.close()


class _Pdf:
    """Makes a PDF that can be searched."""

    def __init__(self, path: Path, password: str | None, *, keeps_own_text: bool) -> None:
        from ..searchable_pdf._document import SearchablePdf

        self._pdf = SearchablePdf(path, password=password, own_text="keep" if keeps_own_text else "add")

    def begin(self) -> bytes:
        return b""

    def add(self, entry: Sheet | Failure) -> bytes:
        if isinstance(entry, Sheet):
            self._pdf.add(entry)
        return b""

    def end(self, out: BinaryIO) -> None:
        self._pdf.save(out)

    def close(self) -> None:
        self._pdf.close()


def _check_drawing() -> None:
    from ..formats.draw import check_pillow

    check_pillow()


def _check_pdf() -> None:
    from ..searchable_pdf._document import check_packages

    check_packages()


def _make_picture(path: Path | None, label: str, password: str | None, _keeps_own_text: bool) -> FileMaker:  # noqa: FBT001
    assert path is not None
    return _Picture(path, label, password)


def _make_pdf(path: Path | None, _label: str, password: str | None, keeps_own_text: bool) -> FileMaker:  # noqa: FBT001
    assert path is not None
    return _Pdf(path, password, keeps_own_text=keeps_own_text)


def _of_text(kind: type[Writer]) -> Output:
    def make(_path: Path | None, _label: str, _password: str | None, _keeps: bool) -> FileMaker:  # noqa: FBT001
        return _Text(kind())

    return Output(
        kind.name,
        kind.suffix,
        "application/x-ndjson" if kind.name == "jsonl" else kind.media_type,
        kind.summary,
        make,
        is_streamed=kind.name == "jsonl",
        one_page=kind.one_page,
        has_characters=kind.has_characters,
    )


OUTPUTS = {
    row.name: row
    for row in (
        *map(_of_text, WRITERS.values()),
        Output(
            "png",
            ".png",
            "image/png",
            "the picture with outlines, reading order and scores drawn over it",
            _make_picture,
            needs_file=True,
            one_page=True,
            check=_check_drawing,
        ),
        Output(
            "pdf",
            ".pdf",
            "application/pdf",
            "PDF that can be searched: the picture with its text behind it",
            _make_pdf,
            needs_file=True,
            has_own_text=True,
            check=_check_pdf,
        ),
    )
}
"""The formats by name."""
