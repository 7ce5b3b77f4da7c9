"""Interpreters that end while engines are open, loading or reading: they end as they would without."""

import random
import signal
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from subprocess import CompletedProcess
from typing import NamedTuple

import pytest

from own_process import run_child, scaled

PRELUDE = """
import atexit, os, signal, sys, threading, time
from ferrocr import OcrEngine, OcrError
picture, delay = sys.argv[1], float(sys.argv[2])

def opened(**options):
    engine = OcrEngine(download=False, **options)
    engine.load()
    return engine

def read_on(engine, begun):
    try:
        while True:
            engine.recognize(picture)
            begun.set()
    except OcrError:
        pass  # released: what else it says is not the exit's

def reading(engine):
    # A daemon thread that is in a call at any later moment.
    begun = threading.Event()
    threading.Thread(target=read_on, args=(engine, begun), daemon=True).start()
    begun.wait()
    time.sleep(delay)
"""


# Handlers that were registered before ferrocr's come after it, and take long.
SLOWLY = """
from ferrocr._engine import _exit
_exit._PAUSE = 0
atexit.unregister(_exit._release_all)
atexit.register(time.sleep, 0.5)
atexit.register(_exit._release_all)

def read_for_ever(engine):
    while True:
        engine.recognize(picture)
"""


class Exit(NamedTuple):
    """How a process ends, and what it should look like from outside."""

    code: str
    status: int = 0
    says: str = ""
    """The last line on stderr."""
    needs: str = "linux win32 darwin"


EXITS = {
    "open": Exit("engine = opened()"),
    "open, in a cycle": Exit("class Box: pass\nbox = Box()\nbox.self, box.engine = box, opened()\ndel box"),
    "open, in a class and in a closure": Exit(
        "class Box:\n    engine = opened()\n    def __del__(self): self.engine.closed\n"
        "box = Box()\nread = (lambda engine: lambda: engine.recognize(picture))(Box.engine)\nread()"
    ),
    "unloads when idle": Exit("engine = opened(idle_unload=0.01)\ntime.sleep(delay)"),
    "in a call": Exit("reading(opened())"),
    "in a call with a timeout": Exit(
        "engine = opened()\n"
        "def read(): engine.recognize(picture, timeout=30)\n"
        "threading.Thread(target=read, daemon=True).start()\ntime.sleep(delay)"
    ),
    "in four calls": Exit("engine = opened()\nfor _ in range(4): reading(engine)"),
    "in two calls, slowly": Exit(
        f"{SLOWLY}engine = opened()\n"
        "threading.Thread(target=read_for_ever, args=[engine], daemon=True).start()\n"
        "__import__('_thread').start_new_thread(read_for_ever, (engine,))\ntime.sleep(delay)"
    ),
    "in a load, slowly": Exit(
        f"{SLOWLY}threading.Thread(target=opened, daemon=True).start()\ntime.sleep(delay)",
    ),
    "with an error of a thread's own, slowly": Exit(
        f"{SLOWLY}engine = opened()\n"
        "def fail():\n"
        "    try: read_for_ever(engine)\n"
        "    except OcrError: raise ValueError('on purpose') from None\n"
        "threading.Thread(target=fail, daemon=True).start()\ntime.sleep(delay)",
        0,
        "ValueError: on purpose",
    ),
    "in a load": Exit("threading.Thread(target=opened, daemon=True).start()\ntime.sleep(delay)"),
    "in a release": Exit(
        "engine = opened()\nreading(engine)\nthreading.Thread(target=engine.free_resources, daemon=True).start()"
    ),
    "sys.exit in a call": Exit("reading(opened())\nsys.exit(7)", 7),
    "os._exit in a call": Exit("reading(opened())\nos._exit(5)", 5),
    "sys.exit in a thread": Exit(
        "engine = opened()\n"
        "def end():\n    engine.recognize(picture)\n    sys.exit(3)\n"
        "thread = threading.Thread(target=end)\nthread.start()"
    ),
    "an exception": Exit("engine = opened()\nraise ValueError('on purpose')", 1, "ValueError: on purpose"),
    "an exception in a with statement": Exit(
        "with opened() as engine:\n    reading(engine)\n    raise ValueError('on purpose')",
        1,
        "ValueError: on purpose",
    ),
    "atexit reads and releases": Exit(
        "engine = opened()\natexit.register(engine.free_resources)\natexit.register(engine.recognize, picture)"
    ),
    "atexit releases what is in a call": Exit("engine = opened()\natexit.register(engine.close)\nreading(engine)"),
    "atexit makes an engine": Exit(
        "def late():\n    with opened() as engine: assert engine.recognize(picture).lines\natexit.register(late)"
    ),
    "ctrl-c in a call": Exit(
        # Who runs the tests in the background may have switched Ctrl-C off.
        "signal.signal(signal.SIGINT, signal.default_int_handler)\nengine = opened()\n"
        "threading.Timer(delay, os.kill, (os.getpid(), signal.SIGINT)).start()\n"
        "while True: engine.recognize(picture)",
        -signal.SIGINT,
        "KeyboardInterrupt",
        "linux darwin",
    ),
    "terminated in a call": Exit(
        "reading(opened())\nos.kill(os.getpid(), signal.SIGTERM)\ntime.sleep(60)",
        -signal.SIGTERM,
        needs="linux darwin",
    ),
}


@pytest.mark.parametrize("name", EXITS)
def test_an_exit_is_what_it_would_be_without_an_engine(models_dir: Path, picture_file: Path, name: str) -> None:
    case = EXITS[name]
    if sys.platform not in case.needs:
        pytest.skip("signals work in another way here")
    rng = random.Random(name)
    # A call on this picture takes about a tenth of a second: every exit meets another moment of one.
    delays = [rng.uniform(0, 0.3) for _ in range(scaled(2))]

    def end(delay: float) -> CompletedProcess[str]:
        return run_child(PRELUDE + case.code, picture_file, delay, strict=False, models=models_dir)

    with ThreadPoolExecutor(2) as pool:
        ends = list(pool.map(end, delays))
    wrong = [(delay, e.returncode, e.stderr) for delay, e in zip(delays, ends, strict=True) if not _is_right(case, e)]
    assert not wrong, f"{len(wrong)} of {len(ends)}: {wrong[:3]}"


def _is_right(case: Exit, ended: CompletedProcess[str]) -> bool:
    last = ended.stderr.rstrip().splitlines()[-1:]
    return ended.returncode == case.status and last == ([case.says] if case.says else [])
