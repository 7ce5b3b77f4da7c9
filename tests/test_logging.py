"""The logger `ferrocr`: what it tells, and that it tells nobody who has not asked."""

import logging
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from conftest import DETECTOR, ORIENTER, RECOGNIZER, draw_text
from ferrocr import ModelStore, OcrEngine
from ferrocr._log import logging_downloads
from own_process import wait_until


def test_an_engine_s_life_is_logged_and_no_text_of_a_picture(
    models_dir: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, "ferrocr")
    with OcrEngine(model_dir=models_dir, provider="cpu", threads=1, download=False) as engine:
        engine.recognize(draw_text(["a secret"]))
        engine.unload()
        # It loads again by itself, in the call.
        assert engine.recognize(draw_text(["a secret"])).text == "a secret"
    engine.free_resources()
    told = [record.getMessage() for record in caplog.records if record.name == "ferrocr"]
    assert [text.split()[0] for text in told] == ["loaded", "unloaded", "loaded", "freed"]
    assert all(record.levelno == logging.INFO for record in caplog.records if record.name == "ferrocr")
    assert told[0].startswith(f"loaded {DETECTOR}, {RECOGNIZER}, {ORIENTER} with provider cpu in ")
    assert "sessions=3" in told[1]
    assert "secret" not in caplog.text


def test_a_fallback_is_a_warning(models_dir: Path, caplog: pytest.LogCaptureFixture) -> None:
    engine = OcrEngine(model_dir=models_dir, provider="cpu", download=False)
    with pytest.warns(RuntimeWarning, match="it does not work"):
        engine._loader.warn("it does not work")
    assert [(record.levelname, record.getMessage()) for record in caplog.records] == [("WARNING", "it does not work")]


def test_a_download_is_logged_before_its_first_byte(
    models_dir: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "ferrocr")
    seen: list[tuple[int, int]] = []

    def progress(name: str, source: str, done: int, total: int | None) -> None:
        seen.append((done, len(caplog.records)))

    ModelStore(tmp_path / "models").pull(ORIENTER, file=models_dir / ORIENTER, progress=progress)
    assert [record.getMessage().split(" from ")[0] for record in caplog.records] == [f"fetching {ORIENTER}"]
    assert seen[0][1] == 1
    tell = logging_downloads(None)
    for step in (("a.onnx", "one", 0, None), ("a.onnx", "one", 7, 9), ("a.onnx", "two", 7, 9)):
        tell(*step)
    assert [record.getMessage() for record in caplog.records[1:]] == [
        "fetching a.onnx from one, size unknown",
        "fetching a.onnx from two, 9 bytes",
    ]


def test_tries_are_logged_and_a_source_that_is_left_is_a_warning(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "ferrocr")
    seen: list[tuple[str, str, int, int | None]] = []
    tell = logging_downloads(lambda *step: seen.append(step))
    tell("a.onnx", "one.example", 0, 9)
    tell("a.onnx", "one.example", 4, 9, ("after 4 bytes:\nit broke off", True))
    tell("a.onnx", "one.example", 4, 9, ("after 4 bytes: it broke off (tried 2 times)", False))
    told = [(record.levelname, record.getMessage()) for record in caplog.records]
    assert told == [
        ("INFO", "fetching a.onnx from one.example, 9 bytes"),
        ("INFO", "trying a.onnx from one.example again: after 4 bytes: it broke off"),
        ("WARNING", "one.example does not deliver a.onnx: after 4 bytes: it broke off (tried 2 times)"),
    ]
    assert seen == [("a.onnx", "one.example", 0, 9), ("a.onnx", "one.example", 4, 9)], "no step is new to callbacks"


def test_an_isolated_engine_logs_what_its_process_does(
    models_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "ferrocr")
    monkeypatch.setenv("FERROCR_OFFLINE", "0")
    monkeypatch.setenv("FERROCR_MIRROR", models_dir.as_uri())
    with OcrEngine(model_dir=tmp_path, provider="cpu", threads=1, isolated=True) as engine:
        engine.load()
        os.kill(engine._core.pids[0], signal.SIGKILL)  # type: ignore[union-attr]
        wait_until(lambda: engine.stats().crashes == 1, "it has ended")
        engine.load()
    told = [(record.levelname, record.getMessage().split()[0]) for record in caplog.records]
    fetched = [("INFO", "fetching")] * 3
    crashed, loaded = ("WARNING", "an"), ("INFO", "loaded")
    assert told == [*fetched, loaded, crashed, loaded, ("INFO", "freed")]


def test_who_has_set_no_logging_up_sees_nothing() -> None:
    script = """
import ferrocr
from ferrocr._log import logger
logger().warning("loud")
assert "logging" in __import__("sys").modules
"""
    result = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=True)
    assert result.stdout + result.stderr == ""
