"""Documents of paperless-ngx: read page by page, and made into archive files."""

import itertools
import logging
from collections.abc import Generator
from contextlib import ExitStack, closing
from pathlib import Path

import pikepdf

from ...documents import DocumentPage
from ...documents._request import UseOfTextLayer
from ...engine import OcrEngine
from ...exceptions import DocumentError, ImageError, OcrError
from ...formats import Sheet
from ...formats._layout import blocks_of, direction_of
from ...formats.pdf import SearchablePdf
from ...results import Page
from ._settings import Settings

_OWN_TEXT: dict[str, UseOfTextLayer] = {"force": "ignore", "off": "only"}
"""The use of a PDF's own text in paperless-ngx's modes, where it is not ``"auto"``."""

log = logging.getLogger("paperless.parsing.ferrocr")


def read_document(
    engine: OcrEngine, source: Path, settings: Settings, archive: Path | None, *, pages: int | None
) -> tuple[str, bool]:
    """Return the text of a document, and True if the archive was written.

    Args:
        engine: The engine that reads.
        source: The document.
        settings: The settings of paperless-ngx.
        archive: The name of the archive; None for none.
        pages: The number of a PDF's pages, 0 where it is unknown; None for pictures.

    Raises:
        OcrError: No page can be read.
    """
    texts: list[str] = []
    turns: dict[int, int] = {}
    failed: OcrError | None = None
    with ExitStack() as opened:
        pdf = None if archive is None else _searchable(source, opened)
        for page in opened.enter_context(closing(_pages(engine, source, settings, pages))):
            if isinstance(page, OcrError):
                log.warning("page %s is left without text: %s", page.page, message_of(page))
                failed = failed or page
                continue
            texts.append(_text_of(page.page))
            if pdf is not None:
                _add(pdf, page)
                turns[page.number] = _turn_of(page, settings)
        if failed is not None and not texts:
            raise failed
        if pdf is None or archive is None:
            return "\n\n".join(texts), False
        pdf.save(archive)
    _turn(archive, {number: turn for number, turn in turns.items() if turn})
    return "\n\n".join(texts), True


def message_of(error: OcrError) -> str:
    """Return what is wrong, without advice on what to do in a program or shell."""
    return error.for_shell()[0]


def _pages(
    engine: OcrEngine, source: Path, settings: Settings, count: int | None
) -> Generator[DocumentPage | OcrError]:
    """Give the pages, those that are not to be read with the text that the file has of them."""
    first = settings.first_pages
    is_pdf = count is not None
    if settings.mode == "off" and not is_pdf:
        return
    own = _OWN_TEXT.get(settings.mode, "auto")
    if count is not None and first is not None and count > first:
        yield from _read(engine, source, settings, own, f"1-{first}")
        yield from _read(engine, source, settings, "only", f"{first + 1}-")
        return
    with closing(_read(engine, source, settings, own, None)) as every:
        yield from itertools.islice(every, None if is_pdf else first)


def _read(
    engine: OcrEngine, source: Path, settings: Settings, own: UseOfTextLayer, pages: str | None
) -> Generator[DocumentPage | OcrError]:
    with closing(engine.recognize_pages(source, text_layer=own, pages=pages, **settings.call)) as found:
        yield from found


def _searchable(source: Path, opened: ExitStack) -> SearchablePdf | None:
    """Open the document for text to be added; None where that cannot be, as with signed ones."""
    try:
        return opened.enter_context(SearchablePdf(source))
    except ImageError as error:
        log.warning("no archive is made: %s", message_of(error))
        return None


def _add(pdf: SearchablePdf, page: DocumentPage) -> None:
    try:
        pdf.add(Sheet.of(page))
    except DocumentError as error:
        log.warning("the archive is without the text of page %s: %s", page.number, message_of(error))


def _text_of(page: Page) -> str:
    return "\n\n".join(block.text for block in blocks_of(page))


def _turn_of(page: DocumentPage, settings: Settings) -> int:
    """Return the degrees clockwise by which a page that was read is to be turned."""
    if settings.turn_from is None or page.origin != "ocr":
        return 0
    turn, certainty = direction_of(page.page.lines)
    return -turn % 360 if certainty >= settings.turn_from else 0


def _turn(archive: Path, turns: dict[int, int]) -> None:
    """Turn pages as they are shown; what is drawn on them stays as it is."""
    if not turns:
        return
    with pikepdf.open(archive, allow_overwriting_input=True) as pdf:
        for number, turn in turns.items():
            pdf.pages[number - 1].rotate(turn, relative=True)
        pdf.save(archive, encryption=pdf.is_encrypted)
