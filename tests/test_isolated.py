"""Isolated engines: all that engines do, in processes of their own, of which nothing stays."""

import asyncio
import copy
import logging
import os
import pickle
import signal
import sys
import threading
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from conftest import draw_text
from ferrocr import (
    EngineCrashedError,
    ImageError,
    ImageNotFoundError,
    InvalidArgumentError,
    ModelNotFoundError,
    ModelStore,
    OcrEngine,
    OcrTimeoutError,
    Page,
    ResourcesFreedError,
    StorageError,
)
from ferrocr._isolated import _arena
from ferrocr._isolated._arena import Arena
from ferrocr._isolated._client import IsolatedCore
from ferrocr._isolated._raw_pages import packed_page, page_of
from own_process import check_child, wait_until
from pdf_files import scanned
from test_inputs import *  # noqa: F403  # the same tests, with another engine
from test_workers import has_ended

needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")


@pytest.fixture(scope="module")
def engine(models_dir: Path) -> Iterator[OcrEngine]:
    """An isolated engine, also for the tests of other kinds of pictures."""
    with OcrEngine(model_dir=models_dir, download=False, isolated=True) as engine:
        yield engine


def pids(engine: OcrEngine) -> list[int]:
    """The engine's processes."""
    core = engine._core
    assert isinstance(core, IsolatedCore)
    return core.pids


# --- the same as ever -----------------------------------------------------------------------------------------------


def test_it_gives_what_an_engine_in_this_process_gives(engine: OcrEngine, models_dir: Path, picture_file: Path) -> None:
    picture = Image.open(picture_file).convert("RGB")
    large = np.asarray(picture.resize((picture.width * 2, picture.height * 2)))
    with OcrEngine(model_dir=models_dir, download=False) as usual:
        for image in (picture_file, picture_file.read_bytes(), large[:, :, 0]):
            assert engine.recognize(image) == usual.recognize(image)
        many_words = [f"word{i}" for i in range(20_000)] + ["Iron", "geese"]
        for options in (
            {"characters": True, "min_score": 0.9},
            {"allow": "IronSeven", "min_score": 0.0},
            {"pattern": r"\w+( \w+)*"},
            {"words": many_words, "min_score": 0.0},
        ):
            assert engine.recognize(picture, **options) == usual.recognize(picture, **options)
        images: list[Any] = [picture_file, large, picture_file.read_bytes()]
        assert list(engine.recognize_many(images)) == list(usual.recognize_many(images))
    assert engine.provider == usual.provider


def test_documents_are_read(engine: OcrEngine, models_dir: Path, tmp_path: Path) -> None:
    path = tmp_path / "two.tif"
    first, second = draw_text(["Iron tastes of rain"]), draw_text(["Seven grey geese"])
    first.save(path, save_all=True, append_images=[second])
    with OcrEngine(model_dir=models_dir, download=False) as usual:
        assert engine.recognize_document(path) == usual.recognize_document(path)
        content = path.read_bytes()
        assert engine.recognize_document(content) == usual.recognize_document(content)
    assert [page.number for page in engine.recognize_pages(path, pages="2")] == [2]  # type: ignore[union-attr]
    pytest.importorskip("pypdfium2")
    assert engine.recognize_document(scanned([first])).page_count == 1


def test_files_are_meant_from_here(
    engine: OcrEngine, picture_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(picture_file.parent)
    page = engine.recognize(picture_file.name)
    assert page == engine.recognize(picture_file)
    monkeypatch.chdir(tmp_path)
    for name in ("missing.png", "./missing.png", "../missing.png"):
        with pytest.raises(ImageNotFoundError) as missing:
            engine.recognize(name)
        assert str(missing.value) == f"there is no picture file {Path(name)}"
    Path("broken.png").write_bytes(b"no picture")
    with pytest.raises(ImageError, match=r"^broken\.png: "):
        engine.recognize("broken.png")
    with pytest.raises(StorageError, match="cannot read "):
        engine.recognize(".")
    odd = Path(os.fsdecode(b"\xff odd.png"))
    odd.write_bytes(picture_file.read_bytes())
    assert engine.recognize(odd) == page
    with picture_file.open("rb") as file:
        assert engine.recognize(f"/dev/fd/{file.fileno()}") == page


def test_files_and_arrays_may_change_once_the_next_is_asked_for(engine: OcrEngine, tmp_path: Path) -> None:
    texts = ["Iron tastes of rain", "Seven grey geese", "The kettle sings"] * 2
    path, array = tmp_path / "one.png", np.zeros((1, 1, 3), np.uint8)

    def pictures() -> Iterator[Path | npt.NDArray[np.uint8]]:
        nonlocal array
        for index, text in enumerate(texts):
            drawn = draw_text([text]).convert("RGB")
            if index % 2:
                drawn.save(path)
                yield path
                path.unlink()
            else:
                array = np.array(drawn)
                yield array
                array[:] = 0

    read = [page.text for page in engine.recognize_many(pictures(), on_error="raise")]
    assert read == texts


def test_options_reach_the_process(models_dir: Path, picture_file: Path) -> None:
    options = {"model_dir": models_dir, "download": False, "isolated": True}
    with OcrEngine(**options, max_pixels=100, min_score=1.0) as strict:  # type: ignore[arg-type]
        with pytest.raises(ImageError, match="max_pixels=100"):
            strict.recognize(picture_file)
        with pytest.raises(ImageError, match="max_pixels=100"):
            strict.recognize(np.zeros((11, 11), np.uint8))
    with OcrEngine(**options, languages=["el"], recognizer="missing.onnx") as missing:  # type: ignore[arg-type]
        with pytest.raises(ModelNotFoundError, match=r"missing\.onnx"):
            missing.load()
        assert pids(missing) == []


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"isolated": 1}, "isolated is True or False"),
        ({"isolated": True, "workers": 0}, "workers is a number from 1"),
        ({"isolated": True, "max_memory": 1}, "max_memory is a number from 1048576"),
        ({"workers": 2}, "say isolated=True too"),
        ({"max_memory": 2**30}, "say isolated=True too"),
        ({"isolated": True, "languages": ["tlh"]}, "tlh"),
        ({"isolated": True, "provider": "cpu", "device_id": 1}, "device"),
    ],
)
def test_wrong_options_are_refused_when_it_is_made(options: dict[str, object], reason: str) -> None:
    with pytest.raises(InvalidArgumentError, match=reason):
        OcrEngine(**options)  # type: ignore[arg-type]


def test_a_system_that_cannot_bound_memory_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    with pytest.raises(InvalidArgumentError, match="darwin bounds no process's memory"):
        OcrEngine(isolated=True, max_memory=2**30)


def test_downloads_are_told_of_and_may_release(
    models_dir: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    picture_file: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setenv("FERROCR_OFFLINE", "0")
    monkeypatch.setenv("FERROCR_MIRROR", models_dir.as_uri())
    seen: list[tuple[str, int]] = []

    def tell(name: str, _source: str, done: int, _total: int | None) -> None:
        seen.append((name, threading.get_ident()))
        with pytest.raises(InvalidArgumentError, match="`progress` can call neither load nor recognize"):
            telling.load()

    with OcrEngine(model_dir=tmp_path / "models", isolated=True, progress=tell) as telling:
        with caplog.at_level(logging.INFO, "ferrocr"):
            assert telling.recognize(picture_file).lines
        assert len({name for name, _ in seen}) == 3
        assert {thread for _, thread in seen} == {threading.get_ident()}
        assert "loaded" in caplog.text
        assert set(ModelStore(tmp_path / "models").in_use()["PP-OCRv6_det_small.onnx"]) == set(pids(telling))

    reports = []
    with OcrEngine(
        model_dir=tmp_path / "others", isolated=True, progress=lambda *_: reports.append(freeing.free_resources())
    ) as freeing:
        with pytest.raises(ResourcesFreedError):
            freeing.load()
        assert (reports[0].complete, reports[0].calls) == (False, 1)
        assert freeing.free_resources().complete


def test_what_a_callback_raises_comes_out_as_it_is(
    models_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FERROCR_OFFLINE", "0")
    monkeypatch.setenv("FERROCR_MIRROR", models_dir.as_uri())
    mine = KeyError("mine")

    def fail(*_: object) -> None:
        raise mine

    with OcrEngine(model_dir=tmp_path, isolated=True, progress=fail) as failing, pytest.raises(KeyError) as raised:
        failing.load()
    assert raised.value is mine


def test_tasks_and_timeouts_end_calls(engine: OcrEngine, picture_file: Path) -> None:
    long_page = np.asarray(draw_text([f"A line of text with number {i}" for i in range(40)]))
    with pytest.raises(OcrTimeoutError, match=r"timeout of 0\.05 s"):
        engine.recognize(long_page, timeout=0.05)

    async def cancelled() -> Page:
        task = asyncio.create_task(engine.arecognize(long_page))
        await asyncio.sleep(0.1)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert engine._core.calls == 0  # type: ignore[union-attr]
        return await engine.arecognize(picture_file)

    assert asyncio.run(cancelled()).lines


# --- its life -------------------------------------------------------------------------------------------------------


def test_it_ends_and_begins_anew(models_dir: Path, picture_file: Path) -> None:
    with OcrEngine(model_dir=models_dir, download=False, isolated=True, threads=1) as engine:
        assert (engine.loaded, pids(engine)) == (False, [])
        page = engine.recognize(picture_file)
        (pid,) = pids(engine)
        assert engine.loaded
        assert engine.list_local()
        report = engine.unload()
        assert (report.processes, report.files, report.complete, engine.loaded) == (1, 3, True, False)
        assert has_ended(pid)
        assert engine.unload().processes == 0
        assert engine.recognize(picture_file) == page
        pages = engine.recognize_many([picture_file] * 3)
        next(pages)
    report = engine.free_resources()
    assert (report.processes, report.files) == (1, 3)
    assert report.sessions >= 3
    if sys.platform == "linux":
        assert report.rss_before_mb is not None
        assert report.rss_after_mb is not None
        assert report.rss_before_mb - report.rss_after_mb > 50, "it counts the process's memory"
    with pytest.raises(ResourcesFreedError):
        next(pages)
    with pytest.raises(ResourcesFreedError):
        engine.recognize(picture_file)


def test_nothing_begins_after_a_release() -> None:
    engine = OcrEngine(isolated=True, workers=2)
    core = engine._core
    assert isinstance(core, IsolatedCore)
    assert engine.free_resources().processes == 0
    for begin in (
        engine.load,
        lambda: core._pool.fill(core, core._check_call),
        lambda: core.load(timeout=1, stop=None),
    ):
        with pytest.raises(ResourcesFreedError):
            begin()
    assert pids(engine) == []


def test_it_ends_by_itself_when_idle(models_dir: Path, picture_file: Path) -> None:
    with OcrEngine(model_dir=models_dir, download=False, isolated=True, threads=1, idle_unload=0.2) as engine:
        page = engine.recognize(picture_file)
        wait_until(lambda: not pids(engine), "it has ended")
        assert not engine.loaded
        assert engine.recognize(picture_file) == page


def test_a_forgotten_one_warns_and_ends(models_dir: Path) -> None:
    engine = OcrEngine(model_dir=models_dir, download=False, isolated=True, threads=1)
    engine.load()
    (pid,) = pids(engine)
    with pytest.warns(ResourceWarning, match="unreleased <OcrEngine"):
        del engine
    assert has_ended(pid)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        OcrEngine(isolated=True)


def test_workers_share_the_calls(models_dir: Path, picture_file: Path) -> None:
    options = {"model_dir": models_dir, "download": False, "isolated": True, "workers": 2}
    with OcrEngine(**options, threads=1) as engine:  # type: ignore[arg-type]
        assert engine._core.ahead == 1  # type: ignore[union-attr]
        pages = list(engine.recognize_many([picture_file] * 4))
        assert len(pids(engine)) == 2
        assert pages == [pages[0]] * 4
        os.kill(pids(engine)[0], signal.SIGKILL)
        results = list(engine.recognize_many([picture_file] * 4))
        assert [one for one in results if not isinstance(one, EngineCrashedError)] == pages[: len(results)]
    assert engine.free_resources().processes == 2


@needs_fork
def test_ctrl_c_of_a_terminal_is_for_the_parent_alone(engine: OcrEngine) -> None:
    engine.load()
    assert os.getsid(pids(engine)[0]) != os.getsid(0)


@needs_fork
def test_nothing_of_it_is_in_the_caller_s_process(models_dir: Path, picture_file: Path) -> None:
    code = """
import pathlib, sys
import ferrocr
with ferrocr.OcrEngine(download=False, isolated=True, workers=2) as engine:
    assert engine.recognize(sys.argv[1]).lines
    for name in ("maps", "status"):
        assert "onnxruntime" not in pathlib.Path("/proc/self", name).read_text()
assert engine.free_resources().processes == 2
assert "numpy" not in sys.modules and "asyncio" not in sys.modules
"""
    check_child(code, picture_file, models=models_dir)


@needs_fork
def test_its_processes_end_with_a_parent_that_is_killed(models_dir: Path, tmp_path: Path) -> None:
    code = """
import os, pathlib, signal, sys
import ferrocr
if os.fork() == 0:
    engine = ferrocr.OcrEngine(download=False, isolated=True, workers=2, threads=1)
    engine.load()
    pathlib.Path(sys.argv[1]).write_text(" ".join(map(str, engine._core.pids)))
    os.kill(os.getpid(), signal.SIGKILL)
os.wait()
"""
    told = tmp_path / "pids"
    check_child(code, told, models=models_dir)
    assert all(has_ended(int(pid)) for pid in told.read_text().split())


@needs_fork
def test_a_forked_child_has_processes_of_its_own(models_dir: Path, picture_file: Path) -> None:
    code = """
import os, sys, warnings
import ferrocr
warnings.simplefilter("ignore", DeprecationWarning)
engine = ferrocr.OcrEngine(download=False, isolated=True, threads=1)
page, pids = engine.recognize(sys.argv[1]), engine._core.pids
reading = engine._core.begin_file(sys.argv[1], (0.5, False, None))
for use in ("read", "leave", "free"):
    child = os.fork()
    if child == 0:
        assert not engine.loaded and not engine.closed
        if use == "read":
            try:
                reading.wait(None)
            except ferrocr.ForkedError:
                pass
            assert engine.recognize(sys.argv[1]) == page and engine._core.pids != pids
        if use == "free":
            report = engine.free_resources()
            assert report.inherited and report.processes == 0, report
        sys.exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
assert reading.wait(None)[0] == page.width
assert engine.recognize(sys.argv[1]) == page and engine._core.pids == pids
assert engine.free_resources().processes == 1
"""
    check_child(code, picture_file, models=models_dir)


def test_an_open_one_at_exit_is_ended_silently(models_dir: Path, picture_file: Path) -> None:
    code = """
import sys, threading
import ferrocr
engine = ferrocr.OcrEngine(download=False, isolated=True)
engine.load()
print(*engine._core.pids)
def work():
    while True:
        engine.recognize(sys.argv[1])
threading.Thread(target=work, daemon=True).start()
"""
    assert has_ended(int(check_child(code, picture_file, models=models_dir)))


def test_it_is_not_copied(engine: OcrEngine) -> None:
    for use in (pickle.dumps, copy.copy):
        with pytest.raises(TypeError, match="cannot be copied or pickled"):
            use(engine)


# --- what goes between ----------------------------------------------------------------------------------------------

numbers = st.floats(width=32, allow_nan=False)
points = st.tuples(numbers, numbers)
quads = st.tuples(points, points, points, points)
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=5)
characters = st.tuples(texts, numbers, quads)
words = st.tuples(texts, numbers, quads, st.lists(characters, max_size=3), st.booleans())
lines = st.tuples(texts, numbers, quads, st.lists(words, max_size=3))


@st.composite
def raw_pages(draw: st.DrawFn) -> tuple[object, ...]:
    """A page as the core gives it."""
    found = draw(st.lists(lines, max_size=4))
    place = st.integers(0, len(found))
    blocks = [(min(a, b), max(a, b), quad) for a, b, quad in draw(st.lists(st.tuples(place, place, quads), max_size=3))]
    side = st.integers(0, 2**32 - 1)
    timings = draw(st.tuples(*[numbers] * 8))
    return draw(side), draw(side), found, blocks, draw(st.lists(st.tuples(texts, quads), max_size=2)), timings


@given(raw_pages())
def test_pages_come_over_as_they_are(page: tuple[object, ...]) -> None:
    assert page_of(packed_page(page)) == page  # type: ignore[arg-type]


@given(raw_pages(), st.integers(0, 10_000), st.binary(max_size=4))
@settings(max_examples=60)
def test_bytes_that_are_no_page_are_refused(page: tuple[object, ...], at: int, change: bytes) -> None:
    data = bytearray(packed_page(page))  # type: ignore[arg-type]
    at %= len(data)
    data[at : at + len(change)] = change
    try:
        width, _, found, blocks, _, _ = page_of(data)
    except ValueError:
        return
    assert width < 2**32
    assert all(first <= end <= len(found) for first, end, _ in blocks)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has files without a name in memory")
def test_places_of_an_arena_are_apart_and_given_back() -> None:
    arena = Arena(kept=2**17)
    (file,) = arena.descriptors
    try:
        data = [memoryview(os.urandom(_arena.LEAST + size)) for size in (1, 70_000, 5, 200_000)]
        places = [arena.put(one) for one in data]
        assert None not in places
        for place, one in zip(places, data, strict=True):
            assert place is not None
            assert os.pread(file, place.length, place.start) == one
        arena.free(places[1])  # type: ignore[arg-type]
        again = arena.put(data[0])
        assert again is not None
        assert again.start == places[1].start  # type: ignore[union-attr]
        for place in (*places, again):
            arena.free(place)  # type: ignore[arg-type]
        assert os.fstat(file).st_size == 2**17
        assert arena.put(data[0][:10]) is None
        with pytest.raises(OSError, match="Bad file descriptor"):
            os.pwrite(file, b"x", 0)
    finally:
        arena.close()
