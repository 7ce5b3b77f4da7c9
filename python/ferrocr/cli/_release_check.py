"""``ferrocr doctor --release-check``: whether a release gives everything back, on this machine."""

import argparse
import dataclasses
import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

import ferrocr

from .. import _core
from ._errors import EXIT_OK, EXIT_PROBLEMS
from ._output import print_json, print_table

MOST_GROWTH_MB = 15
"""Memory that may stay after a later release beyond that after the first one: twelve cycles with the default models
stayed within 8 MB of each other, and a session that is kept takes at least 40."""

MOST_GPU_GROWTH_MB = 100
"""The same for a GPU, whose context stays after the first release. No GPU was at hand for it: a session of a recogniser
has about 20 MB of weights, and others may use the GPU meanwhile."""

MOST_KEPT_MB = {name: megabytes for name, *_, megabytes in _core.providers()}
"""Memory that may stay after the first release beyond that before the first load, by provider."""

MOST_KEPT_ISOLATED_MB = 15
"""The same for an isolated engine, whatever it ran on: Python's modules that start processes take a few."""

_LONGEST_END = 2.0
"""Seconds in which threads that waited for a process end after it."""


@dataclasses.dataclass(frozen=True, slots=True)
class Cycle:
    """One time of load, read and free. Numbers are None where the system does not tell.

    Attributes:
        provider: The provider that the models ran on.
        rss_before_mb: Resident memory in 2**20 bytes before the load.
        rss_loaded_mb: The same after the picture was read.
        rss_released_mb: The same after the release.
        threads_before: Threads of the process before.
        threads_after: The same after the release.
        descriptors_before: Open descriptors of the process before.
        descriptors_after: The same after the release.
        seconds: Its duration.
        gpu_before_mb: Memory in 2**20 bytes in use on GPUs before the release, if the models ran on one.
        gpu_released_mb: The same after it.
        processes: Processes that the release ended; None where the models were in this one.
        processes_left: Those of them that are there after it.
    """

    provider: str
    rss_before_mb: float | None
    rss_loaded_mb: float | None
    rss_released_mb: float | None
    threads_before: int | None
    threads_after: int | None
    descriptors_before: int | None
    descriptors_after: int | None
    seconds: float
    gpu_before_mb: float | None = None
    gpu_released_mb: float | None = None
    processes: int | None = None
    processes_left: int = 0


def run(arguments: argparse.Namespace) -> int:
    """Go through the cycles and print what was measured, with a verdict."""
    image = drawn_picture() if arguments.picture is None else arguments.picture
    cycles = [_cycle(arguments.dir, image, isolated=arguments.isolated) for _ in range(arguments.cycles)]
    problems = problems_of(cycles)
    if arguments.json:
        print_json(
            {"ok": not problems, "problems": problems, "cycles": [dataclasses.asdict(cycle) for cycle in cycles]}
        )
    else:
        head = _HEAD if cycles[0].gpu_before_mb is None else (*_HEAD, "GPU MB", "after")
        print_table([head, *(_row(number, cycle)[: len(head)] for number, cycle in enumerate(cycles, start=1))])
        print(f"problem: {'; '.join(problems)}" if problems else _praise(cycles))
    return EXIT_PROBLEMS if problems else EXIT_OK


def drawn_picture() -> npt.NDArray[np.uint8]:
    """Draw rows of dark bars: the detector takes them for lines, and what they say does not matter."""
    page = np.full((1000, 1400), 255, np.uint8)
    for top in range(60, 900, 60):
        for left in range(80, 1300, 40):
            page[top : top + 28, left : left + 12] = 0
            page[top + 10 : top + 16, left : left + 26] = 0
    return page


def _cycle(directory: str | None, image: str | npt.NDArray[np.uint8], *, isolated: bool) -> Cycle:
    started = time.monotonic()
    threads, descriptors = _entries("/proc/self/task"), _descriptors()
    # A check changes nothing: what is missing is said, not fetched.
    before = _resident_mb()
    with ferrocr.OcrEngine(model_dir=directory, download=False, isolated=isolated) as engine:
        engine.recognize(image)
        loaded = _resident_mb()
        provider = engine.provider or "cpu"
        pids = processes_of(engine)
    report = engine.free_resources()  # that of the release
    if isolated:
        loaded = None if report.rss_before_mb is None else round(report.rss_before_mb, 1)
        _wait_for_threads(threads)
    return Cycle(
        provider,
        before,
        loaded,
        _resident_mb(),
        threads,
        _entries("/proc/self/task"),
        descriptors,
        _descriptors(),
        round(time.monotonic() - started, 3),
        report.gpu_before_mb,
        report.gpu_after_mb,
        report.processes if isolated else None,
        sum(is_there(pid) for pid in pids),
    )


def processes_of(engine: ferrocr.OcrEngine) -> list[int]:
    """Return the processes that hold the engine's models; none where this one does."""
    core = engine._core
    return [] if core is None or isinstance(core, _core.Engine) else core.pids


def is_there(pid: int) -> bool:
    """Return True if there is such a process, be it one that has ended and is waited for by nobody."""
    if sys.platform == "win32":
        return False  # it may not be asked in this way, and numbers are used again at once
    try:
        os.kill(pid, 0)
    except OSError:
        return False
    return True


def _wait_for_threads(usual: int | None) -> None:
    until = time.monotonic() + _LONGEST_END
    while usual is not None and (_entries("/proc/self/task") or 0) > usual and time.monotonic() < until:
        time.sleep(0.01)


def _resident_mb() -> float | None:
    size = _core.resident_bytes()
    return None if size is None else round(size / 2**20, 1)


def _descriptors() -> int | None:
    # The second is what macOS has; on Linux it is the first under another name.
    linux = _entries("/proc/self/fd")
    return _entries("/dev/fd") if linux is None else linux


def _entries(directory: str) -> int | None:
    try:
        return len(list(Path(directory).iterdir()))
    except OSError:
        return None


def problems_of(cycles: Sequence[Cycle]) -> list[str]:
    """Return what was not given back, a sentence each; empty when all was, as far as the system tells."""
    problems = []
    before, first = cycles[0].rss_before_mb, cycles[0].rss_released_mb
    most_kept = MOST_KEPT_MB[cycles[0].provider] if cycles[0].processes is None else MOST_KEPT_ISOLATED_MB
    if before is not None and first is not None and first > before + most_kept:
        problems.append(f"the first release left {first:.0f} MB of memory; before the first load it was {before:.0f}")
    later = [cycle.rss_released_mb for cycle in cycles[1:] if cycle.rss_released_mb is not None]
    if first is not None and later and max(later) > first + MOST_GROWTH_MB:
        problems.append(f"memory after a release grew from {first:.0f} to {max(later):.0f} MB")
    gpu = [cycle.gpu_released_mb for cycle in cycles if cycle.gpu_released_mb is not None]
    if gpu and max(gpu) > gpu[0] + MOST_GPU_GROWTH_MB:
        problems.append(f"memory of the GPU after a release grew from {gpu[0]:.0f} to {max(gpu):.0f} MB")
    for number, cycle in enumerate(cycles, start=1):
        for what, before, after in (
            ("threads", cycle.threads_before, cycle.threads_after),
            ("descriptors", cycle.descriptors_before, cycle.descriptors_after),
        ):
            if before is not None and after is not None and after > before:
                problems.append(f"cycle {number} left {after - before} {what}")
        if cycle.processes_left or cycle.processes == 0:
            problems.append(f"cycle {number} ended {cycle.processes} processes and left {cycle.processes_left}")
    return problems


_HEAD = ("cycle", "MB loaded", "MB released", "threads", "after", "descriptors", "after", "seconds")


def _row(number: int, cycle: Cycle) -> list[str]:
    memory = ["-" if size is None else f"{size:.0f}" for size in (cycle.rss_loaded_mb, cycle.rss_released_mb)]
    counts = (cycle.threads_before, cycle.threads_after, cycle.descriptors_before, cycle.descriptors_after)
    shown = [str(number), *memory, *("-" if count is None else str(count) for count in counts), f"{cycle.seconds:.2f}"]
    return shown + ["-" if size is None else f"{size:.0f}" for size in (cycle.gpu_before_mb, cycle.gpu_released_mb)]


def _praise(cycles: Sequence[Cycle]) -> str:
    if cycles[0].rss_released_mb is None:
        return "ok: every release came to its end; this system does not tell what it gave back"
    memory = (
        f"memory stays within {MOST_GROWTH_MB} MB of the first release" if len(cycles) > 1 else "memory was measured"
    )
    back = "threads and descriptors" if cycles[0].processes is None else "processes, threads and descriptors"
    return f"ok: {back} are back, and {memory}"
