"""Loading models and reading pictures in a process of an isolated engine."""

import os
import time
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple, Protocol, cast

from .. import _core
from .._engine._call import Call
from .._workers._start import Answer, WorkerLostError
from .._workers._wire import Header
from ..exceptions import (
    OcrCancelledError,
    OcrError,
    OcrTimeoutError,
    ResourcesFreedError,
    RuntimeUnavailableError,
)
from ._exchange import Exchange, Late, freed
from ._exchange import Owner as ExchangeOwner
from ._raw_pages import page_of
from ._tally import Tally

if TYPE_CHECKING:
    from .._core import _RawPage
    from ._process import EngineProcess

_LONGEST_BEGIN = 30.0
"""Seconds until a process has a picture that is read ahead, which no timeout counts for yet: it reads a file."""

_LONGEST_LOAD = 150.0
"""Seconds that a load may take without a word. The core ends one after two minutes, but for downloads, which tell of
themselves."""

_FOREVER = float("inf")


class Owner(ExchangeOwner, Protocol):
    """The engine as a reading sees it."""

    counters: _core.Counters

    def choose(self, until: float, late: Late) -> "EngineProcess":
        """Return the process that has the fewest calls."""

    def admit(self, process: "EngineProcess", call: object, ask: Callable[[], object]) -> bool:
        """Send a request to a process, and count its call; False for a process that takes none any more."""

    def load_in(self, process: "EngineProcess", until: float, late: Late, begun: "Callable[[Load], object]") -> None:
        """Load its models, unless they are there."""

    def answer(self, question: str, values: list[object]) -> object:
        """Answer what a load wants to know."""


class Load(Exchange):
    """The load of a process's models.

    Args:
        owner: The engine.
    """

    lasts = frozenset({"loaded", "error", "raised"})
    others = frozenset({"question"})

    def __init__(self, owner: Owner) -> None:
        super().__init__(owner, "loaded models")
        self._asked, self._raised = owner, cast("BaseException | None", None)

    def start(self, process: "EngineProcess", settings: Header) -> bool:
        """Have a process begin with it; False if it takes no calls any more.

        Args:
            process: The process.
            settings: The options of its engine.
        """
        folder = os.sep
        with suppress(OSError):
            folder = os.getcwd()  # noqa: PTH109  # a text
        header: Header = {"do": "load", "settings": settings, "folder": encoded(folder)}
        return self._asked.admit(process, self, lambda: self._ask(process, header))

    def wait(self, until: float, late: Late) -> str | None:
        """Wait for its end, and answer its questions meanwhile; return the provider.

        Raises:
            OcrError: As :meth:`ferrocr.OcrEngine.load`.
        """
        try:
            while True:
                longest = time.monotonic() + _LONGEST_LOAD
                answer = self._answer(min(until, longest), late if until <= longest else _late_load).header
                if answer["what"] == "question":
                    self._reply(answer)
                elif answer["what"] == "raised":
                    raise self._raised or OcrError("a callback of the load that was waited for has failed")
                else:
                    provider = answer.get("provider")
                    return None if provider is None else str(provider)
        except WorkerLostError as lost:
            raise self._crash(lost) from None
        except BaseException:
            self.end()
            raise

    def _reply(self, header: Header) -> None:
        reply: Header
        try:
            reply = {"value": self._asked.answer(str(header["question"]), cast("list[object]", header["values"]))}
        except BaseException as error:
            self._raised, reply = error, {"raised": True}
        assert self._process is not None
        self._process.send({"do": "reply", "id": self._number, **reply})


class Request(NamedTuple):
    """A picture that is to be read."""

    header: Header
    data: memoryview | None = None
    """Its bytes, if it is no file."""
    is_lasting: bool = True
    """True where the bytes stay as they are until the page is there."""
    path: str | None = None
    """The file, for its process."""
    name: str | None = None
    """The file, for people."""


class Reading(Exchange):
    """A picture that is being read.

    It is read once more where its process was lost for another call's sake, or before it had the picture.

    Args:
        owner: The engine.
        request: The picture.
        options: The options of the call.
    """

    lasts = frozenset({"page", "error"})
    others = frozenset({"begun"})

    def __init__(self, owner: Owner, request: Request, options: "_core._ReadOptions") -> None:
        super().__init__(owner, f"read {request.name or 'a picture'}")
        self._from, self._request, self._options = owner, cast("Request | None", request), options
        self._load: Load | None = None
        self._is_repeated = False
        self.source = request.name
        if request.path is not None and request.name is not None:
            self.names = _core.path_text(decoded(request.path)), request.name
        self._identity = self._identity_now()
        self._tally = Tally(owner.counters)
        self._tally.took(self._size())

    def start(self, until: float = _FOREVER, late: Late | None = None) -> None:
        """Have a process begin with it.

        Raises:
            OcrError: As :meth:`ferrocr.OcrEngine.load`, where the process has no models yet.
        """
        request = self._request
        assert request is not None
        try:
            while not self._start_somewhere(request, until, late or _late_begin):
                pass
        except BaseException as error:
            self._tally.failed(error)
            raise

    def _start_somewhere(self, request: Request, until: float, late: Late) -> bool:
        process = self._from.choose(until, late)
        self._from.load_in(process, until, late, self._take_load)
        return self._start_in(process, request)

    def _start_in(self, process: "EngineProcess", request: Request) -> bool:
        least, characters, rules = self._options
        options = least, characters, None if rules is None else rules.given
        header: Header = {"do": "read", "options": options, **request.header}
        if request.path is not None:
            header["path"] = request.path
        data: memoryview | bytes = b"" if request.data is None else request.data
        if request.data is not None and (place := process.put(self, request.data)) is not None:
            header["place"], data = place, b""
        is_begun = self._from.admit(process, self, lambda: self._ask(process, header, data))
        if not is_begun:
            process.give_back(self)
        return is_begun

    def wait_for_begin(self) -> None:
        """Wait until its process has the picture.

        Raises:
            OcrError: As :meth:`wait`.
        """
        until = time.monotonic() + _LONGEST_BEGIN
        try:
            while True:
                try:
                    self._answer(until, _late_begin)  # no page comes before
                    break
                except WorkerLostError as lost:
                    self._start_again(lost, until, _late_begin)
        except BaseException as error:
            self._tally.failed(error)
            self.end()
            raise
        if self._request is not None and not self._request.is_lasting:
            self._request = None

    def wait(self, timeout: float | None) -> "_RawPage":
        """Wait for the page; after `timeout` seconds it is ended early.

        Raises:
            OcrError: As :meth:`ferrocr.OcrEngine.recognize`.
        """
        call = Call(timeout)
        until = _FOREVER if timeout is None else time.monotonic() + timeout
        try:
            while True:
                try:
                    answer = self._answer(until, call.timed_out)
                except WorkerLostError as lost:
                    self._start_again(lost, until, call.timed_out)
                    continue
                if answer.header["what"] == "page":
                    page = self._page(answer.data)
                    self._tally.read(page[-1])
                    return page
        except BaseException as error:
            self._tally.failed(error)
            self.end()
            raise
        finally:
            self._request = None

    def receive(self, answer: Answer) -> bool:
        """Take an answer; return True if it is the last one."""
        is_last = super().receive(answer)
        self._tally.begun()
        if (self._is_begun or is_last) and self._process is not None:
            self._process.give_back(self)
        return is_last

    def _checked(self, answer: Answer) -> Answer:
        try:
            return super()._checked(answer)
        except ResourcesFreedError:  # it was in flight before the release, if not in the process's eyes
            raise freed() from None

    def cancel(self) -> None:
        """End it early, without waiting for that."""
        super().cancel()
        if self._load is not None:
            self._load.cancel()

    def end(self) -> None:
        """End it early, and wait until nothing of it runs any more."""
        super().end()
        self._tally.failed(OcrCancelledError())

    def __del__(self) -> None:
        if (tally := vars(self).get("_tally")) is not None:
            tally.failed(OcrCancelledError())
        if not self._is_over and self._process is not None:
            self.cancel()

    def _take_load(self, load: Load) -> None:
        self._load = load
        if self._reason is not None:
            load.cancel()

    def _start_again(self, lost: WorkerLostError, until: float, late: Late) -> None:
        """Give it to another process, if that is right."""
        is_innocent = not self._is_begun or (self._process is not None and self._process.culprit is not None)
        is_same = self._request is not None and self._identity == self._identity_now()
        if self._is_repeated or not is_innocent or not is_same:
            raise self._crash(lost)
        self._is_repeated = True
        self.start(until, late)

    def _size(self) -> int:
        """Return the bytes of the picture, as the core counts them."""
        assert self._request is not None
        header, data = self._request.header, self._request.data
        if "index" in header:
            return 0
        if "size" in header:
            width, height = cast("tuple[int, int]", header["size"])
            return 3 * width * height
        if data is not None:
            return data.nbytes
        return 0 if self._identity is None else self._identity[2]

    def _identity_now(self) -> tuple[int, ...] | None:
        """Return what tells a file from another one of its name."""
        if self._request is None or self._request.path is None:
            return None
        try:
            found = os.stat(decoded(self._request.path))  # noqa: PTH116  # a text
        except (OSError, ValueError):
            return None
        return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns

    def _page(self, data: bytearray) -> "_RawPage":
        try:
            return page_of(data)
        except ValueError:
            assert self._process is not None
            self._process.has_crashed = True
            self._process.end()
            raise self._crash(WorkerLostError(is_late=False, status=None)) from None


def _late_load() -> OcrError:
    message = f"the engine's process did not load the models within {_LONGEST_LOAD:g} s"
    return RuntimeUnavailableError(message)


def _late_begin() -> OcrError:
    message = f"the engine's process did not take the picture within {_LONGEST_BEGIN:g} s"
    return OcrTimeoutError(message)


def encoded(path: str) -> str:
    """Return a path for a process whose names are UTF-8, whatever they are here."""
    return path if os.name == "nt" else os.fsencode(path).decode("utf-8", "surrogateescape")


def decoded(path: str) -> str:
    """Return a path as :func:`encoded` got it."""
    return path if os.name == "nt" else os.fsdecode(path.encode("utf-8", "surrogateescape"))
