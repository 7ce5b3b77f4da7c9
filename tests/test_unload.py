"""Engines that give their models back and load them again."""

import time
from pathlib import Path

import pytest

from busy_engine import BusyEngine
from conftest import DETECTOR
from ferrocr import ModelNotFoundError, OcrEngine, Page
from ferrocr._engine import _raw
from ferrocr._engine._pictures import Pictures


def test_an_unloaded_engine_loads_again(models_dir: Path, picture_file: Path) -> None:
    with OcrEngine(model_dir=models_dir) as engine:
        assert engine.unload().sessions == 0, "there is nothing to give back yet"
        first = engine.recognize(picture_file)
        for _ in range(2):
            report = engine.unload()
            assert report.sessions >= 3
            assert (report.files, report.complete, report.calls) == (3, True, 0)
            assert (engine.loaded, engine.closed) == (False, False)
            assert engine.list_local(), "it is open"
            assert engine.recognize(picture_file) == first
            assert engine.loaded
        assert list(engine.recognize_many([picture_file])) == [first]


def test_an_unload_waits_for_calls_in_flight(models_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    reader = BusyEngine(models_dir)
    assert reader.engine.unload().sessions >= 2
    page = reader.calls[0].result(60)
    assert reader.engine.recognize(reader.page) == page
    reader.engine.free_resources()


def test_what_vanished_while_unloaded_is_fetched_or_named(
    models_dir: Path, real_folder: Path, picture_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with OcrEngine(model_dir=real_folder) as engine:
        page = engine.recognize(picture_file)
        engine.unload()
        (real_folder / DETECTOR).unlink()
        with pytest.raises(ModelNotFoundError, match=DETECTOR):
            engine.recognize(picture_file)
        monkeypatch.setenv("FERROCR_OFFLINE", "0")
        monkeypatch.setenv("FERROCR_MIRROR", models_dir.as_uri())
        assert engine.recognize(picture_file) == page


def test_what_vanished_at_the_last_moment_is_fetched_too(
    models_dir: Path, real_folder: Path, picture_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FERROCR_OFFLINE", "0")
    monkeypatch.setenv("FERROCR_MIRROR", models_dir.as_uri())
    with OcrEngine(model_dir=real_folder) as engine:
        page = engine.recognize(picture_file)
        run = Pictures._run

        def unload_before(*arguments: object) -> Page:
            monkeypatch.setattr(Pictures, "_run", run)
            engine.unload()
            (real_folder / DETECTOR).unlink()
            return run(*arguments)  # type: ignore[arg-type]

        monkeypatch.setattr(Pictures, "_run", unload_before)
        assert engine.recognize(picture_file) == page


def test_a_call_that_loads_again_passes_on_what_its_callback_raises(
    models_dir: Path, real_folder: Path, picture_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FERROCR_OFFLINE", "0")
    monkeypatch.setenv("FERROCR_MIRROR", models_dir.as_uri())
    raised = [ValueError("not now"), KeyboardInterrupt()]
    left = list(raised)

    def tell(*_: object) -> None:
        if left:
            raise left.pop(0)

    with OcrEngine(model_dir=real_folder, progress=tell) as engine:
        page = engine.recognize(picture_file)
        engine.unload()
        (real_folder / DETECTOR).unlink()
        # Of the core, as a call does it where the unload comes after its look; one here, the other in the background.
        core, options = engine._core, (0.5, False, None)
        assert core is not None
        with pytest.raises(ValueError, match="not now") as failed:
            core.recognize_file(picture_file, options, None, None)
        assert failed.value is raised[0]
        with pytest.raises(KeyboardInterrupt) as interrupted:
            core.begin_file(picture_file, options).wait(None)
        assert interrupted.value is raised[1]
        assert _raw.page(core.begin_file(picture_file, options).wait(60)) == page
        engine.unload()
        (real_folder / DETECTOR).unlink()
        core.begin_file(picture_file, options)  # forgotten while its thread loads
        assert engine.recognize(picture_file) == page


def test_an_idle_engine_unloads_by_itself(models_dir: Path, picture_file: Path) -> None:
    with OcrEngine(model_dir=models_dir, idle_unload=0.1) as engine:
        pages = []
        for _ in range(2):
            pages.append(engine.recognize(picture_file))
            deadline = time.monotonic() + 60
            while engine.loaded:
                assert time.monotonic() < deadline
                time.sleep(0.01)
            assert not engine.closed
        assert pages[0] == pages[1]
    with OcrEngine(model_dir=models_dir, idle_unload=0) as engine:
        assert [engine.recognize(picture_file) for _ in range(3)] == [pages[0]] * 3


def test_a_download_can_be_unloaded_from_its_callback(
    models_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FERROCR_OFFLINE", "0")
    monkeypatch.setenv("FERROCR_MIRROR", models_dir.as_uri())
    reports = []

    def unload(*_: object) -> None:
        reports.append(engine.unload())

    with OcrEngine(model_dir=tmp_path, progress=unload) as engine:
        engine.load()
        assert engine.loaded
    assert {report.sessions for report in reports} == {0}
