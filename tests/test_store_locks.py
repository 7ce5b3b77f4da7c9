"""Locks of the model directory: forked children, unreadable leases, links and pipes in odd places, many at once."""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from conftest import DETECTOR, ORIENTER, RECOGNIZER, as_nobody
from ferrocr import (
    InvalidArgumentError,
    ModelInUseError,
    ModelNotFoundError,
    ModelState,
    ModelStore,
    OcrEngine,
    OcrTimeoutError,
    StorageError,
    _core,
    catalog,
)
from test_store_processes import PULL, Server, finish, start, unfinished

# The unfinished download of the smallest model.
PART = next(f"{known.name}.{known.sha256[:16]}.part" for known in catalog() if known.name == ORIENTER)

forks = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
links = pytest.mark.skipif(sys.platform == "win32", reason="links and pipes are others there")


def first_line(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def end(process: subprocess.Popen[str]) -> None:
    process.kill()
    process.communicate(timeout=30)


# --- forks --------------------------------------------------------------------------------------------------------

FORKING = """
import os, signal, sys, threading, time
from ferrocr import ModelStore
store, over, children = ModelStore(sys.argv[1]), threading.Event(), []
def use():
    while not over.is_set():
        store.lease("a.onnx").release()
threads = [threading.Thread(target=use) for _ in range(2)]
for thread in threads:
    thread.start()
for _ in range(60):
    child = os.fork()
    if child == 0:
        time.sleep(120)
        os._exit(0)
    children.append(child)
    time.sleep(0.005)
over.set()
for thread in threads:
    thread.join()
print("forked", flush=True)
sys.stdin.read()
for child in children:
    os.kill(child, signal.SIGKILL)
"""


@forks
def test_children_that_were_forked_while_the_directory_was_held_hold_nobody_up(folder: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-W", "ignore", "-c", FORKING, str(folder)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert first_line(process) == "forked"
        ModelStore(folder).remove("a.onnx")  # it would raise after half a minute
    finally:
        process.communicate("", timeout=60)


FORKED_WHILE_PULLING = """
import os, sys, time, warnings
from ferrocr import ModelStore
warnings.simplefilter("ignore")  # a fork beside threads
def step(*_):
    global child
    if child is None:
        child = os.fork()
        if child == 0:
            time.sleep(120)
            os._exit(0)
child = None
ModelStore(sys.argv[1]).pull(sys.argv[2], mirror=sys.argv[3], progress=step)
print(child, flush=True)
time.sleep(120)
"""


@forks
def test_a_child_that_was_forked_during_a_pull_keeps_no_download_locked(models_dir: Path, tmp_path: Path) -> None:
    server = Server(models_dir)
    process = start(FORKED_WHILE_PULLING, tmp_path, ORIENTER, server.address)
    line = first_line(process)
    try:
        assert line, "the pull came to its end"
        # The file that was locked may come back by hand, as a download that goes on.
        (tmp_path / ORIENTER).rename(tmp_path / ".ferrocr" / "incoming" / PART)
        finish(start(PULL, tmp_path, ORIENTER, server.address))
        assert (tmp_path / ORIENTER).exists()
        assert unfinished(tmp_path) == []
    finally:
        with contextlib.suppress(ValueError, ProcessLookupError):
            os.kill(int(line), signal.SIGKILL)
        end(process)


# --- leases -------------------------------------------------------------------------------------------------------

LEASE = """
import os, sys, time
from ferrocr import ModelStore
os.umask(0o077)
lease = ModelStore(sys.argv[1]).lease(sys.argv[2])
print(lease.held, flush=True)
time.sleep(120)
"""


@pytest.fixture
def common_models(common_ground: Path) -> Path:
    """A directory that everybody may change, bookkeeping included."""
    directory = common_ground / "models"
    directory.mkdir()
    (directory / "a.onnx").write_bytes(b"a")
    ModelStore(directory).lease("a.onnx").release()
    for path in (directory, *(directory / ".ferrocr").rglob("*"), directory / ".ferrocr"):
        path.chmod(0o777 if path.is_dir() else 0o666)
    return directory


@links
def test_a_lease_of_another_user_counts_whatever_its_umask(common_models: Path) -> None:
    process = start(LEASE, common_models, "a.onnx")
    try:
        assert first_line(process) == "True"
        with as_nobody():
            store = ModelStore(common_models)
            assert store.in_use() == {"a.onnx": (process.pid,)}
            with pytest.raises(ModelInUseError, match=str(process.pid)):
                store.remove("a.onnx")
    finally:
        end(process)


@links
def test_nothing_is_removed_while_a_lease_cannot_be_read(common_models: Path) -> None:
    process = start(LEASE, common_models, "a.onnx")
    try:
        assert first_line(process) == "True"
        (lease,) = (common_models / ".ferrocr" / "leases").iterdir()
        lease.chmod(0o000)
        with as_nobody():
            store = ModelStore(common_models)
            for attempt in (store.in_use, lambda: store.remove("a.onnx"), lambda: store.prune("a")):
                with pytest.raises(StorageError, match=str(lease)) as caught:
                    attempt()
                assert caught.value.hint is not None
            entries = [entry for entry in store.audit() if entry.state == ModelState.UNREADABLE]
            assert [entry.path for entry in entries] == [str(lease)]
    finally:
        end(process)
    assert (common_models / "a.onnx").exists()


@links
def test_a_name_with_a_line_break_voids_no_lease(folder: Path) -> None:
    (folder / "my\nmodel.bin").write_bytes(b"x")
    store = ModelStore(folder)
    with pytest.raises(InvalidArgumentError, match="line break"):
        store.lease(["my\nmodel.bin", "a.onnx"])
    assert "my\nmodel.bin" not in store.list_local()
    (entry,) = (entry for entry in store.audit() if entry.name == "my\nmodel.bin")
    assert entry.state == ModelState.FOREIGN


@links
def test_a_lease_on_a_link_holds_what_it_leads_to(folder: Path) -> None:
    (folder / "link.onnx").symlink_to("a.onnx")
    store = ModelStore(folder)
    with store.lease("link.onnx"):
        assert set(store.in_use()) == {"link.onnx", "a.onnx", "a.txt"}
        with pytest.raises(ModelInUseError):
            store.remove("a.onnx")


@links
def test_an_engine_whose_models_are_reached_through_a_link_holds_them(real_folder: Path, tmp_path: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to(real_folder)
    store = ModelStore(real_folder)
    detector, recognizer, orienter = link / DETECTOR, link / RECOGNIZER, link / ORIENTER
    choice = OcrEngine(
        detector=detector, recognizer=recognizer, orienter=orienter, model_dir=real_folder, download=False
    )
    with choice as engine:
        engine.load()
        assert set(store.in_use()) == {DETECTOR, RECOGNIZER, ORIENTER}


def test_an_engine_whose_models_lie_elsewhere_makes_no_bookkeeping(real_folder: Path, tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    detector, recognizer, orienter = real_folder / DETECTOR, real_folder / RECOGNIZER, real_folder / ORIENTER
    choice = OcrEngine(detector=detector, recognizer=recognizer, orienter=orienter, model_dir=empty, download=False)
    with choice as engine:
        engine.load()
    assert list(empty.iterdir()) == []


# --- who holds the directory --------------------------------------------------------------------------------------


@contextlib.contextmanager
def held(folder: Path) -> Iterator[None]:
    """The directory's lock, as a stopped process holds it."""
    fcntl = pytest.importorskip("fcntl")
    ModelStore(folder).lease("a.onnx").release()
    with (folder / ".ferrocr" / "lock").open("r+b") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def test_an_engine_loads_unprotected_while_somebody_holds_the_directory(real_folder: Path) -> None:
    over, alone = threading.Event(), []

    def look() -> None:
        while not over.wait(0.01):
            alone.append(_core.begin_fork(0))
            if alone[-1]:
                _core.end_fork()

    with OcrEngine(model_dir=real_folder, download=False) as first:
        first.load()  # so that only the wait is left that forks might wait for
    with OcrEngine(model_dir=real_folder, download=False) as engine:
        looks = threading.Thread(target=look)
        with held(real_folder), pytest.warns(RuntimeWarning, match="any process may remove them.*stopped ferrocr"):
            looks.start()
            engine.load()
            over.set()
        looks.join()
        assert ModelStore(real_folder).in_use() == {}
        assert len(alone) > 20, "the load waited"
        assert alone.count(False) < len(alone) / 4, "forks wait for what comes before and after, and not for that"
        engine.unload()
        engine.load()
        assert set(ModelStore(real_folder).in_use()) == {DETECTOR, RECOGNIZER, ORIENTER}


def test_a_call_ends_at_its_timeout_while_somebody_holds_the_directory(real_folder: Path, picture_file: Path) -> None:
    with OcrEngine(model_dir=real_folder, download=False) as engine, held(real_folder):
        with pytest.raises(OcrTimeoutError):
            engine.recognize(picture_file, timeout=0.1)
        assert not engine.loaded


@links
@pytest.mark.parametrize(
    "work",
    [
        lambda store: store.remove("a.onnx"),
        lambda store: store.prune("old_"),
        lambda store: store.restore(),
        lambda store: store.purge(),
        lambda store: store.keep("a.onnx"),
        lambda store: store.lease("a.onnx"),
        lambda store: store.import_archive(Path(store.get_local_path()).with_suffix(".zip")),
    ],
    ids=["remove", "prune", "restore", "purge", "keep", "lease", "import"],
)
def test_ctrl_c_ends_a_wait_for_who_holds_the_directory(work: Callable[[ModelStore], object], folder: Path) -> None:
    store = ModelStore(folder)
    store.backup(folder.with_suffix(".zip"))
    store.remove("b.onnx")
    interrupt = threading.Timer(0.1, signal.pthread_kill, [threading.main_thread().ident, signal.SIGINT])
    with held(folder), pytest.raises(KeyboardInterrupt):
        interrupt.start()
        work(store)
    assert (folder / "a.onnx").exists()


# --- odd places ---------------------------------------------------------------------------------------------------


@pytest.fixture
def alarm() -> Iterator[None]:
    """Ends the test when the core does not give control back; a signal's handler would not run then."""
    timer = threading.Timer(60, os._exit, [70])
    timer.start()
    yield
    timer.cancel()


@links
@pytest.mark.usefixtures("alarm")
@pytest.mark.parametrize("kind", ["link", "pipe"])
@pytest.mark.parametrize("place", ["lock", f"incoming/{ORIENTER}", "incoming/x.tmp", "leases/lease.1"])
def test_a_link_or_a_pipe_in_the_bookkeeping_ends_nobody(
    place: str, kind: str, models_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FERROCR_OFFLINE", "0")
    server = Server(models_dir)
    folder = tmp_path / "models"
    path = folder / ".ferrocr" / place
    if path.name == ORIENTER:
        path = path.with_name(PART)
    path.parent.mkdir(parents=True)
    if kind == "link":
        path.symlink_to(tmp_path / "elsewhere")
    else:
        os.mkfifo(path)
    store = ModelStore(folder)
    shutil.copy(models_dir / ORIENTER, folder / "mine.onnx")
    for attempt in (
        lambda: store.pull(ORIENTER, mirror=server.address),
        lambda: store.remove("mine.onnx"),
        lambda: store.prune(states=["PARTIAL"]),
        store.audit,
    ):
        with contextlib.suppress(StorageError, ModelNotFoundError):
            attempt()
    assert not (tmp_path / "elsewhere").exists()
    assert path.is_symlink() or path.is_fifo()


def test_what_only_looks_or_fails_makes_no_directory(tmp_path: Path) -> None:
    missing = tmp_path / "models"
    store = ModelStore(missing)
    with pytest.raises(ModelNotFoundError):
        store.restore()
    with pytest.raises(InvalidArgumentError):
        store.unkeep("a.onnx")
    store.purge()
    assert not store.lease("a.onnx").held
    assert not missing.exists()


def test_a_directory_s_path_that_cannot_be_one_is_refused(tmp_path: Path) -> None:
    with pytest.raises((InvalidArgumentError, ValueError)):
        ModelStore("a\0b")
    file = tmp_path / "file"
    file.write_text("")
    with pytest.raises(StorageError) as caught:
        ModelStore(file).list_local()
    assert caught.value.hint is not None
    assert str(file) in caught.value.hint


# --- many at once -------------------------------------------------------------------------------------------------

LEASES = """
import sys
from ferrocr import ModelStore
store = ModelStore(sys.argv[1])
print("begun", flush=True)
while True:
    store.lease("b.onnx").release()
"""


def test_who_takes_leases_by_turns_starves_no_removal(folder: Path) -> None:
    processes = [start(LEASES, folder) for _ in range(8)]
    try:
        assert {first_line(process) for process in processes} == {"begun"}
        store = ModelStore(folder)
        for _ in range(3):  # each would raise after half a minute
            store.remove("a.onnx")
            store.restore()
    finally:
        for process in processes:
            end(process)


PULLS = """
import sys
from pathlib import Path
from ferrocr import ModelStore
folder, name, mirror, part = sys.argv[1:]
store = ModelStore(folder)
for _ in range(150):
    (Path(folder) / name).unlink(missing_ok=True)
    incoming = Path(folder) / ".ferrocr" / "incoming"
    incoming.mkdir(parents=True, exist_ok=True)
    (incoming / part).touch()
    store.pull(name, mirror=mirror)
"""

PRUNES = """
import sys
from ferrocr import ModelStore
while True:
    ModelStore(sys.argv[1]).prune(states=["PARTIAL"])
"""


def test_pruning_takes_no_download_away_that_a_pull_works_on(models_dir: Path, tmp_path: Path) -> None:
    server = Server(models_dir)
    pruning = start(PRUNES, tmp_path)
    try:
        finish(start(PULLS, tmp_path, ORIENTER, server.address, PART), timeout=120)
        assert pruning.poll() is None, pruning.communicate()[1]
    finally:
        end(pruning)
