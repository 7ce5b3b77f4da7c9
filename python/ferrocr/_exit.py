"""The end of the interpreter while engines are open.

Python does not wait for daemon threads, and ONNX Runtime ends with the process, under the feet of a thread that is in
a call. So what is loaded is released before, and calls in flight are ended.
"""

import atexit
import threading
import time
import weakref
from collections.abc import Callable
from contextlib import suppress

from . import _core
from .exceptions import OcrError, ResourcesFreedError

_LONGEST_WAIT = 5.0
"""Seconds for calls to end; a run of a model ends within one of its nodes, some tenths of a second."""

_PAUSE = 1.0
"""Seconds that a daemon thread is held up at exit: enough for Python to stop it, and short for whoever waits for it."""

_loaded: dict[int, tuple[weakref.ref[object], _core.Engine]] = {}
_is_exiting = threading.Event()
_endings: list[Callable[[], object]] = []


def remember(core: _core.Engine, owner: object) -> None:
    """Note that it holds something, or will soon.

    It is forgotten with its owner, whose class may have a ``__del__`` of its own that releases nothing.
    """
    key = id(core)
    _loaded[key] = weakref.ref(owner, lambda _: _loaded.pop(key, None)), core


def forget(core: _core.Engine) -> None:
    """Note that it holds nothing any more."""
    _loaded.pop(id(core), None)


def pause() -> None:
    """Hold up a daemon thread whose call was refused or ended because of the exit.

    Python would stop such a thread without a word; this lets it do so, instead of an error that nobody caused.
    """
    if _is_exiting.is_set() and threading.current_thread().daemon:
        time.sleep(_PAUSE)


def at_exit(ending: Callable[[], object]) -> None:
    """Note what has to end before engines are released. It may wait for a bounded time, and fail with nothing."""
    _endings.append(ending)


def check() -> None:
    """Refuse to begin what would have to end at once.

    Raises:
        ResourcesFreedError: The interpreter is ending.
    """
    if _is_exiting.is_set():
        pause()
        message = "the interpreter is ending"
        raise ResourcesFreedError(message)


@atexit.register
def _release_all() -> None:
    _is_exiting.set()
    for ending in _endings:
        ending()
    for _, core in list(_loaded.values()):
        with suppress(OcrError):  # in a forked child nothing of it is its own
            core.free(cancel=True, timeout=_LONGEST_WAIT, trim=False)
