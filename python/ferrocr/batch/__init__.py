"""Batches: the text of any number of pictures and documents as a table, a row a page, on all cores or many machines.

Needs what ``pip install "ferrocr[batch]"`` brings: Daft and PyArrow. docs/batch.md describes it::

    from ferrocr import batch

    report = batch.run(["scans/"], "out/", languages=["en"])
    print(report.pages, report.errors)
"""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ..models.store import ProgressCallback
from ._beside import Also
from ._hosts import Runner, s3_config
from ._run import PART_ROWS, PART_SECONDS, Identity, Job, Progress, Report, Run, Watch
from ._schema import SCHEMA_VERSION, schema
from ._settings import TIMEOUT, Settings
from ._tables import TableReader

__all__ = ["SCHEMA_VERSION", "Progress", "Report", "TableReader", "run", "s3_config", "schema"]


def run(
    sources: "str | os.PathLike[str] | Sequence[str | os.PathLike[str]]",
    output: "str | os.PathLike[str]",
    *,
    workers: int | None = None,
    memory: int | None = None,
    timeout: float = TIMEOUT,
    retry_errors: bool = False,
    runner: Runner = "native",
    address: str | None = None,
    identity: Identity = "time",
    path_column: str = "path",
    bytes_column: str | None = None,
    also: Sequence[Also] = (),
    part_rows: int = PART_ROWS,
    part_seconds: float = PART_SECONDS,
    io_config: object = None,
    progress: Watch | None = None,
    download_progress: ProgressCallback | None = None,
    **options: Any,  # noqa: ANN401
) -> Report:
    """Read sources into a folder of Parquet files; go on with what is missing where an earlier run had begun.

    Args:
        sources: Files, folders, patterns, addresses such as ``"s3://bucket/scans/"``, and lists of these: files with
            the suffix ``.txt``, ``.csv`` or ``.parquet``.
        output: The folder. One run at a time may write to it.
        workers: Processes with models on each machine; by default one a core, or as many as there is memory for.
        memory: Bytes that these processes may take together on each machine. For Linux alone.
        timeout: Seconds for each page.
        retry_errors: True to read once more what could not be read before.
        runner: ``"native"`` for this machine, ``"ray"`` for a cluster.
        address: The cluster's, such as ``"10.0.0.1:6379"``; None for the one that this machine belongs to, or a new
            one on this machine alone.
        identity: The marks that files are known by: path, size and ``"time"`` of change, or path and ``"content"``.
        path_column: The column of lists that has paths or addresses.
        bytes_column: The column of Parquet lists that has the files themselves; None where they have names alone.
        also: Files to write beside the Parquet files: ``"jsonl"``, ``"text"``.
        part_rows: Rows of a Parquet file at most.
        part_seconds: Seconds after which a Parquet file is written even if it is small.
        io_config: Daft's ``IOConfig`` for object stores.
        progress: Called with the state of the batch whenever something was read.
        download_progress: Called while models are downloaded to this machine, as for :class:`ferrocr.OcrEngine`.
        **options: Options of :class:`ferrocr.OcrEngine` and of :meth:`ferrocr.OcrEngine.recognize_document`.

    Raises:
        InvalidArgumentError: An argument is out of its range.
        RuntimeUnavailableError: Daft or Ray is not installed, or the cluster cannot be reached.
        StorageError: The output cannot be written, or another run writes to it.
        OcrError: As :meth:`ferrocr.OcrEngine.load`.
    """
    settings = Settings.of(workers=workers, memory=memory, timeout=timeout, io_config=io_config, **options)
    named = [sources] if isinstance(sources, str | os.PathLike) else list(sources)
    job = Job(
        [os.fspath(source) for source in named],
        Path(output),
        settings,
        retry_errors=retry_errors,
        runner=runner,
        address=address,
        identity=identity,
        path_column=path_column,
        bytes_column=bytes_column,
        also=tuple(also),
        part_rows=part_rows,
        part_seconds=part_seconds,
        downloads=download_progress,
    )
    return Run(job, progress).run()
