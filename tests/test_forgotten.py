"""Engines that nobody freed: forgotten ones, and those that are open when the interpreter ends."""

import gc
import os
import subprocess
import sys
import warnings
from pathlib import Path
from typing import Any

import pytest

from conftest import run_python
from ferrocr import ModelStore, OcrEngine
from ferrocr._engine import _exit


def remembered() -> list[Any]:
    """What would be released at exit."""
    return [core for _, core in _exit._loaded.values()]


def test_a_class_with_its_own_end_is_released_all_the_same(real_folder: Path) -> None:
    class Own(OcrEngine):
        def __del__(self) -> None:  # type: ignore[override]
            """Without that of the base class."""

    engine = Own(model_dir=real_folder, download=False, threads=1)
    engine.load()
    before = remembered()
    assert engine._core in before
    assert ModelStore(real_folder).in_use() != {}
    del before, engine
    gc.collect()
    assert ModelStore(real_folder).in_use() == {}


def test_a_forgotten_engine_warns_and_is_released(models_dir: Path) -> None:
    engine = OcrEngine(model_dir=models_dir)
    engine.load()
    core = engine._core
    assert core in remembered()
    with pytest.warns(ResourceWarning, match="unreleased <OcrEngine"):
        del engine
        gc.collect()
    assert core is not None
    assert core.closed
    assert core not in remembered()


def test_engines_that_hold_nothing_are_forgotten_silently(models_dir: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        unloaded, emptied = OcrEngine(model_dir=models_dir), OcrEngine(model_dir=models_dir)
        emptied.load()
        emptied.unload()
        del unloaded, emptied
        gc.collect()
    assert not any(core.closed or not core.loaded for core in remembered())


@pytest.mark.parametrize("action", ["always", "error"])
def test_the_warning_names_the_place_where_the_engine_was_made(models_dir: Path, tmp_path: Path, action: str) -> None:
    script = tmp_path / "forgetful.py"
    lines = (
        "import ferrocr",
        "class Derived(ferrocr.OcrEngine):",
        "    def __init__(self):",
        "        super().__init__()",
        "for make in (ferrocr.OcrEngine, Derived):",
        "    ocr = make()  # line 6",
        "    ocr.load()",
        "    del ocr",
    )
    script.write_text("\n".join(lines))
    ended = subprocess.run(
        [sys.executable, "-X", "tracemalloc", "-W", f"{action}::ResourceWarning", str(script)],
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
        env={**os.environ, "FERROCR_MODEL_DIR": str(models_dir)},
    )
    for name in ("OcrEngine", "Derived"):
        assert f"ResourceWarning: unreleased <{name}" in ended.stderr
    assert ended.stderr.count(f"made in {script}, line 6; call free_resources()") == 2


EXITS = {
    "in the main module": "e = loaded()",
    "in a cycle": "class A: pass\na = A(); a.a = a; a.e = loaded()",
    "in a module that the interpreter clears late": "import sys; sys.e = loaded()",
    "in a class": "class A: e = loaded()",
    "in a generator that is not at its end": "pages = loaded().recognize_many([PAGE] * 2); next(pages)",
    "after sys.exit": "e = loaded(); raise SystemExit(0)",
    "with an exit handler that frees": "import atexit; e = loaded(); atexit.register(e.free_resources)",
    "while the idle thread unloads": "e = loaded(idle_unload=0.02); time.sleep(0.02)",
    "after an unload": "e = loaded(); e.unload()",
    "after a failed load": """
e = ferrocr.OcrEngine(detector="none.onnx", download=False)
try: e.load()
except ferrocr.ModelNotFoundError: pass""",
    "with a failed constructor": """
try: ferrocr.OcrEngine(threads=0)
except ferrocr.InvalidArgumentError: pass""",
    "with a daemon thread that reads": """
e = loaded()
def read():
    while True: e.recognize(PAGE)
threading.Thread(target=read, daemon=True).start(); time.sleep(0.2)""",
    "with a daemon thread that frees": """
e = loaded()
threading.Thread(target=e.recognize, args=[PAGE], daemon=True).start(); time.sleep(0.1)
threading.Thread(target=e.free_resources, daemon=True).start()""",
    "with a thread that reads on": """
e = loaded()
threading.Thread(target=e.recognize, args=[PAGE]).start()""",
    "with a task that was cancelled": """
import asyncio
e = loaded()
async def main():
    task = asyncio.create_task(e.arecognize(PAGE)); await asyncio.sleep(0.1)
asyncio.run(main())""",
}


@pytest.mark.parametrize("how", EXITS)
def test_interpreter_exit_with_an_open_engine_is_silent(models_dir: Path, how: str) -> None:
    code = """
import threading, time
import ferrocr
import numpy as np
PAGE = np.full((600, 800), 255, np.uint8)
PAGE[40::60, 80:700] = 0
def loaded(**options):
    engine = ferrocr.OcrEngine(**options)
    engine.load()
    return engine
"""
    ended = run_python(code + EXITS[how], FERROCR_MODEL_DIR=str(models_dir))
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "", "")


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
def test_a_forked_child_ends_well_with_its_parents_engine(models_dir: Path) -> None:
    code = """
import os, sys, warnings, ferrocr
warnings.simplefilter("ignore", DeprecationWarning)  # Python warns about a fork beside threads, which is what is tried
parent = ferrocr.OcrEngine(threads=4, idle_unload=60)
parent.load()
child = os.fork()
if child == 0:
    for use in (parent.load, parent.unload, parent.list_local, lambda: parent.recognize(b"")):
        try:
            use()
        except ferrocr.ForkedError:
            continue
        raise SystemExit(f"{use} was not refused")
    print(parent.loaded, parent.closed)
    assert parent.free_resources().inherited
    sys.exit(42)  # through all of the interpreter's end
_, status = os.waitpid(child, 0)
assert os.waitstatus_to_exitcode(status) == 42, status
assert parent.free_resources().sessions > 0
"""
    ended = run_python(code, FERROCR_MODEL_DIR=str(models_dir))
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "False False\n", "")
