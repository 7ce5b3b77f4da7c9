"""A loop over `recognize` against `recognize_many`, on the same pictures in turns: pages a second, and their ratio.

    python benches/many.py PICTURES... [--rounds N] [--ahead N,N...] [--threads N]

PICTURES are files or folders. Each round reads all pictures in every way, in an order that changes from round to round,
and compares what came out. What counts is the ratio of the medians: other work on the machine slows all of them, though
not evenly, because more threads get more of a busy machine. The share of the processor that was used says how busy it
was: it cannot be much above 1 when the machine is idle otherwise.
"""

import argparse
import resource
import statistics
import sys
import time
from pathlib import Path

from ferrocr import OcrEngine, OcrError, Page

SUFFIXES = {".png", ".jpg", ".jpeg", ".tif", ".tiff", ".bmp", ".webp", ".gif"}


def pictures(places: list[str]) -> list[Path]:
    """Files as they are given, and those in folders."""
    found: list[Path] = []
    for place in map(Path, places):
        found += sorted(file for file in place.rglob("*") if file.suffix in SUFFIXES) if place.is_dir() else [place]
    return found


def cpu_seconds() -> float:
    """Return the seconds that this process has used on all cores."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def read(engine: OcrEngine, files: list[Path], ahead: int | None) -> tuple[float, float, list[Page | OcrError]]:
    """Wall and processor seconds, and the pages; `ahead` None is the loop."""
    started, used = time.perf_counter(), cpu_seconds()
    if ahead is None:
        pages: list[Page | OcrError] = [engine.recognize(file) for file in files]
    else:
        pages = list(engine.recognize_many(files, ahead=ahead))
    return time.perf_counter() - started, cpu_seconds() - used, pages


def main() -> int:
    """Measure, and say 1 when the ways do not give the same."""
    parser = argparse.ArgumentParser(description="recognize_many against a loop over recognize")
    parser.add_argument("pictures", nargs="+")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--ahead", default="2", help="how many pictures ahead are tried, separated by commas")
    parser.add_argument("--threads", type=int)
    arguments = parser.parse_args()
    files = pictures(arguments.pictures)
    ways: list[int | None] = [None, *map(int, arguments.ahead.split(","))]
    taken: dict[int | None, list[tuple[float, float]]] = {way: [] for way in ways}
    with OcrEngine(threads=arguments.threads) as engine:
        expected = read(engine, files, None)[2]
        for number in range(arguments.rounds):
            turn = number % len(ways)
            for way in ways[turn:] + ways[:turn]:
                wall, cpu, pages = read(engine, files, way)
                taken[way].append((wall, cpu))
                if pages != expected:
                    print(f"ahead={way} gives other pages than a loop")
                    return 1
    base = statistics.median(wall for wall, _ in taken[None])
    for way, times in taken.items():
        wall, cpu = (statistics.median(column) for column in zip(*times, strict=True))
        name = "loop" if way is None else f"ahead={way}"
        print(
            f"{name:8} {len(files) / wall:7.3f} pages/s  {base / wall:5.3f} of the loop  "
            f"{wall / len(files):.3f} s wall  {cpu / len(files):.3f} s CPU a page  {cpu / wall:.2f} cores"
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
