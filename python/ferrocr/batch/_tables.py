"""Pages as tables for programs that hand out the work themselves: Ray Data, Spark, Daft's own plans."""

import os
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from .._core import __version__
from .._text import path_text
from ._hosts import check_packages
from ._reader import PageReader
from ._remote import without_scheme
from ._rows import Row, Unit
from ._schema import schema
from ._settings import TIMEOUT, Settings

if TYPE_CHECKING:
    import pyarrow as pa

Content = str | bytes
"""A path, an address, or a file's bytes."""


class TableReader:
    """Reads pictures and documents to tables of pages, with processes of its own that hold the models.

    The tables have the columns of :func:`ferrocr.batch.schema`, and a row for each page, errors too; `size`, `modified`
    and `source_id` are null. All methods may be called from any thread. It can be pickled: each process has models of
    its own, from its first call on.

    Args:
        workers: Processes with models; each takes `threads`, by default its part of the processors.
        memory: Bytes that they may take together. For Linux alone.
        timeout: Seconds for each page.
        io_config: Daft's ``IOConfig``, for addresses of object stores, which need Daft.
        **options: Options of :class:`ferrocr.OcrEngine` and of :meth:`ferrocr.OcrEngine.recognize_document`.

    Raises:
        InvalidArgumentError: An argument is out of its range.
        RuntimeUnavailableError: PyArrow is not installed.
    """

    def __init__(
        self,
        *,
        workers: int = 1,
        memory: int | None = None,
        timeout: float = TIMEOUT,
        io_config: object = None,
        **options: Any,  # noqa: ANN401
    ) -> None:
        check_packages("tables")
        self._settings = Settings.of(workers=workers, memory=memory, timeout=timeout, io_config=io_config, **options)
        self._reader: PageReader | None = None

    def read(self, contents: Iterable[Content], names: Iterable[str | None] | None = None) -> "pa.Table":
        """Return the pages of files in order; `names` are for bytes, and stand in the column `source`.

        Raises:
            OcrError: No single file is at fault: models are missing, for example.
        """
        import pyarrow as pa

        listed = list(contents)
        named = [None] * len(listed) if names is None else list(names)
        units = [_unit(*one) for one in zip(listed, named, strict=True)]
        reader = self._open()
        rows = [row for rows in reader.threads.map(reader.rows, units) for row in rows]
        same = {"models": self._settings.models(), "ferrocr_version": __version__, "options_id": self._settings.id()}
        return pa.Table.from_pylist([{**row, **same} for row in rows], schema())

    def close(self) -> None:
        """Give the models back. A later call loads them again."""
        reader, self._reader = self._reader, None
        if reader is not None:
            reader.close()

    def _open(self) -> PageReader:
        if self._reader is None:
            self._reader = PageReader(self._settings)
            self._reader.load()
        return self._reader

    def __getstate__(self) -> Row:
        return {"_settings": self._settings, "_reader": None}


def _unit(content: Content, name: str | None) -> Unit:
    if isinstance(content, bytes):
        return Unit(name or "", content)
    path = without_scheme(os.fspath(content))
    return Unit(path_text(path) if name is None or name == content else name, path)
