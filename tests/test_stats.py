"""Counts of engines' calls, in this process and in processes of their own."""

import dataclasses
import os
import pickle
import signal
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from conftest import draw_text
from ferrocr import (
    EngineCrashedError,
    EngineStats,
    ImageError,
    ImageNotFoundError,
    ModelNotFoundError,
    OcrEngine,
    OcrTimeoutError,
    Page,
    ResourcesFreedError,
    Timings,
)
from ferrocr._core import Counters
from ferrocr._isolated._client import IsolatedCore
from ferrocr._isolated._tally import Tally
from own_process import check_child, wait_until

STAGES = [field.name for field in dataclasses.fields(Timings)][1:]


@pytest.fixture(params=[False, True], ids=["here", "isolated"])
def engine(request: pytest.FixtureRequest, models_dir: Path) -> Iterator[OcrEngine]:
    """An engine that nobody has used yet, of each kind."""
    with OcrEngine(model_dir=models_dir, download=False, threads=1, isolated=request.param) as engine:
        yield engine


def check(stats: EngineStats) -> None:
    """Hold what holds at every moment."""
    assert stats.calls == stats.pages + sum(stats.errors.values()) + stats.in_flight, stats
    assert 0 <= stats.queued <= stats.in_flight, stats


def pid_of(engine: OcrEngine) -> int:
    """Return the first process of an isolated engine."""
    core = engine._core
    assert isinstance(core, IsolatedCore)
    return core.pids[0]


def test_each_call_ends_with_a_page_or_an_error(engine: OcrEngine, picture_file: Path) -> None:
    assert engine.stats() == EngineStats(0, 0, 0, {}, 0, 0, 0, {}, 0.0, 0, Timings())
    size = picture_file.stat().st_size
    page = engine.recognize(picture_file)
    with pytest.raises(ImageNotFoundError):
        engine.recognize("missing.png")
    results = list(engine.recognize_many([picture_file.read_bytes(), b"none", np.zeros((9, 8), np.uint8)]))
    assert [type(result) for result in results] == [Page, ImageError, Page]
    with pytest.raises(OcrTimeoutError):
        engine.recognize(np.asarray(draw_text(["Iron tastes of rain"] * 20)), timeout=0.05)
    stats = engine.stats()
    check(stats)
    assert (stats.calls, stats.pages, stats.in_flight, stats.queued) == (6, 3, 0, 0)
    assert stats.errors == {"ImageNotFoundError": 1, "ImageError": 1, "OcrTimeoutError": 1}
    assert stats.bytes == 2 * size + 4 + 3 * 9 * 8 + 3 * 900 * draw_text([""] * 20).height
    assert (stats.loads, stats.load_errors, stats.crashes) == (1, {}, 0)
    assert stats.load_seconds > 0
    pages = [page, *(result for result in results if isinstance(result, Page))]
    for name in ("total", *STAGES):
        spent = sum(getattr(page.timings, name) for page in pages)
        assert getattr(stats.seconds, name) == pytest.approx(spent, rel=1e-4, abs=1e-6), name


def test_pages_know_what_they_took_and_are_equal_whatever_that_was(engine: OcrEngine, picture_file: Path) -> None:
    first, second = engine.recognize(picture_file), engine.recognize(picture_file)
    assert first.timings is not None
    assert first.timings != second.timings
    assert first == second
    assert hash(first) == hash(second)
    assert "timings" not in repr(first)
    assert "timings" not in first.to("json")
    assert pickle.loads(pickle.dumps(first)).timings == first.timings
    assert sum(getattr(first.timings, name) for name in STAGES) == pytest.approx(first.timings.total, rel=0.2)
    assert min(first.timings.decode, first.timings.detect, first.timings.cut, first.timings.recognize) > 0
    assert Page(1, 1, ()).timings is None


def test_counts_stay_when_models_go(engine: OcrEngine, picture_file: Path) -> None:
    engine.recognize(picture_file)
    engine.unload()
    engine.recognize(picture_file)
    engine.free_resources()
    for use in (engine.load, lambda: engine.recognize(picture_file)):
        with pytest.raises(ResourcesFreedError):
            use()
    stats = engine.stats()
    check(stats)
    assert (stats.calls, stats.pages, stats.loads, stats.crashes) == (2, 2, 2, 0)


def test_what_is_left_half_way_has_ended_too(engine: OcrEngine, picture_file: Path) -> None:
    pages = engine.recognize_many([picture_file] * 5, ahead=1)
    next(pages)
    pages.close()
    del pages
    stats = engine.stats()
    check(stats)
    assert stats.in_flight == 0
    assert stats.pages >= 1


def test_loads_that_fail_are_counted_apart(tmp_path: Path, engine: OcrEngine) -> None:
    isolated = isinstance(engine._core, IsolatedCore)
    with OcrEngine(model_dir=tmp_path, download=False, isolated=isolated) as empty:
        for use in (empty.load, lambda: empty.recognize(b"")):
            with pytest.raises(ModelNotFoundError):
                use()
        stats = empty.stats()
        assert (stats.calls, stats.loads, stats.load_errors) == (0, 0, {"ModelNotFoundError": 2})


def test_counts_fit_each_other_while_calls_go_on(engine: OcrEngine, picture_file: Path) -> None:
    page = np.asarray(draw_text(["Iron tastes of rain"] * 3))
    seen = []
    with ThreadPoolExecutor(3) as pool:
        calls = [pool.submit(engine.recognize, picture) for picture in (picture_file, page, picture_file, page)]
        while not all(call.done() for call in calls):
            seen.append(engine.stats())
            threading.Event().wait(0.002)
        assert all(call.result().lines for call in calls)
    for stats in seen:
        check(stats)
    assert max(stats.in_flight for stats in seen) > 1
    assert [stats.calls for stats in seen] == sorted(stats.calls for stats in seen)
    assert engine.stats().pages == 4
    assert engine.stats().seconds.wait > 0


def test_calls_that_wait_are_counted(engine: OcrEngine) -> None:
    long_page = np.asarray(draw_text(["Iron tastes of rain"] * 8))
    engine.load()
    with ThreadPoolExecutor(3) as pool:
        calls = [pool.submit(engine.recognize, long_page) for _ in range(3)]
        if not isinstance(engine._core, IsolatedCore):
            wait_until(lambda: engine.stats().queued >= 1, "one waits for the detector")
        else:
            os.kill(pid_of(engine), signal.SIGSTOP)
            more = pool.submit(engine.recognize, b"none")
            wait_until(lambda: engine.stats().in_flight >= 1, "it has begun")
            os.kill(pid_of(engine), signal.SIGCONT)
            calls.append(more)  # it fails when its turn has come
        assert len([call for call in calls if call.exception() is None]) == 3
    assert engine.stats().queued == 0


# --- processes ------------------------------------------------------------------------------------------------------


def test_crashes_are_counted_and_asked_for_ends_are_not(models_dir: Path, picture_file: Path) -> None:
    with OcrEngine(model_dir=models_dir, download=False, threads=1, isolated=True, workers=2) as engine:
        engine.load()
        assert engine.stats().loads == 2
        os.kill(pid_of(engine), signal.SIGKILL)  # which nobody notices
        wait_until(lambda: engine.stats().crashes == 1, "it is counted by itself")
        assert engine.recognize(picture_file).lines
        long_page = np.asarray(draw_text(["Iron tastes of rain"] * 8))
        with ThreadPoolExecutor(1) as pool:
            call = pool.submit(engine.recognize, long_page)
            wait_until(lambda: engine.stats().in_flight == 1 and not engine.stats().queued, "a process has begun")
            os.kill(pid_of(engine), signal.SIGSEGV)
            with pytest.raises(EngineCrashedError):
                call.result()
        assert engine.stats().crashes == 2, "it is counted before anybody is told"
        assert engine.recognize(picture_file).lines
        os.kill(pid_of(engine), signal.SIGSTOP)
        with pytest.raises(OcrTimeoutError):
            engine.recognize(picture_file, timeout=0.2)
        engine.unload()
        assert engine.recognize(picture_file).lines
    stats = engine.stats()
    check(stats)
    assert stats.crashes == 2
    assert (stats.calls, stats.pages) == (5, 3)
    assert stats.errors == {"EngineCrashedError": 1, "OcrTimeoutError": 1}


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
@pytest.mark.parametrize("isolated", [False, True])
def test_a_forked_child_counts_for_itself(models_dir: Path, picture_file: Path, isolated: bool) -> None:
    code = """
import os, sys, threading, warnings
import ferrocr
warnings.simplefilter("ignore", DeprecationWarning)
isolated = sys.argv[2] == "True"
engine, empty = (ferrocr.OcrEngine(download=False, threads=1, isolated=isolated) for _ in range(2))
engine.recognize(sys.argv[1])
# Children are forked at every moment of calls and of looks at their counts.
over = threading.Event()
def work():
    while not over.is_set():
        engine.recognize(sys.argv[1])
def look():
    while not over.is_set():
        engine.stats()
threads = [threading.Thread(target=work), threading.Thread(target=look)]
for thread in threads:
    thread.start()
for turn in range(20):
    child = os.fork()
    if child == 0:
        assert engine.stats().calls == 0 and engine.stats().loads == 0, engine.stats()
        if turn == 0:
            empty.recognize(sys.argv[1])
            assert (empty.stats().pages, empty.stats().loads) == (1, 1), empty.stats()
            empty.free_resources()
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
over.set()
for thread in threads:
    thread.join()
stats = engine.stats()
assert stats.pages == stats.calls >= 1 and stats.in_flight == 0, stats
assert empty.stats().calls == 0
engine.free_resources()
"""
    check_child(code, picture_file, isolated, models=models_dir)


# --- without models -------------------------------------------------------------------------------------------------


def test_an_engine_that_was_never_made_has_done_nothing() -> None:
    made = OcrEngine.__new__(OcrEngine)
    assert made.stats() == EngineStats(0, 0, 0, {}, 0, 0, 0, {}, 0.0, 0, Timings())


def test_a_call_is_counted_once_whoever_comes_to_it() -> None:
    counters = Counters()
    read, failed = Tally(counters), Tally(counters)
    assert counters.stats()[4:6] == (2, 2)
    read.begun()
    read.begun()
    assert counters.stats()[5] == 1
    read.read((3.0,) + (0.25,) * 7)
    read.failed(ResourcesFreedError())
    failed.failed(KeyboardInterrupt())
    failed.failed(KeyError())
    calls, pages, _, errors, in_flight, queued, *_, seconds = counters.stats()
    assert (calls, pages, errors, in_flight, queued) == (2, 1, {"OcrCancelledError": 1}, 0, 0)
    assert seconds == [3.0, *[0.25] * 7]


@pytest.mark.parametrize("odd", [float("nan"), float("inf"), -1.0, 3e38])
def test_times_that_a_process_makes_up_break_no_count(odd: float) -> None:
    counters = Counters()
    for _ in range(3):
        Tally(counters).read((odd,) * 8)
        counters.loaded(odd)
    *_, seconds = counters.stats()
    assert all(0 <= value <= 3e6 for value in seconds)
