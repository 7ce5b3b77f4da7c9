"""Shake ferrocr for a given time: several engines, several threads, random operations, some of them wrong.

What is tried: files, bytes and arrays; timeouts and cancelled calls; unloads and releases while others read; new
engines in the place of released ones; audits of the model directory; input that is no picture. Pages have to be equal
to those that one quiet engine read at the start, and only the documented exceptions may come. Resident memory, threads
and open files are sampled every second. Ten times all engines are released at once, a low tide: threads and files have
to be then what they were before the first engine, and memory must not rise from one tide to the next. It needs the
default models and nothing else. For example::

    python benches/soak.py --seconds 1200 --png soak.png

The order of operations is fixed by ``--seed`` for each thread; how the threads meet is not. The exit status is 1 if
anything went wrong.
"""

import argparse
import faulthandler
import io
import os
import random
import sys
import threading
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from ferrocr import (
    ImageError,
    ModelStore,
    OcrCancelledError,
    OcrEngine,
    OcrError,
    OcrTimeoutError,
    Page,
    ResourcesFreedError,
)

# No call and no release takes as long as this on these pictures: whoever does hangs, and all threads say where.
HANG_SECONDS = 120
TIDES = 10
# What the memory of the last three low tides may be above that of the first three, on average. The allocator keeps ends
# of its arenas, 10 to 15 MB each and now some, now others; a session that is lost at every tide has ten times 30 MB.
MOST_RISE_MB = 30


# --- what is read -------------------------------------------------------------------------------------------------


class Form(NamedTuple):
    """One form of a picture, and which picture it is."""

    picture: int
    image: Path | bytes | np.ndarray


def draw(lines: Sequence[str], size: int) -> Image.Image:
    """Return a picture with lines of text."""
    picture = Image.new("L", (size * 22, size * 2 * (len(lines) + 1)), 255)
    pen, font = ImageDraw.Draw(picture), ImageFont.load_default(size)
    for row, line in enumerate(lines):
        pen.text((size, size // 2 + row * size * 2), line, fill=0, font=font)
    return picture


def forms(folder: Path, rng: random.Random) -> list[Form]:
    """Six pictures of different sizes, each as a file, as bytes and as an array."""
    letters = "abcdefghiklmnoprstuvwz"
    made = []
    for number in range(6):
        lines = [
            " ".join("".join(rng.choices(letters, k=rng.randint(2, 8))) for _ in range(rng.randint(1, 4)))
            for _ in range(1 + number * 2)
        ]
        picture = draw(lines, 20 + 4 * number)
        path = folder / f"{number}.png"
        picture.save(path)
        buffer = io.BytesIO()
        picture.save(buffer, "JPEG" if number % 2 else "PNG", quality=95)
        # A JPEG has other pixels than the picture, so it counts as another one.
        made += [
            Form(number, path),
            Form(number, np.asarray(picture)),
            Form(number + 100 * (number % 2), buffer.getvalue()),
        ]
    return made


WRONG = (
    b"",
    b"no picture",
    b"\x89PNG\r\n\x1a\n" + bytes(40),
    "nowhere.png",
    np.zeros((0, 3), np.uint8),
    np.zeros((4, 4)),
    5,
)


# --- what is done -------------------------------------------------------------------------------------------------


@dataclass
class Soak:
    """What all threads share. `engines` is a list of places: a thread puts a new engine where it released one."""

    seed: int
    pictures: list[Form]
    engines: list[OcrEngine] = field(default_factory=list)
    expected: dict[int, Page] = field(default_factory=dict)
    outcomes: Counter[str] = field(default_factory=Counter)
    slowest: dict[str, float] = field(default_factory=dict)
    failures: list[str] = field(default_factory=list)
    over: threading.Event = field(default_factory=threading.Event)

    def prepare(self, engines: int) -> None:
        """Read every picture in quiet, and make the engines."""
        with OcrEngine(threads=1, download=False) as quiet:
            for form in self.pictures:
                page = quiet.recognize(form.image)
                if page != self.expected.setdefault(form.picture, page):
                    self.failures.append(f"picture {form.picture} reads differently in another form")
        self.engines += [self.new_engine(number) for number in range(engines)]

    @staticmethod
    def new_engine(number: int) -> OcrEngine:
        """One of four kinds."""
        idle = 0.2 if number % 4 == 3 else None
        return OcrEngine(threads=1 + number % 2, low_memory=number % 4 == 2, idle_unload=idle, download=False)

    def work(self, rng: random.Random) -> None:
        """Do random things until the time is over."""
        names = list(OPERATIONS)
        weights = [OPERATIONS[name].weight for name in names]
        while not self.over.is_set():
            (name,) = rng.choices(names, weights)
            self.count(name, partial(OPERATIONS[name].run, self, rng))

    def count(self, name: str, operation: Callable[[], None]) -> None:
        """Do one thing, and note how it ended and how long it took."""
        started = time.monotonic()
        try:
            operation()
        except OPERATIONS[name].may_raise as error:
            self.outcomes[f"{name}: {type(error).__name__}"] += 1
        except BaseException:
            self.outcomes[f"{name}: WRONG"] += 1
            self.failures.append(f"{name}: {traceback.format_exc()}")
        else:
            self.outcomes[name] += 1
        self.slowest[name] = max(self.slowest.get(name, 0), time.monotonic() - started)

    def any_place(self, rng: random.Random) -> int:
        """One of the places for engines."""
        return rng.randrange(len(self.engines))

    def check(self, form: Form, page: Page) -> None:
        """Pages are the same whatever else happens."""
        assert page == self.expected[form.picture], f"picture {form.picture} reads differently"


def read(soak: Soak, rng: random.Random) -> None:
    form = rng.choice(soak.pictures)
    soak.check(form, soak.engines[soak.any_place(rng)].recognize(form.image))


def read_with_a_bound(soak: Soak, rng: random.Random) -> None:
    page = soak.engines[soak.any_place(rng)].recognize(rng.choice(soak.pictures).image, min_score=1.0)
    assert not page.lines, "no line is as sure as that"


def read_many(soak: Soak, rng: random.Random) -> None:
    chosen = rng.choices(soak.pictures, k=3)
    pages = soak.engines[soak.any_place(rng)].recognize_many([form.image for form in chosen], on_error="raise")
    for form, page in zip(chosen, pages, strict=True):
        soak.check(form, page)


def read_in_time(soak: Soak, rng: random.Random) -> None:
    form = rng.choice(soak.pictures)
    soak.check(form, soak.engines[soak.any_place(rng)].recognize(form.image, timeout=rng.uniform(0, 0.3)))


def read_wrong(soak: Soak, rng: random.Random) -> None:
    soak.engines[soak.any_place(rng)].recognize(rng.choice(WRONG))  # type: ignore[arg-type]


def unload(soak: Soak, rng: random.Random) -> None:
    soak.engines[soak.any_place(rng)].unload()


def free(soak: Soak, rng: random.Random) -> None:
    place = soak.any_place(rng)
    old, soak.engines[place] = soak.engines[place], soak.new_engine(rng.randrange(4))
    old.free_resources()


def free_with_cancel(soak: Soak, rng: random.Random) -> None:
    place = soak.any_place(rng)
    old, soak.engines[place] = soak.engines[place], soak.new_engine(rng.randrange(4))
    old.free_resources(cancel=True)


def free_in_time(soak: Soak, rng: random.Random) -> None:
    place = soak.any_place(rng)
    old, soak.engines[place] = soak.engines[place], soak.new_engine(rng.randrange(4))
    old.free_resources(timeout=rng.uniform(0, 0.1))
    old.free_resources()


def forget(soak: Soak, rng: random.Random) -> None:
    soak.engines[soak.any_place(rng)] = soak.new_engine(rng.randrange(4))


def look(soak: Soak, rng: random.Random) -> None:
    store = ModelStore()
    assert store.list_local()
    assert set(store.in_use()) <= set(store.list_local())
    if rng.random() < 0.2:
        assert store.audit().entries
    repr(soak.engines[soak.any_place(rng)])


def wait(_: Soak, rng: random.Random) -> None:
    time.sleep(rng.uniform(0, 0.5))  # engines that unload by themselves have their time


class Operation(NamedTuple):
    """What is done, how often among all, and how it may fail."""

    run: Callable[[Soak, random.Random], None]
    weight: float
    may_raise: tuple[type[OcrError], ...] = ()


# An engine that one thread has chosen may be released by another before the call begins, or while it runs.
RELEASED = (ResourcesFreedError,)
ENDED = (ResourcesFreedError, OcrCancelledError)

OPERATIONS = {
    "read": Operation(read, 60, ENDED),
    "read with a bound": Operation(read_with_a_bound, 5, ENDED),
    "read many": Operation(read_many, 5, ENDED),
    "read in time": Operation(read_in_time, 10, (*ENDED, OcrTimeoutError)),
    "read what is wrong": Operation(read_wrong, 10, (*ENDED, ImageError)),
    "look": Operation(look, 4),
    "wait": Operation(wait, 2),
    "unload": Operation(unload, 3, RELEASED),
    "free": Operation(free, 1),
    "free with cancel": Operation(free_with_cancel, 1),
    "free in time": Operation(free_in_time, 1),
    "forget": Operation(forget, 1),
}


# --- what is measured ---------------------------------------------------------------------------------------------


class Sample(NamedTuple):
    """What the process holds at a moment."""

    seconds: float
    rss_mb: float
    threads: int
    files: int


def sample(started: float) -> Sample:
    """Measure now. Linux only: it reads /proc."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return Sample(
        time.monotonic() - started,
        pages * os.sysconf("SC_PAGE_SIZE") / 2**20,
        len(os.listdir("/proc/self/task")),  # noqa: PTH208 (a Path for each would cost more than the measuring)
        len(os.listdir("/proc/self/fd")),  # noqa: PTH208
    )


def run(soak: Soak, threads: int, seconds: float) -> tuple[list[Sample], list[Sample]]:
    """Let the threads work from tide to tide: the samples of every second, and those of the low tides."""
    samples: list[Sample] = []
    tides: list[Sample] = []
    started = time.monotonic()
    randoms = [random.Random(f"{soak.seed}/{number}") for number in range(threads)]
    for tide in range(1, TIDES + 1):
        soak.over.clear()
        workers = [threading.Thread(target=soak.work, args=(rng,), daemon=True) for rng in randoms]
        for worker in workers:
            worker.start()
        while time.monotonic() - started < seconds * tide / TIDES and not soak.failures:
            time.sleep(1)
            samples.append(sample(started))
        end_all(soak, workers)
        tides.append(sample(started))
        if soak.failures:
            break
    return samples, tides


def end_all(soak: Soak, workers: Sequence[threading.Thread]) -> None:
    """End the threads and release all engines. New ones take their places, which hold nothing yet."""
    soak.over.set()
    end = time.monotonic() + HANG_SECONDS
    for worker in workers:
        worker.join(max(0, end - time.monotonic()))
    if any(worker.is_alive() for worker in workers):
        faulthandler.dump_traceback()
        sys.exit("error: a thread hangs")
    for place, engine in enumerate(soak.engines):
        engine.free_resources()
        soak.engines[place] = soak.new_engine(place)


def mean(values: Sequence[float]) -> float:
    """Their mean; 0 of none."""
    return sum(values) / max(1, len(values))


def rise(tides: Sequence[Sample]) -> float:
    """Return how much more memory the last low tides left on average than the first ones."""
    left = [item.rss_mb for item in tides]
    return mean(left[-3:]) - mean(left[:3])


# --- what is shown ------------------------------------------------------------------------------------------------


def curve(samples: Sequence[Sample], rows: int = 24) -> list[str]:
    """Return the memory over time, a row for each part of it: least to most."""
    most = max(item.rss_mb for item in samples)
    lines = ["seconds     RSS in MB, least to most        threads  files"]
    step = max(1, len(samples) // rows)
    for part in (samples[at : at + step] for at in range(0, len(samples), step)):
        low, high = min(item.rss_mb for item in part), max(item.rss_mb for item in part)
        left, right = (round(30 * value / most) for value in (low, high))
        bar = " " * left + "=" * max(1, right - left)
        counts = f"{max(item.threads for item in part):7} {max(item.files for item in part):6}"
        lines.append(f"{part[0].seconds:7.0f} {low:5.0f}-{high:<5.0f} {bar:32}{counts}")
    return lines


def draw_curve(samples: Sequence[Sample], path: Path, size: tuple[int, int] = (1200, 500)) -> None:
    """Draw a picture of the memory over time."""
    width, height, margin = *size, 60
    picture = Image.new("RGB", size, "white")
    pen, font = ImageDraw.Draw(picture), ImageFont.load_default(16)
    most_seconds, most_mb = samples[-1].seconds, 100 * (1 + max(item.rss_mb for item in samples) // 100)

    def at(seconds: float, mb: float) -> tuple[float, float]:
        across, up = (width - 2 * margin) * seconds / most_seconds, (height - 2 * margin) * mb / most_mb
        return margin + across, height - margin - up

    for mb in range(0, int(most_mb) + 1, 100):
        pen.line([at(0, mb), at(most_seconds, mb)], fill="lightgrey")
        pen.text(at(0, mb), f"{mb} ", fill="black", font=font, anchor="rm")
    for part in range(5):
        seconds = most_seconds * part / 4
        pen.text(at(seconds, 0), f"{seconds:.0f} s", fill="black", font=font, anchor="ma")
    pen.text((margin, margin // 2), "resident memory in MB", fill="black", font=font, anchor="lm")
    pen.line([at(item.seconds, item.rss_mb) for item in samples], fill=(31, 90, 160), width=2)
    picture.save(path)


def summary(soak: Soak, before: Sample, samples: Sequence[Sample], tides: Sequence[Sample]) -> list[str]:
    """Return what was done, what it held, and what was left."""
    return [
        f"{sum(soak.outcomes.values())} operations in {samples[-1].seconds:.0f} s, seed {soak.seed}",
        *(f"{count:8}  {what}" for what, count in sorted(soak.outcomes.items())),
        "",
        "slowest: " + ", ".join(f"{name} {seconds:.1f} s" for name, seconds in sorted(soak.slowest.items())),
        "",
        *curve(samples),
        "",
        f"before the first engine: {before.rss_mb:.0f} MB, {before.threads} threads, {before.files} files",
        f"low tides: {', '.join(f'{tide.rss_mb:.0f}' for tide in tides)} MB, rise {rise(tides):+.0f} MB",
        f"threads then: {_numbers(tide.threads for tide in tides)}; files: {_numbers(tide.files for tide in tides)}",
    ]


def _numbers(values: Iterable[int]) -> str:
    return " ".join(map(str, sorted(set(values))))


def verdict(soak: Soak, before: Sample, tides: Sequence[Sample]) -> list[str]:
    """All that went wrong."""
    wrong = list(soak.failures)
    if any(tide.threads != before.threads for tide in tides):
        wrong.append("threads were left")
    if any(tide.files != before.files for tide in tides):
        wrong.append("files were left open")
    if rise(tides) > MOST_RISE_MB:
        wrong.append(f"memory rose by {rise(tides):.0f} MB")
    leased = [name for name, processes in ModelStore().in_use().items() if os.getpid() in processes]
    if leased:
        wrong.append(f"still in use: {', '.join(leased)}")
    return wrong


def main() -> None:
    """Read the command line, shake, and tell."""
    options = _parser().parse_args()
    faulthandler.enable()
    before = sample(time.monotonic())
    with TemporaryDirectory() as folder:
        soak = Soak(options.seed, forms(Path(folder), random.Random(options.seed)))
        soak.prepare(options.engines)
        samples, tides = run(soak, options.threads, options.seconds)
    print("\n".join(summary(soak, before, samples, tides)))
    if options.png:
        draw_curve(samples, options.png)
    wrong = verdict(soak, before, tides)
    sys.exit("\n".join(f"error: {text}" for text in wrong) if wrong else 0)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=60, help="how long, default 60")
    parser.add_argument("--threads", type=int, default=4, help="threads that work, default 4")
    parser.add_argument("--engines", type=int, default=3, help="engines that they share, default 3")
    parser.add_argument("--seed", type=int, default=1, help="of everything that is random, default 1")
    parser.add_argument("--png", type=Path, metavar="OUT", help="also draw the memory over time to this file")
    return parser


if __name__ == "__main__":
    main()
