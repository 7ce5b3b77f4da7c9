"""Compare a batch with as many plain processes: pages a second, memory, and what each page costs besides reading.

    python benches/batch.py [--pictures N] [--processes N] [--rounds N]

Small pictures of one to four lines are drawn. In turns, so many processes with an engine of one thread each read their
shares of them, and a batch with so many workers reads all. Both rates are those of reading alone, from the moment when
the models are there: the seconds before are told beside them. What counts is the ratio of the medians of the rounds; on
a busy machine, which shares itself out by processes and sessions, that of the processor time a page. With --pictures
100000 this is the long run of docs/scaling.md.
"""

import argparse
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import NamedTuple

from PIL import Image, ImageDraw, ImageFont

from ferrocr import batch

WIDTH, LINE = 400, 30
"""Pixels of a picture's side, and of each of its lines."""

READER = """
import sys
import ferrocr
paths = sys.stdin.readline().rstrip("\\n").split("\\t")
with ferrocr.OcrEngine(threads=1) as engine:
    engine.load()
    print("ready", flush=True)
    sys.stdin.readline()
    for _ in engine.recognize_many(paths):
        pass
    print("done", flush=True)
"""


class Outcome(NamedTuple):
    """One round of one of the two.

    Attributes:
        rate: Pages a second while pages were read.
        start: Seconds before the first one.
        memory: Most memory of all processes together, in MB; 0 where the system does not tell.
        driver: Milliseconds of processor time that a page took in the process that hands out and writes.
        processor: Milliseconds of processor time that a page took in all processes, from start to end.
    """

    rate: float
    start: float
    memory: float
    driver: float
    processor: float


def draw(folder: Path, count: int) -> list[Path]:
    """Draw the pictures."""
    font = ImageFont.load_default(20)
    paths = []
    for number in range(count):
        lines = 1 + number % 4
        picture = Image.new("RGB", (WIDTH, 20 + LINE * lines), (250, 250, 245))
        pen = ImageDraw.Draw(picture)
        for line in range(lines):
            pen.text(
                (12, 10 + LINE * line), f"Item {number * 37 + line} at {number % 97}.{line}0 each", (20, 20, 30), font
            )
        paths.append(folder / f"{number:06}.png")
        picture.save(paths[-1])
    return paths


class Memory:
    """Watches the memory of a process and of its children. Use it in a ``with`` statement."""

    def __init__(self) -> None:
        self.most = 0.0
        self.seconds = 0.0  # of processor time that the watching itself takes
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> "Memory":
        self._thread.start()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._is_over.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._is_over.wait(0.5):
            self.most = max(self.most, sum(map(_megabytes, _family(os.getpid()))))
            self.seconds = time.thread_time()


def _family(pid: int) -> list[int]:
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="utf-8").split()
        for thread in Path(f"/proc/{pid}/task").iterdir():
            children += (thread / "children").read_text(encoding="utf-8").split()
    except OSError:
        return [pid]
    return [pid, *(one for child in {*children} for one in _family(int(child)))]


def _megabytes(pid: int) -> float:
    """Return the memory of a process, of which what it shares counts in parts."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="utf-8").splitlines()
    except OSError:
        return 0.0
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("Pss:"))


def plain(paths: list[Path], processes: int) -> Outcome:
    """Read with processes that know nothing of each other."""
    started, processor = time.perf_counter(), processor_time()
    with Memory() as memory:
        readers = [
            subprocess.Popen([sys.executable, "-c", READER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
            for _ in range(processes)
        ]
        for index, reader in enumerate(readers):
            _say(reader, "\t".join(map(str, paths[index::processes])))
        _hear(readers)
        begun = time.perf_counter()
        for reader in readers:
            _say(reader, "go")
        _hear(readers)
        ended = time.perf_counter()
        for reader in readers:
            reader.communicate()
    used = 1000 * (processor_time() - processor - memory.seconds) / len(paths)
    return Outcome(len(paths) / (ended - begun), begun - started, memory.most, 0.0, used)


def processor_time() -> float:
    """Return the seconds that this process and those of its children that have ended have used on all cores."""
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + children.ru_utime + children.ru_stime


def _say(reader: "subprocess.Popen[str]", line: str) -> None:
    if reader.stdin is not None:
        reader.stdin.write(line + "\n")
        reader.stdin.flush()


def _hear(readers: "list[subprocess.Popen[str]]") -> None:
    for reader in readers:
        if reader.stdout is None or not reader.stdout.readline():
            sys.exit("a process that reads has ended")


def batched(folder: Path, output: Path, processes: int) -> Outcome:
    """Read with a batch."""
    started, processor = time.perf_counter(), processor_time()
    seen: list[tuple[float, float]] = []
    memory = Memory()

    def watch(progress: batch.Progress) -> None:
        if progress.pages:
            seen[1:] = [(time.perf_counter(), time.process_time() - memory.seconds)]  # the first one stays

    with memory:
        report = batch.run(folder, output, workers=processes, threads=1, progress=watch)
    if report.errors:
        sys.exit(f"some pictures could not be read: {report.errors}")
    (first, before), (last, after) = seen
    pages = report.pages - 1
    used = 1000 * (processor_time() - processor - memory.seconds) / report.pages
    return Outcome(pages / (last - first), first - started, memory.most, 1000 * (after - before) / pages, used)


def main() -> None:
    """Measure, and print what came of it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pictures", type=int, default=2000)
    parser.add_argument("--processes", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    outcomes: dict[str, list[Outcome]] = {"processes": [], "batch": []}
    with tempfile.TemporaryDirectory(prefix="ferrocr-batch-") as name:
        folder = Path(name) / "pictures"
        folder.mkdir()
        paths = draw(folder, arguments.pictures)
        for turn in range(arguments.rounds):
            outcomes["processes"].append(plain(paths, arguments.processes))
            output = Path(name) / f"out{turn}"
            outcomes["batch"].append(batched(folder, output, arguments.processes))
            for kind, done in outcomes.items():
                print(f"{kind:<10} {'  '.join(f'{value:8.2f}' for value in done[-1])}", flush=True)
        size = sum(part.stat().st_size for part in output.glob("*.parquet"))
    rates = {kind: statistics.median(outcome.rate for outcome in done) for kind, done in outcomes.items()}
    print(f"{arguments.pictures} pictures, {arguments.processes} processes, {arguments.rounds} rounds")
    for kind, done in outcomes.items():
        start, memory, used = (statistics.median(outcome[place] for outcome in done) for place in (1, 2, 4))
        rate = f"{rates[kind]:7.1f} pages/s, {start:5.1f} s before the first"
        print(f"{kind:<10} {rate}, {memory:6.0f} MB at most, {used:6.1f} ms of a core a page")
    driver = statistics.median(outcome.driver for outcome in outcomes["batch"])
    print(f"ratio {rates['batch'] / rates['processes']:.3f}; {driver:.2f} ms a page in the process that writes")
    print(f"{size / arguments.pictures:.0f} bytes of Parquet a page")


if __name__ == "__main__":
    main()
