"""What OCR engines give back: resident memory while loaded, and after the user has done away with the engine.

Each engine runs with its defaults in a process of its own, started by the interpreter of the environment that it is
installed in. There it is made and reads the picture five times over, and after each time it is done away with:

- *loaded*: what the process holds after the reading, above what it held once the engine's package was imported;
- *released*: what is left after the engine's own call for it, where it has one;
- *deleted*: what is left when no reference is there any more and ``gc.collect()`` has run, all that most engines offer;
- *trimmed*: what is left when glibc is then told to give free memory back to the system (``malloc_trim``). No user
  would know of it, and it is done after the last time only: it shows what is kept by the allocator alone.

*Threads* are those left of the engine's, *seconds* what release and deletion took, and *5th* is the deleted column
after the last time, before the trim. For example::

    python benches/release.py PICTURE --engine rapidocr=envs/rapid/bin/python --engine ferrocr

Linux with glibc only. The engines and their names are those of compare.py.
"""

import argparse
import ctypes
import gc
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple

import compare

CYCLES = 5


class Opened(NamedTuple):
    """An engine: how to read with it, and how to release it where that is possible."""

    read: compare.Reader
    release: Callable[[], object] | None = None


def open_engine(name: str) -> Opened:
    """Return the engine `name` with its defaults."""
    if name == "ferrocr":
        ocr = import_module("ferrocr").OcrEngine()
        return Opened(lambda path: [line.text for line in ocr.recognize(path).lines], ocr.free_resources)
    return Opened(compare.ADAPTERS[name].open())


# --- the engine's process -----------------------------------------------------------------------------------------


def held() -> tuple[float, int]:
    """Resident memory in MB, and threads."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20, sum(1 for _ in Path("/proc/self/task").iterdir())


def cycle(name: str, picture: str) -> dict[str, Any]:
    """Make, read, do away with: what is held after each step."""
    engine = open_engine(name)
    read = engine.read(picture)
    row: dict[str, Any] = {"lines": len(read), "loaded": held()[0], "released": None}
    started = time.perf_counter()
    if engine.release is not None:
        engine.release()
        row["released"] = held()[0]
    del engine
    gc.collect()
    row["seconds"] = time.perf_counter() - started
    row["deleted"], row["threads"] = held()
    return row


def serve(name: str, picture: str) -> None:
    """Print what a process with the engine `name` holds, as JSON."""
    answer = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # what an engine prints must not mix with the answer
    distribution = compare.ADAPTERS[name].distribution
    if distribution is None:
        sys.exit(f"error: {name} is a program, which gives everything back by its end")
    import_module(distribution.replace("-", "_"))
    start, threads = held()
    rows = [cycle(name, picture) for _ in range(CYCLES)]
    ctypes.CDLL(None).malloc_trim(0)
    found = {"start": start, "threads": threads, "cycles": rows, "trimmed": held()[0]}
    print(json.dumps({**found, "version": compare._version(distribution)}), file=answer, flush=True)


# --- the table ----------------------------------------------------------------------------------------------------


def ask(label: str, python: str, picture: Path) -> dict[str, Any]:
    """Run an engine's process."""
    command = [python, __file__, str(picture.resolve()), "--serve", label.partition(":")[0]]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    if ended.returncode:
        sys.exit(f"error: {label} ended with status {ended.returncode}\n{ended.stderr[-2000:]}")
    answer: dict[str, Any] = json.loads(ended.stdout)
    return answer


def markdown(answers: dict[str, dict[str, Any]]) -> Iterator[str]:
    """Return the table's lines: MB above what the process held before the engine was made."""
    head = ["engine", "imported MB", "loaded", "released", "deleted", "5th", "trimmed", "threads", "seconds"]
    yield "| " + " | ".join(head) + " |"
    yield "|---" + "|---:" * (len(head) - 1) + "|"
    for label, answer in answers.items():
        first, last, start = answer["cycles"][0], answer["cycles"][-1], answer["start"]
        released = "none" if first["released"] is None else f"{first['released'] - start:+.0f}"
        cells = [
            f"{label} {answer['version']}".rstrip(),
            f"{start:.0f}",
            f"{first['loaded'] - start:+.0f}",
            released,
            *(f"{value - start:+.0f}" for value in (first["deleted"], last["deleted"], answer["trimmed"])),
            f"{last['threads'] - answer['threads']:+d}",
            f"{first['seconds']:.3f}",
        ]
        yield "| " + " | ".join(cells) + " |"


def main() -> None:
    """Read the command line, measure, print the table."""
    options = _parser().parse_args()
    if options.serve:
        serve(options.serve, str(options.picture))
        return
    if not options.engine:
        _parser().error("at least one --engine is needed")
    answers = {label: ask(label, python, options.picture) for label, python in options.engine}
    if not all(row["lines"] for answer in answers.values() for row in answer["cycles"]):
        print("warning: not every engine found text on this picture", file=sys.stderr)
    print(f"MB of resident memory above the imported package; {compare.machine()}\n")
    for line in markdown(answers):
        print(line)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("picture", type=Path, metavar="PICTURE")
    parser.add_argument(
        "--engine",
        action="append",
        type=compare._engine,
        metavar="NAME[:LABEL][=PYTHON]",
        help=f"{', '.join(compare.ADAPTERS)}; PYTHON is the interpreter that has it installed, default: this one",
    )
    parser.add_argument("--serve", choices=compare.ADAPTERS, help=argparse.SUPPRESS)
    return parser


if __name__ == "__main__":
    main()
