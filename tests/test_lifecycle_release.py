"""A release gives everything back: over many cycles, with many callers, with every kind of engine."""

import json
import platform
import statistics
import sys
from pathlib import Path

import pytest

from conftest import draw_text
from own_process import SCALE, USUAL_SECONDS, check_child, scaled

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")

# What the process may hold more after later releases than after the first one. One session of the default models that
# was not given back has 30 MB or more.
MOST_MORE_MB = 15

# What a single release may leave beyond that, until the next one: glibc keeps the free end of an arena where the last
# blocks that were freed in it are small, and gives no way to ask for it. Ends of 10 to 15 MB were seen, two at a time.
MOST_ENDS_MB = 45

MEASURE = """
import json, os, pathlib, sys, threading
from concurrent.futures import ThreadPoolExecutor
from ferrocr import ModelStore, OcrEngine, _core

def threads():
    return sorted(pathlib.Path(f"/proc/self/task/{task}/comm").read_text() for task in os.listdir("/proc/self/task"))

def files():
    found = []
    for number in os.listdir("/proc/self/fd"):
        try:
            found.append(os.readlink(f"/proc/self/fd/{number}"))
        except FileNotFoundError:
            pass  # the one that lists them
    return sorted(found)

def resident():
    return _core.resident_bytes() / 2**20
"""

CYCLES = (
    MEASURE
    + """
cycles, callers, options, *pictures = json.loads(sys.argv[1])
folder = pathlib.Path(os.environ["FERROCR_MODEL_DIR"])
pool = ThreadPoolExecutor(max(1, callers))
barrier = threading.Barrier(max(1, callers) + 1)
for _ in range(max(1, callers)):
    pool.submit(barrier.wait)
barrier.wait()  # so that its threads are there before anything is counted

def cycle():
    engine = OcrEngine(download=False, **options)
    if callers:
        jobs = [pool.submit(engine.recognize, pictures[i % 2]) for i in range(callers)]
        assert all(job.result().lines for job in jobs)
    else:
        assert all(engine.recognize(picture).lines for picture in pictures)
    assert engine.loaded and len(ModelStore().in_use()) == 3
    report = engine.free_resources()
    assert not engine.loaded and report.sessions >= 3, report
    # At once, while the engine is still there.
    assert threads() == threads_before, (threads_before, threads())
    assert ModelStore().in_use() == {}
    assert not any(str(folder) in file for file in files()), files()
    assert str(folder) not in pathlib.Path("/proc/self/maps").read_text()
    folder.rename(folder.with_name("renamed"))
    folder.with_name("renamed").rename(folder)
    return resident()

ModelStore().list_local()
threads_before, files_before, start = threads(), files(), resident()
residents = [cycle() for _ in range(cycles)]
# The runtime's library may keep files of its own from its first load on: none may come later.
assert files() == files_before, (files_before, files())
pool.shutdown()
print(json.dumps([start, *residents]))
"""
)


def pictures(folder: Path) -> list[str]:
    """Two drawn pictures of different sizes."""
    texts = (["Iron tastes of rain", "Order 4711 paid"], [f"Row {number} of a longer page" for number in range(12)])
    paths = [folder / f"{number}.png" for number in range(len(texts))]
    for path, lines in zip(paths, texts, strict=True):
        draw_text(lines, size=24).save(path)
    return list(map(str, paths))


@pytest.mark.parametrize(
    ("callers", "cycles", "options"),
    [
        pytest.param(0, 12, {}, id="one caller"),
        pytest.param(8, 4, {"threads": 4}, id="eight callers of four threads"),
        pytest.param(0, 4, {"low_memory": True}, id="low memory"),
        pytest.param(8, 3, {"low_memory": True}, id="low memory, eight callers"),
        pytest.param(0, 3, {"idle_unload": 60.0}, id="unloads when idle"),
    ],
)
def test_every_cycle_gives_everything_back(
    real_folder: Path, tmp_path: Path, callers: int, cycles: int, options: dict[str, object]
) -> None:
    arguments = [scaled(cycles), callers, options, *pictures(tmp_path)]
    printed = check_child(CYCLES, json.dumps(arguments), seconds=USUAL_SECONDS * SCALE, models=real_folder)
    start, *residents = json.loads(printed)
    first, *later = residents
    third = len(later) // 3 or 1
    rise = statistics.fmean(later[-third:]) - statistics.fmean(later[:third])
    usual, most = statistics.median(later), max(later)
    text = f"{start:.0f} MB, after releases {first:.0f}, then {min(later):.0f} to {most:.0f}, mostly {usual:.0f}"
    print(f"{len(residents)} cycles: {text}, rise {rise:+.1f}")
    assert usual < first + MOST_MORE_MB, text
    assert most < first + MOST_MORE_MB + MOST_ENDS_MB, text
    assert rise < MOST_MORE_MB, text


def test_a_release_without_any_reading_gives_everything_back(real_folder: Path) -> None:
    code = f"""{MEASURE}
before = threads(), files()
engine = OcrEngine(download=False)
engine.load()
assert threads() != before[0], "the sessions have threads"
engine.free_resources()
assert (threads(), files()) == before, (before, threads(), files())
assert ModelStore().in_use() == {{}}
"""
    check_child(code, models=real_folder)


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="other C libraries have nothing to trim")
def test_a_load_gives_back_what_it_only_worked_with(real_folder: Path) -> None:
    code = f"""{MEASURE}
import ctypes
engine = OcrEngine(download=False, threads=2)
engine.load()
before = resident()
ctypes.CDLL(None).malloc_trim(0)
print(before - resident())
engine.free_resources()
"""
    # 36 MB where nothing is given back, and less than 1 MB where it is.
    assert float(check_child(code, models=real_folder)) < 10


def test_a_load_that_fails_gives_everything_back(real_folder: Path) -> None:
    (real_folder / "broken.onnx").write_bytes(b"\x08\x07\x12\x04test")
    code = f"""{MEASURE}
import ferrocr
whole = OcrEngine(download=False)
whole.load()
whole.free_resources()
before = threads(), files(), resident()
residents = []
for _ in range({scaled(10)}):
    engine = OcrEngine(recognizer="broken.onnx", download=False)
    try:
        engine.load()
    except (ferrocr.ModelCorruptError, ferrocr.InferenceError):
        pass
    assert not engine.loaded
    assert ModelStore().in_use() == {{}}, "not even before the release"
    assert (threads(), files()) == before[:2], (before, threads(), files())
    residents.append(resident())
    engine.free_resources()
assert max(residents) < before[2] + {MOST_MORE_MB}, (before[2], residents)
"""
    check_child(code, models=real_folder)


def test_calls_that_fail_leave_nothing(real_folder: Path, tmp_path: Path) -> None:
    code = f"""{MEASURE}
import numpy, ferrocr
engine = OcrEngine(download=False)
engine.recognize(sys.argv[1])
before = threads(), files(), resident()
wrong = (b"", b"nothing", sys.argv[1] + "?", b"\\x89PNG\\r\\n\\x1a\\n" + bytes(99), numpy.zeros((0, 4), numpy.uint8))
for number in range({scaled(200)}):
    try:
        engine.recognize(wrong[number % len(wrong)])
        raise SystemExit("read what is no picture")
    except ferrocr.ImageError:
        pass
assert (threads(), files()) == before[:2], (before, threads(), files())
assert resident() < before[2] + {MOST_MORE_MB}, (before[2], resident())
engine.free_resources()
"""
    check_child(code, pictures(tmp_path)[0], seconds=USUAL_SECONDS * SCALE, models=real_folder)
