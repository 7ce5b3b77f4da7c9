"""The end of an engine: what a release gives back, what it refuses; forgotten, forked and exiting engines."""

import gc
import os
import shutil
import sys
import threading
import time
import warnings
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from conftest import ORIENTER, draw_text, run_python
from ferrocr import (
    InvalidArgumentError,
    OcrEngine,
    Page,
    ResourcesFreedError,
)


def test_after_the_release_everything_is_refused(models_dir: Path, picture_file: Path) -> None:
    engine = OcrEngine(model_dir=models_dir)
    with engine:
        page = engine.recognize(picture_file)
        assert engine.loaded
        assert not engine.closed
        assert engine.provider in ("cpu", "openvino", "cuda")
    assert engine.closed
    assert not engine.loaded
    report = engine.free_resources()
    assert report.sessions >= 3
    assert report == engine.close() == engine.free_resources()
    assert page.lines, "results outlive the engine"
    nonsense: Any = 5
    uses = (
        engine.list_local,
        engine.get_local_path,
        engine.load,
        engine.__enter__,
        lambda: engine.recognize(picture_file),
        lambda: engine.recognize(nonsense),
        lambda: engine.recognize_many([]),
    )
    for use in uses:
        with pytest.raises(ResourcesFreedError, match="released"):
            use()


def test_a_release_during_a_stream_ends_it(models_dir: Path, picture_file: Path) -> None:
    engine = OcrEngine(model_dir=models_dir)
    stream = engine.recognize_many([picture_file] * 3)
    next(stream)
    engine.free_resources()
    with pytest.raises(ResourcesFreedError):
        next(stream)


class SlowDownload:
    """An engine that fetches its models from a folder, and whose callback waits until the test lets it go on."""

    def __init__(self, source: Path, target: Path, patch: pytest.MonkeyPatch) -> None:
        patch.setenv("FERROCR_OFFLINE", "0")
        patch.setenv("FERROCR_MIRROR", source.as_uri())
        self.engine = OcrEngine(model_dir=target, progress=self._tell)
        self.steps = 0
        self.begun, self.go_on = threading.Event(), threading.Event()
        self.outcome: BaseException | None = None
        self.thread = threading.Thread(target=self._load)

    def _tell(self, *_: object) -> None:
        self.steps += 1
        self.begun.set()
        assert self.go_on.wait(30)

    def _load(self) -> None:
        try:
            self.engine.load()
        except BaseException as error:
            self.outcome = error


def test_a_release_during_a_download_ends_it(models_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    slow = SlowDownload(models_dir, tmp_path / "models", monkeypatch)
    slow.thread.start()
    assert slow.begun.wait(30)
    with ThreadPoolExecutor(2) as pool:
        waiting = pool.submit(slow.engine.load)
        release = pool.submit(slow.engine.free_resources)
        while not slow.engine.closed:
            time.sleep(0.01)
        assert not release.done(), "the download's thread still writes"
        slow.go_on.set()
        assert release.result(30).sessions == 0
        # From here on the directory stays as it is, though the thread may not have ended yet.
        after = sorted((tmp_path / "models").rglob("*"))
        with pytest.raises(ResourcesFreedError):
            waiting.result(30)
    slow.thread.join(30)
    assert isinstance(slow.outcome, ResourcesFreedError)
    assert slow.steps == 1
    assert sorted((tmp_path / "models").rglob("*")) == after
    assert ORIENTER not in {path.name for path in after}, "what was not begun is not fetched any more"


def test_a_download_can_be_released_from_its_callback(
    models_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FERROCR_OFFLINE", "0")
    monkeypatch.setenv("FERROCR_MIRROR", models_dir.as_uri())

    def release(*_: object) -> None:
        engine.free_resources()

    engine = OcrEngine(model_dir=tmp_path, progress=release)
    with pytest.raises(ResourcesFreedError):
        engine.load()
    assert engine.closed


@pytest.mark.parametrize("method", ["load", "recognize"])
def test_a_download_does_not_wait_for_itself(
    models_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, method: str
) -> None:
    monkeypatch.setenv("FERROCR_OFFLINE", "0")
    monkeypatch.setenv("FERROCR_MIRROR", models_dir.as_uri())

    def call_back(*_: object) -> None:
        if method == "load":
            engine.load()
        else:
            engine.recognize(b"some picture")

    engine = OcrEngine(model_dir=tmp_path, progress=call_back)
    with engine, pytest.raises(InvalidArgumentError, match="progress"):
        engine.load()


def test_a_release_waits_for_calls_in_flight(models_dir: Path) -> None:
    page = np.asarray(draw_text([f"A line of text with number {i}" for i in range(20)]))
    engine = OcrEngine(model_dir=models_dir)
    engine.load()
    outcomes: list[Page | BaseException] = []

    def read() -> None:
        try:
            outcomes.append(engine.recognize(page))
        except ResourcesFreedError as error:
            outcomes.append(error)

    readers = [threading.Thread(target=read) for _ in range(4)]
    for reader in readers:
        reader.start()
    report = engine.free_resources()
    for reader in readers:
        reader.join()
    assert report.sessions >= 3
    assert len(outcomes) == 4
    texts = {outcome.text for outcome in outcomes if isinstance(outcome, Page)}
    assert len(texts) <= 1, "who got in got the whole page"


def test_the_model_folder_can_be_renamed_afterwards(models_dir: Path, tmp_path: Path, picture_file: Path) -> None:
    folder = tmp_path / "models"
    shutil.copytree(models_dir, folder, ignore=shutil.ignore_patterns(".*"))
    with OcrEngine(model_dir=folder, download=False) as engine:
        engine.recognize(picture_file)
    folder.rename(tmp_path / "renamed")
    assert not folder.exists()


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_a_release_gives_threads_files_and_memory_back(models_dir: Path, picture_file: Path) -> None:
    # A process of its own, because what other tests hold would be measured too.
    code = """
import pathlib, sys
from ferrocr import OcrEngine

def cycle():
    with OcrEngine(threads=4) as engine:
        engine.recognize(sys.argv[1])
        files = [str(link.resolve()) for link in pathlib.Path("/proc/self/fd").iterdir()]
        assert not any(".onnx" in file and "runtime" not in file for file in files), files
    report = engine.free_resources()
    assert report.sessions >= 3 and report.threads >= 3, report
    return len(list(pathlib.Path("/proc/self/task").iterdir())), report.rss_after_mb

before = len(list(pathlib.Path("/proc/self/task").iterdir()))  # numpy may have some of its own
first = cycle()
for _ in range(5):
    threads, resident = cycle()
    assert threads == first[0] == before, threads
    assert resident < first[1] + 15, (first, resident)
"""
    ended = run_python(code, str(picture_file), FERROCR_MODEL_DIR=str(models_dir))
    assert (ended.returncode, ended.stderr) == (0, "")


def test_a_forgotten_engine_warns_and_is_released(models_dir: Path) -> None:
    engine = OcrEngine(model_dir=models_dir)
    engine.load()
    core = engine._core
    with pytest.warns(ResourceWarning, match="unreleased <OcrEngine"):
        del engine
        gc.collect()
    assert core is not None
    assert core.closed
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        unloaded = OcrEngine(model_dir=models_dir)
        del unloaded
        gc.collect()


def test_interpreter_exit_with_an_open_engine_is_silent(models_dir: Path) -> None:
    code = "import ferrocr; e = ferrocr.OcrEngine(); e.load(); print(e.loaded)"
    ended = run_python(code, FERROCR_MODEL_DIR=str(models_dir))
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "True\n", "")


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
def test_a_forked_child_is_told_and_ends_well(models_dir: Path) -> None:
    code = """
import os, warnings, ferrocr
warnings.simplefilter("ignore", DeprecationWarning)  # Python warns about a fork beside threads, which is what is tried
parent = ferrocr.OcrEngine(threads=4)
parent.load()
child = os.fork()
if child == 0:
    try:
        parent.recognize(b"")
    except ferrocr.ForkedError as error:
        assert "new engine" in str(error)
        own = ferrocr.OcrEngine(threads=2)
        own.load()
        assert own.free_resources().sessions > 0
        raise SystemExit(42)
_, status = os.waitpid(child, 0)
assert os.waitstatus_to_exitcode(status) == 42, status
parent.free_resources()
"""
    ended = run_python(code, FERROCR_MODEL_DIR=str(models_dir))
    assert (ended.returncode, ended.stderr) == (0, "")


def test_import_is_light_and_silent() -> None:
    code = "import sys, ferrocr; print(sorted({'PIL', 'onnxruntime', 'tqdm', 'asyncio'} & set(sys.modules)))"
    ended = run_python(code)
    assert (ended.stdout, ended.stderr) == ("[]\n", "")


def test_telemetry_is_off_unless_the_user_wants_it(models_dir: Path) -> None:
    code = (
        "import os, ferrocr; e = ferrocr.OcrEngine(); e.load(); print(os.environ['ORT_DISABLE_TELEMETRY']); e.close()"
    )
    environment = {"FERROCR_MODEL_DIR": str(models_dir)}
    assert run_python(code, **environment).stdout == "1\n"
    assert run_python(code, **environment, ORT_DISABLE_TELEMETRY="0").stdout == "0\n"
