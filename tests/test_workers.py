"""Processes that can be ended: what they answer, how they end, and that nothing of them is left."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ferrocr import OcrCancelledError, ResourcesFreedError, RuntimeUnavailableError, _core
from ferrocr._engine import _forks
from ferrocr._workers import _start
from ferrocr._workers._lender import Workers
from ferrocr._workers._start import WorkerLostError, WorkerProblemError, described, interpreter
from ferrocr._workers._wire import header_of, packed
from ferrocr._workers._worker import Worker

HERE = str(Path(__file__).parent)

needs_signals = pytest.mark.skipif(sys.platform == "win32", reason="processes end by signals elsewhere")


def started() -> Worker:
    """A worker of its own."""
    return Worker("echo_worker", [HERE], "testing")


@pytest.fixture
def worker() -> Iterator[Worker]:
    """A worker of which nothing is left in the end."""
    worker = started()
    yield worker
    worker.end()
    assert is_gone(worker)


@pytest.fixture(scope="module")
def steady() -> Iterator[Worker]:
    """One that nobody ends."""
    worker = started()
    yield worker
    worker.end()


def is_gone(worker: Worker) -> bool:
    """Tell whether it is no process, has no pipes, and is known to nobody."""
    assert worker._input.closed == worker._output.closed
    return worker._process.returncode is not None and worker._input.closed and id(worker) not in _start._alive


def has_ended(pid: int) -> bool:
    """Wait for the end of a process; False if that does not come."""
    for _ in range(3000):
        try:
            os.kill(pid, 0)
            if Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z":
                return True
        except (ProcessLookupError, FileNotFoundError):
            return True
        time.sleep(0.01)
    return False


# --- what it answers ----------------------------------------------------------------------------------------------


@given(st.dictionaries(st.text(), st.integers() | st.floats(allow_nan=False) | st.text(), max_size=4), st.binary())
def test_headers_and_bytes_come_back_as_they_were(steady: Worker, header: dict[str, object], data: bytes) -> None:
    answer = steady.ask({**header, "do": "echo"}, data, most=len(data))
    assert (answer.header, bytes(answer.data)) == ({**header, "do": "echo"}, data)


def test_halves_of_characters_and_long_texts_come_over(steady: Worker) -> None:
    text = "\udcff" + "x" * 50_000
    assert steady.ask({"do": "echo", "text": text}).header["text"] == text
    data = os.urandom(3_000_000)
    assert steady.ask({"do": "echo"}, memoryview(data), most=len(data)).data == data


def test_what_a_library_prints_goes_nowhere(steady: Worker, capfd: pytest.CaptureFixture[str]) -> None:
    assert steady.ask({"do": "print"}).header == {"do": "print"}
    assert capfd.readouterr() == ("", "")


def test_it_has_nothing_of_its_parent(steady: Worker) -> None:
    about = steady.ask({"do": "about"}).header
    assert about["modules"] == ["ferrocr", "ferrocr._workers", "ferrocr._workers._process", "ferrocr._workers._wire"]
    assert about["cwd"] == os.path.abspath(os.sep)  # noqa: PTH100
    path = about["path"]
    assert isinstance(path, list)
    assert path[-1] == HERE
    assert not {"", str(Path.cwd())} & set(path[:-1])
    assert not any("site-packages" in str(folder) for folder in path)


@pytest.mark.parametrize("text", [b"", b"[]", b"1", b"\xff", b"[" * 100_000, b'{"a":'])
def test_what_is_no_header_is_refused(text: bytes) -> None:
    with pytest.raises(ValueError, match=r"header|codec|Expecting|JSON"):
        header_of(text)
    assert header_of(packed({"a": float("inf")}, b"xyz")[12:]) == {"a": float("inf")}


# --- how it ends --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("what", "status"),
    [
        ("fail", 1),
        ("leave", 3),
        pytest.param("crash", -6, marks=needs_signals),
    ],
)
def test_a_crash_is_told_and_leaves_nothing(worker: Worker, what: str, status: int) -> None:
    with pytest.raises(WorkerLostError) as lost:
        worker.ask({"do": what})
    assert (lost.value.is_late, lost.value.status) == (False, status)
    assert is_gone(worker)
    assert not worker.is_usable
    with pytest.raises(WorkerLostError):
        worker.ask({"do": "echo"})


def test_a_request_that_takes_too_long_ends_it(worker: Worker) -> None:
    with pytest.raises(WorkerLostError, match="timed out") as lost:
        worker.ask({"do": "sleep"}, seconds=0.05)
    assert lost.value.is_late
    assert is_gone(worker)


@pytest.mark.parametrize("what", ["lie", "echo"])
def test_an_answer_that_is_none_or_too_long_ends_it(worker: Worker, what: str) -> None:
    with pytest.raises(WorkerLostError) as lost:
        worker.ask({"do": what}, b"12345", most=4)
    assert not lost.value.is_late
    assert is_gone(worker)


@needs_signals
def test_a_worker_that_takes_in_nothing_is_given_up(worker: Worker) -> None:
    worker.wait_until_ready()
    os.kill(worker.pid, signal.SIGSTOP)
    with pytest.raises(WorkerLostError, match="timed out"):
        worker.ask({"do": "echo"}, bytes(10_000_000), seconds=0.2)
    assert is_gone(worker)


@pytest.mark.parametrize("end", [Worker.kill, Worker.end])
def test_another_thread_ends_it(worker: Worker, end: Callable[[Worker], None]) -> None:
    worker.wait_until_ready()
    threading.Timer(0.05, end, [worker]).start()
    with pytest.raises(WorkerLostError):
        worker.ask({"do": "sleep"})
    assert is_gone(worker)
    worker.end()


@needs_signals
@pytest.mark.parametrize("how", ["raises", "ends it"])
def test_a_signal_ends_it(worker: Worker, how: str) -> None:
    def handle(*_: object) -> None:
        if how == "raises":
            raise KeyboardInterrupt
        worker.end()

    before = signal.signal(signal.SIGINT, handle)
    try:
        worker.wait_until_ready()
        threading.Timer(0.05, os.kill, [os.getpid(), signal.SIGINT]).start()
        with pytest.raises(KeyboardInterrupt if how == "raises" else WorkerLostError):
            worker.ask({"do": "sleep"})
    finally:
        signal.signal(signal.SIGINT, before)
    assert is_gone(worker)


def test_a_worker_that_nobody_asks_ends_by_itself() -> None:
    worker = started()
    worker.ask({"do": "wait"})
    worker._process.wait(60)
    assert not worker.is_usable
    with pytest.raises(WorkerLostError) as lost:
        worker.ask({"do": "echo"})
    assert (lost.value.is_late, lost.value.status) == (False, 0)
    assert is_gone(worker)


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="reads /proc")
@pytest.mark.parametrize("does", ["sleep", "echo"])
def test_it_ends_with_a_parent_that_is_killed(does: str) -> None:
    code = f"""
import sys
from ferrocr._workers._worker import Worker
worker = Worker("echo_worker", [{HERE!r}], "testing")
worker.wait_until_ready()
print(worker.pid, flush=True)
worker.ask({{"do": {does!r}}})
sys.stdin.read()
"""
    with subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        parent.kill()
    assert has_ended(pid)


# --- how it begins ------------------------------------------------------------------------------------------------


def test_a_module_that_is_missing_is_a_problem() -> None:
    worker = Worker("no_such_worker", [HERE], "testing")
    with pytest.raises(WorkerProblemError, match="no_such_worker"):
        worker.ask({})
    assert is_gone(worker)


@needs_signals
def test_an_interpreter_that_cannot_be_started_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_start, "interpreter", lambda _: "/bin/false")
    with pytest.raises(RuntimeUnavailableError, match=r"testing needs a process of its own, and the one .* status 1"):
        started().ask({})
    monkeypatch.setattr(_start, "interpreter", lambda _: "/no/python")
    with pytest.raises(RuntimeUnavailableError, match="/no/python cannot be started") as caught:
        started()
    assert caught.value.hint
    assert "multiprocessing.set_executable" in caught.value.hint
    tested = [one for one in _start._alive.values() if isinstance(one, Worker) and one._purpose == "testing"]
    assert all(worker._is_ready for worker in tested)


def test_the_interpreter_is_none_that_is_another_program(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert interpreter("testing") == sys.executable
    python = tmp_path / "bin" / "python3"
    python.parent.mkdir()
    monkeypatch.delitem(sys.modules, "multiprocessing.spawn", raising=False)
    for executable in ("/usr/sbin/uwsgi", "", None):
        monkeypatch.setattr(sys, "executable", executable)
        for prefix in ("prefix", "base_prefix"):
            monkeypatch.setattr(sys, prefix, str(tmp_path))
        with pytest.raises(RuntimeUnavailableError, match="no interpreter is known"):
            interpreter("testing")
        python.touch()
        assert interpreter("testing") == str(python)
        python.unlink()
    monkeypatch.setattr(sys, "executable", "/opt/python-app")
    monkeypatch.setattr(sys, "frozen", True, raising=False)
    with pytest.raises(RuntimeUnavailableError, match="this one runs in /opt/python-app"):
        interpreter("testing")


def test_the_interpreter_may_be_named(monkeypatch: pytest.MonkeyPatch) -> None:
    import multiprocessing.spawn as spawn

    monkeypatch.setattr(spawn, "get_executable", lambda: b"/opt/snake")
    monkeypatch.setattr(sys, "frozen", True, raising=False)
    assert interpreter("testing") == "/opt/snake"


def test_ends_are_told_in_words() -> None:
    assert described(3) == "with status 3"
    assert described(None) == "in an unknown way"
    assert described(-int(signal.SIGINT)) == "with SIGINT"
    assert described(-4000) == "with signal 4000"


# --- lending ------------------------------------------------------------------------------------------------------


def test_workers_are_lent_and_used_again() -> None:
    workers = Workers()
    first = workers.lend(started)
    second = workers.lend(started)
    assert (first is not second, len(workers)) == (True, 2)
    workers.take_back(first)
    assert workers.lend(started) is first
    workers.take_back(first)
    workers.take_back(second)
    assert is_gone(first), "one is kept"
    assert len(workers) == 1
    second.end()
    third = workers.lend(started)
    assert third is not second, "one that has ended is not lent"
    assert (workers.close(), workers.close(), len(workers)) == (1, 0, 0)
    assert is_gone(third)
    with pytest.raises(ResourcesFreedError):
        workers.lend(started)


@pytest.mark.parametrize(("cancel", "error"), [(False, ResourcesFreedError), (True, OcrCancelledError)])
def test_one_that_starts_while_all_are_ended_is_ended_too(*, cancel: bool, error: type[Exception]) -> None:
    workers, made = Workers(), list[Worker]()

    def start() -> Worker:
        workers.close(cancel=cancel)
        made.append(started())
        return made[0]

    with pytest.raises(error):
        workers.lend(start)
    assert is_gone(made[0])
    late = started()
    workers.take_back(late)
    assert is_gone(late)


# --- forks --------------------------------------------------------------------------------------------------------


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_forked_child_has_nothing_of_it_and_its_parent_goes_on(worker: Worker) -> None:
    worker.wait_until_ready()
    handles = worker._input.fileno(), worker._output.fileno()

    def ask() -> None:
        with pytest.raises(WorkerLostError):
            worker.ask({"do": "sleep"})

    busy = threading.Thread(target=ask)
    busy.start()
    child = os.fork()
    if child == 0:
        status = 9
        try:
            open_ones = [handle for handle in handles if Path(f"/dev/fd/{handle}").exists()]
            worker.kill()
            worker.end()
            status = 0 if not open_ones and not worker.is_usable and not _start._alive else 1
        finally:
            os._exit(status)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert worker.is_usable
    worker.kill()
    busy.join()


def test_a_fork_does_not_wait_for_ever() -> None:
    held, over = threading.Event(), threading.Event()

    def hang() -> None:
        held.set()
        over.wait()

    thread = threading.Thread(target=_forks.in_one_piece, args=[hang])
    thread.start()
    held.wait()
    try:
        assert not _core.begin_fork(0.01)
    finally:
        over.set()
        thread.join()
    assert _core.begin_fork(0)
    _core.end_fork()
