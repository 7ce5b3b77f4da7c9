"""The engine's promises: what it reads, what it refuses, and how its life ends."""

import gc
import os
import pickle
import shutil
import subprocess
import sys
import threading
import time
import warnings
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from conftest import draw_text
from ferrocr import (
    ImageError,
    ImageNotFoundError,
    InferenceError,
    InvalidArgumentError,
    ModelCorruptError,
    ModelMismatchError,
    ModelNotFoundError,
    OcrEngine,
    OcrError,
    Page,
    ResourcesFreedError,
    StorageError,
)

DETECTOR, RECOGNIZER, ORIENTER = (
    "PP-OCRv6_det_small.onnx",
    "PP-OCRv6_rec_small.onnx",
    "ch_ppocr_mobile_v2.0_cls_mobile.onnx",
)


@pytest.fixture(scope="module")
def picture_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("pictures") / "two lines.png"
    draw_text(["Iron tastes of rain", "Order 4711 paid"]).save(path)
    return path


def run_python(code: str, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    # An engine that another test loaded has set the variable in this process.
    inherited = {name: value for name, value in os.environ.items() if name != "ORT_DISABLE_TELEMETRY"}
    return subprocess.run(
        [sys.executable, "-W", "error", "-c", code, *arguments],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        env={**inherited, **environment},
    )


def test_it_reads_lines_and_words_where_they_are(engine: OcrEngine, picture_file: Path) -> None:
    page = engine.recognize(picture_file)
    assert page.text == "Iron tastes of rain\nOrder 4711 paid"
    assert (page.width, page.height) == (900, 192)
    assert all(line.score > 0.9 for line in page.lines)
    first = page.lines[0]
    (left, top), (right, _), (_, bottom), _ = first.quad
    assert left < 60
    assert 250 < right < 450
    assert 0 <= top < 25
    assert 40 < bottom < 75
    assert [word.text for word in first.words] == ["Iron", "tastes", "of", "rain"]
    lefts = [word.quad[0][0] for word in first.words]
    assert lefts == sorted(lefts)


def test_every_form_of_a_picture_reads_the_same(engine: OcrEngine, picture_file: Path) -> None:
    from PIL import Image

    expected = engine.recognize(str(picture_file))
    grey = np.asarray(Image.open(picture_file))
    rgb = np.stack([grey] * 3, axis=2)
    forms: dict[str, Any] = {
        "path object": picture_file,
        "bytes": picture_file.read_bytes(),
        "bytearray": bytearray(picture_file.read_bytes()),
        "pillow": Image.open(picture_file),
        "HxW": grey,
        "HxWx1": grey[:, :, None],
        "HxWx3": rgb,
        "HxWx4": np.dstack([rgb, np.full_like(grey, 255)]),
        "uint16": grey.astype(np.uint16) * 257,
        "not contiguous": np.asfortranarray(rgb),
    }
    for name, form in forms.items():
        assert engine.recognize(form) == expected, name


def test_results_are_plain_values(engine: OcrEngine, picture_file: Path) -> None:
    page = engine.recognize(picture_file)
    assert pickle.loads(pickle.dumps(page)) == page
    assert hash(page) == hash(engine.recognize(picture_file))
    with pytest.raises(AttributeError):
        page.width = 1  # type: ignore[misc]


def test_an_option_of_a_call_does_not_stick(engine: OcrEngine, picture_file: Path) -> None:
    everything = engine.recognize(picture_file)
    assert engine.recognize(picture_file, min_score=1.0).lines == ()
    assert engine.recognize(picture_file) == everything
    with pytest.raises(InvalidArgumentError, match="min_score"):
        engine.recognize(picture_file, min_score=1.5)


def test_many_pictures_keep_their_order_and_errors_their_place(engine: OcrEngine, picture_file: Path) -> None:
    taken = []

    def pictures() -> Iterator[object]:
        for item in (picture_file, b"not a picture", "nowhere.png", picture_file):
            taken.append(item)
            yield item

    results = engine.recognize_many(pictures())  # type: ignore[arg-type]
    first = next(results)
    assert isinstance(first, Page)
    assert len(taken) == 1, "nothing is read ahead of what was asked for"
    rest = list(results)
    assert [type(item) for item in rest] == [ImageError, ImageNotFoundError, Page]
    assert rest[2] == first
    with pytest.raises(ImageError):
        list(engine.recognize_many([b""], on_error="raise"))


def test_many_pictures_with_a_wrong_bound_are_refused_at_once(tmp_path: Path) -> None:
    with (
        OcrEngine(model_dir=tmp_path, download=False) as engine,
        pytest.raises(InvalidArgumentError, match="min_score"),
    ):
        engine.recognize_many([], min_score=7)


def test_only_errors_of_pictures_keep_their_place(engine: OcrEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    errors = {kind.__name__: kind("for a test") for kind in (ImageError, StorageError, InferenceError, OcrError)}

    def fail(name: str, *, min_score: float | None) -> Page:
        raise errors[name]

    monkeypatch.setattr(engine, "recognize", fail)
    results = engine.recognize_many(errors)
    for name in ("ImageError", "StorageError", "InferenceError"):
        assert next(results) is errors[name]
    with pytest.raises(OcrError, match="for a test"):
        next(results)


def test_what_is_no_picture_is_refused_with_a_reason(engine: OcrEngine, tmp_path: Path) -> None:
    cases: dict[str, tuple[Any, str]] = {
        "empty": (b"", "empty"),
        "pdf": (b"%PDF-1.7 ...", "it is a PDF"),
        "text": (b"hello", "no JPEG"),
        "number": (5, "int"),
        "shape": (np.zeros((2, 2, 7), np.uint8), "(2, 2, 7)"),
        "nothing": (np.zeros((0, 5), np.uint8), "no pixels"),
        "floats": (np.zeros((4, 4)), "float64"),
        "folder": (tmp_path, str(tmp_path)),
    }
    for name, (value, reason) in cases.items():
        with pytest.raises(OcrError) as caught:
            engine.recognize(value)
        assert reason in str(caught.value), name
    with pytest.raises(FileNotFoundError, match=r"nowhere\.png"):
        engine.recognize("nowhere.png")


def test_limits_hold_before_pixels_are_made(models_dir: Path, picture_file: Path) -> None:
    with OcrEngine(model_dir=models_dir, max_pixels=900 * 192 - 1) as small:
        with pytest.raises(ImageError, match="max_pixels=172799"):
            small.recognize(picture_file)
        with pytest.raises(ImageError, match="max_pixels"):
            small.recognize(np.zeros((192, 900), np.uint8))
    with OcrEngine(model_dir=models_dir, max_side=899) as narrow, pytest.raises(ImageError, match="max_side=899"):
        narrow.recognize(picture_file)


def test_threads_share_one_engine(engine: OcrEngine, picture_file: Path) -> None:
    other = np.asarray(draw_text(["Something else", "entirely 99"], size=28))
    alone = (engine.recognize(picture_file), engine.recognize(other))
    with ThreadPoolExecutor(8) as pool:
        jobs = [pool.submit(engine.recognize, (picture_file, other)[i % 2]) for i in range(24)]
        assert all(job.result() == alone[i % 2] for i, job in enumerate(jobs))


def test_a_new_engine_is_cheap(tmp_path: Path) -> None:
    engine = OcrEngine(model_dir=tmp_path / "not there")
    assert engine.list_local() == []
    assert engine.get_local_path() == str(tmp_path / "not there")
    assert not engine.loaded
    assert not (tmp_path / "not there").exists()
    report = engine.free_resources()
    assert report.sessions == 0


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ({"models": "ppocrv99"}, "ppocrv6-small"),
        ({"provider": "abacus"}, "openvino"),
        ({"threads": 0}, "threads is a number from 1 to 1024"),
        ({"threads": 1025}, "threads"),
        ({"max_pixels": 0}, "max_pixels"),
        ({"max_pixels": 2**63}, "max_pixels is a number from 1 to 9223372036854775807"),
        ({"max_side": 0}, "max_side"),
        ({"max_side": 2**32}, "max_side is a number from 1 to 4294967295"),
        ({"detector": ""}, "detector"),
        ({"recognizer": ""}, "recognizer"),
        ({"orienter": ""}, "orienter"),
        ({"min_score": -1.0}, "min_score"),
        ({"min_score": float("nan")}, "min_score"),
    ],
)
def test_wrong_arguments_say_what_is_right(arguments: dict[str, object], reason: str) -> None:
    with pytest.raises(InvalidArgumentError, match=reason):
        OcrEngine(**arguments)  # type: ignore[arg-type]


def test_a_missing_model_names_file_directory_and_command(tmp_path: Path) -> None:
    for arguments, environment in (({"download": False}, "0"), ({}, "1")):
        with pytest.MonkeyPatch.context() as patch, OcrEngine(model_dir=tmp_path, **arguments) as engine:  # type: ignore[arg-type]
            patch.setenv("FERROCR_OFFLINE", environment)
            with pytest.raises(ModelNotFoundError) as caught:
                engine.load()
        for part in (DETECTOR, str(tmp_path), "ferrocr models pull"):
            assert part in str(caught.value)


def test_a_missing_model_of_ones_own_is_named(tmp_path: Path) -> None:
    for name in (DETECTOR, ORIENTER):
        (tmp_path / name).touch()  # there, and not opened before all are
    for recognizer in ("mine.onnx", tmp_path / "elsewhere" / "mine.onnx"):
        with OcrEngine(model_dir=tmp_path, recognizer=recognizer) as engine:
            with pytest.raises(FileNotFoundError, match=r"mine\.onnx") as caught:
                engine.load()
            assert isinstance(caught.value, ModelNotFoundError)


def test_a_model_of_ones_own_by_path_and_by_name(models_dir: Path, tmp_path: Path, picture_file: Path) -> None:
    shutil.copy(models_dir / RECOGNIZER, tmp_path / "mine.onnx")
    expected = "Iron tastes of rain\nOrder 4711 paid"
    with OcrEngine(model_dir=models_dir, recognizer=tmp_path / "mine.onnx", orienter=False, download=False) as engine:
        assert engine.recognize(picture_file).text == expected
        assert engine.free_resources().sessions >= 2
    for name in (DETECTOR, ORIENTER):
        shutil.copy(models_dir / name, tmp_path / name)
    with OcrEngine(model_dir=tmp_path, recognizer="mine.onnx", download=False) as engine:
        assert engine.list_local() == [DETECTOR, ORIENTER, "mine.onnx"]
        assert engine.recognize(picture_file).text == expected


def test_a_model_in_the_wrong_role_is_refused_at_load(models_dir: Path) -> None:
    with OcrEngine(model_dir=models_dir, detector=RECOGNIZER, download=False) as engine:
        with pytest.raises(ModelMismatchError) as caught:
            engine.load()
        assert not engine.loaded
    for part in (RECOGNIZER, "detector", "expected", "found"):
        assert part in str(caught.value)


@pytest.mark.parametrize("content", [b"", b"no model at all", b"\x08\x07\x12\x04test"])
def test_a_file_that_is_no_model_is_refused_at_load(models_dir: Path, tmp_path: Path, content: bytes) -> None:
    broken = tmp_path / "broken.onnx"
    broken.write_bytes(content)
    engine = OcrEngine(model_dir=models_dir, detector=broken, download=False)
    with engine, pytest.raises((ModelCorruptError, InferenceError), match=r"broken\.onnx"):
        engine.load()


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
