"""Engines that adapters hold: shared by all callers in a process, or released with the object that uses them."""

import os
import threading
import weakref
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

from .engine import OcrEngine
from .exceptions import ResourcesFreedError
from .results import ReleaseReport

K = TypeVar("K", bound=Hashable)
T = TypeVar("T")

_all: "weakref.WeakSet[SharedEngines[Hashable]]" = weakref.WeakSet()


class SharedEngines(Generic[K]):
    """Engines by the key that they are made from, for programs that have no object to hold one.

    All methods may be called from any thread. A forked child makes its own engines.
    Those that are still open at the end of the process are released then, as all engines are.
    """

    def __init__(self, make: Callable[[K], OcrEngine]) -> None:
        """Make none yet; `make` makes one without loading anything."""
        self._make = make
        self._engines: dict[tuple[int, K], OcrEngine] = {}
        self._lock = threading.Lock()
        _all.add(self)  # type: ignore[arg-type]  # a set of any of them

    def engine(self, key: K) -> OcrEngine:
        """Return the engine of this process for `key`.

        Raises:
            OcrError: The key names options that no engine takes.
        """
        with self._lock:
            place = os.getpid(), key
            # Those of a parent stay where they are: they are its, and nothing of them is used here.
            if place not in self._engines:
                self._engines[place] = self._make(key)
            return self._engines[place]

    def use(self, key: K, work: Callable[[OcrEngine], T]) -> T:
        """Return what `work` makes with the engine; with a new one where another thread released it meanwhile."""
        while True:
            engine = self.engine(key)
            try:
                return work(engine)
            except ResourcesFreedError:
                # One that nobody released here: the interpreter ends.
                if self._engines.get((os.getpid(), key)) is engine:
                    raise

    def release(self) -> list[ReleaseReport]:
        """Free all engines of this process, after the calls that they are in; the next use makes new ones."""
        with self._lock:
            mine = [place for place in self._engines if place[0] == os.getpid()]
            engines = [self._engines.pop(place) for place in mine]
        return [engine.free_resources() for engine in engines]

    def _forked(self) -> None:
        # Another thread of the parent may have held it.
        self._lock = threading.Lock()


def release_with(owner: object, engine: OcrEngine) -> None:
    """See to it that an engine is released when nobody has its owner any more, and at the end of the process."""
    weakref.finalize(owner, engine.free_resources)


def _renew_locks() -> None:
    for engines in list(_all):
        engines._forked()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_renew_locks)
