"""The plan that Daft runs: what is missing, in units, read."""

import asyncio
import hashlib
import os
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import daft
import pyarrow as pa
from daft import DataType, Series, col, lit

from ._reader import shared_reader, threads_of
from ._rows import Row, Unit
from ._schema import schema
from ._settings import Settings
from ._sources import may_have_pages, source_id

if TYPE_CHECKING:
    from daft import DataFrame

PAGES_AT_ONCE = 16
"""Pages of a document that are a unit of work: a book of 1,000 pages keeps 60 workers busy."""

_MOST_WORKERS = 256
"""Workers that an engine has at most."""

OF_SOURCE = ("source", "size", "modified", "source_id")
"""Columns of a row that its source brings."""

OF_BATCH = ("models", "ferrocr_version", "options_id")
"""Columns that are the same in all rows of a batch."""

_READ = pa.struct([field for field in schema() if field.name not in (*OF_SOURCE, *OF_BATCH)])

_UNITS = pa.list_(pa.struct([("pages", pa.list_(pa.int32())), ("source_pages", pa.int32())]))


class _Reading:
    """Splits and reads on one machine. Daft makes one in each of its processes, which share its models.

    Methods are coroutines, which Daft runs in its own process, several at a time; others would get processes.
    """

    def __init__(self, settings: Settings, key: str) -> None:
        self._reader = shared_reader(settings, key)

    @daft.method.batch(return_dtype=DataType.from_arrow_type(_UNITS), batch_size=1)
    async def split(self, source: Series, place: Series, size: Series, done: Series) -> pa.Array:
        """Return the units of each source, without the pages that are done."""
        rows = zip(source.to_pylist(), place.to_pylist(), size.to_pylist(), done.to_pylist(), strict=True)
        return pa.array([await self._units(*row) for row in rows], _UNITS)

    @daft.method.batch(return_dtype=DataType.from_arrow_type(pa.list_(_READ)), batch_size=1)
    async def rows(self, source: Series, place: Series, data: Series, size: Series, units: Series) -> pa.Array:
        """Return the rows of each unit."""
        columns = [column.to_pylist() for column in (source, place, data, size, units)]
        read = [await self._in_thread(self._read, *row) for row in zip(*columns, strict=True)]
        return pa.concat_arrays(read) if read else pa.array([], pa.list_(_READ))

    async def _units(self, source: str, place: bytes, size: int | None, done: list[int] | None) -> list[Row]:
        if place is None or not may_have_pages(place):
            return [{"pages": None, "source_pages": None}]
        units: list[Row] = await self._in_thread(self._counted, Unit(source, os.fsdecode(place), size=size), done)
        return units

    def _counted(self, unit: Unit, done: list[int] | None) -> list[Row]:
        numbers = self._reader.numbers(unit)
        if numbers is None:
            return [{"pages": None, "source_pages": None}]
        left = sorted(set(numbers) - set(done or ()))
        spans = [left[first : first + PAGES_AT_ONCE] for first in range(0, len(left), PAGES_AT_ONCE)]
        return [{"pages": span, "source_pages": len(numbers)} for span in spans]

    def _read(self, source: str, place: bytes | None, data: bytes | None, size: int | None, unit: Row) -> pa.Array:
        content: str | bytes = os.fsdecode(place) if place is not None else data or b""
        pages = None if unit["pages"] is None else tuple(unit["pages"])
        rows = self._reader.rows(Unit(source, content, pages, unit["source_pages"], size))
        return pa.array([rows], pa.list_(_READ))

    async def _in_thread(self, work: Any, *arguments: Any) -> Any:  # noqa: ANN401
        return await asyncio.get_running_loop().run_in_executor(self._reader.threads, work, *arguments)


def missing(sources: "DataFrame", parts: list[Path], options_id: str) -> "DataFrame":
    """Return the sources of which rows are missing in the parts, with the pages that are there as `done`.

    A source has all of its rows where one of them is about the whole of it, or where there are as many as it says.
    """
    if not parts:
        return sources.with_column("done", lit(None).cast(DataType.list(DataType.int32())))
    rows = daft.read_parquet([str(path) for path in parts]).where(col("options_id") == lit(options_id))
    rows = rows.select("source_id", "page", "source_pages")
    is_whole = col("page").is_null() | (col("source_pages") == lit(1))
    whole = rows.where(is_whole).select("source_id")
    several = rows.where(~is_whole).groupby("source_id")
    counted = several.agg(
        col("page").count().alias("there"), col("source_pages").max(), col("page").list_agg().alias("done")
    )
    is_done = col("there") >= col("source_pages")
    whole = whole.concat(counted.where(is_done).select("source_id"))
    partly = counted.where(~is_done).select("source_id", "done")
    return sources.join(whole, on="source_id", how="anti").join(partly, on="source_id", how="left")


def errors(parts: list[Path], options_id: str) -> "DataFrame":
    """Return the rows of pages that could not be read: `source_id` and `error_kind`."""
    rows = daft.read_parquet([str(path) for path in parts])
    failed = rows.where((col("options_id") == lit(options_id)) & ~col("error_kind").is_null())
    return failed.select("source_id", "error_kind")


def as_they_come() -> AbstractContextManager[None]:
    """Return a context in which rows come as soon as they are there, in whatever order."""
    return daft.execution_config_ctx(maintain_order=False)


def listed(sources: pa.Table) -> "DataFrame":
    """Return sources that are files and objects, each once."""
    return daft.from_arrow(sources).drop_duplicates("source_id")


def from_bytes(path: Path, bytes_column: str, name_column: str | None) -> "DataFrame":
    """Return the sources whose bytes a Parquet file has."""
    frame = daft.read_parquet(str(path))
    name = lit(None).cast(DataType.string()) if name_column is None else col(name_column).cast(DataType.string())
    frame = frame.select(col(bytes_column).cast(DataType.binary()).alias("data"), name.alias("name"))
    frame = frame.with_column("known", _identify(col("name"), col("data")))
    return frame.select(
        col("known")["source"].alias("source"),
        lit(None).cast(DataType.binary()).alias("place"),
        col("known")["size"].alias("size"),
        lit(None).cast(DataType.int64()).alias("modified"),
        col("known")["source_id"].alias("source_id"),
        col("data"),
    )


_KNOWN = pa.struct([("source", pa.string()), ("size", pa.int64()), ("source_id", pa.string())])


@daft.func.batch(return_dtype=DataType.from_arrow_type(_KNOWN))
def _identify(name: Series, data: Series) -> pa.Array:
    return pa.array(list(map(_known, name.to_pylist(), data.to_pylist())), _KNOWN)


def _known(name: str | None, data: bytes | None) -> Row:
    digest = hashlib.sha256(data or b"").hexdigest()
    source = f"sha256:{digest}" if name is None else name
    size = len(data or b"")
    return {"source": source, "size": size, "source_id": source_id(source.encode(), size, digest)}


def read(missing: "DataFrame", settings: Settings, key: str, *, is_local: bool = True) -> "DataFrame":
    """Return the rows of what is missing, read on this machine or on those of a cluster."""
    # On a cluster each machine has as many threads as suit it; what is beyond them waits.
    workers = (settings if is_local else replace(settings, workers=settings.workers or _MOST_WORKERS)).on_this_machine()
    concurrency = threads_of(workers.workers or 1)
    reading = daft.cls(use_process=False, max_concurrency=concurrency)(_Reading)(settings, key)
    frame = missing.with_column("units", reading.split(col("source"), col("place"), col("size"), col("done")))
    if "data" not in frame.column_names:
        frame = frame.with_column("data", lit(None).cast(DataType.binary()))
    frame = frame.explode("units").where(~col("units").is_null())
    rows = reading.rows(col("source"), col("place"), col("data"), col("size"), col("units"))
    frame = frame.select(*OF_SOURCE, rows.alias("rows")).explode("rows")
    return frame.select(*OF_SOURCE, col("rows").unnest())
