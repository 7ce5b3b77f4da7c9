"""ferrocr in MarkItDown: pictures, and PDF files that are scans, as Markdown.

MarkItDown finds this by itself where both are installed: ``pip install "ferrocr[cpu,markitdown]"``, and then
``MarkItDown(enable_plugins=True)`` or ``markitdown --use-plugins scan.pdf``. docs/integrations.md has the rest.
"""

from collections.abc import Mapping
from importlib.util import find_spec
from typing import Any, BinaryIO

from ..documents import DocumentPage
from ..exceptions import OcrError
from ..formats import Sheet, chunks
from ._hosts import importing
from ._pieces import Pieces

with importing("MarkItDown", "markitdown"):
    from markitdown import DocumentConverter, DocumentConverterResult, MarkItDown, StreamInfo

__all__ = ["FerrocrConverter", "FerrocrResult", "register_converters"]

__plugin_interface_version__ = 1

_BEFORE_BUILT_IN = -1.0

_PICTURES = {".jpg", ".jpeg", ".png", ".tif", ".tiff", ".bmp", ".gif", ".webp"}
_PICTURE_TYPES = {"image/jpeg", "image/png", "image/tiff", "image/bmp", "image/gif", "image/webp"}
_PDF, _PDF_TYPE = ".pdf", "application/pdf"

_PDF_IS_READ = all(find_spec(package) for package in ("pdfminer", "pdfplumber"))
"""True where MarkItDown has what it reads PDF files with."""


def register_converters(
    markitdown: MarkItDown,
    *,
    ferrocr: Mapping[str, Any] | None = None,
    **kwargs: Any,  # noqa: ANN401
) -> None:
    """Register the converter; MarkItDown calls this with all that it was made with.

    Args:
        markitdown: The program.
        ferrocr: Options of `FerrocrConverter`: ``MarkItDown(enable_plugins=True, ferrocr={"languages": ["de"]})``.
        kwargs: Other options of MarkItDown's and of other plugins.
    """
    markitdown.register_converter(FerrocrConverter(**(ferrocr or {})), priority=_BEFORE_BUILT_IN)


class FerrocrResult(DocumentConverterResult):
    """Markdown, and the pages that it was made of.

    Attributes:
        pages: The pages, with lines, places and scores.
    """

    def __init__(self, markdown: str, pages: tuple[DocumentPage, ...]) -> None:
        """Keep both."""
        super().__init__(markdown)
        self.pages = pages


class FerrocrConverter(DocumentConverter):
    """Reads pictures, and PDF files with a page that has no text of its own. Others are left to MarkItDown if it can.

    Where MarkItDown has an ``llm_client`` to describe pictures, it gets them.
    """

    def __init__(self, **options: Any) -> None:  # noqa: ANN401
        """Prepare to read; nothing is loaded yet.

        Args:
            options: Of `ferrocr.OcrEngine` and of `ferrocr.OcrEngine.recognize_document`.
        """
        self._pieces = Pieces(**options)

    def accepts(self, file_stream: BinaryIO, stream_info: StreamInfo, **kwargs: Any) -> bool:  # noqa: ANN401
        """Return True for a picture or a scan."""
        if _is(stream_info, _PICTURES, _PICTURE_TYPES):
            return kwargs.get("llm_client") is None
        return _is(stream_info, {_PDF}, {_PDF_TYPE}) and (not _PDF_IS_READ or self._is_scan(file_stream))

    def convert(self, file_stream: BinaryIO, stream_info: StreamInfo, **kwargs: Any) -> FerrocrResult:  # noqa: ANN401
        """Return the document as Markdown.

        Raises:
            OcrError: It cannot be read. MarkItDown tries its other converters then.
        """
        pages = tuple(self._pieces.pages(file_stream.read()))
        return FerrocrResult("".join(chunks("markdown", map(Sheet.of, pages))), pages)

    def close(self) -> None:
        """Give the models back. A later use loads them again."""
        self._pieces.close()

    def _is_scan(self, file_stream: BinaryIO) -> bool:
        place = file_stream.tell()
        try:
            pages = self._pieces.pages(file_stream.read(), text_layer="only")
            return any(not page.page.lines for page in pages)
        except OcrError:
            return False  # MarkItDown says what is wrong with it
        finally:
            file_stream.seek(place)


def _is(info: StreamInfo, extensions: set[str], types: set[str]) -> bool:
    return (info.extension or "").lower() in extensions or (info.mimetype or "").lower() in types
