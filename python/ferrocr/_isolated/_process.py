"""A process of an isolated engine, as its parent sees it."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, cast

from .._workers._shared import SharedWorker
from ._arena import Arena, Place
from ._raw_pages import MOST_BYTES

if TYPE_CHECKING:
    from .._core import _Release

_PURPOSE = "an isolated engine"

_MODULE, _FOLDERS = "ferrocr._isolated._service", cast("tuple[str, ...]", ())


class EngineProcess(SharedWorker):
    """A process with models.

    Args:
        at_end: Called when nothing of it is left.
        idle: Seconds without a call after which `at_rest` is called; None for never.
        at_rest: Called then.
        kept: Bytes of memory that it shares from picture to picture.

    Raises:
        RuntimeUnavailableError: No process can be started.
        ResourcesFreedError: The interpreter is ending.
    """

    def __init__(
        self,
        at_end: Callable[["EngineProcess"], object],
        idle: float | None,
        at_rest: Callable[["EngineProcess"], object],
        kept: int,
    ) -> None:
        self._arena = Arena(kept)
        self._places: dict[int, Place] = {}
        self.active: set[object] = set()
        """The calls that it has."""
        self.is_loaded = self.is_freed = self.is_gone = False
        self.culprit: object = None
        """The call that it was ended for."""
        self.report: _Release | None = None
        """The report of its release."""
        try:
            super().__init__(
                _MODULE,
                _FOLDERS,
                _PURPOSE,
                MOST_BYTES,
                descriptors=self._arena.descriptors,
                at_end=cast("Callable[[SharedWorker], object]", at_end),
                idle=idle,
                at_rest=cast("Callable[[SharedWorker], object]", at_rest),
            )
        except BaseException:
            self._arena.close()
            raise

    @property
    def calls(self) -> int:
        """The number of calls that it has."""
        return len(self.active)

    def put(self, owner: object, data: memoryview) -> tuple[int, ...] | None:
        """Copy a picture to where the process sees it; None where it is better sent to it."""
        place = self._arena.put(data)
        if place is None:
            return None
        self._places[id(owner)] = place
        return self._arena.descriptors[0], self._arena.kept, *place

    def give_back(self, owner: object) -> None:
        """Give the place of a picture back, which the process has copied."""
        place = self._places.pop(id(owner), None)
        if place is not None:
            self._arena.free(place)

    def kill_for(self, culprit: object) -> None:
        """End it, because a call does not end."""
        self.culprit = culprit
        self.kill()

    def kill_for_release(self) -> None:
        """End it, because its engine is released."""
        self.is_freed = True
        self.kill()

    def resident_bytes(self) -> int | None:
        """Return its memory; None where the system does not tell."""
        import os

        try:
            pages = int(Path(f"/proc/{self.pid}/statm").read_bytes().split()[1])
        except (OSError, ValueError, IndexError):
            return None
        return pages * os.sysconf("SC_PAGE_SIZE")

    def _close(self) -> None:
        super()._close()
        self._arena.close()
