"""How one call ends early, and that nothing of it stays: timeouts, cancelled tasks, calls in event loops."""

import asyncio
import os
import pickle
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NoReturn

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image, ImageOps

from conftest import draw_text
from ferrocr import (
    ForkedError,
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
from ferrocr._engine._pictures import Pictures
from own_process import wait_until

LONG = 60.0
"""More seconds than anything here takes."""


@pytest.fixture(scope="module")
def long_page() -> npt.NDArray[np.uint8]:
    """Takes a second or more to read."""
    return np.asarray(draw_text([f"A line of text with number {i}" for i in range(30)]))


# --- timeouts -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("timeout", [0.0, 0.02])
def test_a_call_ends_at_its_timeout_and_the_next_is_whole(
    engine: OcrEngine, long_page: npt.NDArray[np.uint8], timeout: float
) -> None:
    whole = engine.recognize(long_page)
    with pytest.raises(OcrTimeoutError, match=f"timeout of {timeout:g} s") as caught:
        engine.recognize(long_page, timeout=timeout)
    assert isinstance(caught.value, TimeoutError)
    assert isinstance(caught.value, OcrCancelledError)
    assert caught.value.hint is not None
    assert str(pickle.loads(pickle.dumps(caught.value))) == str(caught.value)
    assert engine.recognize(long_page) == whole, "the timeout was for one call"
    assert engine.recognize(long_page, timeout=float("inf")) == engine.recognize(long_page, timeout=LONG) == whole


@pytest.mark.parametrize("timeout", [-1.0, float("nan"), 2**2000])
def test_what_is_no_time_is_refused(engine: OcrEngine, picture_file: Path, timeout: float) -> None:
    uses = (
        lambda: engine.recognize(picture_file, timeout=timeout),
        lambda: engine.recognize_many([], timeout=timeout),
        lambda: asyncio.run(engine.arecognize(picture_file, timeout=timeout)),
        lambda: engine.free_resources(timeout=timeout),
    )
    for use in uses:
        with pytest.raises(InvalidArgumentError, match="timeout is a number of seconds from 0 on"):
            use()
    assert not engine.closed


def test_a_timeout_of_one_caller_ends_no_other(engine: OcrEngine, long_page: npt.NDArray[np.uint8]) -> None:
    whole = engine.recognize(long_page)
    with ThreadPoolExecutor(4) as pool:
        patient = [pool.submit(engine.recognize, long_page) for _ in range(2)]
        hasty = [pool.submit(engine.recognize, long_page, timeout=0.05) for _ in range(2)]
        for job in hasty:
            with pytest.raises(OcrTimeoutError):
                job.result(LONG)
        assert all(job.result(LONG) == whole for job in patient)


def test_a_picture_that_takes_too_long_keeps_its_place(
    engine: OcrEngine, long_page: npt.NDArray[np.uint8], monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = engine.recognize(long_page)
    assert [type(page) for page in engine.recognize_many([long_page] * 2, timeout=0.01)] == [OcrTimeoutError] * 2
    with pytest.raises(OcrTimeoutError):
        list(engine.recognize_many([long_page], timeout=0.01, on_error="raise"))
    assert list(engine.recognize_many([long_page], timeout=LONG)) == [expected]


class StuckDownload:
    """An engine whose download makes one step and then waits until the test lets it go on."""

    def __init__(self, source: Path, target: Path, patch: pytest.MonkeyPatch) -> None:
        patch.setenv("FERROCR_OFFLINE", "0")
        patch.setenv("FERROCR_MIRROR", source.as_uri())
        self.begun, self.go_on = threading.Event(), threading.Event()
        self.engine = OcrEngine(model_dir=target, progress=self._tell)

    def _tell(self, *_: object) -> None:
        self.begun.set()
        assert self.go_on.wait(LONG)


def test_a_timeout_holds_during_a_download_too(
    models_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, picture_file: Path
) -> None:
    stuck = StuckDownload(models_dir, tmp_path / "models", monkeypatch)
    with ThreadPoolExecutor(2) as pool:
        loading = pool.submit(stuck.engine.recognize, picture_file, timeout=0.5)
        assert stuck.begun.wait(LONG)
        with pytest.raises(OcrTimeoutError, match=r"timeout of 0\.05 s"):
            stuck.engine.recognize(picture_file, timeout=0.05)
        assert not loading.done()
        with pytest.raises(OcrTimeoutError):  # it waits for the other's download
            stuck.engine.recognize(picture_file, timeout=0.6)
        stuck.go_on.set()
        with pytest.raises(OcrTimeoutError, match=r"timeout of 0\.5 s"):
            loading.result(LONG)
    assert stuck.engine.recognize(picture_file).lines, "the download goes on with the next call"
    stuck.engine.free_resources()


# --- Ctrl-C -------------------------------------------------------------------------------------------------------


@pytest.fixture
def on_signal() -> Iterator[Callable[[Callable[[], object]], None]]:
    """Sends this process a SIGINT soon, and has it handled by what is given."""
    usual = signal.getsignal(signal.SIGINT)
    timer = threading.Timer(0.1, signal.raise_signal, [signal.SIGINT])

    def arm(handle: Callable[[], object]) -> None:
        signal.signal(signal.SIGINT, lambda *_: handle())
        timer.start()

    yield arm
    timer.join()
    signal.signal(signal.SIGINT, usual)


@pytest.mark.parametrize("kind", ["file", "bytes", "pixels"])
def test_ctrl_c_ends_a_call_early(
    models_dir: Path,
    tmp_path: Path,
    long_page: npt.NDArray[np.uint8],
    on_signal: Callable[[Callable[[], object]], None],
    kind: str,
) -> None:
    path = tmp_path / "long.png"
    Image.fromarray(long_page).save(path)
    images: dict[str, Path | bytes | npt.NDArray[np.uint8]] = {
        "file": path,
        "bytes": path.read_bytes(),
        "pixels": long_page,
    }
    calls = []
    with OcrEngine(model_dir=models_dir, download=False, threads=1) as ocr:
        ocr.load()

        def interrupt() -> None:
            calls.append(ocr.free_resources(timeout=0).calls)
            raise KeyboardInterrupt

        on_signal(interrupt)
        with pytest.raises(KeyboardInterrupt):
            ocr.recognize(images[kind])
        assert calls == [1], "it was handled while the call was in flight"
        assert ocr.free_resources(timeout=0).complete, "nothing of it is left"


def test_a_signal_that_raises_nothing_ends_no_call(
    engine: OcrEngine, long_page: npt.NDArray[np.uint8], on_signal: Callable[[Callable[[], object]], None]
) -> None:
    whole, handled = engine.recognize(long_page), threading.Event()
    on_signal(handled.set)
    assert engine.recognize(long_page) == whole
    assert handled.is_set()


def raises_once(patch: pytest.MonkeyPatch, owner: object, name: str) -> None:
    """Have the first call of a function end as when Ctrl-C falls into it."""
    real = getattr(owner, name)

    def interrupted(*_: object) -> NoReturn:
        patch.setattr(owner, name, real)
        raise KeyboardInterrupt

    patch.setattr(owner, name, interrupted)


def test_ctrl_c_while_the_main_thread_is_looked_for_comes_out(
    engine: OcrEngine, picture_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine.recognize(picture_file)
    raises_once(monkeypatch, threading, "main_thread")
    with pytest.raises(KeyboardInterrupt):
        engine.recognize(picture_file)
    assert engine.recognize(picture_file).lines


def test_making_an_exception_runs_no_code_that_ctrl_c_could_fall_into(
    engine: OcrEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        raises_once(patch, OcrError, "__init__")
        with pytest.raises(ImageError, match="the content is no JPEG") as broken:
            engine.recognize(b"no picture")
        with pytest.raises(ImageNotFoundError, match=r"missing\.png") as missing:
            engine.recognize("missing.png")
    for caught in (broken.value, missing.value):
        assert caught.__context__ is None
        again = pickle.loads(pickle.dumps(caught))
        assert (type(again), again.args, vars(again)) == (type(caught), caught.args, vars(caught))


def test_what_a_handler_of_a_signal_raises_is_no_fault_of_a_picture(
    engine: OcrEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    picture = draw_text(["Iron tastes of rain"])

    def handled(*_: object) -> NoReturn:
        raise TimeoutError

    monkeypatch.setattr(ImageOps, "exif_transpose", handled)
    with pytest.raises(TimeoutError) as caught:
        engine.recognize(picture)
    assert not isinstance(caught.value, OcrError)


@pytest.mark.skipif(sys.platform == "win32", reason="there is no fork")
@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_a_child_that_a_signal_handler_forks_does_not_wait_for_the_call(
    engine: OcrEngine, long_page: npt.NDArray[np.uint8], on_signal: Callable[[Callable[[], object]], None]
) -> None:
    children: list[int] = []
    on_signal(lambda: children.append(os.fork()))
    try:
        page = engine.recognize(long_page)
    except ForkedError:
        os._exit(7)  # the child
    finally:
        if children == [0]:
            os._exit(8)
    assert page.lines
    assert os.waitstatus_to_exitcode(os.waitpid(children[0], 0)[1]) == 7


# --- event loops --------------------------------------------------------------------------------------------------


def test_reading_in_an_event_loop(engine: OcrEngine, picture_file: Path) -> None:
    async def both() -> list[Page]:
        plain = asyncio.to_thread(engine.recognize, picture_file)
        timed = engine.arecognize(picture_file, timeout=LONG)
        return list(await asyncio.gather(engine.arecognize(picture_file), plain, timed))

    assert asyncio.run(both()) == [engine.recognize(picture_file)] * 3
    with pytest.raises(OcrTimeoutError):
        asyncio.run(engine.arecognize(picture_file, timeout=0))
    assert asyncio.run(engine.arecognize(picture_file, min_score=1.0)).lines == ()


def in_flight(monkeypatch: pytest.MonkeyPatch, raised: list[type[BaseException]] | None = None) -> threading.Event:
    """Set when a call goes into the core; `raised` gets the class of what comes out instead of a page."""
    begun, run = threading.Event(), Pictures._run

    def noted(*arguments: object) -> Page:
        begun.set()
        try:
            return run(*arguments)  # type: ignore[arg-type]
        except BaseException as error:
            if raised is not None:
                raised.append(type(error))
            raise

    monkeypatch.setattr(Pictures, "_run", noted)
    return begun


@pytest.mark.parametrize("times", [1, 3])
def test_a_cancelled_task_ends_its_reading_and_is_over_with_it(
    models_dir: Path, long_page: npt.NDArray[np.uint8], monkeypatch: pytest.MonkeyPatch, times: int
) -> None:
    complaints: list[object] = []
    with OcrEngine(model_dir=models_dir, threads=1) as engine:
        engine.load()
        begun = in_flight(monkeypatch)

        async def cancel() -> None:
            asyncio.get_running_loop().set_exception_handler(lambda _, what: complaints.append(what))
            task = asyncio.create_task(engine.arecognize(long_page))
            assert await asyncio.to_thread(begun.wait, LONG)
            for _ in range(times):  # impatience changes nothing
                task.cancel()
                await asyncio.sleep(0)
            with pytest.raises(asyncio.CancelledError):
                await task
            # The thread is out: a release has nobody to wait for.
            assert engine.free_resources(timeout=0).complete

        asyncio.run(cancel())
    assert complaints == []


def test_a_task_that_is_cancelled_before_its_turn_reads_nothing(
    models_dir: Path, picture_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with OcrEngine(model_dir=models_dir) as engine:
        engine.load()
        begun = in_flight(monkeypatch)

        async def cancel() -> None:
            let_go = threading.Event()
            asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(1))
            occupied = asyncio.create_task(asyncio.to_thread(let_go.wait, LONG))
            await asyncio.sleep(0)
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(engine.arecognize(picture_file), 0.05)
            let_go.set()
            assert await occupied

        asyncio.run(cancel())
        assert not begun.is_set()


def test_a_timeout_ends_the_wait_for_a_thread_too(
    models_dir: Path, picture_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with OcrEngine(model_dir=models_dir) as engine:
        engine.load()
        begun = in_flight(monkeypatch)

        async def wait() -> None:
            let_go = threading.Event()
            asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(1))
            occupied = asyncio.create_task(asyncio.to_thread(let_go.wait, LONG))
            await asyncio.sleep(0)
            with pytest.raises(OcrTimeoutError, match=r"timeout of 0\.05 s"):
                await engine.arecognize(picture_file, timeout=0.05)
            assert not occupied.done()
            let_go.set()
            assert await occupied

        asyncio.run(wait())
        assert not begun.is_set()


@pytest.mark.parametrize("loop_is_closed", [False, True])
def test_a_closed_coroutine_ends_its_reading(
    models_dir: Path, long_page: npt.NDArray[np.uint8], monkeypatch: pytest.MonkeyPatch, *, loop_is_closed: bool
) -> None:
    with OcrEngine(model_dir=models_dir, threads=1) as engine:
        engine.load()
        ended: list[type[BaseException]] = []
        begun = in_flight(monkeypatch, ended)
        call = engine.arecognize(long_page)

        async def begin() -> None:
            call.send(None)
            assert await asyncio.to_thread(begun.wait, LONG)
            if not loop_is_closed:
                call.close()

        loop = asyncio.new_event_loop()
        loop.run_until_complete(begin())
        loop.close()
        call.close()
        assert engine.free_resources(timeout=LONG).complete
        wait_until(lambda: bool(ended), "it reads on")
        # The one where it was reading, the other where it was about to.
        assert ended in ([OcrCancelledError], [ResourcesFreedError]), "it did not come to its end"


def test_a_freed_engine_refuses_a_task(models_dir: Path, picture_file: Path) -> None:
    engine = OcrEngine(model_dir=models_dir)
    engine.free_resources()
    with pytest.raises(ResourcesFreedError):
        asyncio.run(engine.arecognize(picture_file))


def test_a_release_that_cancels_reaches_a_task(
    models_dir: Path, long_page: npt.NDArray[np.uint8], monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = OcrEngine(model_dir=models_dir, threads=1)
    engine.load()
    begun = in_flight(monkeypatch)

    async def release() -> None:
        task = asyncio.create_task(engine.arecognize(long_page))
        assert await asyncio.to_thread(begun.wait, LONG)
        await asyncio.sleep(0.5)  # from there into the core
        # In the event loop itself, which the call does not need to come to its end.
        assert engine.free_resources(cancel=True).complete
        with pytest.raises(OcrCancelledError):
            await task

    asyncio.run(release())


# --- pictures and pages on their way ------------------------------------------------------------------------------


@pytest.mark.parametrize("end", ["free", "unload"])
def test_the_iterable_of_pictures_may_end_or_unload_the_engine(models_dir: Path, picture_file: Path, end: str) -> None:
    with OcrEngine(model_dir=models_dir) as engine:

        def pictures() -> Iterator[Path]:
            yield picture_file
            _ = engine.free_resources() if end == "free" else engine.unload()
            yield picture_file

        results = engine.recognize_many(pictures())
        first = next(results)
        if end == "free":
            with pytest.raises(ResourcesFreedError):
                next(results)
        else:
            assert next(results) == first
