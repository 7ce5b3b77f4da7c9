"""The workers of one owner, which ends them all."""

from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING

from ..exceptions import OcrCancelledError, ResourcesFreedError

if TYPE_CHECKING:
    from ._worker import Worker

USUAL_IDLE = 1
"""Workers that wait for the next document. Documents that are read one after the other need one; each takes 20 to
30 MB, for the half minute after which it ends by itself."""


class Workers:
    """Lends workers, each to one user at a time.

    It has no lock: collecting garbage gives workers back, at any step of Python's. Each step here is one of Python's.

    Args:
        most_idle: Those that may wait to be lent again.
    """

    def __init__(self, most_idle: int = USUAL_IDLE) -> None:
        self._most_idle = most_idle
        self._idle: deque[Worker] = deque()
        self._lent: dict[int, Worker] = {}
        self._refusal: Callable[[], Exception] | None = None

    def __len__(self) -> int:
        return len(self._idle) + len(self._lent)

    def check_open(self) -> None:
        """Refuse what comes after :meth:`close`.

        Raises:
            ResourcesFreedError: It was closed.
            OcrCancelledError: It was closed by a release that ends what is going on.
        """
        if self._refusal is not None:
            raise self._refusal()

    def lend(self, start: Callable[[], "Worker"]) -> "Worker":
        """Return one that waits, or one that `start` makes.

        Raises:
            OcrError: As `start` and :meth:`check_open`.
        """
        self.check_open()
        worker = self._waiting() or start()
        self._lent[id(worker)] = worker
        if self._refusal is not None:  # closed meanwhile, without knowing of it
            self.give_up(worker)
            self.check_open()
        return worker

    def take_back(self, worker: "Worker") -> None:
        """Take one back that has nothing open and can be lent again."""
        self._lent.pop(id(worker), None)
        self._idle.append(worker)
        self.end_idle(0 if self._refusal is not None else self._most_idle)

    def give_up(self, worker: "Worker") -> None:
        """End one that was lent."""
        self._lent.pop(id(worker), None)
        worker.end()

    def end_idle(self, kept: int = 0) -> int:
        """End those that wait, but for so many; return how many that were."""
        count = 0
        while len(self._idle) > kept:
            try:
                worker = self._idle.popleft()
            except IndexError:
                break
            worker.end()
            count += 1
        return count

    def close(self, *, cancel: bool = False) -> int:
        """End all of them, at once, and lend no more; return how many there were.

        Whoever waits for one gets `OcrCancelledError` with `cancel`, and otherwise `ResourcesFreedError`.
        """
        if self._refusal is None:
            self._refusal = _cancelled if cancel else _freed
        lent = list(self._lent.values())
        for worker in lent:
            worker.kill()
        for worker in lent:
            self.give_up(worker)
        return len(lent) + self.end_idle()

    def _waiting(self) -> "Worker | None":
        while self._idle:
            try:
                worker = self._idle.pop()
            except IndexError:
                break
            if worker.is_usable:
                return worker
            worker.end()
        return None


def _freed() -> ResourcesFreedError:
    message = "the document was closed, because its engine was freed"
    return ResourcesFreedError(message)


def _cancelled() -> OcrCancelledError:
    message = "the document was closed, because a release of its engine ended it"
    return OcrCancelledError(message)
