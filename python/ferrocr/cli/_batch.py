"""``ferrocr batch``: any number of pictures and documents into a table."""

import argparse
import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from .. import batch
from .._text import path_text, printable
from ..batch._beside import ALSO
from ..batch._hosts import RUNNERS
from ..batch._run import PART_ROWS, PART_SECONDS
from ..batch._settings import TIMEOUT
from ..models.progress import DownloadProgress
from ._command import add_command, positive
from ._errors import EXIT_OK, EXIT_PROBLEMS
from ._read_arguments import RULES, describe_documents, describe_engine, describe_rules

if TYPE_CHECKING:
    from tqdm import tqdm

    from ._command import Commands

_MIB = 2**20

_ENGINE = (
    *("models", "detector", "recognizer", "orienter", "page_orienter", "model_dir", "provider", "preset", "device_id"),
    *("threads", "languages"),
)

_READING = ("pages", "dpi", "text_layer", "password", *RULES)

_FORMAT = "{percentage:3.0f}%|{bar}| [{elapsed}<{remaining}{postfix}]"

_NOTES = """\
sources:
  Files, folders, patterns such as 'scans/**/*.tif', addresses such as s3://bucket/scans/, and lists of these: text
  files with one a line, CSV and Parquet files with a column of paths. In folders the same files count as for
  `ferrocr read`.

output:
  OUT is a folder of Parquet files with a row for each page, errors too. The same command goes on with what is missing,
  after an interruption as well as when there are new files. docs/batch.md has the columns."""


def add(commands: "Commands") -> None:
    """Describe the command."""
    what = "read any number of pictures and documents into a table, on all cores or many machines"
    command = add_command(commands, "batch", run, what, "ferrocr batch scans/ -o out/", notes=_NOTES)
    command.add_argument("sources", nargs="+", metavar="SOURCE", help="see below")
    command.add_argument("-o", "--output", required=True, metavar="OUT", help="the folder of the table")
    _describe_sources(command.add_argument_group("sources"))
    _describe_output(command.add_argument_group("output"))
    _describe_running(command.add_argument_group("running"))
    describe_rules(command.add_argument_group("rules for the text of each line"))
    describe_documents(command.add_argument_group("documents"))
    describe_engine(command.add_argument_group("engine"))


def run(arguments: argparse.Namespace) -> int:
    """Read what is missing."""
    options = {name: getattr(arguments, name) for name in (*_ENGINE, *_READING)}
    options["text_layer"] = arguments.text_layer or "ignore"
    memory = None if arguments.memory is None else arguments.memory * _MIB
    with DownloadProgress() as downloads, _Watcher(quiet=arguments.quiet) as watcher:
        report = batch.run(
            arguments.sources,
            arguments.output,
            workers=arguments.workers,
            memory=memory,
            timeout=arguments.timeout,
            retry_errors=arguments.retry_errors,
            runner=arguments.runner,
            address=arguments.address,
            identity=arguments.identity,
            path_column=arguments.path_column,
            bytes_column=arguments.bytes_column,
            also=arguments.also,
            part_rows=arguments.part_rows,
            part_seconds=arguments.part_seconds,
            io_config=_io_config(arguments),
            progress=watcher,
            download=not arguments.no_download,
            download_progress=downloads,
            **options,
        )
    if not arguments.quiet:
        for line in _summary(report, arguments.output):
            print(line, file=sys.stderr)
    for problem in report.problems:
        print(f"error: {printable(problem)}", file=sys.stderr)
    return EXIT_PROBLEMS if report.errors or report.errors_before or report.problems else EXIT_OK


def _describe_sources(group: "argparse._ArgumentGroup") -> None:
    column = "the column of lists that has paths or addresses, default: %(default)s"
    group.add_argument("--path-column", default="path", metavar="NAME", help=column)
    data = "the column of Parquet lists that has the files themselves; default: they have paths alone"
    group.add_argument("--bytes-column", metavar="NAME", help=data)
    known = "how files are known again: by size and time of change, or by content, which reads all; default: time"
    group.add_argument("--identity", choices=("time", "content"), default="time", help=known)
    store = "address of an object store that is not Amazon's, such as http://127.0.0.1:9000"
    group.add_argument("--s3-endpoint", metavar="URL", help=store)
    group.add_argument("--s3-region", metavar="NAME", help="default: what the environment says")
    group.add_argument("--s3-anonymous", action="store_true", help="ask for objects without keys")


def _describe_output(group: "argparse._ArgumentGroup") -> None:
    beside = "write this too, beside the Parquet files: JSON Lines, or a text file a page; may be given twice"
    group.add_argument("--also", action="append", choices=ALSO, default=[], help=beside)
    group.add_argument("--retry-errors", action="store_true", help="read once more what could not be read before")
    rows = "rows of a Parquet file at most, default: %(default)s"
    group.add_argument("--part-rows", type=positive, default=PART_ROWS, metavar="N", help=rows)
    seconds = "write a Parquet file after so long, however small it is; default: %(default)g"
    group.add_argument("--part-seconds", type=float, default=PART_SECONDS, metavar="SECONDS", help=seconds)
    group.add_argument("-q", "--quiet", action="store_true", help="no progress bar and no summary; errors are told")


def _describe_running(group: "argparse._ArgumentGroup") -> None:
    workers = "processes with models on each machine; default: one a core, or as many as there is memory for"
    group.add_argument("--workers", type=positive, metavar="N", help=workers)
    memory = "most memory of these processes together, on each machine, where Linux bounds it"
    group.add_argument("--memory", type=positive, metavar="MB", help=memory)
    timeout = "that one page may take, default: %(default)g"
    group.add_argument("--timeout", type=float, default=TIMEOUT, metavar="SECONDS", help=timeout)
    group.add_argument("--runner", choices=RUNNERS, default="native", help="this machine, or Ray's; default: native")
    group.add_argument("--address", metavar="ADDRESS", help="the Ray cluster's, such as 10.0.0.1:6379, or auto")


def _io_config(arguments: argparse.Namespace) -> Any:  # noqa: ANN401  # daft.io.IOConfig
    if not (arguments.s3_endpoint or arguments.s3_region or arguments.s3_anonymous):
        return None
    return batch.s3_config(arguments.s3_endpoint, arguments.s3_region, anonymous=arguments.s3_anonymous)


class _Watcher:
    """Shows a batch in a bar, where stderr is a terminal. Use it in a ``with`` statement."""

    def __init__(self, *, quiet: bool) -> None:
        self._has_bar = not quiet and sys.stderr.isatty()
        self._bar: tqdm[Any] | None = None

    def __enter__(self) -> "_Watcher":
        return self

    def __exit__(self, *exc_info: object) -> None:
        if self._bar is not None:
            self._bar.close()

    def __call__(self, progress: batch.Progress) -> None:
        """Show the state of a batch."""
        if not self._has_bar:
            return
        from tqdm import tqdm

        if self._bar is None:
            self._bar = tqdm(total=progress.sources, file=sys.stderr, bar_format=_FORMAT, dynamic_ncols=True)
        self._bar.set_postfix_str(_told(progress), refresh=False)
        self._bar.update(progress.done - self._bar.n)


def _told(progress: batch.Progress) -> str:
    rate = progress.pages / max(progress.seconds, 1e-3)
    total = "" if progress.sources is None else f" of {progress.sources:,} sources"
    errors = f", {progress.errors.total():,} errors" if progress.errors else ""
    return f"{int(progress.done + 1e-6):,}{total}, {progress.pages:,} pages, {rate:.1f} pages/s{errors}"


def _summary(report: batch.Report, output: str) -> list[str]:
    rate = f", {report.pages / report.seconds:.1f} pages/s" if report.seconds else ""
    before = f"; {report.before:,} sources done before" if report.before else ""
    lines = [f"{report.pages:,} pages of {report.sources:,} sources read to {path_text(output)}{rate}{before}"]
    if report.errors:
        lines.append(f"{sum(report.errors.values()):,} could not be read: {_counts(report.errors)}")
    if report.errors_before:
        lines.append(f"{report.errors_before:,} could not be read before; --retry-errors tries them again")
    if report.left_out:
        kinds = {printable(kind) or "without a suffix": count for kind, count in report.left_out.items()}
        lines.append(f"left out {sum(kinds.values()):,} files: {_counts(kinds)}")
    return lines


def _counts(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{name} ({count:,})" for name, count in list(counts.items())[:5])
