"""The gate that requests go through: some at once, some wait in order, and others are refused."""

import asyncio
from collections import deque

from ._problems import busy

_SMOOTHING = 0.2
"""The weight of the last request in the mean time of reading. It only has to tell a second from a minute."""


class Gate:
    """Lets requests in, in the order in which they come. For one event loop.

    Args:
        at_once: Requests that may be in.
        queue: Requests that may wait.
    """

    def __init__(self, at_once: int, queue: int) -> None:
        self.at_once, self.queue = at_once, queue
        self.inside = 0
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._usual = 1.0

    @property
    def waiting(self) -> int:
        """Requests that wait."""
        return len(self._waiting)

    def check(self) -> None:
        """Refuse a request that could not even wait.

        Raises:
            Problem: The queue is full.
        """
        if self.inside >= self.at_once and len(self._waiting) >= self.queue:
            message = f"{self.inside} requests are being read and {len(self._waiting)} wait, which are all that may"
            raise busy(message, self.wait_for_place())

    def wait_for_place(self) -> float:
        """Return the seconds after which there is likely to be a place in the queue."""
        return self._usual * (1 + len(self._waiting)) / self.at_once

    def took(self, seconds: float) -> None:
        """Learn how long a request was in."""
        self._usual += _SMOOTHING * (seconds - self._usual)

    async def enter(self) -> None:
        """Wait for a place; whoever is cancelled meanwhile has none. Leave it with :meth:`leave`.

        Raises:
            Problem: The queue is full.
        """
        self.check()
        if self.inside < self.at_once:
            self.inside += 1
            return
        place = asyncio.get_running_loop().create_future()
        self._waiting.append(place)
        try:
            await place
        except BaseException:
            if place in self._waiting:
                self._waiting.remove(place)
            elif not place.cancelled():  # it was given away a moment before
                self.leave()
            raise

    def leave(self) -> None:
        """Give the place to the next one."""
        while self._waiting:
            place = self._waiting.popleft()
            if not place.done():
                place.set_result(None)
                return
        self.inside -= 1
