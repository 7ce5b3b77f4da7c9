"""ferrocr in Spark: a function for ``DataFrame.mapInPandas``, and the schema of what it gives.

``pip install "ferrocr[cpu,batch]"`` on the workers, besides what Spark needs itself: pandas and PyArrow.
docs/scaling.md has an example.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any

from ..batch import TableReader, schema

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

__all__ = ["page_schema", "pages_of"]

_NAMES = {
    **{"string": "string", "int32": "int", "int64": "bigint", "float": "float", "bool": "boolean"},
    **{"timestamp[us, tz=UTC]": "timestamp"},
}


def page_schema() -> str:
    """Return the columns in Spark's words, for ``mapInPandas``."""
    return ", ".join(f"{field.name} {_type(field.type)}" for field in schema())


def pages_of(
    *,
    path_column: str = "path",
    bytes_column: str | None = None,
    workers: int = 1,
    threads: int = 1,
    **options: Any,  # noqa: ANN401
) -> "Callable[[Iterable[pd.DataFrame]], Iterator[pd.DataFrame]]":
    """Return the function. Each of Spark's tasks loads the models once, in a process of its own.

    Args:
        path_column: The column of paths, or of the names of bytes.
        bytes_column: The column of the files themselves, as Spark's ``binaryFile`` has it; None where there are paths
            alone.
        workers: Processes with models of a task.
        threads: Threads of each of them: ``spark.task.cpus`` is what both make together.
        **options: All others of `ferrocr.batch.TableReader`.

    Raises:
        InvalidArgumentError: An argument is out of its range.
    """
    reader = TableReader(workers=workers, threads=threads, **options)

    def pages(frames: "Iterable[pd.DataFrame]") -> "Iterator[pd.DataFrame]":
        try:
            for frame in frames:
                names = frame[path_column].tolist() if path_column in frame else None
                contents = frame[path_column if bytes_column is None else bytes_column].tolist()
                yield _frame(reader.read(contents, names))
        finally:
            reader.close()

    return pages


def _frame(table: "pa.Table") -> "pd.DataFrame":
    """Return a table as pandas has it; what is nested as lists of dicts, which Spark takes."""
    frame: pd.DataFrame = table.drop_columns(["lines", "blocks"]).to_pandas()
    for place, name in enumerate(table.column_names):
        if name in ("lines", "blocks"):
            frame.insert(place, name, table[name].to_pylist())
    return frame


def _type(arrow: "pa.DataType") -> str:
    """Return a type as Spark's schemas spell it."""
    from pyarrow import types

    if types.is_list(arrow):
        return f"array<{_type(arrow.value_type)}>"
    if types.is_struct(arrow):
        return f"struct<{', '.join(f'{field.name}: {_type(field.type)}' for field in arrow)}>"
    return _NAMES[str(arrow)]
