"""ferrocr in LlamaIndex: a reader of files, also for ``SimpleDirectoryReader``.

``pip install "ferrocr[cpu,llamaindex]"``; docs/integrations.md has an example.
"""

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from ._hosts import importing
from ._pieces import Pieces, Split

with importing("LlamaIndex", "llamaindex"):
    from llama_index.core.readers.base import BaseReader
    from llama_index.core.schema import Document

__all__ = ["FerrocrReader"]

_FOR_PROGRAMS = ("left", "top", "right", "bottom", "page_width", "page_height", "score", "text_origin", "dpi")
"""Metadata that tell an embedding or a language model nothing."""


class FerrocrReader(BaseReader):
    """Makes documents of pictures, of TIFF files with several pages and of PDF files.

    A document's metadata are ``file_name``, ``file_path``, ``page_label`` (from 1 on), ``score``, the box ``left``,
    ``top``, ``right`` and ``bottom`` in pixels of a page of ``page_width`` and ``page_height``, ``text_origin``, and
    ``dpi`` where that is known. Only the file's name and the page's label are shown to embeddings and language models.

    The models are loaded by the first page, and given back when nobody has the reader any more, or by `close`.
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

    def lazy_load_data(
        self,
        file: str | os.PathLike[str],
        extra_info: Mapping[str, Any] | None = None,
        fs: Any = None,  # noqa: ANN401
    ) -> Iterable[Document]:
        """Give the documents of a file, each page when it is asked for.

        Args:
            file: Its path.
            extra_info: More metadata.
            fs: The file system of fsspec's that it is in, if it is not this machine's.

        Raises:
            OcrError: It cannot be read.
        """
        path = Path(file)
        document = path if fs is None else fs.cat_file(str(file))
        for piece in self._pieces.of(document):
            named = {"file_name": path.name, "file_path": str(file), "page_label": str(piece.page.number)}
            metadata = {**piece.metadata(), **named, **(extra_info or {})}
            hidden = [*_FOR_PROGRAMS, "file_path"]
            yield Document(
                text=piece.text,
                metadata=metadata,
                excluded_embed_metadata_keys=hidden,
                excluded_llm_metadata_keys=hidden,
            )

    def close(self) -> None:
        """Give the models back. A later use loads them again."""
        self._pieces.close()
