"""ferrocr in Ray Data: a class for ``map_batches``, of which Ray makes a pool of actors.

``pip install "ferrocr[cpu,batch,ray]"``; docs/scaling.md has an example.
"""

from typing import TYPE_CHECKING, Any

from ..batch import TableReader
from ..exceptions import InvalidArgumentError

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["FerrocrReader"]


class FerrocrReader:
    """Makes batches of pages of batches of files: a row for each page, with the columns of `ferrocr.batch.schema`.

    A file that cannot be read is a row with `error_kind` and `error`. The models are loaded once an actor, in a process
    of its own: one that crashes is started again, and what it had is read once more alone.

    Args:
        path_column: The column of paths, or of the names of bytes.
        bytes_column: The column of the files themselves, as `ray.data.read_binary_files` gives them; None where there
            are paths alone.
        workers: Processes with models of an actor. Give actors as many CPUs as `workers` times `threads`.
        threads: Threads of each of them.
        **options: All others of `ferrocr.batch.TableReader`.

    Raises:
        InvalidArgumentError: An argument is out of its range.
    """

    def __init__(
        self,
        *,
        path_column: str = "path",
        bytes_column: str | None = None,
        workers: int = 1,
        threads: int = 1,
        **options: Any,  # noqa: ANN401
    ) -> None:
        self._path_column, self._bytes_column = path_column, bytes_column
        self._reader = TableReader(workers=workers, threads=threads, **options)

    def __call__(self, batch: Any) -> "pa.Table":  # noqa: ANN401
        """Return the pages of a batch in whichever of Ray's formats: columns by name, of NumPy, pandas or PyArrow.

        Raises:
            InvalidArgumentError: It has no such column.
            OcrError: No single file is at fault: models are missing, for example.
        """
        contents = _listed(batch, self._bytes_column or self._path_column)
        return self._reader.read(contents, self._names(batch))

    def close(self) -> None:
        """Give the models back. A later batch loads them again."""
        self._reader.close()

    def _names(self, batch: Any) -> list[Any] | None:  # noqa: ANN401
        return _listed(batch, self._path_column) if self._path_column in _columns(batch) else None


def _columns(batch: Any) -> list[str]:  # noqa: ANN401
    return list(getattr(batch, "column_names", None) or batch.keys())


def _listed(batch: Any, column: str) -> list[Any]:  # noqa: ANN401
    if column not in _columns(batch):
        message = f"the batch has no column {column!r}; its columns are {', '.join(map(repr, _columns(batch)))}"
        raise InvalidArgumentError(message, "name it with path_column= or bytes_column=")
    values = batch[column]
    plain = getattr(values, "to_pylist", None) or getattr(values, "tolist", None)
    return list(values) if plain is None else list(plain())
