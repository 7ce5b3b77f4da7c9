"""Starting and ending the interpreters that workers run in.

Each is a fresh one, never a fork: it has none of the parent's threads, locks, descriptors or modules. It is reached
through pipes of its own. It ends with its parent, whatever it is working on.
"""

import os
import select
import subprocess
import sys
import sysconfig
import time
from collections.abc import Sequence
from contextlib import suppress
from io import FileIO
from pathlib import Path
from typing import NamedTuple, cast

from .._engine import _exit
from .._engine._forks import in_one_piece
from ..exceptions import RuntimeUnavailableError
from ._wire import Header

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

_PIPE = 2**18
"""Bytes that answers may be ahead of their reader. With it, the picture of an A4 page at 200 dpi came over in 7.2 ms of
processor time on both sides; in 9.1 with 2**16, what Linux gives, and in 8.1 with 2**20."""

LONGEST_START = 60.0
"""Seconds until a new worker has to be ready; 0.15 on an idle machine, with 12 processes waiting for two cores 0.3."""

LONGEST_END = 5.0
"""Seconds that the system is given to do away with a process that was killed."""

_alive: "dict[int, Started]" = {}


HINT = (
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


class Started:
    """A process that was started for work.

    Args:
        module: The module whose ``handler`` does it.
        folders: Folders with modules that are neither ferrocr's nor Python's.
        purpose: Its purpose, for error messages.
        descriptors: Files of this process that it has too, under the same numbers.

    Raises:
        RuntimeUnavailableError: No process can be started.
        ResourcesFreedError: The interpreter is ending.
    """

    def __init__(self, module: str, folders: Sequence[str], purpose: str, descriptors: Sequence[int] = ()) -> None:
        self._purpose = purpose
        self._is_ended = self._was_killed = False
        self._owner = os.getpid(), _user()
        command = [interpreter(purpose), *_options(), "-c", _BOOT, _home(), module, *folders]
        in_one_piece(lambda: self._start(command, descriptors))

    @property
    def pid(self) -> int:
        """Its process."""
        return self._process.pid

    @property
    def is_usable(self) -> bool:
        """True if it can be asked, by this process and this user."""
        return not self._is_ended and self._owner == (os.getpid(), _user()) and self._process.poll() is None

    def kill(self) -> None:
        """End it at once, from any thread; who waits for an answer is told. :meth:`end` gives the rest back."""
        self._was_killed = True
        if self._owner[0] == os.getpid():
            with suppress(OSError):  # it may be another user's by now
                self._process.kill()

    def end(self) -> None:
        """End it, and wait until nothing of it is left. May be called again, and from any thread."""
        raise NotImplementedError

    def _start(self, command: list[str], descriptors: Sequence[int]) -> None:
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
                pass_fds=descriptors,
            )
        except OSError as error:
            message = f"{self._purpose} needs a process of its own, and {command[0]} cannot be started: {error}"
            raise RuntimeUnavailableError(message, HINT) from error
        # Not buffered, they are files as the system knows them.
        self._input, self._output = cast("FileIO", self._process.stdin), cast("FileIO", self._process.stdout)
        _alive[id(self)] = self
        _widen(self._output)

    def _reap(self) -> None:
        """Wait for the end of the process, and give its pipes back."""
        self._is_ended = True
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(LONGEST_END)
        self._close()
        _alive.pop(id(self), None)

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
    raise RuntimeUnavailableError(message, HINT)


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


def end_of(seconds: float | None) -> float | None:
    """Return the time at which so many seconds are over."""
    return None if seconds is None else time.monotonic() + seconds


def await_pipe(pipe: FileIO, until: float | None, *, is_output: bool = False) -> None:
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
