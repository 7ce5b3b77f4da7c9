"""The command ``ferrocr``: read pictures, look after the model directory, check the installation.

Data goes to stdout, everything else to stderr. What needs numpy, Pillow or the models is reached only by the command
that needs it, so ``ferrocr --version`` costs no more than ``import ferrocr``.
"""

import argparse
import dataclasses
import json
import os
import platform
import sys
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Self

import ferrocr

from . import exceptions
from .exceptions import OcrError

if TYPE_CHECKING:
    from tqdm import tqdm

    from .results import Page
    from .store import CatalogEntry, ModelStore

    Commands = argparse._SubParsersAction[argparse.ArgumentParser]  # argparse has no public name for it

DEFAULT_SET = "ppocrv6-small"
LEAST_MEMORY_MB = 500
"""Memory in MB below which ``doctor`` complains: the default models and one large page take about as much."""

EXIT_OK, EXIT_PROBLEMS, EXIT_USAGE, EXIT_CANNOT_RUN, EXIT_INTERRUPTED, EXIT_PIPE = 0, 1, 2, 3, 130, 141

EXIT_CODES = """\
exit codes:
  0    everything asked for was done
  1    some file could not be read, or a check found a problem
  2    the command line is wrong
  3    the command could not run: models or ONNX Runtime are missing, or the output cannot be written
  130  ended by Ctrl-C
  141  whatever read the output closed it early
"""


@dataclasses.dataclass(frozen=True, slots=True)
class Failure:
    """How a class of exception ends the command: the exit code, and a hint for those that bring none of their own."""

    error: type[Exception]
    exit_code: int
    hint: str | None = None


# The first row that fits counts, so a class stands above its base.
FAILURES = (
    Failure(exceptions.InvalidArgumentError, EXIT_USAGE, "see: ferrocr --help"),
    Failure(exceptions.ModelNotFoundError, EXIT_CANNOT_RUN, "run: ferrocr models pull"),
    Failure(exceptions.ModelCorruptError, EXIT_CANNOT_RUN, "remove that file, then run: ferrocr models pull"),
    Failure(exceptions.ModelInUseError, EXIT_CANNOT_RUN, "free the engine or end the process that uses it"),
    Failure(exceptions.DownloadError, EXIT_CANNOT_RUN, "give another source: ferrocr models pull --mirror URL"),
    Failure(exceptions.RuntimeUnavailableError, EXIT_CANNOT_RUN, "run: ferrocr doctor"),
    Failure(exceptions.InferenceError, EXIT_CANNOT_RUN, "run: ferrocr doctor"),
    Failure(Exception, EXIT_CANNOT_RUN),
)


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code.

    Args:
        argv: Arguments without the program's name; None takes those of the process.

    Raises:
        SystemExit: For ``--help``, ``--version`` and wrong arguments, as argparse does.
    """
    arguments = _parser().parse_args(argv)
    _escape_what_stdout_cannot_encode()
    try:
        code: int = arguments.run(arguments)
        sys.stdout.flush()
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return EXIT_INTERRUPTED
    except BrokenPipeError:
        # The interpreter flushes stdout once more at its exit: let that go nowhere instead of failing again.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return EXIT_PIPE
    except (OcrError, OSError) as error:
        return _report(error)
    return code


def _escape_what_stdout_cannot_encode() -> None:
    reconfigure: Callable[..., None] | None = getattr(sys.stdout, "reconfigure", None)
    if reconfigure is not None:
        reconfigure(errors="backslashreplace")


def _report(error: Exception, name: str | None = None) -> int:
    """Tell the user about `error`, which the file `name` gave if there is one; returns the exit code it means."""
    failure = next(row for row in FAILURES if isinstance(error, row.error))
    message, _, hint = str(error).partition("\n")
    if name is not None and name not in message:
        message = f"{name}: {message}"
    lines = [f"error: {message or type(error).__name__}"]
    if hint or (failure.hint and name is None):
        lines.append(f"hint: {hint or failure.hint}")

    from tqdm import tqdm

    tqdm.write("\n".join(lines), file=sys.stderr)  # above a progress bar that may be there
    return failure.exit_code


# --- the command line ---------------------------------------------------------------------------------------------


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="ferrocr",
        description="Read the text in pictures.",
        epilog="example:\n  ferrocr read receipt.jpg\n\n" + EXIT_CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"ferrocr {ferrocr.__version__}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    _add_read(commands)
    _add_models(commands)
    doctor = _add_command(commands, "doctor", _doctor, "check whether reading will work here", "ferrocr doctor")
    doctor.add_argument("--json", action="store_true", help="print the checks as JSON")
    _add_dir(doctor)
    return parser


def _add_command(
    commands: "Commands", name: str, run: Callable[[argparse.Namespace], int], what: str, example: str
) -> argparse.ArgumentParser:
    command: argparse.ArgumentParser = commands.add_parser(
        name,
        help=what,
        description=what[0].upper() + what[1:] + ".",
        epilog=f"example:\n  {example}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    command.set_defaults(run=run)
    return command


def _add_read(commands: "Commands") -> None:
    example = "ferrocr read page1.png page2.jpg --format json -o pages.json"
    read = _add_command(commands, "read", _read, "read the text in pictures", example)
    read.add_argument("files", nargs="+", metavar="FILE", help="a picture")
    read.add_argument("--format", choices=("text", "json"), default="text", help="default: text")
    read.add_argument("-o", "--output", metavar="OUT", help="write here instead of to stdout, whole or not at all")
    read.add_argument("--models", default=DEFAULT_SET, metavar="SET", help="a set of models, default: %(default)s")
    read.add_argument("--model-dir", metavar="DIR", help="the model directory, default: that of `ferrocr models path`")
    read.add_argument("--threads", type=_positive, metavar="N", help="threads a model may use, default: one a core")
    read.add_argument("--provider", choices=("auto", "cpu", "cuda", "openvino"), default="auto", help="default: auto")
    read.add_argument("--no-download", action="store_true", help="fail when a model is missing, never fetch it")


def _add_models(commands: "Commands") -> None:
    models = commands.add_parser("models", help="list, find and fetch models", description="Look after the models.")
    actions = models.add_subparsers(title="commands", metavar="COMMAND", required=True)

    listing = _add_command(actions, "list", _models_list, "list the models", "ferrocr models list --available")
    listing.add_argument("--json", action="store_true", help="print JSON")
    listing.add_argument("--available", action="store_true", help="list the catalog instead of the directory")

    example = "ferrocr models path PP-OCRv6_det_small.onnx"
    path = _add_command(actions, "path", _models_path, "print the path of the directory or of a model", example)
    path.add_argument("name", nargs="?", metavar="NAME", help="a model's file name")

    example = f"ferrocr models pull --set {DEFAULT_SET}"
    pull = _add_command(actions, "pull", _models_pull, "fetch models and print their paths", example)
    pull.add_argument("names", nargs="*", metavar="NAME", help="a file name of the catalog, or a set")
    pull.add_argument("--set", metavar="SET", help=f"a set of models; {DEFAULT_SET} when nothing is named")
    pull.add_argument("--mirror", metavar="URL", help="address that holds the files under their names, tried first")
    for action in (listing, path, pull):
        _add_dir(action)


def _add_dir(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--dir", metavar="DIR", help="the model directory; default: $FERROCR_MODEL_DIR or the user's")


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        message = "must be at least 1"
        raise argparse.ArgumentTypeError(message)
    return number


# --- progress -----------------------------------------------------------------------------------------------------


class DownloadProgress:
    """Shows model downloads on stderr; pass it wherever ferrocr takes a ``progress`` callable.

    On a terminal each file has a bar; elsewhere each file has one line at its start and one at its end.
    """

    def __init__(self) -> None:
        """Show nothing yet."""
        self._current: tuple[str, str] | None = None
        self._bar: tqdm[Any] | None = None
        self._finished: set[tuple[str, str]] = set()

    def __call__(self, name: str, source: str, done: int, total: int | None) -> None:
        """Note that `done` of `total` bytes of the model `name` have come from `source`."""
        if (name, source) in self._finished:
            return
        if self._current != (name, source):
            self.close()
            self._start(name, source, total)
        if self._bar is not None:
            self._bar.update(done - self._bar.n)
        if done == total:
            self._finish(name, source)

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(self, *exc_info: object) -> None:
        """Close what is open."""
        self.close()

    def close(self) -> None:
        """End the bar that is open, if any."""
        if self._bar is not None:
            self._bar.close()
        self._bar = self._current = None

    def _start(self, name: str, source: str, total: int | None) -> None:
        self._current = (name, source)
        if sys.stderr.isatty():
            from tqdm import tqdm

            self._bar = tqdm(total=total, desc=name, unit="B", unit_scale=True, file=sys.stderr)
        else:
            size = "" if total is None else f" ({_megabytes(total)})"
            print(f"fetching {name}{size} from {source}", file=sys.stderr)

    def _finish(self, name: str, source: str) -> None:
        self._finished.add((name, source))
        if self._bar is None:
            print(f"fetched {name}", file=sys.stderr)
        self.close()


def _megabytes(size: int) -> str:
    return f"{size / 1e6:.1f} MB"


# --- ferrocr read -------------------------------------------------------------------------------------------------


def _read(arguments: argparse.Namespace) -> int:
    write = _write_json if arguments.format == "json" else _write_text
    with _output(arguments.output) as out, closing(_pages(arguments)) as pages:
        all_read = write(out, arguments.files, pages)
    return EXIT_OK if all_read else EXIT_PROBLEMS


def _pages(arguments: argparse.Namespace) -> "Generator[Page | OcrError]":
    """What each file gave, in order. An error that concerns no single file is raised instead."""
    files: list[str] = arguments.files
    if not any(Path(name).exists() for name in files):
        # Nothing to read: find that out before models are fetched and loaded for it.
        yield from (exceptions.StorageError(f"cannot read {name}: no such file") for name in files)
        return
    with (
        DownloadProgress() as progress,
        ferrocr.OcrEngine(
            arguments.models,
            model_dir=arguments.model_dir,
            provider=arguments.provider,
            threads=arguments.threads,
            download=not arguments.no_download,
            progress=progress,
        ) as ocr,
    ):
        ocr.load()
        yield from _with_bar(ocr.recognize_many(files), len(files), to_file=arguments.output is not None)


def _with_bar(pages: "Iterator[Page | OcrError]", total: int, *, to_file: bool) -> "Iterator[Page | OcrError]":
    """The same pages, with a bar where it disturbs no text that scrolls by on the same terminal."""
    if total == 1 or not sys.stderr.isatty() or (sys.stdout.isatty() and not to_file):
        return pages
    from tqdm import tqdm

    return iter(tqdm(pages, total=total, unit="file", file=sys.stderr))


def _write_text(out: IO[str], files: Sequence[str], pages: "Iterator[Page | OcrError]") -> bool:
    """Print each page's text, under a header where there is more than one file; true if all could be read."""
    failed = written = 0
    for name, page in zip(files, pages, strict=True):
        if isinstance(page, OcrError):
            _report(page, name)
            failed += 1
            continue
        if written:
            print(file=out)
        if len(files) > 1:
            print(f"==> {name} <==", file=out)
        print(page.text, file=out)
        written += 1
    return not failed


def _write_json(out: IO[str], files: Sequence[str], pages: "Iterator[Page | OcrError]") -> bool:
    """Print one list with an object for each file; true if all could be read."""
    objects: list[dict[str, Any]] = []
    failed = 0
    for name, page in zip(files, pages, strict=True):
        if isinstance(page, OcrError):
            _report(page, name)
            failed += 1
            objects.append({"file": name, "error": str(page).partition("\n")[0]})
        else:
            objects.append({"file": name, **_page_object(page)})
    # One file a line: as long as a file's text needs, and still a list that any JSON reader takes.
    print("[" + ",\n ".join(json.dumps(item, ensure_ascii=False) for item in objects) + "]", file=out)
    return not failed


def _page_object(page: "Page") -> dict[str, Any]:
    """Plain data of a page: positions in pixels of the picture, clockwise from each line's top left."""
    lines = [
        {"text": line.text, "score": round(line.score, 4), "quad": [[round(x, 1), round(y, 1)] for x, y in line.quad]}
        for line in page.lines
    ]
    return {"width": page.width, "height": page.height, "text": page.text, "lines": lines}


def _print_json(data: object) -> None:
    print(json.dumps(data, ensure_ascii=False, indent=2))


@contextmanager
def _output(name: str | None) -> Iterator[IO[str]]:
    """Where results go: stdout, or a file that appears under `name` only once the block has ended well."""
    if name is None or name == "-":
        yield sys.stdout
        return
    target = Path(name).resolve()
    if target.exists() and not target.is_file():
        with _open_output(target, "w", name) as special:
            yield special  # a device or a pipe: nothing to replace
        return
    unfinished = target.with_name(f".{target.name}.{os.urandom(4).hex()}.tmp")
    out = _open_output(unfinished, "x", name)
    try:
        with out:
            yield out
        if target.exists():
            unfinished.chmod(target.stat().st_mode & 0o777)
        unfinished.replace(target)
    finally:
        unfinished.unlink(missing_ok=True)


def _open_output(path: Path, mode: str, name: str) -> IO[str]:
    try:
        return path.open(mode, encoding="utf-8", errors="backslashreplace")
    except OSError as error:
        message = f"cannot write {name}: {error.strerror}\ngive another place: -o OUT"
        raise exceptions.StorageError(message) from error


# --- ferrocr models -----------------------------------------------------------------------------------------------


def _store(arguments: argparse.Namespace) -> "ModelStore":
    from .store import ModelStore

    return ModelStore(arguments.dir)


def _models_list(arguments: argparse.Namespace) -> int:
    store = _store(arguments)
    if arguments.available:
        return _print_catalog(store, as_json=arguments.json)
    names = store.list_local()
    if arguments.json:
        _print_json([_file_object(store, name) for name in names])
        return EXIT_OK
    for name in names:
        print(name)
    if not names:
        print(f"no models in {store.get_local_path()}\nhint: run: ferrocr models pull", file=sys.stderr)
    return EXIT_OK


def _file_object(store: "ModelStore", name: str) -> dict[str, Any]:
    path = Path(store.get_local_path(name))
    return {"name": name, "path": str(path), "bytes": path.stat().st_size}


def _print_catalog(store: "ModelStore", *, as_json: bool) -> int:
    from .store import catalog, model_sets

    local, sets = set(store.list_local()), model_sets()
    rows = [
        {
            **dataclasses.asdict(entry),
            "sets": [name for name, files in sets.items() if entry.name in files],
            "local": entry.name in local,
        }
        for entry in catalog()
    ]
    if as_json:
        _print_json(rows)
    else:
        _print_table([_catalog_row(row) for row in rows])
    return EXIT_OK


def _catalog_row(row: dict[str, Any]) -> list[str]:
    size = "?" if row["bytes"] is None else _megabytes(row["bytes"])
    here = "local" if row["local"] else "-"
    return [row["name"], row["role"], row["family"], size, here, ",".join(row["sets"]) or "-"]


def _print_table(rows: list[list[str]]) -> None:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


def _models_path(arguments: argparse.Namespace) -> int:
    print(_store(arguments).get_local_path(arguments.name))
    return EXIT_OK


def _models_pull(arguments: argparse.Namespace) -> int:
    store = _store(arguments)
    names = [*arguments.names, *([arguments.set] if arguments.set else [])] or [DEFAULT_SET]
    with DownloadProgress() as progress:
        paths = store.pull(names, mirror=arguments.mirror, progress=progress)
    for path in paths:
        print(path)
    return EXIT_OK


# --- ferrocr doctor -----------------------------------------------------------------------------------------------


@dataclasses.dataclass(frozen=True, slots=True)
class Check:
    """One thing that ``doctor`` looked at.

    Attributes:
        name: What was looked at.
        ok: Whether reading can work with it.
        detail: What was found, for people.
        fix: What to do about it; None where nothing needs doing.
        facts: What was found, for programs.
    """

    name: str
    ok: bool
    detail: str
    fix: str | None = None
    facts: dict[str, Any] = dataclasses.field(default_factory=dict)


def _doctor(arguments: argparse.Namespace) -> int:
    checks = [_check_versions(), *_check_runtime(), *_check_models(arguments), _check_memory()]
    ok = all(check.ok for check in checks)
    if arguments.json:
        _print_json({"ok": ok, "checks": [dataclasses.asdict(check) for check in checks]})
    else:
        for check in checks:
            print(f"{'ok' if check.ok else 'problem':<9}{check.name:<10}{check.detail}")
            if check.fix:
                print(f"hint: {check.fix}")
    return EXIT_OK if ok else EXIT_PROBLEMS


def _check_versions() -> Check:
    facts = {
        "ferrocr": ferrocr.__version__,
        "python": platform.python_version(),
        "implementation": platform.python_implementation(),
        "platform": platform.platform(),
        "machine": platform.machine(),
        "cpus": os.cpu_count(),
    }
    detail = "ferrocr {ferrocr}, {implementation} {python}, {platform}, {cpus} CPUs".format(**facts)
    return Check("versions", ok=True, detail=detail, facts=facts)


def _check_runtime() -> Iterator[Check]:
    from . import _core
    from ._runtime import disable_telemetry, find_runtime, library_version

    try:
        runtime = find_runtime()
        version = library_version(runtime.path)
        disable_telemetry()
        _core.load_runtime(runtime.path)
    except OcrError as error:
        yield _failed("runtime", error)
        return
    facts = {"path": str(runtime.path), "version": version, "distribution": runtime.distribution}
    origin = runtime.distribution or "set by hand"
    yield Check("runtime", ok=True, detail=f"ONNX Runtime {version} ({origin}) at {runtime.path}", facts=facts)
    providers = _core.built_in_providers()
    yield Check("providers", ok=True, detail=", ".join(providers), facts={"providers": providers})


def _failed(name: str, error: OcrError) -> Check:
    message, _, hint = str(error).partition("\n")
    return Check(name, ok=False, detail=message, fix=hint or None)


def _check_models(arguments: argparse.Namespace) -> Iterator[Check]:
    from .store import catalog, model_sets

    try:
        store = _store(arguments)
        files = {name: Path(store.get_local_path(name)).stat().st_size for name in store.list_local()}
        directory = store.get_local_path()
    except (OcrError, OSError) as error:
        yield Check("models", ok=False, detail=str(error).partition("\n")[0], fix="give another directory: --dir DIR")
        return
    listed = ", ".join(f"{name} ({_megabytes(size)})" for name, size in files.items()) or "no models"
    facts = {"directory": directory, "files": files}
    yield Check("models", ok=True, detail=f"{directory}: {listed}", facts=facts)

    entries = {entry.name: entry for entry in catalog()}
    needed = {name: _state_of(entries.get(name), files.get(name)) for name in model_sets()[DEFAULT_SET]}
    wrong = [f"{name} {state}" for name, state in needed.items() if state != "complete"]
    detail = f"{DEFAULT_SET}: " + (", ".join(wrong) or "complete")
    fix = f"run: ferrocr models pull --set {DEFAULT_SET}" if wrong else None
    yield Check("default", ok=not wrong, detail=detail, fix=fix, facts={"set": DEFAULT_SET, "files": needed})


def _state_of(entry: "CatalogEntry | None", size: int | None) -> str:
    if size is None:
        return "missing"
    expected = entry.bytes if entry else None
    return "complete" if expected in (None, size) else f"has {size} bytes instead of {expected}"


def _check_memory() -> Check:
    free = _available_memory_mb()
    facts = {"available_mb": free, "wanted_mb": LEAST_MEMORY_MB}
    if free is None:
        return Check("memory", ok=True, detail="unknown on this system", facts=facts)
    ok = free >= LEAST_MEMORY_MB
    fix = None if ok else f"free memory, or lift the limit, until {LEAST_MEMORY_MB} MB are available"
    return Check("memory", ok=ok, detail=f"{free:.0f} MB available", fix=fix, facts=facts)


def _available_memory_mb() -> float | None:
    """Megabytes that this process may still take without swapping, on Linux; None elsewhere."""
    try:
        fields = dict(line.split(":", 1) for line in Path("/proc/meminfo").read_text().splitlines())
        free = int(fields["MemAvailable"].split()[0]) / 1024
    except (OSError, KeyError, ValueError):
        return None
    limit = _container_memory_mb()
    return free if limit is None else min(free, limit)


def _container_memory_mb() -> float | None:
    """What the memory limit of a container (cgroup v2) leaves; None where there is none."""
    group = Path("/sys/fs/cgroup")
    try:
        limit, used = (int((group / name).read_text()) for name in ("memory.max", "memory.current"))
        statistics = dict(line.split() for line in (group / "memory.stat").read_text().splitlines())
        cache = int(statistics["inactive_file"])  # counted as used, but given up as soon as memory is wanted
    except (OSError, KeyError, ValueError):  # no such group, or the limit is the word "max"
        return None
    return (limit - used + cache) / 2**20
