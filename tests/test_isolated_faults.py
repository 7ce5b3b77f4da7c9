"""Isolated engines whose processes crash, hang, lie or take all memory, at every moment.

Each call gets its right answer or an error of its own, and nothing of them is left.
"""

import os
import random
import signal
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from conftest import draw_text
from ferrocr import (
    EngineCrashedError,
    OcrCancelledError,
    OcrEngine,
    OcrTimeoutError,
    OutOfMemoryError,
    Page,
    RuntimeUnavailableError,
)
from ferrocr._isolated import _exchange, _process
from own_process import scaled, wait_until
from test_isolated import pids

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="processes end by signals elsewhere")

HERE = str(Path(__file__).parent)

Fault = Callable[[str, str], None]


@pytest.fixture(autouse=True)
def short_grace(monkeypatch: pytest.MonkeyPatch) -> None:
    """End soon what hangs."""
    monkeypatch.setattr(_exchange, "GRACE", 0.3)


@pytest.fixture
def fault(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Fault:
    """Has the first process of engines fail before an answer, in some way."""
    monkeypatch.setattr(_process, "_MODULE", "faulty_service")
    monkeypatch.setattr(_process, "_FOLDERS", (HERE,))

    def set_up(moment: str, way: str) -> None:
        monkeypatch.setenv("FERROCR_TEST_FAULT", f"{moment}:{way}:{tmp_path / 'failed'}")

    return set_up


@pytest.fixture
def engine(models_dir: Path) -> Iterator[OcrEngine]:
    """An isolated engine of which nothing is left in the end."""
    threads, files = threading.active_count(), open_files()
    with OcrEngine(model_dir=models_dir, download=False, isolated=True, threads=1) as engine:
        yield engine
    assert engine.free_resources().complete
    assert (pids(engine), open_files()) == ([], files)
    wait_until(lambda: threading.active_count() <= threads, "its threads have ended")


def open_files() -> set[str]:
    """Return the files that this process has open."""
    found = set()
    for path in Path("/proc/self/fd").iterdir() if sys.platform == "linux" else ():
        try:
            found.add(str(path.readlink()))
        except FileNotFoundError:
            continue
    return {name for name in found if name.startswith(("pipe:", "/memfd:"))}


@pytest.fixture(scope="module")
def pages(models_dir: Path) -> list[tuple[npt.NDArray[np.uint8], str]]:
    """Pictures, each with the text that it has."""
    texts = ["Iron tastes of rain", "Seven grey geese", "The kettle sings"]
    pictures = [np.asarray(draw_text([text])) for text in texts]
    with OcrEngine(model_dir=models_dir, download=False, threads=1) as usual:
        return [(picture, usual.recognize(picture).text) for picture in pictures]


# --- crashes --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("moment", "way", "status", "name"),
    [
        ("page", "exit", 3, None),
        ("page", "half", 3, None),
        ("page", "SIGSEGV", None, "SIGSEGV"),
        ("page", "SIGKILL", None, "SIGKILL"),
        ("page", "SIGABRT", None, "SIGABRT"),
        ("page", "garbage", None, None),
        ("page", "other", None, None),
        ("page", "wrong", None, None),
        ("page", "no page", None, None),
        ("question", "exit", 3, None),
        ("loaded", "SIGSEGV", None, "SIGSEGV"),
    ],
)
def test_a_crash_is_an_error_of_its_call_and_the_next_one_works(
    engine: OcrEngine, fault: Fault, picture_file: Path, moment: str, way: str, status: int | None, name: str | None
) -> None:
    fault(moment, way)
    with pytest.raises(EngineCrashedError) as crashed:
        engine.recognize(picture_file)
    error = crashed.value
    assert (error.status, error.signal) == (status, name)
    if moment == "page":
        assert error.source == str(picture_file)
        assert str(picture_file) in str(error)
    assert str(error).splitlines()[-1].startswith("the next call starts a new one")
    assert not pids(engine)
    assert engine.recognize(picture_file).lines


@pytest.mark.parametrize("way", ["exit", "SIGSEGV"])
def test_a_call_that_a_process_has_not_begun_is_not_told_of_its_crash(
    engine: OcrEngine, fault: Fault, picture_file: Path, way: str
) -> None:
    fault("begun", way)
    assert engine.recognize(picture_file).lines
    (pid,) = pids(engine)
    os.kill(pid, signal.SIGKILL)
    assert engine.recognize(picture_file).lines
    assert pids(engine) != [pid]


def test_a_crash_in_a_release_hinders_nobody(engine: OcrEngine, fault: Fault, picture_file: Path) -> None:
    fault("freed", "exit")
    engine.recognize(picture_file)
    report = engine.free_resources()
    assert (report.complete, report.processes, report.sessions) == (True, 1, 0)


def test_many_pictures_go_on_after_a_crash(
    engine: OcrEngine, fault: Fault, pages: list[tuple[npt.NDArray[np.uint8], str]]
) -> None:
    fault("page", "SIGSEGV")
    results = list(engine.recognize_many([picture for picture, _ in pages] * 2, ahead=0))
    assert isinstance(results[0], EngineCrashedError)
    assert [result.text for result in results[1:] if isinstance(result, Page)] == [text for _, text in pages * 2][1:]
    with pytest.raises(StopIteration):
        next(engine.recognize_many([]))


# --- what hangs -----------------------------------------------------------------------------------------------------


def test_a_timeout_is_hard(engine: OcrEngine, fault: Fault, picture_file: Path) -> None:
    fault("page", "SIGSTOP")
    engine.load()
    (pid,) = pids(engine)
    with pytest.raises(OcrTimeoutError, match=r"timeout of 0\.5 s"):
        engine.recognize(picture_file, timeout=0.5)
    assert pids(engine) != [pid]
    assert engine.recognize(picture_file, timeout=60).lines


def test_a_call_beside_one_that_hangs_is_made_again(
    engine: OcrEngine, pages: list[tuple[npt.NDArray[np.uint8], str]]
) -> None:
    engine.load()
    (pid,) = pids(engine)
    os.kill(pid, signal.SIGSTOP)
    with ThreadPoolExecutor(3) as pool:
        patient = [pool.submit(engine.recognize, picture) for picture, _ in pages[1:]]
        with pytest.raises(OcrTimeoutError):
            engine.recognize(pages[0][0], timeout=0.3)
        assert [call.result(60).text for call in patient] == [text for _, text in pages[1:]]


def test_a_release_that_cancels_ends_what_hangs(engine: OcrEngine, picture_file: Path) -> None:
    engine.load()
    os.kill(pids(engine)[0], signal.SIGSTOP)
    with ThreadPoolExecutor(1) as pool:
        call = pool.submit(engine.recognize, picture_file)
        wait_until(lambda: engine._core.calls == 1, "it is in flight")  # type: ignore[union-attr]
        assert not engine.free_resources(timeout=0.1).complete
        assert engine.free_resources(cancel=True).complete
        with pytest.raises(OcrCancelledError, match="resources are being released"):
            call.result(60)


def test_a_release_overtakes_an_unload_and_ends_no_call(engine: OcrEngine) -> None:
    long_page = np.asarray(draw_text([f"A line of text with number {i}" for i in range(30)]))
    engine.load()
    with ThreadPoolExecutor(2) as pool:
        call = pool.submit(engine.recognize, long_page)
        wait_until(lambda: engine._core.calls == 1, "it is in flight")  # type: ignore[union-attr]
        unload = pool.submit(engine.unload)
        wait_until(lambda: not engine.loaded, "the unload has begun")
        assert engine.free_resources().complete
        assert len(call.result(60).lines) == 30
        assert unload.result(60).complete


def test_a_load_that_hangs_ends_at_its_timeout(engine: OcrEngine, fault: Fault, picture_file: Path) -> None:
    fault("question", "SIGSTOP")
    with pytest.raises(OcrTimeoutError):
        engine.recognize(picture_file, timeout=1.5)
    assert not engine.loaded
    assert engine.recognize(picture_file).lines


# --- memory ---------------------------------------------------------------------------------------------------------


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux bounds the memory of a process")
def test_memory_is_bounded(models_dir: Path, pages: list[tuple[npt.NDArray[np.uint8], str]]) -> None:
    picture, text = pages[0]
    options = {"model_dir": models_dir, "download": False, "isolated": True, "threads": 1}
    no_memory = pytest.raises((OutOfMemoryError, EngineCrashedError))
    with OcrEngine(**options, max_memory=80 * 2**20) as tight, no_memory:  # type: ignore[arg-type]
        tight.recognize(picture)
    with OcrEngine(**options, max_memory=700 * 2**20) as wide:  # type: ignore[arg-type]
        assert wide.recognize(picture).text == text
        # 12,000 x 12,000 pixels are beyond what is left.
        with pytest.raises((OutOfMemoryError, EngineCrashedError)):
            wide.recognize(np.zeros((12_000, 12_000, 3), np.uint8))
        assert wide.recognize(picture).text == text


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux bounds the memory of another process")
def test_a_process_without_memory_holds_nobody_up(
    models_dir: Path, pages: list[tuple[npt.NDArray[np.uint8], str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    import resource

    monkeypatch.setattr(_process, "_MODULE", "hasty_service")
    monkeypatch.setattr(_process, "_FOLDERS", (HERE,))
    chance, ends = random.Random(3), Counter[str]()
    over = threading.Event()
    with OcrEngine(model_dir=models_dir, download=False, isolated=True, threads=1) as engine:
        engine.load()

        def call(number: int) -> None:
            picture, text = pages[number]
            while not over.is_set():
                try:
                    page = engine.recognize(picture)
                except (OutOfMemoryError, EngineCrashedError, RuntimeUnavailableError) as error:
                    ends[type(error).__name__] += 1
                else:
                    ends["right" if page.text == text else "wrong"] += 1

        threads = [threading.Thread(target=call, args=(number,)) for number in range(len(pages))]
        for thread in threads:
            thread.start()
        for _ in range(4 * scaled(1)):
            for pid in pids(engine)[:1]:
                with suppress(ProcessLookupError, FileNotFoundError):
                    usual = resource.prlimit(pid, resource.RLIMIT_DATA)
                    status = Path(f"/proc/{pid}/status").read_text()
                    data = 1024 * int(status.partition("VmData:")[2].split()[0])
                    least = data + chance.choice([0, 4096, 2**21])
                    resource.prlimit(pid, resource.RLIMIT_DATA, (least, usual[1]))
                    time.sleep(chance.uniform(0.1, 0.5))
                    resource.prlimit(pid, resource.RLIMIT_DATA, usual)
            time.sleep(chance.uniform(0.1, 0.5))
        over.set()
        for thread in threads:
            thread.join(60)
        assert not any(thread.is_alive() for thread in threads)
        assert not ends["wrong"]
        assert all(engine.recognize(picture).text == text for picture, text in pages)


# --- all together ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("workers", [1, 2])
def test_random_kills_mix_no_answers_up(
    models_dir: Path, pages: list[tuple[npt.NDArray[np.uint8], str]], workers: int
) -> None:
    chance, end = random.Random(workers), time.monotonic() + 3 * scaled(1)
    right, crashed = [], []
    with OcrEngine(
        model_dir=models_dir, download=False, isolated=True, threads=1, models="ppocrv6-small", workers=workers
    ) as engine:

        def call(number: int) -> None:
            while time.monotonic() < end:
                picture, text = pages[number]
                try:
                    page = engine.recognize(picture)
                except EngineCrashedError as error:
                    crashed.append(error)
                else:
                    right.append(page.text == text)

        threads = [threading.Thread(target=call, args=(number,)) for number in range(len(pages))]
        for thread in threads:
            thread.start()
        while time.monotonic() < end:
            time.sleep(chance.uniform(0.5, 1.5))
            for pid in pids(engine)[:1]:
                os.kill(pid, chance.choice([signal.SIGKILL, signal.SIGSEGV, signal.SIGABRT]))
        for thread in threads:
            thread.join(60)
        assert not any(thread.is_alive() for thread in threads)
        assert all(right)
        assert crashed
        assert all(engine.recognize(picture).text == text for picture, text in pages)
    assert pids(engine) == []
