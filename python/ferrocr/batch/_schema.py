"""The columns of a table of pages, and their version."""

from pathlib import Path
from typing import TYPE_CHECKING

from .._core import __version__
from .._text import path_text
from ..exceptions import StorageError

if TYPE_CHECKING:
    import pyarrow as pa

SCHEMA_VERSION = "1.0"
"""Within a major version columns are only added."""

_NAME, _VERSION, _WRITER = b"ferrocr.table", b"ferrocr.schema_version", b"ferrocr.version"


def schema() -> "pa.Schema":
    """Return the columns as Arrow types, with the version in the metadata; docs/batch.md describes each."""
    import pyarrow as pa

    text, number = pa.string(), pa.int32()
    columns = {
        **{"source": text, "page": number, "source_pages": number, "width": number, "height": number},
        **{"dpi": pa.float32(), "origin": text, "text": text},
        **{"lines": pa.list_(_line()), "blocks": pa.list_(_block())},
        **{"error_kind": text, "error": text, "seconds": pa.float32()},
        **{"models": text, "ferrocr_version": text},
        **{"size": pa.int64(), "modified": pa.timestamp("us", "UTC"), "source_id": text, "options_id": text},
    }
    metadata = {_NAME: b"pages", _VERSION: SCHEMA_VERSION.encode(), _WRITER: __version__.encode()}
    return pa.schema(list(columns.items()), metadata=metadata)


def check_schema(path: Path) -> None:
    """Refuse a file that is no table of pages, or of a version that this one cannot add to.

    Raises:
        StorageError: It is, or it cannot be read.
    """
    from pyarrow import ArrowException, parquet

    try:
        metadata = parquet.read_schema(path).metadata or {}
    except (OSError, ArrowException) as error:
        message = f"cannot read {path_text(str(path))}: {error}"
        raise StorageError(message, "it is no part of a batch, or is damaged: move it away") from error
    version = metadata.get(_VERSION, b"").decode()
    if metadata.get(_NAME) != b"pages" or version.partition(".")[0] != SCHEMA_VERSION.partition(".")[0]:
        message = f"{path_text(str(path))} is no table of pages of schema {SCHEMA_VERSION}"
        raise StorageError(message, "name another folder for the output")


def _line() -> "pa.DataType":
    import pyarrow as pa

    word = pa.struct([*_written(), ("doubtful", pa.bool_())])
    return pa.struct([*_written(), ("words", pa.list_(word))])


def _block() -> "pa.DataType":
    import pyarrow as pa

    return pa.struct([("quad", pa.list_(pa.float32())), ("lines", pa.list_(pa.int32()))])


def _written() -> "list[tuple[str, pa.DataType]]":
    import pyarrow as pa

    return [("text", pa.string()), ("score", pa.float32()), ("quad", pa.list_(pa.float32()))]
