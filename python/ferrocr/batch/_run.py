"""A batch from its start to its end."""

import os
import time
from collections import Counter
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Literal, cast

from .._core import __version__
from ..exceptions import InvalidArgumentError, OcrError
from ..models.store import ProgressCallback
from ._beside import ALSO, Also, Beside
from ._hosts import Runner, check_packages, check_runner, set_runner
from ._parts import Parts
from ._reader import close_reader, failure_of, shared_reader
from ._schema import schema
from ._settings import Settings
from ._sources import Finder

if TYPE_CHECKING:
    import pyarrow as pa
    from daft import DataFrame

Identity = Literal["time", "content"]

PART_ROWS = 10_000
"""Rows of a part at most: some 50 MB of dense pages."""

PART_SECONDS = 60.0
"""Seconds after which a part is written though it is small: a batch that is killed reads as much again."""

_SOURCES_OF_TASK = 64
"""Sources of a task on a cluster: what is lost with a machine, and read again."""

_MOST_TASKS = 20_000
"""Tasks on a cluster at most, each of which costs its scheduler some time."""

_TRIES = 3
"""Attempts on a cluster without a row in between, after which the batch ends: not a machine that left is at fault."""


@dataclass
class Progress:
    """The state of a batch, for those who watch it.

    Attributes:
        sources: Sources that were to be read; None until they are known.
        done: Sources that are read, of which documents count by their pages.
        before: Sources that had been read before.
        pages: Rows of pages that were read.
        errors: Rows of pages that were not, by the names of their errors.
        seconds: Seconds since the first unit was begun.
        written: Rows that are in parts.
    """

    sources: int | None = None
    done: float = 0.0
    before: int = 0
    pages: int = 0
    errors: Counter[str] = field(default_factory=Counter)
    seconds: float = 0.0
    written: int = 0


@dataclass(frozen=True)
class Report:
    """The outcome of a batch.

    Attributes:
        sources: Sources that were read in this run.
        before: Sources that had been read before.
        pages: Pages that were read in this run.
        errors: Pages, and whole sources, that could not be read in this run, by the names of their errors.
        errors_before: Those that stand in the output from earlier runs.
        seconds: Seconds of reading.
        problems: Sources in which nothing was found, and folders that could not be looked into, in words.
        left_out: Files in folders that do not count, by their suffixes.
    """

    sources: int
    before: int
    pages: int
    errors: dict[str, int]
    errors_before: int
    seconds: float
    problems: tuple[str, ...]
    left_out: dict[str, int]


Watch = Callable[[Progress], object]


@dataclass(frozen=True)
class Job:
    """The arguments of :func:`ferrocr.batch.run` that are about the run itself, not about reading."""

    sources: Sequence[str]
    output: Path
    settings: Settings
    retry_errors: bool = False
    runner: Runner = "native"
    address: str | None = None
    identity: Identity = "time"
    path_column: str = "path"
    bytes_column: str | None = None
    also: tuple[Also, ...] = ()
    part_rows: int = PART_ROWS
    part_seconds: float = PART_SECONDS
    downloads: ProgressCallback | None = None

    def check(self) -> None:
        """Refuse what makes no sense, before anything is written.

        Raises:
            InvalidArgumentError: An argument is out of its range.
        """
        if not self.sources:
            message = "there is nothing to read: no source is named"
            raise InvalidArgumentError(message)
        if self.identity not in ("time", "content"):
            message = f"identity is 'time' or 'content', not {self.identity!r}"
            raise InvalidArgumentError(message)
        for kind in self.also:
            if kind not in ALSO:
                message = f"also has {' and '.join(map(repr, ALSO))}, not {kind!r}"
                raise InvalidArgumentError(message)
        if self.part_rows < 1 or self.part_seconds < 0:
            message = "part_rows is a number from 1 on, and part_seconds one from 0 on"
            raise InvalidArgumentError(message)


class Run:
    """One run of a job."""

    def __init__(self, job: Job, watch: Watch | None) -> None:
        """Prepare it; nothing is done yet."""
        job.check()
        check_runner(job.runner)
        check_packages(job.runner)
        self._job, self._watch = job, watch or (lambda _: None)
        self._id = job.settings.id()
        self._constants = {"models": job.settings.models(), "ferrocr_version": __version__, "options_id": self._id}
        self._key = os.urandom(8).hex()
        self._finder = Finder(job.output.absolute(), job.identity == "content", job.path_column, job.settings.io_config)
        self._batches: list[pa.RecordBatch] = []
        self._waiting = 0
        self._since = 0.0
        self._started: float | None = None
        self.progress = Progress()

    def run(self) -> Report:
        """Do it.

        Raises:
            OcrError: It cannot be done: models are missing, or the output cannot be written.
        """
        job = self._job
        set_runner(job.runner, job.address)
        with Parts(job.output, Beside(job.also)) as parts:
            parts.check()
            inputs = list(self._inputs())
            if job.retry_errors:
                self._drop_errors(inputs, parts)
            errors_before = self._count_errors(parts)
            try:
                for one in inputs:
                    self._read_until_done(one, parts)
            finally:
                close_reader(self._key, cancel=True)
        return self._report(errors_before)

    def _inputs(self) -> "Iterator[DataFrame]":
        """Give the sources of each kind: files and objects first, then the bytes in lists."""
        from . import _plan

        column = self._job.bytes_column
        lists = [name for name in self._job.sources if column and name.lower().endswith(".parquet")]
        others = [name for name in self._job.sources if name not in lists]
        if others:
            yield _plan.listed(self._finder.table(others)).collect()
        for name in lists:
            if column:
                yield _plan.from_bytes(Path(name), column, self._job.path_column)

    def _drop_errors(self, inputs: "list[DataFrame]", parts: Parts) -> None:
        from . import _plan

        if not parts.paths():
            return
        failed = _plan.errors(parts.paths(), self._id).select("source_id")
        for one in inputs:
            again = one.select("source_id").join(failed, on="source_id", how="semi").to_pydict()["source_id"]
            if again:
                parts.drop_errors(again, self._id)

    def _count_errors(self, parts: Parts) -> int:
        from . import _plan

        return _plan.errors(parts.paths(), self._id).count_rows() if parts.paths() else 0

    def _read_until_done(self, sources: "DataFrame", parts: Parts) -> None:
        """Read sources; on a cluster that lost a machine, once more what is missing then."""
        tries = 0
        while True:
            left = self._left(sources, parts)
            written = self.progress.written
            if left is None:
                return
            try:
                self._read(left, parts)
            except OcrError:
                raise
            except Exception as error:  # Daft has no class for all of them
                tries = 0 if self.progress.written > written else tries + 1
                failure = failure_of(self._key)
                if failure is not None:
                    raise failure from None
                if self._job.runner == "native" or tries == _TRIES:
                    message = f"the batch broke off: {error}"
                    raise OcrError(message, "say it again to go on") from error
            else:
                return

    def _left(self, sources: "DataFrame", parts: Parts) -> "DataFrame | None":
        """Return what is missing, and count it; None where that is nothing."""
        from . import _plan

        left = _plan.missing(sources, parts.paths(), self._id)
        if "data" in sources.column_names:  # too much to keep, so nobody knows how many they are
            return left
        left = left.collect()
        count, everything = left.count_rows(), sources.count_rows()
        if self.progress.sources is None:
            self.progress.sources, self.progress.before = count, everything - count
        self._watch(self.progress)
        if not count:
            return None
        if self._job.runner == "ray":
            left = left.into_partitions(min(_MOST_TASKS, -(-count // _SOURCES_OF_TASK)))
        return left

    def _read(self, left: "DataFrame", parts: Parts) -> None:
        from . import _plan

        if self._job.runner == "native":  # what is wrong with the models is told before anything is begun
            shared_reader(self._job.settings, self._key, self._job.downloads).load()
        self._started = self._started or time.monotonic()
        read = _plan.read(left, self._job.settings, self._key, is_local=self._job.runner == "native")
        rows = cast("Generator[pa.RecordBatch]", read.to_arrow_iter())
        try:
            with _plan.as_they_come(), closing(rows):
                for batch in rows:
                    self._take(batch, parts)
        finally:
            self._flush(parts)  # rows are whole, whatever ended the loop

    def _take(self, batch: "pa.RecordBatch", parts: Parts) -> None:
        if batch.num_rows == 0:
            return
        if not self._waiting:
            self._since = time.monotonic()
        self._batches.append(batch)
        self._waiting += batch.num_rows
        self._count(batch)
        late = time.monotonic() - self._since >= self._job.part_seconds
        if self._waiting >= self._job.part_rows or late:
            self._flush(parts)
        self._watch(self.progress)

    def _count(self, batch: "pa.RecordBatch") -> None:
        progress = self.progress
        columns = (batch.column(name).to_pylist() for name in ("page", "source_pages", "error_kind"))
        for page, source_pages, kind in zip(*columns, strict=True):
            progress.done += 1 if page is None else 1 / source_pages
            if kind is None:
                progress.pages += 1
            else:
                progress.errors[kind] += 1
        progress.seconds = time.monotonic() - (self._started or 0.0)

    def _flush(self, parts: Parts) -> None:
        """Write a part of the rows that have come."""
        if not self._batches:
            return
        import pyarrow as pa
        from pyarrow import compute

        rows = pa.Table.from_batches(self._batches)
        for name, value in self._constants.items():
            rows = rows.append_column(name, pa.array([value] * rows.num_rows, pa.string()))
        micros = compute.divide(rows["modified"], 1000).cast(pa.timestamp("us", "UTC"))
        rows = rows.set_column(rows.column_names.index("modified"), "modified", micros)
        wanted = schema()
        parts.write(rows.select(wanted.names).cast(wanted))
        self.progress.written += rows.num_rows
        self._batches, self._waiting = [], 0

    def _report(self, errors_before: int) -> Report:
        progress, listing = self.progress, self._finder.listing
        return Report(
            round(progress.done),
            progress.before,
            progress.pages,
            dict(progress.errors.most_common()),
            errors_before,
            progress.seconds,
            tuple(listing.problems),
            dict(listing.left_out.most_common()),
        )
