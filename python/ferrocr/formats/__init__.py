"""Results as files: text, JSON, JSON Lines, CSV, TSV, hOCR, ALTO, PAGE XML and Markdown; :mod:`.draw` makes pictures.

One page::

    page.to("hocr", "receipt.hocr")

A document of any number of pages, none of which is kept::

    pages = ocr.recognize_pages("book.tif", on_error="raise")
    with open("book.xml", "w", encoding="utf-8") as file:
        file.writelines(chunks("alto", map(Sheet.of, pages)))

docs/formats.md says what each format holds.
"""

from collections.abc import Iterable, Iterator, Mapping
from types import MappingProxyType

from ..exceptions import InvalidArgumentError
from ._sheet import Failure, Sheet
from ._writer import Writer
from .alto import AltoWriter
from .csv import CsvWriter
from .hocr import HocrWriter
from .json import JsonLinesWriter, JsonWriter
from .markdown import MarkdownWriter
from .page_xml import PageXmlWriter
from .text import TextWriter
from .tsv import TsvWriter

__all__ = [
    "WRITERS",
    "AltoWriter",
    "CsvWriter",
    "Failure",
    "HocrWriter",
    "JsonLinesWriter",
    "JsonWriter",
    "MarkdownWriter",
    "PageXmlWriter",
    "Sheet",
    "TextWriter",
    "TsvWriter",
    "Writer",
    "chunks",
    "writer",
]

WRITERS: Mapping[str, type[Writer]] = MappingProxyType(
    {
        kind.name: kind
        for kind in (
            TextWriter,
            JsonWriter,
            JsonLinesWriter,
            CsvWriter,
            TsvWriter,
            HocrWriter,
            AltoWriter,
            PageXmlWriter,
            MarkdownWriter,
        )
    }
)
"""The formats by name."""


def writer(name: str) -> Writer:
    """Return a writer for one file of the format `name`.

    Raises:
        InvalidArgumentError: There is no such format.
    """
    kind = WRITERS.get(name)
    if kind is None:
        message = f"there is no format {name!r}"
        raise InvalidArgumentError(message, f"choose one of {', '.join(WRITERS)}")
    return kind()


def chunks(name: str, entries: Iterable[Sheet | Failure]) -> Iterator[str]:
    """Give the pieces of one file of the format `name`, each page as it comes. Encode them as UTF-8.

    Raises:
        InvalidArgumentError: There is no such format; it has one page a file, and there are more; or a page's blocks
            do not hold its lines.
    """
    making = writer(name)
    return _pieces(making, entries)


def _pieces(making: Writer, entries: Iterable[Sheet | Failure]) -> Iterator[str]:
    yield making.begin()
    for entry in entries:
        yield making.add(entry)
    yield making.end()
