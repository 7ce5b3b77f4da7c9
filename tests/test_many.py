"""`recognize_many`: what is read ahead, in which order it comes, and how it ends."""

import contextlib
import gc
import os
import signal
import sys
import threading
import time
import weakref
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from conftest import draw_text
from ferrocr import (
    ImageError,
    ImageNotFoundError,
    InvalidArgumentError,
    OcrCancelledError,
    OcrEngine,
    OcrError,
    OcrTimeoutError,
    Page,
    ResourcesFreedError,
)
from ferrocr._engine._ahead import Ahead
from own_process import check_child, scaled, wait_until

USUAL = 2
"""Pictures that an engine with two threads reads ahead."""


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Pictures with a line more each, the longest in front."""
    folder = tmp_path_factory.mktemp("pages")
    files = []
    for lines in (9, 1, 3, 0, 2):
        files.append(folder / f"{lines}.png")
        draw_text([f"line {line} of {lines}" for line in range(lines)] or [""]).save(files[-1])
    return files


def ahead_threads() -> int:
    """How many threads of this process read ahead."""
    names = []
    for task in Path("/proc/self/task").iterdir():
        # Others may end while they are listed.
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            names.append(Path(task, "comm").read_text().strip())
    return names.count("ferrocr-ahead")


def tallied(items: list[Any]) -> tuple[Iterator[Any], list[Any]]:
    """An iterator of the items, and those that it gave so far."""
    given: list[Any] = []

    def give() -> Iterator[Any]:
        for item in items:
            given.append(item)
            yield item

    return give(), given


# --- the same pages, in order -------------------------------------------------------------------------------------


def test_pages_are_those_of_a_loop_in_its_order(two: OcrEngine, pages: list[Path]) -> None:
    expected = [two.recognize(file) for file in pages]
    for ahead in (None, 0, 1, 100):
        assert list(two.recognize_many(pages, ahead=ahead)) == expected
    for form in (Path.read_bytes, Image.open, lambda file: np.asarray(Image.open(file))):
        assert list(two.recognize_many(map(form, pages))) == expected
    assert list(two.recognize_many([])) == []


def test_several_streams_and_calls_share_an_engine(two: OcrEngine, pages: list[Path]) -> None:
    expected = [two.recognize(file) for file in pages]
    with ThreadPoolExecutor(4) as pool:
        streams = [pool.submit(lambda: list(two.recognize_many(pages))) for _ in range(scaled(2))]
        calls = [pool.submit(two.recognize, pages[0]) for _ in range(scaled(2))]
        assert all(stream.result(300) == expected for stream in streams)
        assert all(call.result(300) == expected[0] for call in calls)


def test_a_picture_is_as_it_was_when_it_was_given(two: OcrEngine, pages: list[Path], tmp_path: Path) -> None:
    expected = [two.recognize(file) for file in pages]
    frame, file = np.zeros((1024, 900), np.uint8), tmp_path / "page.png"

    def frames() -> Iterator[np.ndarray[Any, Any]]:
        for page in pages:
            drawn = np.asarray(Image.open(page))
            part = frame[: drawn.shape[0]]
            part[:] = drawn
            yield part
            frame[:] = 0

    def files() -> Iterator[Path]:
        for page in pages:
            file.write_bytes(page.read_bytes())
            yield file
            file.unlink()

    def images() -> Iterator[Image.Image]:
        for page in pages:
            with Image.open(page) as image:
                yield image

    for source in (frames, files, images):
        assert list(two.recognize_many(source())) == expected


# --- no more than is wanted ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("ahead", [None, 0, 1, 5])
def test_no_more_is_asked_for_than_may_be_read_ahead(two: OcrEngine, pages: list[Path], ahead: int | None) -> None:
    bound = USUAL if ahead is None else ahead
    pictures, given = tallied(pages[1:] * 4)
    results = two.recognize_many(pictures, ahead=ahead)
    assert given == []
    for taken in range(1, 8):
        next(results)
        assert taken <= len(given) <= taken + bound
        # A thread may still be on its way out when its page is taken.
        wait_until(lambda: ahead_threads() <= bound, "more threads read ahead than may")
    results.close()
    assert ahead_threads() == 0


def test_more_pictures_are_read_ahead_with_more_threads(models_dir: Path) -> None:
    for threads, ahead in ((1, 0), (2, 2), (4, 3), (16, 6)):
        engine = OcrEngine(model_dir=models_dir, download=False, threads=threads)
        assert engine._pictures().usual_ahead() == ahead


def test_who_wants_one_thread_or_little_memory_gets_no_reading_ahead(models_dir: Path, pages: list[Path]) -> None:
    for options in ({"threads": 1}, {"low_memory": True}):
        pictures, given = tallied(pages[1:4])
        with OcrEngine(model_dir=models_dir, download=False, **options) as engine:
            for _ in engine.recognize_many(pictures):
                assert ahead_threads() == 0
                if len(given) == 2:
                    break
        assert len(given) == 2


def test_pictures_are_asked_for_in_the_thread_that_takes_the_pages(two: OcrEngine, pages: list[Path]) -> None:
    threads = set()

    def pictures() -> Iterator[Path]:
        for page in pages[1:]:
            threads.add(threading.get_ident())
            yield page

    assert len(list(two.recognize_many(pictures()))) == len(pages) - 1
    assert threads == {threading.get_ident()}


@pytest.mark.parametrize("ahead", [-1, True, 1.5, "2"])
def test_a_wrong_number_is_refused_at_once(two: OcrEngine, ahead: object) -> None:
    with pytest.raises(InvalidArgumentError, match="ahead is a number"):
        two.recognize_many([], ahead=ahead)  # type: ignore[call-overload]


class Done:
    """A reading that is over or not, and notes how it was ended."""

    def __init__(self, name: str, *, is_over: bool) -> None:
        self.name, self.is_over, self.calls = name, is_over, list[str]()

    def over(self) -> bool:
        """As the test wants."""
        return self.is_over

    def cancel(self) -> None:
        """Note it."""
        self.calls.append("cancel")

    def end(self) -> None:
        """Note it."""
        self.calls.append("end")


def test_a_page_that_is_there_waits_for_one_picture_at_most() -> None:
    pictures, given = tallied(["over", "b", "c", "d", "e"])
    with Ahead(pictures, lambda name: Done(name, is_over=name == "over"), 4) as begun:
        assert begun.fill()
        assert given == ["over"]
        assert begun.fill()
        assert given == ["over", "b"]
        assert begun.take().name == "over"
        assert begun.fill()
        assert given == ["over", "b", "c", "d", "e"]
        assert begun.fill()
        left = list(begun._begun)
    assert [work.calls for work in left] == [["cancel", "end"]] * 4  # type: ignore[union-attr]
    assert not begun
    assert not begun.fill(), "nothing begins after the end"


# --- errors -------------------------------------------------------------------------------------------------------


def test_errors_stand_in_their_place(two: OcrEngine, pages: list[Path]) -> None:
    bad: list[Any] = [b"no picture", "nowhere.png", 7, np.zeros((3, 3), np.float64)]
    mixed = [pages[0], bad[0], bad[1], pages[1], bad[2], bad[3], pages[2]]
    plain, read = (list(two.recognize_many(mixed, ahead=ahead)) for ahead in (0, 2))
    kinds = [Page, ImageError, ImageNotFoundError, Page, ImageError, ImageError, Page]
    assert [type(item) for item in read] == kinds
    assert [str(item) for item in read if isinstance(item, OcrError)] == [
        str(item) for item in plain if isinstance(item, OcrError)
    ]
    assert [item for item in read if isinstance(item, Page)] == [item for item in plain if isinstance(item, Page)]
    results = two.recognize_many(mixed, on_error="raise")
    assert isinstance(next(results), Page)
    with pytest.raises(ImageError):
        next(results)
    assert (ahead_threads(), list(results)) == (0, [])


@pytest.mark.parametrize("ahead", [0, 2])
def test_an_error_that_is_kept_keeps_neither_picture_nor_engine(models_dir: Path, ahead: int) -> None:
    class Picture(np.ndarray):
        """An array that weak references can see."""

    pictures: list[weakref.ref[Picture]] = []

    def bad() -> Iterator[Picture]:
        for _ in range(3):
            pictures.append(weakref.ref(picture := np.zeros((9, 9), np.float64).view(Picture)))
            yield picture
            del picture

    engine = OcrEngine(model_dir=models_dir, download=False, threads=2)
    errors = list(engine.recognize_many(bad(), ahead=ahead))
    engine.free_resources()
    owner = weakref.ref(engine)
    del engine
    gc.collect()
    assert [type(error) for error in errors] == [ImageError] * 3
    assert [picture() for picture in pictures] == [None] * 3
    assert owner() is None


def test_an_iterable_that_fails_does_so_after_the_pages_before(two: OcrEngine, pages: list[Path]) -> None:
    def pictures() -> Iterator[Path]:
        yield from pages[:2]
        raise RuntimeError("out of paper")

    results = two.recognize_many(pictures())
    assert [next(results), next(results)] == [two.recognize(page) for page in pages[:2]]
    with pytest.raises(RuntimeError, match="out of paper"):
        next(results)
    assert list(results) == []


def test_a_timeout_counts_from_when_the_picture_is_waited_for(two: OcrEngine, pages: list[Path]) -> None:
    results = two.recognize_many([pages[0]] * 3, timeout=0)
    assert isinstance(next(results), OcrTimeoutError)
    results.close()
    # Enough for each alone, though not for all that are begun together.
    started = time.monotonic()
    expected = two.recognize(pages[0])
    limit = 10 * (time.monotonic() - started)
    assert list(two.recognize_many([pages[0]] * 20, timeout=limit, ahead=19)) == [expected] * 20


def test_ctrl_c_ends_the_wait_and_what_is_read_ahead(two: OcrEngine, pages: list[Path]) -> None:
    results = two.recognize_many([pages[0]] * 50)
    next(results)
    timer = threading.Timer(0.05, signal.raise_signal, [signal.SIGINT])
    timer.start()
    with pytest.raises(KeyboardInterrupt):
        for _ in results:
            pass
    timer.join()
    assert ahead_threads() == 0
    assert isinstance(two.recognize(pages[1]), Page)


# --- ends ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("how", ["close", "del", "break"])
def test_a_closed_stream_ends_what_it_reads(two: OcrEngine, pages: list[Path], how: str) -> None:
    expected = two.recognize(pages[1])
    for _ in range(scaled(3)):
        results = two.recognize_many([pages[1]] + [pages[0]] * 5)
        for page in results:
            assert page == expected
            break
        if how == "close":
            results.close()
        del results, page
        assert ahead_threads() == 0
    assert two.recognize(pages[1]) == expected


@pytest.mark.parametrize("taken", range(4))
@pytest.mark.parametrize("cancel", [False, True])
def test_a_release_between_two_pages_ends_the_stream(
    models_dir: Path, pages: list[Path], taken: int, *, cancel: bool
) -> None:
    engine = OcrEngine(model_dir=models_dir, download=False, threads=2)
    results = engine.recognize_many([pages[1]] * 4)
    for _ in range(taken):
        next(results)
    report = engine.free_resources(cancel=cancel)
    assert (report.complete, ahead_threads()) == (True, 0)
    if taken < 4:
        with pytest.raises(ResourcesFreedError):
            next(results)
    assert list(results) == []


def test_a_release_after_the_last_page_is_no_error(models_dir: Path, pages: list[Path]) -> None:
    engine = OcrEngine(model_dir=models_dir, download=False, threads=2)
    texts = []
    for page in engine.recognize_many([pages[1]]):
        texts.append(page)
        engine.free_resources()
    assert len(texts) == 1


@pytest.mark.parametrize("cancel", [False, True])
def test_a_release_by_another_thread_ends_the_stream(models_dir: Path, pages: list[Path], *, cancel: bool) -> None:
    for delay in (0.0, 0.05, 0.2):
        engine = OcrEngine(model_dir=models_dir, download=False, threads=2)
        engine.load()
        threading.Timer(delay, lambda engine=engine: engine.free_resources(cancel=cancel)).start()
        with pytest.raises((ResourcesFreedError, OcrCancelledError)):
            for _ in engine.recognize_many([pages[0]] * 1000):
                pass
        assert engine.free_resources().complete
        assert ahead_threads() == 0


def test_an_unload_between_two_pages_changes_nothing(models_dir: Path, pages: list[Path]) -> None:
    with OcrEngine(model_dir=models_dir, download=False, threads=2) as engine:
        expected = [engine.recognize(page) for page in pages]
        read = []
        for page in engine.recognize_many(pages):
            read.append(page)
            assert engine.unload().complete
        assert read == expected


PRELUDE = """
import os, sys, threading, time, warnings, ferrocr
warnings.simplefilter("ignore", DeprecationWarning)  # Python warns about a fork beside threads, which is what is tried
file = sys.argv[1]
engine = ferrocr.OcrEngine(threads=2, download=False)
stream = engine.recognize_many([file] * 6)
first = next(stream)
"""

EXITS = {
    "at once": "",
    "after sys.exit": "sys.exit(0)",
    "with an error in the loop that is caught": "try: raise KeyError\nexcept KeyError: pass",
    "in a cycle": "class A: pass\na = A(); a.a = a; a.s = stream; del stream",
    "in a daemon thread that waits": "threading.Thread(target=list, args=[stream], daemon=True).start()",
    "in a thread that waits": "threading.Thread(target=list, args=[stream]).start()",
    "freed": "engine.free_resources(cancel=True)",
    "a second stream": "other = engine.recognize_many([file] * 6); next(other)",
}


@pytest.mark.parametrize("how", EXITS)
def test_the_interpreter_ends_with_a_stream_that_is_not_at_its_end(
    models_dir: Path, pages: list[Path], how: str
) -> None:
    assert check_child(PRELUDE + EXITS[how], pages[0], models=models_dir) == ""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
def test_a_forked_child_cannot_go_on_and_its_parent_can(models_dir: Path, pages: list[Path]) -> None:
    code = """
child = os.fork()
if child == 0:
    try:
        next(stream)
    except ferrocr.ForkedError:
        pass
    else:
        os._exit(1)
    if len(sys.argv) > 2:
        stream.close(); del stream
    sys.exit(42)
_, status = os.waitpid(child, 0)
assert os.waitstatus_to_exitcode(status) == 42, status
assert list(stream) == [first] * 5
assert engine.free_resources().complete
"""
    for arguments in ([pages[0]], [pages[0], "close"]):
        assert check_child(PRELUDE + code, *arguments, models=models_dir) == ""


# --- memory -------------------------------------------------------------------------------------------------------

GROWTH = """
import random, sys, numpy as np, ferrocr
from ferrocr import _core
rng, count, ahead = random.Random(7), int(sys.argv[1]), int(sys.argv[2])
def pictures():
    for number in range(count):
        # The largest of them comes first.
        height, width = (rng.randrange(60, 900), rng.randrange(60, 900)) if number else (900, 900)
        page = np.full((height, width), 255, np.uint8)
        page[20:-20:rng.randrange(30, 90), 20:-20] = 0
        yield page
half = None
with ferrocr.OcrEngine(threads=2, download=False) as engine:
    for number, _ in enumerate(engine.recognize_many(pictures(), ahead=ahead)):
        if number == count // 2:
            half = _core.resident_bytes()
    print((_core.resident_bytes() - half) >> 20)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="other systems do not tell")
@pytest.mark.parametrize("ahead", [0, USUAL])
def test_memory_does_not_grow_with_the_number_of_pages(models_dir: Path, ahead: int) -> None:
    """FERROCR_TEST_SCALE=10 tries 500 pages."""
    grown = int(check_child(GROWTH, scaled(50), ahead, models=models_dir, seconds=scaled(300)))
    # Pages of other shapes may still find no piece of memory that fits.
    assert grown < 30
