"""Processes that do what could hang, crash or take all memory, and that can be ended at any moment.

A worker is a fresh interpreter, never a fork: it has none of the parent's threads, locks, descriptors or modules. It is
asked through a pipe of its own, one request at a time. It ends with its parent, whatever it is working on.
"""

import os
import select
import subprocess
import sys
import sysconfig
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from io import FileIO
from pathlib import Path
from typing import NamedTuple, cast

from .._engine import _exit
from .._engine._forks import in_one_piece
from ..exceptions import RuntimeUnavailableError
from ._wire import LENGTHS, MOST_HEADER, Data, Header, header_of, packed

_BOOT = """\
import sys
home, module = sys.argv[1:3]
sys.path += sys.argv[3:]
for name in ("ferrocr", module.rpartition(".")[0]):
    if name:
        package = sys.modules[name] = type(sys)(name)
        package.__path__ = [home + name.removeprefix("ferrocr").replace(".", "/")]
from ferrocr._workers._process import serve
serve(module)
"""
"""Makes ferrocr and the handler's package without their own imports, which take longer than all else in a worker."""

_LONGEST_START = 60.0
"""Seconds until a new worker has to be ready; 0.15 on an idle machine, with 12 processes waiting for two cores 0.3."""

_PIPE = 2**18
"""Bytes that answers may be ahead of their reader. With it, the picture of an A4 page at 200 dpi came over in 7.2 ms of
processor time on both sides; in 9.1 with 2**16, what Linux gives, and in 8.1 with 2**20."""

_LONGEST_END = 5.0
"""Seconds that the system is given to do away with a process that was killed."""

_alive: "dict[int, Worker]" = {}


_HINT = (
    "it is Python started once more: see that processes may be started here; where Python is part of another program, "
    "name an interpreter with multiprocessing.set_executable()"
)


class Answer(NamedTuple):
    """An answer of a worker."""

    header: Header
    data: bytearray


class WorkerLostError(Exception):
    """A worker has no answer to a request and never will; it is gone.

    Attributes:
        is_late: It was ended, because it had the time that it was given.
        status: Its exit status, negative for the signal that ended it; None where it is not known.
    """

    def __init__(self, *, is_late: bool, status: int | None) -> None:
        super().__init__("timed out" if is_late else described(status))
        self.is_late, self.status = is_late, status


class WorkerProblemError(Exception):
    """A worker cannot do what it was made for, such as when a library is missing. It is gone."""


class Worker:
    """A process that answers requests.

    Args:
        module: The module whose ``handler`` answers them.
        folders: Folders with modules that are neither ferrocr's nor Python's.
        purpose: Its purpose, for error messages.

    Raises:
        RuntimeUnavailableError: No process can be started.
        ResourcesFreedError: The interpreter is ending.
    """

    def __init__(self, module: str, folders: Sequence[str], purpose: str) -> None:
        self._purpose = purpose
        # One that a signal's handler may take once more, to end what it has interrupted.
        self._asking = threading.RLock()
        self._is_ready = self._is_ended = self._was_killed = False
        self._owner = os.getpid(), _user()
        in_one_piece(lambda: self._start([interpreter(purpose), *_options(), "-c", _BOOT, _home(), module, *folders]))

    @property
    def pid(self) -> int:
        """Its process."""
        return self._process.pid

    @property
    def is_usable(self) -> bool:
        """True if it can be asked, by this process and this user."""
        return not self._is_ended and self._owner == (os.getpid(), _user()) and self._process.poll() is None

    def wait_until_ready(self) -> None:
        """Wait until it has started. :meth:`ask` does so too.

        Raises:
            WorkerLostError: It was ended meanwhile.
            WorkerProblemError: It cannot do what it was made for.
            RuntimeUnavailableError: It did not start.
        """
        if not self._is_ready:
            with self._asking, self._guarded():
                self._greet()

    def ask(self, header: Header, data: Data = b"", *, seconds: float | None = None, most: int = 0) -> Answer:
        """Send a request and wait for the answer.

        Args:
            header: The request.
            data: Bytes that belong to it.
            seconds: Time that it may take; None for as long as it needs. The start of the process does not count.
            most: The most bytes that an answer may have.

        Raises:
            WorkerLostError: There is no answer: the time was over, it crashed, or it was ended meanwhile.
            WorkerProblemError: It cannot do what it was made for.
            RuntimeUnavailableError: It did not start.
        """
        self.wait_until_ready()
        with self._asking, self._guarded():
            return self._exchange(header, data, _until(seconds), most)

    def kill(self) -> None:
        """End it at once, from any thread; who waits for an answer is told. :meth:`end` gives the rest back."""
        self._was_killed = True
        if self._owner[0] == os.getpid():
            with suppress(OSError):  # it may be another user's by now
                self._process.kill()

    def end(self) -> None:
        """End it, and wait until nothing of it is left. May be called again, and from any thread."""
        self.kill()
        if self._owner[0] == os.getpid() and self._asking.acquire(timeout=_LONGEST_END):
            try:
                self._finish()
            finally:
                self._asking.release()

    def _start(self, command: list[str]) -> None:
        _exit.check()
        try:
            self._process = subprocess.Popen(
                command,
                bufsize=0,  # no locks that a forked child could find taken
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                cwd=Path(os.sep).absolute(),  # no folder that somebody may want to remove
                # Ctrl-C is for the parent, which ends its workers itself.
                start_new_session=True,
                creationflags=_flags(),
            )
        except OSError as error:
            message = f"{self._purpose} needs a process of its own, and {command[0]} cannot be started: {error}"
            raise RuntimeUnavailableError(message, _HINT) from error
        # Not buffered, they are files as the system knows them.
        self._input, self._output = cast("FileIO", self._process.stdin), cast("FileIO", self._process.stdout)
        _alive[id(self)] = self
        if sys.platform != "win32":
            for pipe in (self._input, self._output):
                os.set_blocking(pipe.fileno(), False)
            _widen(self._output)

    @contextmanager
    def _guarded(self) -> Iterator[None]:
        """End it where its answer does not come, or is not waited for any more: it would be taken for the next one."""
        try:
            if self._is_ended or self._owner[0] != os.getpid():
                raise EOFError
            yield
        except (OSError, EOFError, ValueError) as error:  # ValueError: what came is no answer
            lost = WorkerLostError(is_late=isinstance(error, TimeoutError), status=self._finish())
            raise lost from None
        except BaseException:
            self._finish()
            raise

    def _greet(self) -> None:
        """Wait until it is ready."""
        if self._is_ready:
            return
        try:
            greeting = self._receive(_until(_LONGEST_START), 0).header
        except (OSError, EOFError, ValueError) as error:
            if self._was_killed:
                raise
            how = f"was not ready after {_LONGEST_START:g} s"
            if not isinstance(error, TimeoutError):
                how = f"ended {described(self._finish())}"
            message = f"{self._purpose} needs a process of its own, and the one that was started {how}"
            raise RuntimeUnavailableError(message, _HINT) from error
        if "problem" in greeting:
            raise WorkerProblemError(str(greeting["problem"]))
        self._is_ready = True

    def _exchange(self, header: Header, data: Data, until: float | None, most: int) -> Answer:
        for part in (packed(header, data), data):
            left = memoryview(part).cast("B")
            while left:
                _await(self._input, until, is_output=True)
                left = left[self._input.write(left) or 0 :]
        return self._receive(until, most)

    def _receive(self, until: float | None, most: int) -> Answer:
        header_length, length = LENGTHS.unpack(self._exactly(LENGTHS.size, until))
        # A worker may be in the hands of what it reads, so nothing that it says is taken on trust.
        if header_length > MOST_HEADER or length > most:
            message = "the answer is too long"
            raise ValueError(message)
        return Answer(header_of(self._exactly(header_length, until)), self._exactly(length, until))

    def _exactly(self, length: int, until: float | None) -> bytearray:
        data = bytearray(length)
        left = memoryview(data)
        while left:
            _await(self._output, until)
            count = self._output.readinto(left)
            if count == 0:
                raise EOFError
            left = left[count or 0 :]
        return data

    def _finish(self) -> int | None:
        """End it and give its pipes back; its exit status. For whoever asks it."""
        self.kill()
        if self._is_ended or self._owner[0] != os.getpid():
            return None
        self._is_ended = True
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(_LONGEST_END)
        self._close()
        _alive.pop(id(self), None)
        return self._process.returncode

    def _close(self) -> None:
        self._input.close()
        self._output.close()

    def _forget(self) -> None:
        """Let go of a parent's worker, in a forked child. No lock may be waited for here."""
        self._is_ended = True
        self._process.returncode = 0  # otherwise its end as an object warns of a process that goes on
        self._close()


def described(status: int | None) -> str:
    """Return in words how a process ended."""
    if status is None:
        return "in an unknown way"
    if status >= 0:
        return f"with status {status}"
    import signal

    with suppress(ValueError):
        return f"with {signal.Signals(-status).name}"
    return f"with signal {-status}"


def interpreter(purpose: str) -> str:
    """Return the interpreter that workers run in.

    ``sys.executable`` may be another program that has Python in it, and starting that once more would be wrong.

    Raises:
        RuntimeUnavailableError: None is known.
    """
    spawn = sys.modules.get("multiprocessing.spawn")
    named = spawn.get_executable() if spawn is not None else None
    own = os.fsdecode(named or sys.executable or "")
    is_frozen = bool(getattr(sys, "frozen", False)) and own == sys.executable
    if own and not is_frozen and (own != sys.executable or "py" in Path(own).name.lower()):
        return own
    version = sysconfig.get_config_var("VERSION") or ""
    for prefix in (sys.prefix, sys.base_prefix) if not is_frozen else ():
        for name in (f"bin/python{version}", "bin/python3", "python.exe"):
            if Path(prefix, name).is_file():
                return str(Path(prefix, name))
    where = own or "another program"
    message = f"{purpose} needs a process of its own, and no interpreter is known for it: this one runs in {where}"
    raise RuntimeUnavailableError(message, _HINT)


def _options() -> list[str]:
    """Keep out the environment, the user's packages and the current folder: none is needed, and none is trusted."""
    options = ["-I", "-S", "-X", "utf8"]
    if sys.dont_write_bytecode:
        options.append("-B")
    if sys.pycache_prefix:
        options += ["-X", f"pycache_prefix={sys.pycache_prefix}"]
    return options


def _home() -> str:
    return str(Path(__file__).parent.parent.absolute())


def _flags() -> int:
    if sys.platform == "win32":
        return subprocess.CREATE_NEW_PROCESS_GROUP | subprocess.CREATE_NO_WINDOW
    return 0


def _widen(pipe: FileIO) -> None:
    if sys.platform == "linux":
        import fcntl

        with suppress(OSError):  # a user may have so many pipes that none becomes wider
            fcntl.fcntl(pipe, fcntl.F_SETPIPE_SZ, _PIPE)


def _user() -> int:
    return os.geteuid() if hasattr(os, "geteuid") else 0


def _until(seconds: float | None) -> float | None:
    return None if seconds is None else time.monotonic() + seconds


def _await(pipe: FileIO, until: float | None, *, is_output: bool = False) -> None:
    """Wait until something can be read or written.

    Raises:
        TimeoutError: It is too late.
    """
    left = None if until is None else max(0.0, until - time.monotonic())
    if sys.platform == "win32":
        if not is_output:
            _await_pipe(pipe, until)
        return
    waiting = select.poll()
    waiting.register(pipe.fileno(), select.POLLOUT if is_output else select.POLLIN)
    if not waiting.poll(None if left is None else min(left * 1000, 1e9)):
        raise TimeoutError


def _await_pipe(pipe: FileIO, until: float | None) -> None:
    """Wait in the same way on Windows, where a pipe can be looked at and not be waited for."""
    if sys.platform == "win32":
        import _winapi
        import msvcrt

        pause = 0.0005
        while not _winapi.PeekNamedPipe(msvcrt.get_osfhandle(pipe.fileno()), 0)[0]:
            if until is not None and time.monotonic() >= until:
                raise TimeoutError
            time.sleep(pause)
            pause = min(2 * pause, 0.01)


def _end_all() -> None:
    workers = list(_alive.values())
    for worker in workers:
        worker.kill()
    for worker in workers:
        worker.end()


def _forget_all() -> None:
    for worker in list(_alive.values()):
        worker._forget()
    _alive.clear()


_exit.at_exit(_end_all)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_all)
