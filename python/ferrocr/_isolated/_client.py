"""The engine that stands in for the core's, where models live in processes of their own."""

import os
import threading
import time
import weakref
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, cast

from .. import _core
from .._engine._call import Call, Stop
from .._engine._cores import Settings
from .._workers._wire import Header
from ..exceptions import InvalidArgumentError
from ._arena import KEPT
from ._exchange import GRACE, Late
from ._pool import Pool, kill_all, sum_of
from ._process import EngineProcess
from ._reading import Load, Reading, Request, encoded
from ._tally import kind_of

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from .._core import _RawPage, _RawStats, _Release
    from .._engine._loading import Loader

_QUESTIONS = frozenset({"library", "nvidia_folders", "sources", "arrived", "warn", "loaded"})

_FOREVER = float("inf")


class IsolatedCore:
    """An engine whose models are in other processes. It has the methods of the core's.

    Args:
        host: Answers questions about models, while they load.
        settings: Options.
        workers: Processes that share the calls.
        max_memory: The most bytes that each may have; None for as many as there are.
        idle_unload: Seconds without a call after which a process ends; None for never.

    Raises:
        InvalidArgumentError: An option is wrong.
    """

    def __init__(
        self, host: "Loader", settings: Settings, *, workers: int, max_memory: int | None, idle_unload: float | None
    ) -> None:
        self.max_memory = max_memory
        # Weakly, as in the core: what it calls may own the engine, and whoever has this has not forgotten it.
        self._host = weakref.ref(host)
        self._workers, self._idle = workers, idle_unload
        # It checks what can be checked here, and is never loaded.
        self._local = _core.Engine(**settings, host=host, idle_unload=None)
        if settings["threads"] is None and workers > 1:
            settings = {**settings, "threads": max(1, self._local.threads // workers)}
            self._local = _core.Engine(**settings, host=host, idle_unload=None)
        self._settings = settings
        self._kept = 0 if settings["low_memory"] else KEPT
        self.counters = _core.Counters()
        self._here = Pool(workers, idle_unload, self._kept, self.counters, inherited=False)
        self._answering: set[int] = set()
        self._provider: str | None = None
        self._ended = 0
        self._freed_since: float | None = None
        self._had_calls = False
        self._before: int | None = None

    def __del__(self) -> None:
        here: Pool | None = vars(self).get("_here")  # None where the constructor failed
        if here is not None and here.pid == os.getpid():
            for process in here.everyone():
                process.kill_for_release()
                process.end()

    # --- what it is -------------------------------------------------------------------------------------------------

    @property
    def provider(self) -> str | None:
        """The provider of the last load."""
        return self._provider

    @property
    def loaded(self) -> bool:
        """True while a process has models."""
        return any(process.is_loaded and process.is_usable for process in self._pool.running())

    @property
    def closed(self) -> bool:
        """True once a release has begun."""
        return self._local.closed

    @property
    def calls(self) -> int:
        """The calls in flight."""
        return self._pool.calls()

    @property
    def inherited(self) -> bool:
        """True in a forked child that has no process of its own, if its parent has one."""
        return self._pool.inherited

    @property
    def threads(self) -> int:
        """Threads that one call may use."""
        return self._local.threads

    @property
    def ahead(self) -> int:
        """Pictures that are best begun before the one in front of them is done."""
        return self._workers * (self._local.ahead + 1) - 1

    @property
    def processes(self) -> int:
        """The processes that it has given back."""
        return self._ended

    @property
    def pids(self) -> list[int]:
        """The processes that it has."""
        return [process.pid for process in self._pool.everyone()]

    def stats(self) -> "_RawStats":
        """Return what it has done in all processes, and does."""
        return self.counters.stats()

    def check_open(self) -> None:
        """Refuse what comes after a release."""
        self._local.check_open()

    def check_size(self, width: int, height: int) -> None:
        """Refuse a picture's size."""
        self._local.check_size(width, height)

    # --- loading ----------------------------------------------------------------------------------------------------

    def load(self, *, timeout: float | None, stop: "_core.Stop | None") -> None:
        """Load the models in all processes."""
        until = _FOREVER if timeout is None else time.monotonic() + timeout
        late = Call(timeout).timed_out
        take = stop.take_along if isinstance(stop, Stop) else _ignore
        # The first one may have to fetch the models, and tells of it in this thread.
        while not (first := self.choose(until, late)).is_loaded:
            self.load_in(first, until, late, take)
        errors: list[BaseException] = []

        def load(process: EngineProcess) -> None:
            try:
                self.load_in(process, until, late, take)
            except BaseException as error:
                errors.append(error)

        others = [process for process in self._pool.fill(self, self._check_call) if not process.is_loaded]
        threads = [threading.Thread(target=load, args=(process,), daemon=True) for process in others]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        if errors:
            raise errors[0]

    def load_in(self, process: EngineProcess, until: float, late: Late, begun: Callable[[Load], object]) -> None:
        """Load the models in a process, unless they are there or it takes no calls any more."""
        if process.is_loaded:
            return
        load = Load(self)
        begun(load)
        try:
            if load.start(process, self._for_process()):
                self._provider = load.wait(until, late)
                process.is_loaded = True
        except BaseException as error:
            self.counters.loaded(0.0, kind_of(error))
            raise
        finally:
            self._pool.drop(process)

    def answer(self, question: str, values: list[object]) -> object:
        """Answer what a load wants to know."""
        if question not in _QUESTIONS:
            message = f"there is no such question: {question!r}"
            raise ValueError(message)
        thread = threading.get_ident()
        self._answering.add(thread)
        host = self._host()
        if host is None:
            message = "the engine is gone"
            raise RuntimeError(message)
        try:
            if question == "loaded":
                self.counters.loaded(float(cast("float", values[1])))
            return _plain(getattr(host, question)(*values))
        finally:
            self._answering.discard(thread)

    # --- reading ----------------------------------------------------------------------------------------------------

    def recognize_file(
        self,
        path: str | os.PathLike[str],
        options: "_core._ReadOptions",
        timeout: float | None,
        stop: "_core.Stop | None",
    ) -> "_RawPage":
        """Read a file."""
        return self._read(_of_file(path, {}), options, timeout, stop)

    def recognize_encoded(
        self, data: bytes, options: "_core._ReadOptions", timeout: float | None, stop: "_core.Stop | None"
    ) -> "_RawPage":
        """Read an encoded picture."""
        return self._read(Request({}, memoryview(data)), options, timeout, stop)

    def recognize_pixels(
        self,
        data: "npt.NDArray[np.uint8] | bytearray",
        size: tuple[int, int],
        channels: int,
        options: "_core._ReadOptions",
        timeout: float | None,
        stop: "_core.Stop | None",
    ) -> "_RawPage":
        """Read pixels."""
        return self._read(_of_pixels(data, size, channels, is_lasting=True), options, timeout, stop)

    def begin_file(self, path: str | os.PathLike[str], options: "_core._ReadOptions") -> Reading:
        """Begin to read a file in the background. Its content is what it is now."""
        return self._begin(_of_file(path, {}), options)

    def begin_encoded(self, data: bytes, options: "_core._ReadOptions") -> Reading:
        """Begin to read an encoded picture in the background."""
        return self._begin(Request({}, memoryview(data)), options)

    def begin_pixels(
        self,
        data: "npt.NDArray[np.uint8] | bytearray",
        size: tuple[int, int],
        channels: int,
        options: "_core._ReadOptions",
    ) -> Reading:
        """Begin to read pixels in the background."""
        # Those of an array are its owner's, who may change them from here on.
        return self._begin(_of_pixels(data, size, channels, is_lasting=isinstance(data, bytearray)), options)

    def begin_page(self, content: Path | bytes, index: int, options: "_core._ReadOptions") -> Reading:
        """Begin to read a page of a TIFF file in the background."""
        header: Header = {"index": index}
        request = _of_file(content, header) if isinstance(content, Path) else Request(header, memoryview(content))
        return self._begin(request, options)

    # --- giving back ------------------------------------------------------------------------------------------------

    def free(self, *, cancel: bool, timeout: float | None, trim: bool) -> "_Release":
        """End the processes for good."""
        pool, started = self._pool, time.monotonic()
        with pool.changed:
            if self._freed_since is None:
                self._freed_since, self._had_calls, self._before = started, self.calls > 0, self._resident()
            self._local.free(cancel=False, timeout=0.0, trim=trim)
            ending = pool.release_all(self, closing=True, cancel=cancel)
            pool.released += [process for process in ending if process not in pool.released]
            if threading.get_ident() in self._answering:  # the load goes on when its callback returns
                return self._pending(started, 1)
        last, is_over = started + GRACE if cancel else _FOREVER, False
        try:
            is_over = pool.wait(ending, timeout, last)
        finally:
            if cancel and not is_over:  # nobody is there any more who would do it then
                _later(last, partial(kill_all, ending))
        if not is_over:
            return self._pending(started, pool.calls())
        self._ended = len(pool.released)
        return sum_of(pool.released, self._before, time.monotonic() - self._freed_since if self._had_calls else 0.0)

    def unload(self) -> "_Release":
        """End the processes; the next call starts others."""
        self.check_open()
        pool = self._pool
        with pool.changed:
            before, started, had_calls = self._resident(), time.monotonic(), self.calls > 0
            if threading.get_ident() in self._answering:
                return sum_of([], before, 0.0)
            processes = pool.release_all(self, closing=False)
        pool.wait(processes, None)
        self._ended = len(processes)
        return sum_of(processes, before, time.monotonic() - started if had_calls else 0.0)

    # --- for its exchanges ------------------------------------------------------------------------------------------

    def choose(self, until: float, late: Late) -> EngineProcess:
        """Return the process that has the fewest calls."""
        return self._pool.choose(self, self._check_call, until, late)

    def admit(self, process: EngineProcess, call: object, ask: Callable[[], object]) -> bool:
        """Send a request to a process, and count its call; False for a process that takes none any more."""
        return self._pool.admit(process, call, ask)

    def leave(self, process: EngineProcess, call: object) -> None:
        """Note that a process does not have the call any more."""
        self._here.leave(process, call)

    def at_rest(self, process: EngineProcess) -> None:
        """End a process that has had no call for long."""
        changed = self._here.changed
        if changed.acquire(blocking=False):  # else it has a call soon, and rests again later
            try:
                if process.calls == 0:
                    self._here.release(self, process, closing=False)
            finally:
                changed.release()

    @property
    def _pool(self) -> Pool:
        """The processes of this process. No lock of the parent's is taken."""
        here = self._here
        if here.pid != os.getpid():
            self._answering = set()
            here = self._here = Pool(
                self._workers, self._idle, self._kept, self.counters, inherited=bool(here.everyone())
            )
        return here

    def _check_call(self) -> None:
        self.check_open()
        if threading.get_ident() in self._answering:
            message = "this engine is loading its models: `progress` can call neither load nor recognize"
            raise InvalidArgumentError(message, "return from it first: the load goes on then")

    def _read(
        self, request: Request, options: "_core._ReadOptions", timeout: float | None, stop: "_core.Stop | None"
    ) -> "_RawPage":
        until = _FOREVER if timeout is None else time.monotonic() + timeout
        reading = Reading(self, request, options)
        if isinstance(stop, Stop):
            stop.take_along(reading)
        reading.start(until, Call(timeout).timed_out)
        return reading.wait(None if timeout is None else max(0.0, until - time.monotonic()))

    def _begin(self, request: Request, options: "_core._ReadOptions") -> Reading:
        reading = Reading(self, request, options)
        reading.start()
        reading.wait_for_begin()
        return reading

    def _for_process(self) -> Header:
        """Return the options for a process."""
        settings: Header = dict(self._settings)
        settings["directory"] = _located(cast("_core.Store", settings.pop("store")).directory)
        models = self._settings["models"].items()
        settings["models"] = {role: (encoded(os.fspath(path)), may_be_name) for role, (path, may_be_name) in models}
        return {**settings, "idle_unload": None, "max_memory": self.max_memory}

    def _resident(self) -> int | None:
        """Return the memory of this process and of those that it has."""
        sizes = [_core.resident_bytes(), *(process.resident_bytes() for process in self._pool.everyone())]
        return None if sizes[0] is None else sum(size or 0 for size in sizes)

    def _pending(self, started: float, calls: int) -> "_Release":
        return False, max(1, calls), 0, None, 0, None, None, time.monotonic() - started


def _of_file(path: str | os.PathLike[str], header: Header) -> Request:
    return Request(header, path=_located(os.fspath(path)), name=_core.path_text(path))


def _of_pixels(
    data: "npt.NDArray[np.uint8] | bytearray", size: tuple[int, int], channels: int, *, is_lasting: bool
) -> Request:
    return Request({"size": size, "channels": channels}, memoryview(cast("bytearray", data)).cast("B"), is_lasting)


def _located(path: str) -> str:
    """Return a path for a process that is elsewhere: in another folder, and with other files open."""
    if not Path(path).is_absolute():
        try:
            path = os.path.join(os.getcwd(), path)  # noqa: PTH109, PTH118  # Path would take dots away
        except OSError:
            return encoded(path)
    if path.startswith(("/dev/", "/proc/")):
        found = os.path.realpath(path)
        path = found if os.path.exists(found) else path  # noqa: PTH110
    return encoded(path)


def _plain(value: object) -> object:
    """Return an answer in the form that comes over."""
    if isinstance(value, os.PathLike):
        return encoded(os.fspath(cast("os.PathLike[str]", value)))
    return [_plain(one) for one in value] if isinstance(value, list | tuple) else value


def _ignore(_load: object) -> None:
    pass


def _later(moment: float, work: Callable[[], object]) -> None:
    timer = threading.Timer(max(0.0, moment - time.monotonic()), work)
    timer.daemon = True
    timer.start()
