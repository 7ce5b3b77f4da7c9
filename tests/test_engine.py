"""The engine's promises: what it reads, what it refuses, and how its life ends."""

import copy
import gc
import pickle
import shutil
import tracemalloc
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from conftest import DETECTOR, ORIENTER, RECOGNIZER, draw_text, function_bomb, recognizer_of_height
from ferrocr import (
    ImageError,
    ImageNotFoundError,
    InferenceError,
    InvalidArgumentError,
    ModelCorruptError,
    ModelMismatchError,
    ModelNotFoundError,
    OcrCancelledError,
    OcrEngine,
    OcrError,
    OcrTimeoutError,
    Page,
    StorageError,
    _core,
)
from ferrocr._engine._options import Provider
from ferrocr._engine._pictures import Pictures


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
    assert len(taken) <= 3, "no more is read ahead than is of use"
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
    kinds = (ImageError, StorageError, InferenceError, OcrTimeoutError, OcrCancelledError)
    errors = {kind.__name__: kind("for a test") for kind in kinds}

    def fail(_pictures: Pictures, name: str, *_options: object) -> Page:
        raise errors[name]

    monkeypatch.setattr(Pictures, "read", fail)
    results = engine.recognize_many(errors, ahead=0)
    for name in ("ImageError", "StorageError", "InferenceError", "OcrTimeoutError"):
        assert next(results) is errors[name]
    with pytest.raises(OcrCancelledError, match="for a test"):
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


def test_bounds_are_arguments(models_dir: Path, picture_file: Path, engine: OcrEngine) -> None:
    whole = engine.recognize(picture_file)
    data = picture_file.read_bytes()
    with OcrEngine(model_dir=models_dir, max_bytes=len(data) - 1) as small:
        for image in (picture_file, data):
            with pytest.raises(ImageError, match=f"max_bytes={len(data) - 1}"):
                small.recognize(image)
    with OcrEngine(model_dir=models_dir, max_regions=1) as first:
        assert first.recognize(picture_file).lines == whole.lines[:1]
    with OcrEngine(model_dir=models_dir, max_strip_width=48) as narrow:
        assert narrow.recognize(picture_file).text != whole.text, "squeezed beyond reading"


@pytest.mark.parametrize("form", [bytearray, memoryview, bytes])
def test_bytes_beyond_the_bound_are_not_copied(engine: OcrEngine, form: Callable[[bytes], bytes]) -> None:
    data = form(bytes(64 * 2**20))
    with OcrEngine(max_bytes=2**20) as small:
        small._core = engine._core  # loaded
        tracemalloc.start()
        try:
            with pytest.raises(ImageError, match=f"longer than max_bytes={2**20}") as caught:
                small.recognize(data)
            assert tracemalloc.get_traced_memory()[1] < 2**20
        finally:
            tracemalloc.stop()
            small._core = None
    assert caught.value.hint is not None


def test_low_memory_reads_the_same(models_dir: Path, picture_file: Path, engine: OcrEngine) -> None:
    page = np.asarray(draw_text([f"Line number {i} of some" for i in range(12)]))
    with OcrEngine(model_dir=models_dir, low_memory=True) as small:
        for image in (picture_file, page):
            assert small.recognize(image) == engine.recognize(image)


def test_the_fast_preset_reads_plain_print_as_well(models_dir: Path, picture_file: Path, engine: OcrEngine) -> None:
    with OcrEngine(model_dir=models_dir, preset="fast") as fast:
        assert fast.recognize(picture_file).text == engine.recognize(picture_file).text


def test_a_long_screenshot_is_read_to_its_end(engine: OcrEngine) -> None:
    said = [f"message {number} of {60 - number} more" for number in range(60)]
    chat = draw_text(said, size=30, width=720)
    assert chat.height > 3600
    page = engine.recognize(chat)
    assert page.text.splitlines() == said
    for number, line in enumerate(page.lines):
        top, bottom = min(y for _, y in line.quad), max(y for _, y in line.quad)
        assert abs((top + bottom) / 2 - 60 * number - 40) < 15, line
    # A line that is wider than what the detector sees at once.
    words = " ".join(f"word{number}" for number in range(40))
    assert engine.recognize(draw_text([words], size=30, width=5000)).text.split() == words.split()


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


@pytest.mark.parametrize("method", ["load", "free_resources", "recognize", "__enter__"])
def test_an_error_for_wrong_arguments_names_the_class_that_users_know(method: str) -> None:
    with pytest.raises(TypeError, match=rf"^OcrEngine\.{method}\(\)"):
        getattr(OcrEngine(), method)(nonsense=1)


def test_a_provider_that_does_not_work_here_is_told_of(
    engine: OcrEngine, models_dir: Path, picture_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine.load()
    options: tuple[Provider, ...] = ("cuda", "openvino")
    missing = next(name for name in options if name not in _core.built_in_providers())
    make = _core.Engine

    def with_both(**options: Any) -> _core.Engine:  # noqa: ANN401
        return make(**{**options, "providers": options["providers"] or [missing, "cpu"]})

    monkeypatch.setattr(_core, "Engine", with_both)
    with OcrEngine(model_dir=models_dir) as willing:
        with pytest.warns(RuntimeWarning, match=f"the provider {missing}, and it does not work here"):
            willing.load()
        assert willing.provider == "cpu"
        assert willing.recognize(picture_file).lines
    with OcrEngine(model_dir=models_dir, provider=missing) as strict, pytest.raises(InferenceError):
        strict.load()


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ({"models": "ppocrv99"}, "ppocrv6-small"),
        ({"provider": "abacus"}, "openvino"),
        ({"preset": "slow"}, "there is no preset 'slow'; the presets are default and fast"),
        ({"threads": 0}, "threads is a number from 1 to 1024"),
        ({"threads": 1025}, "threads"),
        ({"threads": "2"}, "threads is a number from 1 to 1024, not '2'"),
        ({"threads": 1.5}, "threads is a number from 1 to 1024, not 1.5"),
        ({"threads": True}, "threads is a number from 1 to 1024, not True"),
        ({"device_id": -1}, "device_id is a number from 0 to 2147483647, not -1"),
        ({"device_id": "cuda:1"}, "device_id is a number"),
        ({"max_pixels": 0}, "max_pixels"),
        ({"max_pixels": 2**63}, "max_pixels is a number from 1 to 9223372036854775807"),
        ({"max_side": 0}, "max_side"),
        ({"max_side": 2**32}, "max_side is a number from 1 to 4294967295"),
        ({"max_bytes": 0}, "max_bytes"),
        ({"max_regions": 0}, "max_regions is a number from 1"),
        ({"max_strip_width": 47}, "max_strip_width is a number from 48"),
        ({"max_strip_width": 2**32}, "max_strip_width"),
        ({"idle_unload": -1}, "idle_unload is a number of seconds from 0 on, not -1"),
        ({"idle_unload": float("nan")}, "idle_unload"),
        ({"idle_unload": "5"}, "idle_unload is a number of seconds from 0 on, not '5'"),
        ({"languages": 5}, "languages is a list of codes such as .*, not 5"),
        ({"languages": ["en", 5]}, "languages is a list of codes"),
        ({"idle_unload": 2**2000}, "idle_unload is a number of seconds from 0 on, not one with 2001 bits"),
        ({"detector": ""}, "detector"),
        ({"detector": 5}, "detector is a name, a path, not 5"),
        ({"detector": False}, "detector is a name, a path, not False"),
        ({"detector": b"x.onnx"}, "detector"),
        ({"detector": "a\0b"}, "detector"),
        ({"recognizer": Path("a\0b")}, "recognizer"),
        ({"orienter": True}, "orienter is a name, a path or False, not True"),
        ({"progress": 5}, "progress is a function or None, not 5"),
        ({"models": []}, "there is no model set"),
        ({"recognizer": ""}, "recognizer"),
        ({"orienter": ""}, "orienter"),
        ({"page_orienter": ""}, "the page_orienter's name is empty"),
        ({"min_score": -1.0}, "min_score"),
        ({"min_score": float("nan")}, "min_score"),
        ({"min_score": "x"}, "min_score is a probability from 0 to 1, not 'x'"),
    ],
)
def test_wrong_arguments_say_what_is_right(arguments: dict[str, object], reason: str) -> None:
    with pytest.raises(InvalidArgumentError, match=reason):
        OcrEngine(**arguments)  # type: ignore[arg-type]


@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy, pickle.dumps])
def test_an_engine_has_one_owner(models_dir: Path, copied: Callable[[object], object]) -> None:
    with OcrEngine(model_dir=models_dir, download=False, threads=1) as engine:
        engine.load()
        with pytest.raises(TypeError, match="make a new one in another process"):
            copied(engine)
        gc.collect()
        assert (engine.loaded, engine.closed) == (True, False)


def test_an_engine_that_was_never_made_can_be_looked_at() -> None:
    engine = OcrEngine.__new__(OcrEngine)
    with pytest.raises(InvalidArgumentError):
        engine.__init__(threads=0)  # type: ignore[misc]
    assert repr(engine) == "<OcrEngine, never made>"
    assert (engine.provider, engine.loaded, engine.closed) == (None, False, True)
    assert engine.free_resources().complete


def test_a_missing_model_names_file_directory_and_call(tmp_path: Path) -> None:
    for arguments, environment in (({"download": False}, "0"), ({}, "1")):
        with pytest.MonkeyPatch.context() as patch, OcrEngine(model_dir=tmp_path, **arguments) as engine:  # type: ignore[arg-type]
            patch.setenv("FERROCR_OFFLINE", environment)
            with pytest.raises(ModelNotFoundError) as caught:
                engine.load()
        for part in (DETECTOR, str(tmp_path), ".pull("):
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


def test_functions_that_multiply_are_refused_before_the_runtime_puts_them_in(models_dir: Path, tmp_path: Path) -> None:
    (tmp_path / "bomb.onnx").write_bytes(function_bomb(30))
    with OcrEngine(model_dir=models_dir, detector=tmp_path / "bomb.onnx", download=False) as engine:
        with pytest.raises(ModelCorruptError, match=r"bomb\.onnx: .* and 10000 are allowed\n.*trust"):
            engine.load()
        assert not engine.loaded


def test_a_model_that_has_functions_of_its_own_can_be_used(models_dir: Path, tmp_path: Path) -> None:
    (tmp_path / "mine.onnx").write_bytes(function_bomb(3))
    with OcrEngine(model_dir=models_dir, detector=tmp_path / "mine.onnx", download=False) as engine:
        engine.load()


@pytest.mark.parametrize("height", [0, 257, 100_000])
def test_a_side_beyond_its_bound_is_refused_at_load(models_dir: Path, tmp_path: Path, height: int) -> None:
    (tmp_path / "tall.onnx").write_bytes(recognizer_of_height(height))
    engine = OcrEngine(model_dir=models_dir, recognizer=tmp_path / "tall.onnx", download=False)
    with (
        engine,
        pytest.raises(ModelMismatchError, match=rf"tall\.onnx .*1 to 256.* found inputs x \[\?, 3, {height}, "),
    ):
        engine.load()


def test_the_runtime_says_nothing_on_stderr(
    models_dir: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """A run that ends early is an error to ONNX Runtime, which it would print."""
    (tmp_path / "strips.onnx").write_bytes(recognizer_of_height(48))
    with OcrEngine(model_dir=models_dir, recognizer=tmp_path / "strips.onnx", download=False) as engine:
        engine.load()
        with pytest.raises(OcrTimeoutError):
            engine.recognize(np.zeros((2000, 2000), np.uint8), timeout=0.02)
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize("content", [b"", b"no model at all", b"\x08\x07\x12\x04test"])
def test_a_file_that_is_no_model_is_refused_at_load(models_dir: Path, tmp_path: Path, content: bytes) -> None:
    broken = tmp_path / "broken.onnx"
    broken.write_bytes(content)
    engine = OcrEngine(model_dir=models_dir, detector=broken, download=False)
    with engine, pytest.raises((ModelCorruptError, InferenceError), match=r"broken\.onnx"):
        engine.load()
