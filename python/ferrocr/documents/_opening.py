"""Documents: opening them, whatever their kind."""

from pathlib import Path
from typing import TYPE_CHECKING

from .._engine._forks import in_one_piece
from .._engine._inputs import ImageInput, normalise
from ..exceptions import InvalidArgumentError
from ._kinds import checked_kind, kind_of, name_of
from ._pages import Limits, OpenDocument, Reader
from ._pictures import OnePicture, Tiff
from ._request import DocumentRequest

if TYPE_CHECKING:
    from ._pdf import PdfFile
    from ._pdf_pages import PdfPages


def open_document(source: ImageInput, request: DocumentRequest, limits: Limits, reader: Reader) -> OpenDocument:
    """Open a document of whatever kind.

    Raises:
        ImageError: It is none, or cannot be opened.
        StorageError: The file cannot be read.
        InvalidArgumentError: Its text layer alone is wanted, and it is a picture.
        RuntimeUnavailableError: It is a PDF, and pypdfium2 is not installed.
    """
    name = name_of(source)
    content: Path | bytes
    if name is not None:
        content = Path(name)
    elif isinstance(source, bytes | bytearray | memoryview):
        content = bytes(source)
    else:
        return _picture(source, request, limits)
    kind = checked_kind(content)
    if kind == "pdf":
        return _pdf(content, name or "the document", request, limits, reader)
    if kind == "tiff" and request.text_layer != "only":
        return Tiff(content)
    return _picture(source, request, limits)


def page_count(source: str | bytes, password: str | None) -> int:
    """Return the number of pages of a document, by its path or its content; a picture has one.

    Raises:
        OcrError: As :func:`open_document`.
    """
    content = Path(source) if isinstance(source, str) else source
    kind = kind_of(content)
    if kind is None:
        return 1
    opened = Tiff(content) if kind == "tiff" else pdf_file()(content, name_of(source) or "the document", password)
    try:
        return opened.count
    finally:
        opened.close()


def _picture(source: ImageInput, request: DocumentRequest, limits: Limits) -> OpenDocument:
    if request.text_layer == "only":
        message = f"{name_of(source) or 'the document'} is a picture, and text_layer='only' is for PDF files"
        hint = "say {} for documents of any kind"
        raise InvalidArgumentError(
            message, hint.format("text_layer='auto'"), shell_hint=hint.format("--text-layer auto")
        )
    return OnePicture(normalise(source, limits.check_size, limits.max_bytes))


def _pdf(content: Path | bytes, name: str, request: DocumentRequest, limits: Limits, reader: Reader) -> OpenDocument:
    pages = in_one_piece(_import_pdf, first="pdf")[1]
    return pages(content, name, request, limits, reader)


def pdf_file() -> "type[PdfFile]":
    """Return the class of PDF files that are open.

    Raises:
        RuntimeUnavailableError: pypdfium2 is not installed.
    """
    return in_one_piece(_import_pdf, first="pdf")[0]


def _import_pdf() -> "tuple[type[PdfFile], type[PdfPages]]":
    from ._pdf import PdfFile, check_installed
    from ._pdf_pages import PdfPages

    check_installed()
    return PdfFile, PdfPages
