"""Compare an isolated engine with one in the same process: milliseconds a picture, seconds to start, and memory.

    python benches/isolated.py [--rounds N] [--workers N] [--pages N]

Both engines read the same pictures of 2 megapixels in turns: a blank page, which is one run of the detector, and one
with 50 lines, as a file, as encoded bytes and as pixels. What counts is the difference of the medians; that of the
fastest rounds, which other work on the machine slows least; and that of the processor time of all processes. Then an
engine with so many workers reads pages, and so many processes with an engine each read the same pages: the ratio of
their pages a second.
"""

import argparse
import io
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from ferrocr import OcrEngine
from ferrocr._core import resident_bytes
from ferrocr._isolated._client import IsolatedCore

WIDTH, HEIGHT = 1240, 1654
"""An A4 page at 150 dpi."""

READER = """
import sys, time
import ferrocr
with ferrocr.OcrEngine(threads=1) as engine:
    engine.recognize(sys.argv[1])
    print("ready", flush=True)
    sys.stdin.readline()
    for _ in range(int(sys.argv[2])):
        engine.recognize(sys.argv[1])
    print("done", flush=True)
"""


def page(lines: int) -> Image.Image:
    """Draw a page."""
    picture = Image.new("RGB", (WIDTH, HEIGHT), (250, 250, 245))
    pen, font = ImageDraw.Draw(picture), ImageFont.load_default(20)
    for line in range(lines):
        pen.text(
            (80, 60 + 30 * line), f"{line * 37} pages of grey paper, and {line * 91} more of it", (20, 20, 30), font
        )
    return picture


def milliseconds(work: Callable[[], object], clock: Callable[[], float] = time.perf_counter) -> float:
    """Return the duration of a call."""
    started = clock()
    work()
    return 1000 * (clock() - started)


def processor_time(engine: OcrEngine) -> float:
    """Return the seconds that this process and those of the engine have used on all cores, as far as is known."""
    core = engine._core
    seconds = time.process_time()
    for pid in core.pids if isinstance(core, IsolatedCore) and sys.platform == "linux" else ():
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
        seconds += (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    return seconds


def compare(name: str, image: Any, here: OcrEngine, elsewhere: OcrEngine, rounds: int) -> None:  # noqa: ANN401
    """Print what the other engine takes longer."""
    if here.recognize(image) != elsewhere.recognize(image):
        sys.exit(f"{name} is read in two ways")
    times: tuple[list[float], list[float]] = ([], [])
    for turn in range(rounds):
        for which in (0, 1) if turn % 2 else (1, 0):
            engine = (here, elsewhere)[which]
            times[which].append(milliseconds(lambda: engine.recognize(image)))  # noqa: B023
    used = [
        milliseconds(lambda: [engine.recognize(image) for _ in range(rounds)], lambda: processor_time(engine)) / rounds  # noqa: B023
        for engine in (here, elsewhere)
    ]
    medians, fastest = [statistics.median(one) for one in times], [min(one) for one in times]
    columns = [("median", medians), ("fastest", fastest), ("of processors", used)]
    shown = (f"{what} {one:.1f} ms, {other - one:+.2f} elsewhere" for what, (one, other) in columns)
    print(f"{name}: {'; '.join(shown)}", flush=True)


def megabytes(size: int | None) -> str:
    """Return a size for people."""
    return "?" if size is None else f"{size / 2**20:.0f} MB"


def processes(engine: OcrEngine) -> IsolatedCore:
    """Return the part of an isolated engine that has the processes."""
    core = engine._core
    if not isinstance(core, IsolatedCore):
        sys.exit("it is not isolated")
    return core


def costs(folder: Path, rounds: int) -> None:
    """Print what one process costs."""
    path = folder / "page.png"
    page(50).save(path)
    before = resident_bytes()
    with OcrEngine(isolated=True) as elsewhere:
        print(f"start and load elsewhere {milliseconds(elsewhere.load):.0f} ms")
        elsewhere.recognize(path)
        child = processes(elsewhere)._pool.everyone()[0].resident_bytes()
        print(f"here {megabytes(before)} before, {megabytes(resident_bytes())} loaded; elsewhere {megabytes(child)}")
        with OcrEngine() as here:
            print(f"load here {milliseconds(here.load):.0f} ms")
            blank = np.asarray(page(0))
            compare("blank, pixels", blank, here, elsewhere, 3 * rounds)
            compare("50 lines, pixels", np.asarray(page(50)), here, elsewhere, rounds)
            encoded = io.BytesIO()
            page(0).save(encoded, "jpeg")
            compare("blank, encoded", encoded.getvalue(), here, elsewhere, rounds)
            page(0).save(path)
            compare("blank, file", path, here, elsewhere, rounds)


def released(folder: Path) -> None:
    """Print what stays of one, in a process of its own."""
    code = f"""
import ferrocr
from ferrocr._core import resident_bytes
before = resident_bytes()
for _ in range(3):
    with ferrocr.OcrEngine(isolated=True) as engine:
        engine.recognize({str(folder / "page.png")!r})
    report = engine.free_resources()
    print(f"before {{before / 2**20:.0f}} MB; at the release {{report.rss_before_mb:.0f}} with its process, "
          f"after it {{report.rss_after_mb:.0f}}")
"""
    subprocess.run([sys.executable, "-c", code], check=True)


def shared(folder: Path, workers: int, pages: int) -> None:
    """Print pages a second of an engine with workers, and of as many processes."""
    path = folder / "page.png"
    page(50).save(path)
    rates: dict[str, list[float]] = {"workers": [], "processes": []}
    with OcrEngine(isolated=True, workers=workers, threads=1) as engine:
        engine.load()
        others = [
            subprocess.Popen(
                [sys.executable, "-c", READER, str(path), str(pages)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                start_new_session=True,  # as workers are: a busy Linux shares its processors out by sessions
            )
            for _ in range(workers)
        ]
        for other in others:
            other.stdout.readline()  # type: ignore[union-attr]
        list(engine.recognize_many([path] * workers))
        taken = milliseconds(lambda: list(engine.recognize_many([path] * (pages * workers))))
        rates["workers"].append(1000 * pages * workers / taken)

        def all_of_them() -> None:
            for other in others:
                other.stdin.write(b"\n")  # type: ignore[union-attr]
                other.stdin.flush()  # type: ignore[union-attr]
            for other in others:
                other.stdout.readline()  # type: ignore[union-attr]

        rates["processes"].append(1000 * pages * workers / milliseconds(all_of_them))
        for other in others:
            other.communicate()
    ours, theirs = rates["workers"][0], rates["processes"][0]
    print(f"{workers} workers {ours:.2f} pages a second, {workers} processes {theirs:.2f}: ratio {ours / theirs:.3f}")


def main() -> None:
    """Measure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--pages", type=int, default=12, help="for each worker")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        costs(Path(folder), arguments.rounds)
        released(Path(folder))
        for _ in range(3):
            shared(Path(folder), arguments.workers, arguments.pages)


if __name__ == "__main__":
    main()
