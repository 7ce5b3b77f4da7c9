"""Pictures that are read while the one before them is waited for, or while its page is handled."""

from collections import deque
from collections.abc import Callable, Generator, Iterable
from types import TracebackType
from typing import Generic, Protocol, Self, TypeVar

from ..exceptions import (
    EngineCrashedError,
    ImageError,
    InferenceError,
    OcrCancelledError,
    OcrError,
    OcrTimeoutError,
    OutOfMemoryError,
    ResourcesFreedError,
    StorageError,
)
from ..results import Page
from . import _call, _exit, _raw
from . import _cores as cores
from ._call import Call
from ._call_options import CallOptions, ReadOptions
from ._cores import Core

OF_ONE_PICTURE = (ImageError, StorageError, InferenceError, OutOfMemoryError, OcrTimeoutError, EngineCrashedError)
"""Errors that are about one picture and leave the next ones as they are."""


class Work(_call.Work, Protocol):
    """A picture or page that is being read in the background."""

    def over(self) -> bool:
        """Return True once there is nothing left to wait for."""

    def end(self) -> None:
        """End it early, and wait until nothing of it runs any more."""


class Picture(Protocol):
    """A picture that can be read in the background."""

    def begin(self, core: Core, options: ReadOptions) -> cores.Reading:
        """Begin to read it."""


P = TypeVar("P")
R = TypeVar("R")
W = TypeVar("W", bound=Work)


class Ahead(Generic[P, W]):
    """The pictures of an iterable that were begun and not taken, in order; never more than `most` of them.

    The iterable is asked in :meth:`fill` alone, so in the thread of whoever takes the pages. A picture that cannot be
    begun, and an iterable that fails, have their error in their place. Leaving the `with` statement ends what is there.
    """

    def __init__(self, pictures: Iterable[P], begin: Callable[[P], W], most: int) -> None:
        self._pictures = iter(pictures)
        self._begin = begin
        self._most = most
        self._begun: deque[W | Exception] = deque()
        self._is_at_end = False

    def __bool__(self) -> bool:
        return bool(self._begun)

    def fill(self) -> bool:
        """Begin at least one more where there may be, and others while the first is not over; False at the end."""
        while not self._is_at_end and len(self._begun) < self._most:
            self._begin_next()
            # A caller that waits for a page that is there gets it before the iterable is asked for all it may give.
            if self._begun and self._is_over(self._begun[0]):
                break
        return bool(self._begun)

    def take(self) -> W:
        """Return the first one.

        Raises:
            Exception: The picture could not be begun, or the iterable failed.
        """
        first = self._begun.popleft()
        if isinstance(first, Exception):
            raise first
        return first

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._is_at_end = True
        works = [work for work in self._begun if not isinstance(work, Exception)]
        self._begun.clear()
        for work in works:
            work.cancel()
        for work in works:
            work.end()

    def _begin_next(self) -> None:
        try:
            picture = next(self._pictures)
        except StopIteration:
            self._is_at_end = True
            return
        except Exception as error:
            self._is_at_end = True
            self._begun.append(error)
            return
        try:
            self._begun.append(self._begin(picture))
        except Exception as error:
            self._begun.append(error)

    @staticmethod
    def _is_over(work: "W | Exception") -> bool:
        return isinstance(work, Exception) or work.over()


def stream(
    begun: Ahead[P, W], result_of: Callable[[W], R], check_open: Callable[[], object], *, keep_going: bool
) -> Generator[R | OcrError]:
    """Give the results of what is begun, in order; `result_of` waits for one.

    With `keep_going`, an error of one picture stands in its place.

    Raises:
        OcrError: Any other error of `result_of`, and those of `check_open`, which is asked between two pictures.
    """
    with begun:
        while begun.fill():
            result: R | OcrError
            try:
                result = result_of(begun.take())
            except OF_ONE_PICTURE as error:
                if not keep_going:
                    raise
                result = bare(error)
            yield result
            if begun:
                check_open()  # what was read ahead of a release is not given out after it


def bare(error: OcrError) -> OcrError:
    """Return the error without the frames that it came through, which hold the picture and the engine."""
    link: BaseException | None = error
    while link is not None:
        link.__traceback__ = link.__context__ = None
        link = link.__cause__
    return error


class Reading:
    """A picture that is read in the background.

    Args:
        core: The engine that reads it.
        picture: The picture.
        options: The options of the call; :meth:`page` may wait for their timeout.
    """

    def __init__(self, core: Core, picture: Picture, options: CallOptions) -> None:
        self._timeout = options.timeout
        self._reading = picture.begin(core, options.reading)

    def over(self) -> bool:
        """Return True once there is nothing left to wait for."""
        return self._reading.over()

    def cancel(self) -> None:
        """End it early, without waiting for that."""
        self._reading.cancel()

    def end(self) -> None:
        """End it early, and wait until nothing of it runs any more."""
        self._reading.end()

    def page(self, spent: float = 0.0) -> Page:
        """Wait for it; `spent` seconds of its timeout are over already.

        Raises:
            OcrError: As :meth:`ferrocr.OcrEngine.recognize`.
        """
        timeout = None if self._timeout is None else max(0.0, self._timeout - spent)
        try:
            return _raw.page(self._reading.wait(timeout))
        except OcrTimeoutError:
            if not spent:
                raise
            # The core knows of what was left.
            raise Call(self._timeout).timed_out() from None
        except (OcrCancelledError, ResourcesFreedError):
            _exit.pause()
            raise
        finally:
            self.end()
