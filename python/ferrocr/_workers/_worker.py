"""Processes that do what could hang, crash or take all memory, and that can be ended at any moment.

A worker is asked through a pipe of its own, one request at a time.
"""

import os
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

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
    described,
    end_of,
)
from ._wire import LENGTHS, MOST_HEADER, Data, Header, header_of, packed


class Worker(Started):
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
        # One that a signal's handler may take once more, to end what it has interrupted.
        self._asking = threading.RLock()
        self._is_ready = False
        super().__init__(module, folders, purpose)
        if sys.platform != "win32":
            for pipe in (self._input, self._output):
                os.set_blocking(pipe.fileno(), False)

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
            return self._exchange(header, data, end_of(seconds), most)

    def end(self) -> None:
        """End it, and wait until nothing of it is left. May be called again, and from any thread."""
        self.kill()
        if self._owner[0] == os.getpid() and self._asking.acquire(timeout=LONGEST_END):
            try:
                self._finish()
            finally:
                self._asking.release()

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
            greeting = self._receive(end_of(LONGEST_START), 0).header
        except (OSError, EOFError, ValueError) as error:
            if self._was_killed:
                raise
            how = f"was not ready after {LONGEST_START:g} s"
            if not isinstance(error, TimeoutError):
                how = f"ended {described(self._finish())}"
            message = f"{self._purpose} needs a process of its own, and the one that was started {how}"
            raise RuntimeUnavailableError(message, HINT) from error
        if "problem" in greeting:
            raise WorkerProblemError(str(greeting["problem"]))
        self._is_ready = True

    def _exchange(self, header: Header, data: Data, until: float | None, most: int) -> Answer:
        for part in (packed(header, data), data):
            left = memoryview(part).cast("B")
            while left:
                await_pipe(self._input, until, is_output=True)
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
            await_pipe(self._output, until)
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
        self._reap()
        return self._process.returncode
