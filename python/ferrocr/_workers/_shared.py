"""Workers that answer many requests at the same time, for as many threads."""

import itertools
import queue
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from subprocess import TimeoutExpired
from typing import Protocol

from ..exceptions import RuntimeUnavailableError
from ._start import (
    HINT,
    LONGEST_END,
    LONGEST_START,
    Answer,
    Started,
    WorkerLostError,
    WorkerProblemError,
    await_pipe,
    end_of,
)
from ._wire import LENGTHS, MOST_HEADER, Data, Header, header_of, packed

_LONGEST_EXIT = 1.0
"""Seconds from the end of a process's answers to its own end; most of it gives memory back."""


class Client(Protocol):
    """Somebody who waits for the answers to a request. Called in a thread that waits for nobody."""

    def receive(self, answer: Answer) -> bool:
        """Take an answer; return True if it is the last one. An error is for one that makes no sense."""

    def lose(self, lost: Exception) -> None:
        """Note that no answer comes any more: `WorkerLostError`, `WorkerProblemError` or `RuntimeUnavailableError`."""


class SharedWorker(Started):
    """A process that answers requests in whatever order.

    A thread writes requests and another one reads answers, so whoever asks holds no lock that a signal's handler or a
    forked child could find taken, and is held up by nobody.

    Args:
        module: The module whose ``handler`` answers them.
        folders: Folders with modules that are neither ferrocr's nor Python's.
        purpose: Its purpose, for error messages.
        most: The most bytes that an answer may have.
        descriptors: Files of this process that it has too, under the same numbers.
        at_end: Called when nothing of it is left.
        idle: Seconds without a request after which `at_rest` is called; None for never.
        at_rest: Called then, again and again.

    Raises:
        RuntimeUnavailableError: No process can be started.
        ResourcesFreedError: The interpreter is ending.
    """

    def __init__(
        self,
        module: str,
        folders: Sequence[str],
        purpose: str,
        most: int,
        *,
        descriptors: Sequence[int] = (),
        at_end: Callable[["SharedWorker"], object],
        idle: float | None = None,
        at_rest: Callable[["SharedWorker"], object],
    ) -> None:
        self._most, self._idle = most, idle
        self._at_end, self._at_rest = at_end, at_rest
        self._numbers = itertools.count(1)
        self._clients: dict[int, Client] = {}
        self._outbox: queue.SimpleQueue[tuple[Header, Data] | None] = queue.SimpleQueue()
        self._rested_at = time.monotonic()
        self._lost: Exception | None = None
        self._is_asked_to_end = False
        self.has_crashed = False
        """True if it ended unasked, or gave an answer that makes no sense."""
        super().__init__(module, folders, purpose, descriptors)
        self._writer = threading.Thread(target=self._write, name="ferrocr-requests", daemon=True)
        self._reader = threading.Thread(target=self._read, name="ferrocr-answers", daemon=True)
        try:
            self._writer.start()
            self._reader.start()
        except RuntimeError as error:
            self.kill()
            self._outbox.put(None)
            self._reap()
            message = f"{purpose} needs a process of its own, and the system gives no thread that waits for it"
            raise RuntimeUnavailableError(message) from error

    def request(self, header: Header, data: Data, client: Client) -> int:
        """Send a request whose answers are for `client`; return its number."""
        number = next(self._numbers)
        self._clients[number] = client
        self.send({**header, "id": number}, data)
        # Of this and the end, at least one sees the other.
        if self._lost is not None and self._clients.pop(number, None) is not None:
            client.lose(self._lost)
        return number

    def send(self, header: Header, data: Data = b"") -> None:
        """Send what has no answer."""
        self._outbox.put((header, data))

    def kill(self) -> None:
        """End it at once, from any thread."""
        self._is_asked_to_end = self._is_asked_to_end or self._process.poll() is None
        super().kill()

    def end(self) -> None:
        """End it, and wait until nothing of it is left. May be called again, and from any thread."""
        self.kill()
        if self._reader is not threading.current_thread():
            self._reader.join(LONGEST_END)

    # --- the thread that writes -------------------------------------------------------------------------------------

    def _write(self) -> None:
        while not self._is_ended:
            try:
                item = self._outbox.get(timeout=self._rest())
            except queue.Empty:
                self._at_rest(self)
                self._rested_at = time.monotonic()
                continue
            if item is None:
                continue
            header, data = item
            try:
                for part in (packed(header, data), data):
                    left = memoryview(part).cast("B")
                    while left:
                        left = left[self._input.write(left) or 0 :]
            except (OSError, ValueError):
                # It takes no more, so it is over with it; the other thread does the rest.
                with suppress(OSError):
                    self._process.kill()
                return
            del item, header, data, part, left  # pictures

    def _rest(self) -> float | None:
        """Return the seconds that are left until it has had nothing to do for long; None for any number."""
        if self._idle is None or self._clients:
            return None
        # Timers of the system do not count for ever.
        return min(max(0.0, self._rested_at + self._idle - time.monotonic()), 1e6)

    # --- the thread that reads --------------------------------------------------------------------------------------

    def _read(self) -> None:
        lost: Exception | None = None
        is_ready = False
        try:
            await_pipe(self._output, end_of(LONGEST_START))
            greeting = self._message().header
            if "problem" in greeting:
                lost = WorkerProblemError(str(greeting["problem"]))
            is_ready = lost is None
            while lost is None:
                self._deliver(self._message())
        except EOFError:
            with suppress(TimeoutExpired):
                self._process.wait(_LONGEST_EXIT)
        except Exception as error:  # the time is over, or what came is no answer: a worker may be in anybody's hands
            if is_ready and not isinstance(error, OSError):
                lost = WorkerLostError(is_late=False, status=None)
        self._finish(lost, is_ready=is_ready)

    def _message(self) -> Answer:
        header_length, length = LENGTHS.unpack(self._exactly(LENGTHS.size))
        if header_length > MOST_HEADER or length > self._most:
            message = "the answer is too long"
            raise ValueError(message)
        return Answer(header_of(self._exactly(header_length)), self._exactly(length))

    def _exactly(self, length: int) -> bytearray:
        data = bytearray(length)
        left = memoryview(data)
        while left:
            count = self._output.readinto(left)
            if not count:
                raise EOFError
            left = left[count:]
        return data

    def _deliver(self, answer: Answer) -> None:
        number = answer.header["id"]
        client = self._clients.get(number) if isinstance(number, int) else None
        if client is None or not isinstance(number, int):
            message = "nobody has asked for this answer"
            raise ValueError(message)
        if client.receive(answer):
            self._clients.pop(number, None)
            self._rested_at = time.monotonic()
            self._outbox.put(None)

    def _finish(self, lost: Exception | None, *, is_ready: bool) -> None:
        was_killed = self._was_killed
        is_absurd = isinstance(lost, WorkerLostError)
        self.has_crashed = self.has_crashed or is_absurd or (lost is None and not self._is_asked_to_end)
        self.kill()
        with suppress(TimeoutExpired):
            self._process.wait(LONGEST_END)
        self._is_ended = True
        self._outbox.put(None)
        # Closed under its feet, its file might be another one by then. It is not waited for where it runs `at_rest`.
        self._writer.join(LONGEST_END)
        self._reap()
        if lost is None:
            lost = WorkerLostError(is_late=False, status=self._process.returncode)
            if not is_ready and not was_killed:
                message = f"{self._purpose} needs a process of its own, and the one that was started ended {lost}"
                lost = RuntimeUnavailableError(message, HINT)
        self._lost = lost
        self._at_end(self)
        while self._clients:
            with suppress(KeyError):
                self._clients.popitem()[1].lose(lost)
