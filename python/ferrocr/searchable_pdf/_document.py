"""Searchable PDF files: the pages of a document as they are, with what was read as invisible text.

Needs what ``pip install "ferrocr[pdf]"`` brings: pikepdf, and img2pdf with Pillow for pictures.
"""

import os
import sys
from contextlib import ExitStack, closing
from types import TracebackType
from typing import TYPE_CHECKING, BinaryIO, Literal, Self

from .._engine._forks import in_one_piece
from .._engine._inputs import ImageInput
from .._engine._readable import settled
from .._whole_file import named_file
from ..documents._page_numbers import PageNumbers
from ..documents._request import USUAL_DPI, checked_request
from ..exceptions import InvalidArgumentError, OcrError, ResourcesFreedError, RuntimeUnavailableError
from ..formats._sheet import Sheet
from ._source import as_file

if TYPE_CHECKING:
    from ..engine import OcrEngine
    from ._layer import PdfLayer

__all__ = ["SearchablePdf", "make_searchable"]

OwnText = Literal["keep", "add"]
"""The treatment of pages that have their text already."""


class SearchablePdf:
    """Makes a searchable PDF of a document: its pages as they are, with what was read as invisible text.

    The document is open until :meth:`close`, or the end of a ``with`` block, and must stay as it is until then. Pages
    that no text is added to are in the result too. One thread at a time may use this.

    Args:
        source: A PDF, a TIFF with several pages, or a picture, in any form that an engine takes; what is no file lies
            in a temporary one meanwhile. The result has the pages of a PDF with their content as it is, and with
            outlines, links, attachments, metadata and encryption. A picture becomes a page of its size, without loss:
            300 dots to the inch where it does not say how many.
        password: The password that opens an encrypted PDF.
        own_text: Pages of a PDF that have their text already, by the rule of ``text_layer="auto"``: ``"keep"`` them as
            they are, so that nothing is found twice, or ``"add"`` what was read to them too.

    Raises:
        EncryptedDocumentError: The password is missing or does not open it.
        DocumentError: The file is damaged, or is signed: any change would make the signature invalid.
        ImageError: It is neither a PDF nor a picture.
        ImageNotFoundError: There is no such file.
        StorageError: The file cannot be read.
        RuntimeUnavailableError: A package of the extra is not installed.
    """

    def __init__(self, source: ImageInput, *, password: str | None = None, own_text: OwnText = "keep") -> None:
        checked_request(None, USUAL_DPI, "ignore", password)  # refuses what is no password
        if own_text not in ("keep", "add"):
            message = f"own_text is 'keep' or 'add', not {own_text!r}"
            raise InvalidArgumentError(message)
        self._opened = ExitStack()
        self._layer: PdfLayer | None = None
        with ExitStack() as opened:
            layer_class = _layer_class()
            path = as_file(source, opened)
            self._layer = layer_class(path, password, keeps_own=own_text == "keep", opened=opened)
            self._opened = opened.pop_all()

    def add(self, sheet: Sheet) -> None:
        """Put the text of a page under it: of page ``sheet.number``, whatever else the sheet says of itself.

        Pages may come in any order, each once. What a page has already stays as it is: a sheet with text that was taken
        from the PDF (``origin``) is left out, and so is one for a page with text of its own, unless `own_text` says
        otherwise.

        Raises:
            InvalidArgumentError: The document has no such page, has its text already, or the sheet has no size or lines
                without a place.
            DocumentError: The page is damaged.
            ResourcesFreedError: This was closed.
        """
        self._open().add(sheet)

    def save(self, output: str | os.PathLike[str] | BinaryIO) -> None:
        """Write the file: under a name whole or not at all, into an open file as it comes.

        The name may be that of `source`, except on Windows, where an open file cannot be replaced.

        More pages may be added afterwards, and all be saved again.

        Raises:
            StorageError: It cannot be written.
            DocumentError: The source is damaged where that was not seen before.
            ResourcesFreedError: This was closed.
        """
        layer = self._open()
        if not isinstance(output, str | os.PathLike):
            layer.write(output)
            return
        with named_file(output) as file:
            layer.write(file)

    def close(self) -> None:
        """Give the document back. May be called again."""
        self._layer = None
        self._opened.close()

    def __enter__(self) -> Self:
        self._open()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def _open(self) -> "PdfLayer":
        if self._layer is None:
            message = "this searchable PDF was closed"
            raise ResourcesFreedError(message)
        return self._layer


def make_searchable(
    engine: "OcrEngine",
    source: ImageInput,
    output: str | os.PathLike[str] | BinaryIO,
    *,
    pages: PageNumbers | None = None,
    dpi: float = USUAL_DPI,
    text_layer: Literal["auto", "ignore"] = "auto",
    password: str | None = None,
    on_error: Literal["raise", "return"] = "raise",
) -> tuple[OcrError, ...]:
    """Read a document and write it as a searchable PDF. No more than a few pages' pictures are in memory.

    Args:
        engine: The engine that reads it.
        source: A PDF, a TIFF with several pages, or a picture, as for :class:`SearchablePdf`.
        output: The PDF's name, which may be the source's, or a file that is open for writing bytes.
        pages: Pages that get text, as for :meth:`ferrocr.OcrEngine.recognize_pages`; the others are copied.
        dpi: Pixels to the inch that a PDF's pages are read at.
        text_layer: ``"auto"`` leaves pages as they are that have their text already; ``"ignore"`` reads them too, and
            adds what was read.
        password: The password that opens an encrypted PDF.
        on_error: ``"raise"`` ends at the first page that cannot be read, without a file; ``"return"`` copies it without
            text.

    Returns:
        The errors of the pages that could not be read, each with its ``page``; none with ``on_error="raise"``.

    Raises:
        OcrError: As :class:`SearchablePdf` and :meth:`ferrocr.OcrEngine.recognize_pages`.
    """
    if text_layer not in ("auto", "ignore"):
        message = f"text_layer is 'auto' or 'ignore', not {text_layer!r}"
        raise InvalidArgumentError(message)
    if on_error not in ("raise", "return"):
        message = f"on_error is 'raise' or 'return', not {on_error!r}"
        raise InvalidArgumentError(message)
    own_text: OwnText = "keep" if text_layer == "auto" else "add"
    errors: list[OcrError] = []
    source = settled(source, sys.maxsize)  # which is read twice
    with SearchablePdf(source, password=password, own_text=own_text) as pdf:
        results = engine.recognize_pages(
            source, pages=pages, dpi=dpi, text_layer=text_layer, password=password, on_error="return"
        )
        with closing(results):
            for result in results:
                if not isinstance(result, OcrError):
                    pdf.add(Sheet.of(result))
                elif on_error == "return":
                    errors.append(result)
                else:
                    raise result
        pdf.save(output)
    return tuple(errors)


def check_packages() -> None:
    """Find out whether the packages of the extra are there.

    Raises:
        RuntimeUnavailableError: One of them is not installed.
    """
    _layer_class()


def _layer_class() -> "type[PdfLayer]":
    return in_one_piece(_import_layer, first="searchable pdf")


def _import_layer() -> "type[PdfLayer]":
    try:
        from ._layer import PdfLayer
    except ImportError as error:
        package = (error.name or "").partition(".")[0]
        message = "searchable PDF files are made with pikepdf, img2pdf and Pillow; "
        message += f"{package} is not installed" if package else f"one of them cannot be imported: {error}"
        raise RuntimeUnavailableError(message, 'run: pip install "ferrocr[pdf]"') from error
    return PdfLayer
