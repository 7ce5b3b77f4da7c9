"""The parts of an output: Parquet files, each of which is there as a whole or not at all."""

import os
import re
from collections.abc import Collection
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Self

from .._text import path_text
from .._whole_file import UNFINISHED, hold, whole_file
from ..exceptions import StorageError
from ._beside import Beside
from ._schema import check_schema, schema

if TYPE_CHECKING:
    import pyarrow as pa

HIDDEN = ".ferrocr"
"""The folder of unfinished files and of the lock."""

_NAME = re.compile(r"part-([0-9]{6,18})\.parquet")


class Parts:
    """The parts in a folder, which one batch at a time may write. Use it in a ``with`` statement.

    A part grows in a hidden folder and gets its name once it is on the disk, in one rename. So a row counts if, and
    only if, it stands in a file ``part-*.parquet``.

    Args:
        folder: The output, which is made where it is missing.
        beside: Makes other files of the same rows.

    Raises:
        StorageError: Nothing can be written there, or another batch writes there now.
    """

    def __init__(self, folder: Path, beside: Beside) -> None:
        self.folder, self._beside = folder, beside
        self._hidden = folder / HIDDEN
        try:
            self._hidden.mkdir(parents=True, exist_ok=True)
            self._lock = self._locked()
            self._sweep()
        except OSError as error:
            if isinstance(error, StorageError):
                raise
            message = f"cannot write to {path_text(str(folder))}: {error.strerror}"
            raise StorageError(message) from error
        self._next = max((self._number(path) for path in self.paths()), default=0) + 1

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._lock.close()

    def paths(self) -> list[Path]:
        """Return the parts in the order in which they were written."""
        return sorted(
            (path for path in self.folder.iterdir() if _NAME.fullmatch(path.name)), key=lambda path: self._number(path)
        )

    def check(self) -> None:
        """Refuse parts that another version of the schema was written with.

        Raises:
            StorageError: One cannot be read, or has another major version.
        """
        for path in self.paths()[-1:]:  # a folder is written with one version
            check_schema(path)

    def write(self, rows: "pa.Table") -> None:
        """Add a part. It is on the disk when this returns.

        Raises:
            StorageError: It cannot be written.
        """
        name = f"part-{self._next:06d}.parquet"
        try:
            self._write(name, rows)
        except OSError as error:
            message = f"cannot write {path_text(str(self.folder / name))}: {error.strerror or error}"
            raise StorageError(message) from error
        self._next += 1

    def drop_errors(self, sources: Collection[str], options_id: str) -> int:
        """Take the errors of these sources out of all parts, and return how many rows that were.

        A part is replaced in one rename. A batch that ends between two of them finds what is left to do as missing.

        Raises:
            StorageError: A part cannot be read or written.
        """
        from pyarrow import compute, parquet

        dropped = 0
        for path in self.paths():
            rows = parquet.read_table(path, schema=schema())
            is_old = compute.and_(
                compute.and_(compute.is_valid(rows["error_kind"]), compute.equal(rows["options_id"], options_id)),
                compute.is_in(rows["source_id"], value_set=_texts(sources)),
            )
            kept = rows.filter(compute.invert(is_old))
            if kept.num_rows < rows.num_rows:
                dropped += rows.num_rows - kept.num_rows
                self._replace(path, kept)
        return dropped

    def _replace(self, path: Path, rows: "pa.Table") -> None:
        try:
            self._write(path.name, rows)
        except OSError as error:
            message = f"cannot write {path_text(str(path))}: {error.strerror or error}"
            raise StorageError(message) from error

    def _write(self, name: str, rows: "pa.Table") -> None:
        from pyarrow import parquet

        self._beside.write(rows, self.folder / name, self._hidden)
        with whole_file(self.folder / name, self._hidden) as file:
            parquet.write_table(rows, file, compression="zstd")
        _sync(self.folder)

    def _number(self, path: Path) -> int:
        found = _NAME.fullmatch(path.name)
        return int(found[1]) if found else 0

    def _locked(self) -> BinaryIO:
        lock = (self._hidden / "lock").open("ab")
        if hold(lock):
            return lock
        lock.close()
        message = f"another batch writes to {path_text(str(self.folder))}"
        raise StorageError(message, "wait for it, or name another folder")

    def _sweep(self) -> None:
        """Remove what batches that were killed have left."""
        for path in self._hidden.iterdir():
            if path.suffix == UNFINISHED:
                path.unlink(missing_ok=True)
        self._beside.sweep(self.folder)


def _texts(texts: Collection[str]) -> "pa.Array":
    import pyarrow as pa

    return pa.array(list(texts), pa.string())


def _sync(folder: Path) -> None:
    """Bring the names in a folder to the disk, where the system knows how."""
    with suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
