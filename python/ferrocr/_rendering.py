"""Connects results with :mod:`ferrocr.formats`, which is not imported before somebody wants another form of one."""

import io
import os
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, cast

from ._writable import Rows, Writable, render_with
from .documents import Document, DocumentPage
from .exceptions import InvalidArgumentError, OcrError
from .results import Page

if TYPE_CHECKING:
    from typing import IO

    import pandas as pd
    import PIL.Image
    import polars as pl

    from ._image_types import ImageInput
    from .formats import Failure, Sheet

_BINARY = ("png", "pdf")

_SMALL = 800
"""Pixels of the longer side of a sketch."""


class _Forms:
    """Makes the other forms of results."""

    @staticmethod
    def file(
        result: Writable,
        format: str,
        file: "str | os.PathLike[str] | IO[bytes] | IO[str] | None",
        *,
        source: "ImageInput | None",
        password: str | None,
    ) -> str | bytes | None:
        """Return or write a file; :meth:`Writable.to` says more."""
        content = _binary(result, format, source, password) if format in _BINARY else _text(result, format, source)
        if file is None:
            return content
        _write(content, file, format)
        return None

    @staticmethod
    def plain(result: Writable) -> dict[str, Any]:
        """Return plain data."""
        from .formats import json

        entries = list(_entries(result))
        return json.file_dict(entries) if isinstance(result, Document) else json.to_dict(entries[0])

    @staticmethod
    def restored(kind: type[Writable], data: object) -> Writable:
        """Return the result of that kind that plain data describe."""
        from .formats import Failure, json

        if issubclass(kind, Document):
            return _document_of(json.file_from_dict(data))
        sheet = json.from_dict(data)
        if isinstance(sheet, Failure):
            message = f"there is no page: it could not be read, {sheet.error}"
            raise InvalidArgumentError(message)
        return sheet.page if issubclass(kind, Page) else _page_of(sheet)

    @staticmethod
    def pandas(result: Writable, rows: Rows) -> "pd.DataFrame":
        """Return a table for pandas."""
        from .formats._frames import pandas_frame

        return pandas_frame(_sheets(result), rows)

    @staticmethod
    def polars(result: Writable, rows: Rows) -> "pl.DataFrame":
        """Return a table for polars."""
        from .formats._frames import polars_frame

        return polars_frame(_sheets(result), rows)

    @staticmethod
    def html(result: Writable) -> str:
        """Return the table that notebooks show."""
        from .formats._html import document_table, page_table

        if isinstance(result, Document):
            return document_table(result, _in_order(result))
        if isinstance(result, DocumentPage):
            of = "" if result.source is None else f" of {result.source}"
            return page_table(result.page, f"Page {result.number}{of}")
        return page_table(cast("Page", result))

    @staticmethod
    def sketch(page: Writable) -> bytes | None:
        """Return a small PNG of a page's outlines; None without Pillow."""
        from .exceptions import PillowMissingError
        from .formats.draw import sketch

        try:
            picture = sketch(cast("Page", page), _SMALL)
        except PillowMissingError:
            return None
        return _png(picture)

    @staticmethod
    def picture(page: Writable, image: "ImageInput", *, words: bool, numbers: bool, scores: bool) -> "PIL.Image.Image":
        """Return the annotated picture of a page."""
        from .formats.draw import draw

        return draw(cast("Page", page), image, words=words, numbers=numbers, scores=scores)


def _in_order(document: Document) -> Iterator[DocumentPage | OcrError]:
    """Give pages and errors: errors before the first page with a higher number."""
    errors = list(document.errors)
    for page in document.pages:
        while errors and (errors[0].page or 0) < page.number:
            yield errors.pop(0)
        yield page
    yield from errors


def _entries(result: Writable, source: str | None = None) -> "Iterator[Sheet | Failure]":
    """Give what a file of it holds; `source` is another name of the picture or document."""
    from dataclasses import replace

    from .formats import Failure, Sheet

    if isinstance(result, Document):
        for entry in _in_order(result):
            name = source or result.source
            if isinstance(entry, OcrError):
                yield Failure(entry.for_shell()[0], name, entry.page or 1)
            else:
                yield replace(Sheet.of(entry), source=source or entry.source)
    elif isinstance(result, DocumentPage):
        yield replace(Sheet.of(result), source=source or result.source)
    else:
        yield Sheet(cast("Page", result), source)


def _sheets(result: Writable) -> "Iterator[Sheet]":
    from .formats import Sheet

    return (entry for entry in _entries(result) if isinstance(entry, Sheet))


def _text(result: Writable, format: str, source: "ImageInput | None") -> str:
    from .documents._kinds import name_of
    from .formats import WRITERS, chunks

    if format not in WRITERS:
        message = f"there is no format {format!r}"
        raise InvalidArgumentError(message, f"choose one of {', '.join((*WRITERS, *_BINARY))}")
    name = None if source is None else name_of(source)
    return "".join(chunks(format, _entries(result, name)))


def _binary(result: Writable, format: str, source: "ImageInput | None", password: str | None) -> bytes:
    """Return the content of a file that is made with the picture or document."""
    if source is None:
        source = result.source if isinstance(result, Document | DocumentPage) else None
    if source is None:
        message = f"a file of the format {format} is made with the picture or document, which a page does not hold"
        raise InvalidArgumentError(message, f'give it too: to("{format}", source="scan.png")')
    return _pdf(result, source, password) if format == "pdf" else _annotated(result, source, password)


def _pdf(result: Writable, source: "ImageInput", password: str | None) -> bytes:
    from .searchable_pdf._document import SearchablePdf

    out = io.BytesIO()
    with SearchablePdf(source, password=password) as pdf:
        for sheet in _sheets(result):
            pdf.add(sheet)
        pdf.save(out)
    return out.getvalue()


def _annotated(result: Writable, source: "ImageInput", password: str | None) -> bytes:
    from ._engine._inputs import file_path
    from ._engine._readable import settled
    from .formats._drawn import drawn
    from .formats.draw import check_pillow, draw

    check_pillow()
    sheets = list(_sheets(result))
    if len(sheets) != 1:
        message = f"a file of the format png holds one page, and there are {len(sheets)}"
        raise InvalidArgumentError(
            message, 'write each page to a file of its own: page.to("png", f"{page.number}.png")'
        )
    content = settled(source, sys.maxsize)
    if isinstance(content, str | os.PathLike):
        return _png(drawn(file_path(content), os.fsdecode(content), sheets[0], password))
    if isinstance(content, bytes | bytearray | memoryview):
        return _png(drawn(bytes(content), "the picture", sheets[0], password))
    return _png(draw(sheets[0].page, content))


def _png(picture: "PIL.Image.Image") -> bytes:
    out = io.BytesIO()
    picture.save(out, "png")
    return out.getvalue()


def _write(content: str | bytes, file: "str | os.PathLike[str] | IO[bytes] | IO[str]", format: str) -> None:
    if not isinstance(file, str | os.PathLike):
        _write_to_open(content, file, format)
        return
    from ._whole_file import named_file

    data = _encoded(content)
    with named_file(file) as out:
        out.write(data)


def _write_to_open(content: str | bytes, file: "IO[bytes] | IO[str]", format: str) -> None:
    if not callable(getattr(file, "write", None)):
        message = f"a file is a path or an open file, not {type(file).__name__}"
        raise InvalidArgumentError(message)
    is_for_text = isinstance(file, io.TextIOBase) or hasattr(file, "encoding")
    if is_for_text and isinstance(content, bytes):
        message = f"a file of the format {format} is no text, and this one is open for text"
        raise InvalidArgumentError(message, 'open it for bytes: open(path, "wb")')
    if is_for_text:
        cast("IO[str]", file).write(cast("str", content))
    else:
        cast("IO[bytes]", file).write(_encoded(content))


def _encoded(content: str | bytes) -> bytes:
    # Halves of characters, which only pages of one's own can have, are escaped as the command line does it.
    return content.encode(errors="backslashreplace") if isinstance(content, str) else content


def _page_of(sheet: "Sheet") -> DocumentPage:
    return DocumentPage(sheet.number, sheet.page, sheet.origin, sheet.source, dpi=sheet.dpi)


def _document_of(entries: "tuple[Sheet | Failure, ...]") -> Document:
    from .formats import Sheet

    pages, errors = [], []
    for entry in entries:
        if isinstance(entry, Sheet):
            pages.append(_page_of(entry))
        else:
            error = OcrError(entry.error)
            error.page = entry.number
            errors.append(error)
    sources = {entry.source for entry in entries}
    source = sources.pop() if len(sources) == 1 else None
    count = max((entry.number for entry in entries), default=0)
    return Document(tuple(pages), tuple(errors), count, source)


render_with(_Forms())
