"""The other side of :mod:`._reading`: an engine of the core's, in a process of its own. Imported there alone."""

import _thread
import mmap
import os
import queue
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, cast

from .. import _core
from .._workers._wire import Data, Header
from ..exceptions import OutOfMemoryError
from ._errors import header_of_error
from ._raw_pages import packed_page

if TYPE_CHECKING:
    # A class that only type checkers know.
    from sys import UnraisableHookArgs

    from .._core import _Sources

_OOM_SCORE = 300
"""Of 1000, more than the other process has: where the system has no memory left, it ends this one rather than that."""


_NO_ANSWER = 70
"""The exit status of a process that could not answer, for want of memory most likely."""


_LONGEST_BEGIN = 10.0
"""Seconds in which a thread begins with its request, also where the machine has much to do."""


class RaisedThereError(Exception):
    """The answer to a question was an exception, which the other process has."""


class _Task:
    """A request that is being worked on."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.taken, self.begun, self.answered = threading.Event(), threading.Event(), threading.Event()
        self.replies: queue.SimpleQueue[Header] = queue.SimpleQueue()
        self.stop = _core.Stop()
        self.reading: _core.Reading | None = None
        self.is_last = self._is_cancelled = False

    def cancel(self) -> None:
        self._is_cancelled = True
        self.stop.cancel()
        if self.reading is not None:
            self.reading.cancel()

    def take(self, reading: _core.Reading) -> None:
        """Note what reads. Of this and :meth:`cancel`, at least one sees the other."""
        self.reading = reading
        if self._is_cancelled:
            reading.cancel()


class _Host:
    """Passes the core's questions on to the process that the engine is for."""

    def __init__(self, send: Callable[[Header, Data], None]) -> None:
        self._send = send
        self._asking = threading.local()

    @contextmanager
    def asking_for(self, task: _Task) -> Iterator[None]:
        """Ask in the name of a task, from this thread."""
        self._asking.task = task
        try:
            yield
        finally:
            del self._asking.task

    def library(self) -> str:
        # ONNX Runtime's telemetry starts with its library, whatever the other process has in its environment.
        os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
        return str(self._ask("library"))

    def make_ready(self, provider: str) -> list[str]:
        library = _core.runtime_path()
        if provider != "cuda" or library is None:
            return []
        from .._engine._nvidia import open_libraries

        folders = cast("list[str]", self._ask("nvidia_folders"))
        return open_libraries(Path(library), [Path(folder) for folder in folders])

    def sources(self) -> "_Sources":
        mirror, packages, offline = cast("tuple[str | None, list[object], bool]", self._ask("sources"))
        return cast("_Sources", (mirror, tuple(packages), offline))

    def arrived(self, name: str, source: str, done: int, total: int | None, trouble: tuple[str, bool] | None) -> None:
        self._ask("arrived", name, source, done, total, trouble)

    def warn(self, message: str) -> None:
        self._ask("warn", message)

    def loaded(self, provider: str, seconds: float) -> None:
        self._ask("loaded", provider, seconds)

    def _ask(self, question: str, *values: object) -> object:
        task: _Task = self._asking.task
        self._send({"id": task.number, "what": "question", "question": question, "values": values}, b"")
        reply = task.replies.get()
        if reply.get("raised"):
            raise RaisedThereError
        return reply["value"]


class Service:
    """Answers the requests of :mod:`._exchange`, each in a thread of its own."""

    def __init__(self) -> None:
        self._engine: _core.Engine | None = None
        self._making = threading.Lock()
        self._loads = 0
        self._last_rules: tuple[list[object], _core.Rules | None] | None = None
        self._tasks: dict[int, _Task] = {}

    def run(self, receive: Callable[[], tuple[Header, Data]], send: Callable[[Header, Data], None]) -> None:
        self._send, self._host = send, _Host(send)
        works = {"load": self._load, "read": self._read, "free": self._free}
        while True:
            header, data = receive()
            number = cast("int", header["id"])
            task = self._tasks.get(number)
            if work := works.get(str(header["do"])):
                task = self._tasks[number] = _Task(number)
                self._begin(task, work, header, data)
            elif task is not None and header["do"] == "cancel":
                task.cancel()
            elif task is not None:
                task.replies.put(header)
            del data

    def _begin(
        self, task: _Task, work: Callable[[_Task, Header, Data], tuple[Header, Data]], header: Header, data: Data
    ) -> None:
        """Begin with a request. Python's own threads wait without end for one that has no memory to begin with."""
        try:
            _thread.start_new_thread(self._answer, (work, task, header, data))
        except (RuntimeError, MemoryError):
            hint = "give it more memory, or let it have more threads"
            self._fail(task, OutOfMemoryError("the engine's process got no thread", hint))
            return
        if not task.taken.wait(_LONGEST_BEGIN):
            os._exit(_NO_ANSWER)

    def _answer(
        self, work: Callable[[_Task, Header, Data], tuple[Header, Data]], task: _Task, header: Header, data: Data
    ) -> None:
        task.taken.set()
        try:
            answer, content = work(task, header, data)
            del self._tasks[task.number]
            self._send({"id": task.number, **answer}, content)
        except BaseException as error:
            self._fail(task, error)
        finally:
            task.begun.set()
            task.answered.set()

    def _fail(self, task: _Task, error: BaseException) -> None:
        try:
            self._tasks.pop(task.number, None)
            if isinstance(error, RaisedThereError):
                self._send({"id": task.number, "what": "raised"}, b"")
            else:
                self._send({"id": task.number, "what": "error", **header_of_error(error)}, b"")
        except BaseException:
            os._exit(_NO_ANSWER)  # whoever waits for it would wait for ever

    def _load(self, task: _Task, header: Header, _data: Data) -> tuple[Header, Data]:
        with self._making:
            if self._engine is None:
                self._engine = _made(cast("dict[str, object]", header["settings"]), self._host)
            self._loads += 1
        task.begun.set()
        # Names of files are meant from where the other process is.
        with suppress(OSError):
            os.chdir(str(header["folder"]))
        try:
            with self._host.asking_for(task):
                self._engine.load(timeout=None, stop=task.stop)
        finally:
            with self._making:
                self._loads -= 1
                if self._loads == 0:
                    os.chdir(os.sep)  # no folder that somebody may want to remove
        return {"what": "loaded", "provider": self._engine.provider}, b""

    def _read(self, task: _Task, header: Header, data: Data) -> tuple[Header, Data]:
        assert self._engine is not None
        least, characters, given = cast("tuple[float, bool, list[object] | None]", header["options"])
        reading = _begun(self._engine, header, data, (least, characters, self._rules_of(given)))
        del data
        task.take(reading)
        task.begun.set()
        self._send({"id": task.number, "what": "begun"}, b"")
        page = packed_page(reading.wait(None))
        return {"what": "page"}, page

    def _rules_of(self, given: list[object] | None) -> _core.Rules | None:
        """Return rules, made anew only where those of the last picture were others."""
        if given is None:
            return None
        last = self._last_rules
        if last is None or last[0] != given:
            last = self._last_rules = given, _core.Rules.of(*given)  # type: ignore[arg-type]
        return last[1]

    def _free(self, task: _Task, header: Header, _data: Data) -> tuple[Header, Data]:
        task.is_last = True
        is_cancelling = header["cancel"] is True
        before = [other for other in list(self._tasks.values()) if other.number < task.number and not other.is_last]
        # They are in the engine's hands then, which decides what becomes of them.
        for other in before:
            other.begun.wait(0.1 if is_cancelling else None)
        if self._engine is None:
            report: object = (True, 0, 0, 0, 0, None, None, 0.0)
        elif header["closing"] is True:
            report = self._engine.free(cancel=is_cancelling, timeout=None, trim=False)
        else:
            report = self._engine.unload()
        for other in before:  # the process ends when this has its answer
            other.answered.wait()
        return {"what": "freed", "report": report}, b""


def _made(settings: dict[str, object], host: _Host) -> _core.Engine:
    """Return the engine; the memory of this process is bounded from here on."""
    memory = settings.pop("max_memory")
    if memory is not None and sys.platform == "linux":
        import resource

        _, hard = resource.getrlimit(resource.RLIMIT_DATA)
        bound = cast("int", memory) if hard == resource.RLIM_INFINITY else min(cast("int", memory), hard)
        resource.setrlimit(resource.RLIMIT_DATA, (bound, bound))
    store = _core.Store(str(settings.pop("directory")))
    models = {role: tuple(choice) for role, choice in cast("dict[str, list[object]]", settings.pop("models")).items()}
    return _core.Engine(store=store, models=models, host=host, **settings)  # type: ignore[arg-type]


def _begun(
    engine: _core.Engine, header: Header, data: Data, options: "tuple[float, bool, _core.Rules | None]"
) -> _core.Reading:
    """Begin to read a picture."""
    if "path" in header and "index" in header:
        frames = _core.Frames.of_file(str(header["path"]))
        return engine.begin_frame(frames, cast("int", header["index"]), options)
    if "path" in header:
        return engine.begin_file(str(header["path"]), options)
    with _content(header, data) as content:
        if "index" in header:
            frames = _core.Frames.of_bytes(bytes(content))
            return engine.begin_frame(frames, cast("int", header["index"]), options)
        if "size" in header:
            width, height = cast("tuple[int, int]", header["size"])
            channels = cast("int", header["channels"])
            return engine.begin_pixels(content, (width, height), channels, options)  # type: ignore[arg-type]
        return engine.begin_encoded(bytes(content), options)


@contextmanager
def _content(header: Header, data: Data) -> Iterator[memoryview]:
    """Give the bytes of a picture, which came through the pipe or lie in the arena."""
    if "place" not in header:
        yield memoryview(data)
        return
    descriptor, kept, start, length = cast("tuple[int, int, int, int]", header["place"])
    if start + length <= kept:
        with memoryview(_kept(descriptor, kept)) as whole, whole[start : start + length] as part:
            yield part
        return
    with (
        mmap.mmap(descriptor, length, mmap.MAP_SHARED, mmap.PROT_READ, offset=start) as shared,
        memoryview(shared) as whole,
    ):
        yield whole


@cache
def _kept(descriptor: int, length: int) -> mmap.mmap:
    """Return the part of the arena that stays. Its pages are known to this process from the second picture on."""
    return mmap.mmap(descriptor, length, mmap.MAP_SHARED, mmap.PROT_READ)


def _end_without_memory(ended: "UnraisableHookArgs | threading.ExceptHookArgs") -> None:
    """End the process where a thread of it had no memory to begin with, whose work nobody does."""
    if issubclass(ended.exc_type, MemoryError):
        os._exit(_NO_ANSWER)


def _begin() -> None:
    """See to it that a crash leaves no file, and that it is this process that the system ends.

    A thread that ends without a word ends all: who waits for what it was to do would wait for ever.
    """
    threading.excepthook = sys.unraisablehook = _end_without_memory
    if sys.platform != "win32":
        import resource

        with suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_CORE, (0, resource.getrlimit(resource.RLIMIT_CORE)[1]))
    if sys.platform == "linux":
        score = Path("/proc/self/oom_score_adj")
        with suppress(OSError, ValueError):
            score.write_text(str(min(1000, int(score.read_text()) + _OOM_SCORE)), encoding="ascii")


_begin()
handler = Service()
