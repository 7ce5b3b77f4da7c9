"""ferrocr in Haystack: a converter of files to documents.

``pip install "ferrocr[cpu,haystack]"``; docs/integrations.md has an example.
"""

import os
from pathlib import Path
from typing import Any

from .._engine._inputs import ImageInput
from ..exceptions import ImageError, StorageError
from ._hosts import importing
from ._pieces import Pieces, Split

with importing("Haystack", "haystack"):
    from haystack import Document, component, default_from_dict, default_to_dict, logging
    from haystack.components.converters.utils import normalize_metadata
    from haystack.dataclasses import ByteStream

__all__ = ["FerrocrToDocument"]

logger = logging.getLogger(__name__)


@component
class FerrocrToDocument:
    """Makes documents of pictures, of TIFF files with several pages and of PDF files.

    A document's ``meta`` are ``file_path``, ``page_number`` (from 1 on), ``score``, the box ``left``, ``top``,
    ``right`` and ``bottom`` in pixels of a page of ``page_width`` and ``page_height``, ``text_origin``, and ``dpi``
    where that is known; and what the source and the call bring. A source that cannot be read is left out with a
    warning, as Haystack's own converters do it.

    The models are loaded by `warm_up`, and given back by `close`, or when nobody has the component any more.
    """

    def __init__(
        self,
        *,
        split: Split = "page",
        timeout: float | None = None,
        store_full_path: bool = False,
        options: dict[str, Any] | None = None,
    ) -> None:
        """Prepare to read.

        Args:
            split: A document for each ``"page"``, ``"block"`` or ``"line"``.
            timeout: Seconds for each page.
            store_full_path: True for a ``file_path`` with its folders.
            options: Of `ferrocr.OcrEngine`, and of `ferrocr.OcrEngine.recognize_document`, of which ``text_layer`` is
                ``"auto"`` here.
        """
        self.split, self.timeout, self.store_full_path, self.options = split, timeout, store_full_path, options
        self._pieces = Pieces(split, timeout=timeout, **(options or {}))

    def warm_up(self) -> None:
        """Load the models."""
        self._pieces.engine().load()

    def close(self) -> None:
        """Give the models back. A later use loads them again."""
        self._pieces.close()

    def to_dict(self) -> dict[str, Any]:
        """Return the component as a dictionary."""
        options = {"split": self.split, "timeout": self.timeout, "store_full_path": self.store_full_path}
        return default_to_dict(self, **options, options=self.options)

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> "FerrocrToDocument":
        """Return the component that a dictionary is of."""
        return default_from_dict(cls, data)

    @component.output_types(documents=list[Document])
    def run(
        self, sources: list[str | Path | ByteStream], meta: dict[str, Any] | list[dict[str, Any]] | None = None
    ) -> dict[str, list[Document]]:
        """Return the documents of all sources.

        Args:
            sources: Paths or byte streams.
            meta: More metadata, for all of them or for each.

        Raises:
            OcrError: The models cannot be loaded.
        """
        documents: list[Document] = []
        for source, more in zip(sources, normalize_metadata(meta, sources_count=len(sources)), strict=True):
            try:
                documents += self._documents(source, more)
            except (ImageError, StorageError) as error:
                logger.warning("Could not read {source}. Skipping it. Error: {error}", source=source, error=error)
        return {"documents": documents}

    def _documents(self, source: str | Path | ByteStream, more: dict[str, Any]) -> list[Document]:
        document: ImageInput
        if isinstance(source, ByteStream):
            document, own = source.data, dict(source.meta)
        else:
            document, own = source, {"file_path": str(source)}
        if "file_path" in own and not self.store_full_path:
            own["file_path"] = os.path.basename(own["file_path"])  # noqa: PTH119  # of whatever system
        return [
            Document(content=one.text, meta={**one.metadata(), **own, **more, "page_number": one.page.number})
            for one in self._pieces.of(document)
        ]
