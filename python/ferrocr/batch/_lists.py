"""Lists of sources: text, CSV and Parquet."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from ..exceptions import InvalidArgumentError, StorageError

if TYPE_CHECKING:
    import pyarrow as pa


def names_in(path: Path, column: str) -> Iterator[str]:
    """Give the paths and addresses that a list has, in its order; those that are empty are left out.

    Raises:
        StorageError: It cannot be read.
        InvalidArgumentError: It has no such column.
    """
    if path.suffix.lower() == ".txt":
        yield from _lines(path)
        return
    for batch in batches_of(path, [column]):
        for name in batch.column(0).to_pylist():
            if isinstance(name, bytes):
                name = name.decode("utf-8", "surrogateescape")
            if name:
                yield str(name)


def batches_of(path: Path, columns: list[str]) -> "Iterator[pa.RecordBatch]":
    """Give the columns of a table, piece by piece.

    Raises:
        StorageError: It cannot be read.
        InvalidArgumentError: It has no such column.
    """
    from pyarrow import ArrowInvalid, csv, parquet

    try:
        if path.suffix.lower() == ".parquet":
            with parquet.ParquetFile(path) as file:
                _check(path, columns, file.schema_arrow.names)
                yield from file.iter_batches(batch_size=1000, columns=columns)
        else:
            with csv.open_csv(path) as reader:
                _check(path, columns, reader.schema.names)
                for batch in reader:
                    yield batch.select(columns)
    except (OSError, ArrowInvalid) as error:
        message = f"cannot read the list {path}: {error}"
        raise StorageError(message) from error


def count_of(path: Path) -> int:
    """Return the number of rows of a Parquet file."""
    from pyarrow import parquet

    return int(parquet.read_metadata(path).num_rows)


def _lines(path: Path) -> Iterator[str]:
    try:
        with path.open(encoding="utf-8-sig", errors="surrogateescape", newline="\n") as file:
            for line in file:
                if name := line.rstrip("\r\n"):
                    yield name
    except OSError as error:
        message = f"cannot read the list {path}: {error.strerror}"
        raise StorageError(message) from error


def _check(path: Path, columns: list[str], there: list[str]) -> None:
    for column in columns:
        if column not in there:
            message = f"the list {path} has no column {column!r}; its columns are {', '.join(map(repr, there))}"
            hint = "name the column with path_column= or bytes_column="
            raise InvalidArgumentError(message, hint, shell_hint="say --path-column or --bytes-column")
