"""The end of an engine: what a release gives back, what it refuses; forgotten, forked and exiting engines."""

import asyncio
import dataclasses
import os
import shutil
import signal
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from busy_engine import BusyEngine
from conftest import DETECTOR, ORIENTER, draw_text, run_python
from ferrocr import (
    InvalidArgumentError,
    ModelInUseError,
    ModelStore,
    OcrCancelledError,
    OcrEngine,
    Page,
    ReleaseReport,
    ResourcesFreedError,
    StorageError,
)
from ferrocr._engine import _runtime
from own_process import check_child, scaled


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
        lambda: asyncio.run(engine.arecognize(picture_file)),
        engine.unload,
    )
    for use in uses:
        with pytest.raises(ResourcesFreedError, match="released"):
            use()
    assert (engine.closed, engine.loaded) == (True, False)
    assert engine.provider in ("cpu", "openvino", "cuda")
    assert "closed" in repr(engine)


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

    early = []

    def release(*_: object) -> None:
        early.append(engine.free_resources())

    engine = OcrEngine(model_dir=tmp_path, progress=release)
    with pytest.raises(ResourcesFreedError):
        engine.load()
    assert engine.closed
    assert [(report.complete, report.calls) for report in early] == [(False, 1)]
    late = engine.free_resources(timeout=0)
    assert (late.complete, late.sessions) == (True, 0)


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


def test_a_report_says_what_was_given_back(real_folder: Path, picture_file: Path) -> None:
    engine = OcrEngine(model_dir=real_folder)
    engine.recognize(picture_file)
    store = ModelStore(real_folder)
    with pytest.raises(ModelInUseError):
        store.remove(DETECTOR)
    report = engine.free_resources()
    assert report.sessions >= 3
    assert report.files == 3
    assert (report.complete, report.calls) == (True, 0)
    assert 0 <= report.waited_s < 30
    if sys.platform == "linux":
        assert report.threads is not None
        assert report.rss_before_mb is not None
        assert report.rss_after_mb is not None
        assert report.rss_after_mb < report.rss_before_mb
    with pytest.raises(dataclasses.FrozenInstanceError):
        report.sessions = 0  # type: ignore[misc]
    store.remove(DETECTOR)
    assert ReleaseReport(1, 2, 3.0, 4.0, 5.0) == ReleaseReport(1, 2, 3.0, 4.0, 5.0, files=0, complete=True, calls=0)


def test_concurrent_releases_get_the_same_report(models_dir: Path) -> None:
    reader = BusyEngine(models_dir, calls=2)
    with ThreadPoolExecutor(8) as pool:
        reports = [job.result(60) for job in [pool.submit(reader.engine.free_resources) for _ in range(8)]]
    assert all(report is reports[0] for report in reports)
    assert reports[0].complete
    assert reports[0].waited_s > 0
    assert {call.result(60).lines != () for call in reader.calls} == {True}


def test_a_timeout_ends_the_wait_and_not_the_release(models_dir: Path) -> None:
    reader = BusyEngine(models_dir)
    for timeout in (0, 0.05):
        early = reader.engine.free_resources(timeout=timeout)
        assert (early.complete, early.calls, early.sessions, early.files) == (False, 1, 0, 0)
    assert reader.engine.closed
    for use in (reader.engine.list_local, reader.engine.__enter__, reader.engine.unload):
        with pytest.raises(ResourcesFreedError):
            use()
    assert reader.calls[0].result(60).lines, "the call was not ended"
    late = reader.engine.free_resources(timeout=60)
    assert (late.complete, late.calls) == (True, 0)
    assert late.sessions >= 3
    assert late.waited_s >= early.waited_s
    assert reader.engine.close() is late


def test_a_release_that_cancels_ends_calls_early(models_dir: Path) -> None:
    reader = BusyEngine(models_dir, calls=3)
    assert reader.engine.free_resources(cancel=True).complete
    for call in reader.calls:
        with pytest.raises(OcrCancelledError, match="being released"):
            call.result(60)


def test_a_release_may_become_impatient(models_dir: Path) -> None:
    reader = BusyEngine(models_dir)
    with ThreadPoolExecutor(1) as pool:
        patient = pool.submit(reader.engine.free_resources)
        while not reader.engine.closed:
            time.sleep(0.001)
        report = reader.engine.free_resources(cancel=True)
        assert patient.result(60) is report
    with pytest.raises(OcrCancelledError):
        reader.calls[0].result(60)


@pytest.mark.skipif(sys.platform == "win32", reason="sends a signal")
def test_ctrl_c_ends_the_wait_and_not_the_release(models_dir: Path) -> None:
    code = """
import os, signal, threading, time
import numpy as np
import ferrocr

page = np.full((1500, 1200), 255, np.uint8)
page[30::40, 60:1100] = page[31::40, 60:1100] = page[45::40, 60:1100:3] = 0
engine = ferrocr.OcrEngine(threads=1)
engine.load()
def read():
    engine.recognize(page)
# They take turns with the one detector, so that the last is far from its end when the signal comes.
readers = [threading.Thread(target=read) for _ in range(4)]
for reader in readers:
    reader.start()
while engine._core.calls < 4:
    time.sleep(0.001)
threading.Timer(0.1, os.kill, (os.getpid(), signal.SIGINT)).start()
try:
    report = engine.free_resources()
except KeyboardInterrupt:
    assert any(reader.is_alive() for reader in readers), "the wait ended before the calls"
else:
    raise SystemExit(f"not interrupted: {report}")
assert engine.closed and engine.loaded
for reader in readers:
    reader.join()
assert not engine.loaded, "the last call out did it"
assert engine.free_resources(timeout=0).sessions >= 2
"""
    ended = run_python(code, FERROCR_MODEL_DIR=str(models_dir))
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "", "")


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="no timers that send signals on this system")
@pytest.mark.parametrize("method", ["load", "free_resources"])
def test_ctrl_c_leaves_no_door_closed_wherever_it_falls(models_dir: Path, method: str) -> None:
    code = f"""
import random, signal, sys, threading
from ferrocr import OcrEngine, _core

def interrupt(number, frame):
    raise KeyboardInterrupt

signal.signal(signal.SIGALRM, interrupt)
random.seed(1)
loaded = OcrEngine(download=False, threads=1)
if "{method}" == "load":
    loaded.load()
for _ in range({scaled(300)}):
    engine = loaded if "{method}" == "load" else OcrEngine(download=False)
    try:
        signal.setitimer(signal.ITIMER_REAL, random.uniform(1e-5, 2e-4))
        while True:
            engine.{method}()
    except KeyboardInterrupt:
        pass
    assert engine._core.calls == 0 and _core.begin_fork(0)
    _core.end_fork()
reports = []
for engine in (loaded, engine):
    other = threading.Thread(target=lambda: reports.append(engine.free_resources(timeout=30)))
    other.start()
    other.join()
assert all(report.complete for report in reports), reports
"""
    check_child(code, models=models_dir)


def test_a_load_that_a_release_overtakes_says_so(models_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    engine = OcrEngine(model_dir=models_dir, download=False)
    find_runtime, reports = _runtime.find_runtime, []

    def overtaken() -> _runtime.Runtime:
        reports.append(engine.free_resources())
        return find_runtime()

    monkeypatch.setattr(_runtime, "find_runtime", overtaken)
    with pytest.raises(ResourcesFreedError):
        engine.load()
    assert [(report.complete, report.calls) for report in reports] == [(False, 1)], "it does not wait for itself"
    assert engine.free_resources(timeout=0).complete, "it was done when the load ended"
    whole = OcrEngine(model_dir=models_dir, download=False)
    gone = StorageError("the disk is gone")
    monkeypatch.setattr(_runtime, "find_runtime", lambda: (_ for _ in ()).throw(gone))
    with pytest.raises(StorageError, match="the disk is gone") as caught:
        whole.load()
    assert caught.value is gone
    monkeypatch.undo()
    whole.load()
    whole.free_resources()


@pytest.mark.skipif(sys.platform != "linux", reason="needs glibc and /proc")
def test_memory_stays_with_the_c_library_without_trim(models_dir: Path, picture_file: Path) -> None:
    code = """
import sys, ferrocr
engine = ferrocr.OcrEngine()
engine.recognize(sys.argv[1])
report = engine.free_resources(trim=sys.argv[2] == "trim")
print(report.rss_after_mb)
"""
    after = {
        trim: float(run_python(code, str(picture_file), trim, FERROCR_MODEL_DIR=str(models_dir)).stdout)
        for trim in ("trim", "keep")
    }
    assert after["trim"] < after["keep"]


def test_a_release_does_not_wait_longer_for_a_download_than_it_is_to(
    models_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow = SlowDownload(models_dir, tmp_path / "models", monkeypatch)
    slow.thread.start()
    assert slow.begun.wait(30)
    early = slow.engine.free_resources(timeout=0.1)
    assert (early.complete, early.calls) == (False, 1)
    assert early.waited_s >= 0.1
    slow.go_on.set()
    late = slow.engine.free_resources(timeout=60)
    slow.thread.join(30)
    assert isinstance(slow.outcome, ResourcesFreedError)
    assert late.complete
    assert late.waited_s >= early.waited_s, "the wait for the download counts, from the first request on"
    assert slow.engine.free_resources() is late


def test_a_call_that_downloads_is_ended_by_a_release(
    models_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, picture_file: Path
) -> None:
    slow = SlowDownload(models_dir, tmp_path / "models", monkeypatch)
    slow.thread.start()
    assert slow.begun.wait(30)
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(slow.engine.recognize, picture_file)
        slow.engine.free_resources(timeout=0)
        with pytest.raises(ResourcesFreedError):
            waiting.result(30)  # though the download has not ended yet
        slow.go_on.set()
    slow.thread.join(30)


# --- what is left -------------------------------------------------------------------------------------------------


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
    code = "import sys, ferrocr; print(sorted({'PIL', 'numpy', 'onnxruntime', 'tqdm', 'asyncio'} & set(sys.modules)))"
    ended = run_python(code)
    assert (ended.stdout, ended.stderr) == ("[]\n", "")


def test_a_file_is_read_without_numpy(models_dir: Path, picture_file: Path) -> None:
    code = (
        "import pathlib, sys, ferrocr; path = pathlib.Path(sys.argv[1])\n"
        "with ferrocr.OcrEngine() as engine:\n"
        "    for picture in (path, path.read_bytes()): assert engine.recognize(picture).lines\n"
        "print(sorted({'PIL', 'numpy'} & set(sys.modules)))"
    )
    assert check_child(code, picture_file, models=models_dir) == "[]\n"


def test_telemetry_is_off_unless_the_user_wants_it(models_dir: Path) -> None:
    code = (
        "import os, ferrocr; e = ferrocr.OcrEngine(); e.load(); print(os.environ['ORT_DISABLE_TELEMETRY']); e.close()"
    )
    environment = {"FERROCR_MODEL_DIR": str(models_dir)}
    assert run_python(code, **environment).stdout == "1\n"
    assert run_python(code, **environment, ORT_DISABLE_TELEMETRY="0").stdout == "0\n"
