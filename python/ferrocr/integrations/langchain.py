"""ferrocr in LangChain: a parser of blobs, for any loader that gives them.

``pip install "ferrocr[cpu,langchain]"``; docs/integrations.md has an example.
"""

from collections.abc import Iterator
from typing import Any

from ._hosts import importing
from ._pieces import Pieces, Split, source_of

with importing("LangChain", "langchain"):
    from langchain_core.document_loaders import BaseBlobParser
    from langchain_core.documents import Document
    from langchain_core.documents.base import Blob

__all__ = ["FerrocrParser"]


class FerrocrParser(BaseBlobParser):
    """Makes documents of pictures, of TIFF files with several pages and of PDF files.

    A document's metadata are ``source``, ``page`` (from 0 on, as other parsers have it), ``page_label``, ``score``, the
    box ``left``, ``top``, ``right`` and ``bottom`` in pixels of a page of ``page_width`` and ``page_height``,
    ``text_origin``, and ``dpi`` where that is known; and those of the blob.

    The models are loaded by the first page, and given back when nobody has the parser any more, or by `close`.
    """

    def __init__(self, *, split: Split = "page", timeout: float | None = None, **options: Any) -> None:  # noqa: ANN401
        """Prepare to read.

        Args:
            split: A document for each ``"page"``, ``"block"`` or ``"line"``.
            timeout: Seconds for each page.
            options: Of `ferrocr.OcrEngine`, and of `ferrocr.OcrEngine.recognize_document`, of which ``text_layer`` is
                ``"auto"`` here.
        """
        self._pieces = Pieces(split, timeout=timeout, **options)

    def lazy_parse(self, blob: Blob) -> Iterator[Document]:
        """Give the documents of a blob, each page when it is asked for.

        Raises:
            OcrError: It cannot be read.
        """
        if blob.data is None and blob.path is not None:
            pieces = self._pieces.of(blob.path)
        else:
            pieces = self._pieces.of(blob.as_bytes())
        for piece in pieces:
            number = piece.page.number
            known = {"source": source_of(blob.source), "page": number - 1, "page_label": str(number)}
            yield Document(page_content=piece.text, metadata={**piece.metadata(), **blob.metadata, **known})

    def close(self) -> None:
        """Give the models back. A later use loads them again."""
        self._pieces.close()
