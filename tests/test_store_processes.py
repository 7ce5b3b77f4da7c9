"""The model directory under many processes, some of which are killed; on full, read-only and slow ground."""

import contextlib
import hashlib
import http.server
import os
import random
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from conftest import DETECTOR, ORIENTER, RECOGNIZER, as_nobody
from ferrocr import ModelInUseError, ModelState, ModelStore, OcrEngine, StorageError, catalog
from own_process import wait_until

KNOWN = {entry.name: entry for entry in catalog()}


class Server(http.server.ThreadingHTTPServer):
    """Serves a folder, understands ranges, and may take its time."""

    daemon_threads = True

    def __init__(self, folder: Path, *, rate: float = 1e9) -> None:
        self.folder, self.rate = folder, rate
        self.requests: list[tuple[str, str | None]] = []
        self.sent = 0
        super().__init__(("127.0.0.1", 0), _Handler)
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class _Handler(http.server.BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        asked = self.headers.get("Range")
        self.server.requests.append((self.path, asked))
        content = (self.server.folder / self.path.lstrip("/")).read_bytes()
        start = int(asked.removeprefix("bytes=").removesuffix("-")) if asked else 0
        self.send_response(206 if asked else 200)
        if asked:
            self.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
        self.send_header("Content-Length", str(len(content) - start))
        self.end_headers()
        step = 16_384
        with contextlib.suppress(OSError):  # the other side was killed
            for at in range(start, len(content), step):
                piece = content[at : at + step]
                self.wfile.write(piece)
                self.server.sent += len(piece)
                time.sleep(len(piece) / self.server.rate)

    def do_CONNECT(self) -> None:
        self.server.requests.append((self.path, None))
        self.send_error(403)

    def log_message(self, *_: object) -> None:
        pass


def start(code: str, *arguments: object, **environment: str) -> subprocess.Popen[str]:
    """An interpreter of its own, which may use local servers and folders."""
    process = subprocess.Popen(
        [sys.executable, "-W", "error", "-c", code, *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "FERROCR_OFFLINE": "0", "PIP_NO_INDEX": "1", **environment},
    )
    _started.append(process)
    return process


_started: list[subprocess.Popen[str]] = []


@pytest.fixture(autouse=True)
def _no_process_is_left() -> Iterator[None]:
    """A test that fails leaves none behind that would go on changing its directory."""
    yield
    while _started:
        with _started.pop() as process:
            process.kill()


def finish(process: subprocess.Popen[str], timeout: float = 60) -> str:
    """What the process printed; it has to end well."""
    out, err = process.communicate(timeout=timeout)
    assert process.returncode == 0, err
    return out


def unfinished(folder: Path) -> list[Path]:
    incoming = folder / ".ferrocr" / "incoming"
    return sorted(incoming.iterdir()) if incoming.exists() else []


def is_whole(path: Path) -> bool:
    return hashlib.sha256(path.read_bytes()).hexdigest() == KNOWN[path.name].sha256


PULL = """
import sys
from ferrocr import ModelStore
print(ModelStore(sys.argv[1]).pull(sys.argv[2], mirror=sys.argv[3])[0])
"""


# --- downloads ----------------------------------------------------------------------------------------------------


def test_eight_processes_download_once(models_dir: Path, tmp_path: Path) -> None:
    server = Server(models_dir, rate=1e6)
    processes = [start(PULL, tmp_path, ORIENTER, server.address) for _ in range(8)]
    assert {finish(process).strip() for process in processes} == {str(tmp_path / ORIENTER)}
    assert server.requests == [(f"/{ORIENTER}", None)]
    assert is_whole(tmp_path / ORIENTER)
    assert unfinished(tmp_path) == []


def test_a_killed_download_goes_on_where_it_was(models_dir: Path, tmp_path: Path) -> None:
    server = Server(models_dir, rate=3e5)
    process = start(PULL, tmp_path, ORIENTER, server.address)
    wait_until(lambda: any(part.stat().st_size > 100_000 for part in unfinished(tmp_path)), "nothing arrives")
    process.kill()
    process.communicate()
    (part,) = unfinished(tmp_path)
    had = part.stat().st_size
    (entry,) = ModelStore(tmp_path).audit()
    assert (entry.state, entry.in_use, entry.bytes) == (ModelState.PARTIAL, False, had)
    server.rate = 1e9
    finish(start(PULL, tmp_path, ORIENTER, server.address))
    assert server.requests[-1] == (f"/{ORIENTER}", f"bytes={had}-")
    assert is_whole(tmp_path / ORIENTER)
    assert unfinished(tmp_path) == []


def test_ctrl_c_leaves_a_part_that_the_next_pull_goes_on_with(models_dir: Path, tmp_path: Path) -> None:
    server = Server(models_dir, rate=3e5)
    command = "import sys; from ferrocr.cli import main; sys.exit(main(sys.argv[1:]))"
    arguments = ("models", "pull", ORIENTER, "--dir", tmp_path, "--mirror", server.address)
    process = start(command, *arguments)
    wait_until(lambda: any(part.stat().st_size > 50_000 for part in unfinished(tmp_path)), "nothing arrives")
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=30)
    assert process.returncode == 130, err
    assert "goes on" in err
    assert len(unfinished(tmp_path)) == 1
    server.rate = 1e9
    finish(start(command, *arguments))
    assert server.requests[-1][1] is not None
    assert is_whole(tmp_path / ORIENTER)


def test_a_download_under_way_is_told_from_one_that_was_left(models_dir: Path, tmp_path: Path) -> None:
    server = Server(models_dir, rate=3e5)
    process = start(PULL, tmp_path, ORIENTER, server.address)
    wait_until(lambda: any(part.stat().st_size > 0 for part in unfinished(tmp_path)), "nothing arrives")
    store = ModelStore(tmp_path)
    (entry,) = store.audit()
    assert (entry.state, entry.in_use) == (ModelState.PARTIAL, True)
    assert store.prune(states=["PARTIAL"]).removed == ()
    server.rate = 1e9
    finish(process)
    assert is_whole(tmp_path / ORIENTER)


@pytest.mark.parametrize(("bypass", "asked"), [("", True), ("www.modelscope.cn", False)])
def test_proxies_of_the_environment_are_used(tmp_path: Path, *, bypass: str, asked: bool) -> None:
    proxy = Server(tmp_path)
    # Where no proxy is asked, the name must not lead to the network either.
    code = PULL.replace("mirror=sys.argv[3]", "mirror=None")
    unreachable = {"HTTP_PROXY": "", "ALL_PROXY": "", "NO_PROXY": bypass, "no_proxy": bypass}
    process = start(code, tmp_path / "models", ORIENTER, HTTPS_PROXY=proxy.address, **unreachable)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 1
    assert "DownloadError" in err
    assert ([path for path, _ in proxy.requests if "modelscope" in path] != []) == asked


# --- many at once -------------------------------------------------------------------------------------------------

BUSY = """
import random, sys, time
from ferrocr import (
    InvalidArgumentError, ModelInUseError, ModelKeptError, ModelNotFoundError, ModelStore, StorageError
)
folder, mirror, seed, seconds = sys.argv[1], sys.argv[2], int(sys.argv[3]), float(sys.argv[4])
store, dice, name, done = ModelStore(folder), random.Random(seed), sys.argv[5], 0

def use():
    with store.lease(name) as lease:
        assert lease.held
        try:
            path = store.get_local_path(name)
        except ModelNotFoundError:
            return
        for _ in range(5):
            time.sleep(0.002)
            with open(path, "rb") as file:  # nobody takes away what is in use
                file.read()

actions = {
    "pull": lambda: store.pull(name, mirror=mirror),
    "remove": lambda: store.remove(name),
    "prune": lambda: store.prune("ch_"),
    "restore": lambda: store.restore(),
    "purge": lambda: store.purge(older_than=0.5),
    "audit": lambda: store.audit(),
    "use": use,
}
end = time.monotonic() + seconds
while time.monotonic() < end:
    try:
        actions[dice.choice(list(actions))]()
    except (InvalidArgumentError, ModelInUseError, ModelKeptError, ModelNotFoundError):
        pass
    except StorageError as error:
        if "did not give it back within" not in str(error):  # the machine is too busy for a lease
            raise
    done += 1
print(done)
"""


def check_afterwards(folder: Path, mirror: Path) -> None:
    """Every file is whole, listed, trashed or reported, and the directory is as good as new."""
    store = ModelStore(folder)
    assert store.in_use() == {}
    for entry in store.audit():
        assert entry.state in (ModelState.CURRENT, ModelState.TRASHED, ModelState.PARTIAL), entry
        if entry.state != ModelState.PARTIAL:
            assert hashlib.sha256(Path(entry.path).read_bytes()).hexdigest() == KNOWN[ORIENTER].sha256
    store.pull(ORIENTER, mirror=mirror.as_uri())
    store.prune(states=["PARTIAL"])
    store.purge()
    assert [(entry.name, entry.state) for entry in store.audit()] == [(ORIENTER, ModelState.CURRENT)]
    assert unfinished(folder) == []
    assert list((folder / ".ferrocr" / "trash").glob("*")) == []


def test_eight_processes_pull_and_remove_at_once(
    models_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FERROCR_OFFLINE", "0")
    arguments = (tmp_path, models_dir.as_uri())
    processes = [start(BUSY, *arguments, seed, 4, ORIENTER) for seed in range(8)]
    steps = [int(finish(process)) for process in processes]
    assert min(steps) > 0
    check_afterwards(tmp_path, models_dir)


def test_whoever_is_killed_leaves_what_the_next_command_understands(
    models_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FERROCR_OFFLINE", "0")
    dice = random.Random(3)
    arguments = (tmp_path, models_dir.as_uri())
    for seed in range(6):
        processes = [start(BUSY, *arguments, 100 * seed + number, 60, ORIENTER) for number in range(2)]
        time.sleep(0.4 + dice.random() * 0.4)
        for process in processes:
            process.kill()
            process.communicate()
        check_afterwards(tmp_path, models_dir)


# --- engines ------------------------------------------------------------------------------------------------------

ENGINE = """
import sys, time
from ferrocr import OcrEngine
engine = OcrEngine(model_dir=sys.argv[1], download=False)
engine.load()
print("loaded", flush=True)
time.sleep(60)
"""


@pytest.fixture
def own_models(models_dir: Path, tmp_path: Path) -> Path:
    """A copy of the default models that a test may lose."""
    folder = tmp_path / "models"
    folder.mkdir()
    for name in (DETECTOR, RECOGNIZER, ORIENTER):
        shutil.copy(models_dir / name, folder / name)
    return folder


def test_what_another_process_has_loaded_stays_until_it_is_killed(own_models: Path) -> None:
    process = start(ENGINE, own_models)
    assert process.stdout is not None
    assert process.stdout.readline() == "loaded\n"
    store = ModelStore(own_models)
    assert store.in_use() == dict.fromkeys((DETECTOR, RECOGNIZER, ORIENTER), (process.pid,))
    with pytest.raises(ModelInUseError, match=str(process.pid)):
        store.remove([DETECTOR])
    with pytest.raises(ModelInUseError, match=str(process.pid)):
        store.prune("PP-")
    process.kill()
    process.communicate()
    assert store.in_use() == {}
    assert len(store.prune("PP-").removed) == 2


FORKED = """
import os, sys, time
from ferrocr import OcrEngine
engine = OcrEngine(model_dir=sys.argv[1], download=False)
engine.load()
child = os.fork()
if child == 0:
    os.setsid()
    time.sleep(60)
    os._exit(0)
print(child, flush=True)
time.sleep(60)
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_a_forked_child_does_not_hold_what_its_dead_parent_used(own_models: Path) -> None:
    process = start(FORKED, own_models)
    assert process.stdout is not None
    child = int(process.stdout.readline())
    try:
        store = ModelStore(own_models)
        assert store.in_use()[DETECTOR] == (process.pid,)
        process.kill()
        process.wait()
        assert store.in_use() == {}
        store.remove(DETECTOR)
    finally:
        os.kill(child, signal.SIGKILL)
        process.communicate()


def test_the_directory_may_vanish_under_an_engine(own_models: Path, picture_file: Path) -> None:
    with OcrEngine(model_dir=own_models, download=False) as engine:
        text = engine.recognize(picture_file).text
        moved = own_models.rename(own_models.with_name("moved"))
        assert engine.recognize(picture_file).text == text
        assert ModelStore(moved).in_use()[DETECTOR] == (os.getpid(),), "it is still in use, under its new name"
        shutil.rmtree(moved)
        assert engine.recognize(picture_file).text == text
        assert engine.list_local() == []


# --- bad ground ---------------------------------------------------------------------------------------------------


@pytest.fixture
def tiny_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 1 MB."""
    place = tmp_path / "tiny"
    place.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(place)]
    if shutil.which("mount") is None or subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("this user cannot mount a small file system")
    try:
        yield place
    finally:
        subprocess.run(["umount", str(place)], check=True)


def test_a_full_disk_is_noticed_before_anything_is_fetched(
    models_dir: Path, tiny_disk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FERROCR_OFFLINE", "0")
    server = Server(models_dir)
    store = ModelStore(tiny_disk / "models")
    with pytest.raises(StorageError, match="MB") as caught:
        store.pull(DETECTOR, mirror=server.address)
    assert caught.value.hint is not None
    assert server.requests == []
    assert store.list_local() == []


LIMITED = """
import resource, sys
from ferrocr import ModelStore, StorageError
resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, 300_000))
store = ModelStore(sys.argv[1])
for attempt in (lambda: store.pull(sys.argv[2], mirror=sys.argv[3]), lambda: store.import_archive(sys.argv[4])):
    try:
        attempt()
    except StorageError as error:
        print(error)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="there are no such limits")
def test_a_disk_that_is_full_in_the_midst_of_it_leaves_nothing_wrong(models_dir: Path, tmp_path: Path) -> None:
    archive = tmp_path / "models.zip"
    ModelStore(models_dir).export(archive, [ORIENTER])
    folder = tmp_path / "models"
    out = finish(start(LIMITED, folder, ORIENTER, Server(models_dir).address, archive))
    assert len(out.splitlines()) >= 2, out
    assert all(entry.state == ModelState.PARTIAL for entry in ModelStore(folder).audit())
    finish(start(PULL, folder, ORIENTER, models_dir.as_uri()))
    assert [entry.state for entry in ModelStore(folder).audit()] == [ModelState.CURRENT]


@pytest.fixture
def read_only(models_dir: Path, common_ground: Path) -> Iterator[Path]:
    """A directory with the default models that this process may read and not write."""
    folder = common_ground / "models"
    folder.mkdir()
    for name in (DETECTOR, RECOGNIZER, ORIENTER):
        shutil.copy(models_dir / name, folder / name)
    folder.chmod(0o555)
    with as_nobody():
        yield folder
    folder.chmod(0o755)


@pytest.fixture
def picture(picture_file: Path) -> bytes:
    """A picture with text, read while that is allowed."""
    return picture_file.read_bytes()


def test_a_read_only_directory_is_read(picture: bytes, read_only: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FERROCR_OFFLINE", "0")
    store = ModelStore(read_only)
    assert store.list_local() == sorted((DETECTOR, RECOGNIZER, ORIENTER))
    assert store.audit().clean
    assert store.verify(ORIENTER) == KNOWN[ORIENTER].sha256
    with OcrEngine(model_dir=read_only, download=False) as engine:
        assert engine.recognize(picture).lines
        assert store.in_use() == {}, "nothing can be noted here, and nothing needs it"
    refused: list[Callable[[], Any]] = [
        lambda: store.remove(ORIENTER),
        lambda: store.prune("PP-"),
        lambda: store.keep(ORIENTER),
        lambda: store.pull("ppocrv4-mobile", mirror="file:///nowhere"),
    ]
    for attempt in refused:
        with pytest.raises(StorageError, match=str(read_only)):
            attempt()
    assert {path.name for path in read_only.iterdir()} == {DETECTOR, RECOGNIZER, ORIENTER}
