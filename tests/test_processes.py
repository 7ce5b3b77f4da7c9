"""Engines and other processes: forks at every moment, pools of all kinds, programs that a process becomes."""

import multiprocessing
import os
import subprocess
import sys
from pathlib import Path

import pytest

from own_process import check_child, scaled

needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")

PRELUDE = """
import gc, os, pathlib, signal, sys, threading, time, warnings
import ferrocr
from ferrocr import ForkedError, ModelStore, OcrEngine
warnings.simplefilter("ignore", DeprecationWarning)  # Python warns of a fork beside threads, which is what is tried
picture = sys.argv[1]

def opened(**options):
    engine = OcrEngine(download=False, **options)
    engine.load()
    return engine

def fork(work):
    child = os.fork()
    if child == 0:
        signal.alarm(60)  # the parent's guard does not come over, and faulthandler cannot begin another one here
        work()
        sys.exit(0)
    return child

def wait(child, status=0):
    ended = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    assert ended == status, ended

def refuses(engine):
    uses = {
        "load": engine.load,
        "recognize": lambda: engine.recognize(picture),
        "recognize what is none": lambda: engine.recognize(b""),
        "recognize_many": lambda: engine.recognize_many([picture]),
        "list_local": engine.list_local,
        "get_local_path": engine.get_local_path,
        "with": engine.__enter__,
        "unload": engine.unload,
    }
    for name, use in uses.items():
        try:
            use()
        except ForkedError as error:
            assert "new engine" in str(error), error
        else:
            raise AssertionError(f"{name} is not refused")
    assert not engine.loaded and isinstance(engine.closed, bool) and "OcrEngine" in repr(engine)

def leaves(engine):
    refuses(engine)
    engine.__exit__(None, None, None)
    for release in engine.free_resources, engine.close, lambda: engine.free_resources(cancel=True, timeout=0):
        report = release()
        assert report.inherited and report.complete and report.sessions == report.files == 0, report
    assert engine.closed
    refuses(engine)

def tries(engine):
    # Another thread of the parent loaded or released it at the fork.
    if engine._core.inherited:
        leaves(engine)
    elif engine.closed:
        assert engine.free_resources().complete
    else:
        assert engine.recognize(picture).lines
        assert engine.free_resources().sessions

def reads(**options):
    with OcrEngine(download=False, **options) as engine:
        return engine.recognize(picture)
"""


@needs_fork
def test_a_child_can_use_nothing_of_its_parent_s_engine_and_all_of_its_own(
    models_dir: Path, picture_file: Path
) -> None:
    code = f"""{PRELUDE}
engine = opened()
page = engine.recognize(picture)

def work():
    leaves(engine)
    assert reads() == page
    leaves(engine)

for _ in range({scaled(2)}):
    wait(fork(work))
    assert engine.recognize(picture) == page, "the parent goes on"
assert engine.free_resources().sessions >= 3
"""
    check_child(code, picture_file, models=models_dir)


@needs_fork
@pytest.mark.parametrize(
    "last", ["pass", "sys.exit(0)", "os._exit(0)", "del globals()['engine']; gc.collect()", "engine.__del__()"]
)
@pytest.mark.parametrize("state", ["opened()", "opened(threads=4)", "OcrEngine()"])
def test_a_child_ends_well_with_what_it_inherited(models_dir: Path, picture_file: Path, last: str, state: str) -> None:
    code = f"""{PRELUDE}
engine = {state}
child = os.fork()
if child == 0:
    {last}
else:
    wait(child)
    engine.recognize(picture)
    engine.free_resources()
"""
    check_child(code, picture_file, models=models_dir)


@needs_fork
def test_a_fork_during_calls_hurts_neither_side(models_dir: Path, picture_file: Path) -> None:
    code = f"""{PRELUDE}
engine = opened()
page, over = engine.recognize(picture), threading.Event()

def read():
    while not over.is_set():
        assert engine.recognize(picture) == page

readers = [threading.Thread(target=read) for _ in range(3)]
for reader in readers:
    reader.start()
for number in range({scaled(4)}):
    time.sleep(0.03 * number)
    wait(fork(lambda: (refuses(engine), reads())))
over.set()
for reader in readers:
    reader.join()
assert engine.recognize(picture) == page
engine.free_resources()
"""
    check_child(code, picture_file, models=models_dir)


@needs_fork
def test_a_fork_during_a_load_or_a_release_hurts_neither_side(models_dir: Path, picture_file: Path) -> None:
    code = f"""{PRELUDE}
for number in range({scaled(4)}):
    engine = OcrEngine(download=False)
    other = threading.Thread(target=lambda: (engine.load(), engine.free_resources()))
    other.start()
    time.sleep(0.15 * number)
    wait(fork(lambda: tries(engine)))
    other.join()
    assert engine.closed
wait(fork(reads))
"""
    check_child(code, picture_file, models=models_dir)


@needs_fork
def test_a_fork_during_the_first_load_of_a_process_leaves_no_lock_taken(models_dir: Path, picture_file: Path) -> None:
    code = f"""{PRELUDE}
def load_and_fork(delay):
    engine = OcrEngine(download=False)
    other = threading.Thread(target=engine.load)
    other.start()
    time.sleep(delay)
    wait(fork(reads))
    other.join()
    assert engine.recognize(picture).lines
    engine.free_resources()

for number in range({scaled(6)}):
    # In a child, because this process must not have loaded before.
    wait(fork(lambda: load_and_fork(0.2 * number / {scaled(6)})))
"""
    check_child(code, picture_file, models=models_dir)


@needs_fork
def test_a_thread_that_loads_may_fork_itself(models_dir: Path, tmp_path: Path, picture_file: Path) -> None:
    code = f"""{PRELUDE}
from ferrocr._engine._forks import in_one_piece

def handler(*_):
    # Not to its end by an error, which would go through the download: the threads of that are its parent's.
    forked.append(fork(lambda: (reads(), os._exit(0))))

forked = []
signal.signal(signal.SIGALRM, handler)
in_one_piece(lambda: os.kill(os.getpid(), signal.SIGALRM))
os.environ.pop("FERROCR_OFFLINE")
os.environ["FERROCR_MIRROR"] = pathlib.Path(os.environ["FERROCR_MODEL_DIR"]).as_uri()
engine = OcrEngine(model_dir=sys.argv[2], progress=lambda *_: forked or handler())
children, forked = forked, []
engine.load()
for child in (*children, *forked):
    wait(child)
assert len(children) == len(forked) == 1
assert engine.recognize(picture) == reads()
engine.free_resources()
"""
    check_child(code, picture_file, tmp_path / "empty", models=models_dir)


@needs_fork
def test_workers_forked_from_a_server_make_their_own_engines(models_dir: Path, picture_file: Path) -> None:
    code = f"""{PRELUDE}
engine = opened()

def serve():
    leaves(engine)
    global own  # left open, as in a worker that is told to end
    own = opened(threads=1)
    assert own.recognize(picture).lines

workers = [fork(serve) for _ in range(3)]
for worker in workers:
    wait(worker)
assert engine.recognize(picture).lines
engine.free_resources()
"""
    check_child(code, picture_file, models=models_dir)


@needs_fork
def test_an_engine_without_anything_loaded_is_each_one_s_own(real_folder: Path, picture_file: Path) -> None:
    code = f"""{PRELUDE}
# A module-level engine of a server that forks its workers; one that was used and unloaded; one within a `with`.
never, unloaded = OcrEngine(download=False), opened()
unloaded.unload()
with OcrEngine(download=False) as within:
    def serve():
        pages = [engine.recognize(picture) for engine in (never, unloaded, within)]
        assert pages[0] == pages[1] == pages[2] and pages[0].lines
        assert set(ModelStore().in_use().values()) == {{(os.getpid(),)}}, "a lease of its own"
        wait(fork(lambda: leaves(never)))
        assert never.unload().sessions and never.free_resources().complete and never.closed
        wait(fork(lambda: tries(never)))
        # The others are left open, as in a worker that is told to end.

    wait(fork(serve))
    for engine in (never, unloaded, within):
        assert not engine.closed and not engine.loaded
    wait(fork(lambda: wait(fork(serve))))
    assert never.recognize(picture) == within.recognize(picture)
assert within.closed and never.free_resources().sessions and ModelStore().in_use() == {{}}
report = unloaded.free_resources()
assert not report.inherited and report.sessions == 0
"""
    check_child(code, picture_file, models=real_folder)


@needs_fork
def test_leaving_what_a_parent_entered_is_harmless(real_folder: Path, picture_file: Path) -> None:
    code = f"""{PRELUDE}
with opened() as engine, OcrEngine(download=False) as empty, ModelStore().lease(ModelStore().list_local()) as lease:
    page = engine.recognize(picture)
    stream = engine.recognize_many([picture] * 3)
    next(stream)
    child = os.fork()
    if child == 0:
        assert not lease.held
        stream.close()
        sys.exit(0)  # out of the statement
    wait(child)
    assert lease.held and engine.recognize(picture) == page and list(stream) == [page] * 2
    assert ModelStore().in_use()
assert engine.closed and ModelStore().in_use() == {{}}
"""
    check_child(code, picture_file, models=real_folder)


@needs_fork
def test_a_fork_during_a_download_of_another_thread_leaves_no_gate_shut(models_dir: Path, tmp_path: Path) -> None:
    code = f"""{PRELUDE}
os.environ.pop("FERROCR_OFFLINE")
os.environ["FERROCR_MIRROR"] = pathlib.Path(os.environ["FERROCR_MODEL_DIR"]).as_uri()
begun, go_on = threading.Event(), threading.Event()
engine = OcrEngine(model_dir=sys.argv[1], progress=lambda *_: (begun.set(), go_on.wait()))
other = threading.Thread(target=engine.load)
other.start()
begun.wait()

child = os.fork()
if child == 0:
    signal.alarm(60)
    os.environ["FERROCR_OFFLINE"] = "1"
    try:
        engine.load()
    except ferrocr.ModelNotFoundError:
        pass
    assert engine.free_resources().complete and engine.closed
    os._exit(0)
wait(child)
go_on.set()
other.join()
assert engine.loaded
engine.free_resources()
"""
    check_child(code, tmp_path / "empty", models=models_dir)


@needs_fork
def test_a_release_gives_the_lease_back_while_a_child_lives(real_folder: Path, picture_file: Path) -> None:
    code = f"""{PRELUDE}
engine = opened()
assert set(ModelStore().in_use().values()) == {{(os.getpid(),)}}
left, right = os.pipe()
child = fork(lambda: (os.close(right), os.read(left, 1), leaves(engine)))
os.close(left)
engine.free_resources()
assert ModelStore().in_use() == {{}}, "the child inherited the lock, and does not use the models"
folder = pathlib.Path(os.environ["FERROCR_MODEL_DIR"])
folder.rename(folder.with_name("renamed"))
os.close(right)
wait(child)
"""
    check_child(code, picture_file, models=real_folder)


@needs_fork
def test_a_killed_parent_leaves_no_lease_though_a_child_lives(real_folder: Path, picture_file: Path) -> None:
    code = f"""{PRELUDE}
left, right = os.pipe()
parent = os.fork()
if parent == 0:
    engine = opened()
    child = fork(lambda: (os.close(right), os.read(left, 1)))
    os.kill(os.getpid(), signal.SIGKILL)
os.close(left)
wait(parent, -signal.SIGKILL)
assert ModelStore().in_use() == {{}}
os.close(right)
"""
    check_child(code, picture_file, models=real_folder)


@needs_fork
def test_what_is_executed_inherits_nothing(real_folder: Path, picture_file: Path) -> None:
    code = f"""{PRELUDE}
import subprocess
engine = opened()
command = [sys.executable, "-c", "import os; print(*sorted(os.listdir('/proc/self/fd')))"]
if sys.platform == "linux":
    bare = subprocess.run(command, capture_output=True, text=True, check=True, close_fds=False).stdout
    engine.free_resources()
    assert bare == subprocess.run(command, capture_output=True, text=True, check=True, close_fds=False).stdout
    engine = opened()
child = os.fork()
if child == 0:
    os.execv(sys.executable, [sys.executable, "-c", "print('another program')"])
wait(child)
assert engine.recognize(picture).lines
os.execv(sys.executable, [sys.executable, "-c", "import ferrocr; assert ferrocr.ModelStore().in_use() == {{}}"])
"""
    printed = check_child(code, picture_file, models=real_folder)
    assert printed == "another program\n"


WORKER = """
import multiprocessing, sys, threading
from ferrocr import OcrEngine

engine = None

def begin():
    global engine
    engine = OcrEngine(download=False, threads=1)

def read(picture):
    return engine.recognize(picture)

def main():
    method, picture, parent_state = sys.argv[1:]
    if method != "spawn":
        import warnings
        warnings.simplefilter("ignore", DeprecationWarning)  # of forks beside threads
    parent = OcrEngine(download=False)
    expected = parent.recognize(picture)
    if parent_state == "released":
        parent.free_resources()
    with multiprocessing.get_context(method).Pool(2, begin) as pool:
        assert pool.map(read, [picture] * 8) == [expected] * 8
        if parent_state == "closed":
            pool.close()
            pool.join()
    # Left by terminate, with workers that hold engines, otherwise.
    if parent_state != "released":
        assert parent.recognize(picture) == expected
        parent.free_resources()

if __name__ == "__main__":
    main()
"""


@pytest.mark.parametrize("parent", ["released", "open", "closed"])
@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_pools_of_every_kind_read(
    models_dir: Path, picture_file: Path, tmp_path: Path, method: str, parent: str
) -> None:
    if method not in multiprocessing.get_all_start_methods():
        pytest.skip(f"no {method} on this system")
    script = tmp_path / "worker.py"
    script.write_text(WORKER)
    command = [sys.executable, "-W", "error", str(script), method, str(picture_file), parent]
    environment = {**os.environ, "FERROCR_MODEL_DIR": str(models_dir)}
    ended = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False, env=environment)
    assert (ended.returncode, ended.stderr) == (0, "")
