"""The end of the interpreter while engines are open.

Python does not wait for daemon threads, and ONNX Runtime ends with the process, under the feet of a thread that is in
a call. So what is loaded is released before, and calls in flight are ended.
"""

import atexit
import sys
import threading
import time
import weakref
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from .. import _core
from ..exceptions import OcrCancelledError, OcrError, OcrTimeoutError, ResourcesFreedError

if TYPE_CHECKING:
    # A class that only type checkers know.
    from sys import UnraisableHookArgs

    from ._cores import Core

_LONGEST_WAIT = 5.0
"""Seconds for calls to end; a run of a model ends within one of its nodes, some tenths of a second."""

_PAUSE = 1.0
"""Seconds that a daemon thread is held up at exit: enough for Python to stop it where nothing else takes long, and
short for whoever waits for it."""

_loaded: dict[int, tuple[weakref.ref[object], "Core"]] = {}
_is_exiting = threading.Event()
_endings: list[Callable[[], object]] = []


def remember(core: "Core", owner: object) -> None:
    """Note that it holds something, or will soon.

    It is forgotten with its owner, whose class may have a ``__del__`` of its own that releases nothing.

    Raises:
        ResourcesFreedError: This is a daemon thread and the interpreter ends: nobody would release it any more.
    """
    key = id(core)
    _loaded[key] = weakref.ref(owner, lambda _: _loaded.pop(key, None)), core
    # Of this and the exit, at least one sees the other.
    if threading.current_thread().daemon:
        check()


def forget(core: "Core") -> None:
    """Note that it holds nothing any more."""
    _loaded.pop(id(core), None)


def pause() -> None:
    """Hold up a daemon thread whose call was refused or ended because of the exit.

    Python would stop such a thread without a word; this lets it do so, instead of an error that nobody caused. Where
    the end takes longer, the thread gets the error, because somebody may wait for what it does then.
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


def _is_of_the_exit(error: BaseException | None) -> bool:
    """Tell the error of a daemon thread whose engine was released under it at exit from all others."""
    is_ended = isinstance(error, OcrCancelledError | ResourcesFreedError) and not isinstance(error, OcrTimeoutError)
    return is_ended and threading.current_thread().daemon


def _hush(
    tell: Callable[[threading.ExceptHookArgs], object], tell_unraisable: "Callable[[UnraisableHookArgs], object]"
) -> None:
    """Print nothing of a daemon thread that ends because of the exit; other errors go where they went before."""

    def of_thread(args: threading.ExceptHookArgs) -> None:
        if not _is_of_the_exit(args.exc_value):
            tell(args)

    def of_thread_without_a_hook(args: "UnraisableHookArgs") -> None:
        if not _is_of_the_exit(args.exc_value):
            tell_unraisable(args)

    threading.excepthook, sys.unraisablehook = of_thread, of_thread_without_a_hook


def _release(core: "Core") -> None:
    core.free(cancel=True, timeout=_LONGEST_WAIT, trim=False)


@atexit.register
def _release_all() -> None:
    _hush(threading.excepthook, sys.unraisablehook)
    _is_exiting.set()
    # First what has to end, such as processes of our own; then engines; then what daemon threads do in one piece, which
    # none of them begins any more.
    steps = list(_endings)
    steps += [partial(_release, core) for _, core in list(_loaded.values())]
    steps.append(partial(_core.begin_fork, _LONGEST_WAIT))
    interrupt: BaseException | None = None
    for step in steps:
        try:
            step()
        except OcrError:
            pass
        except BaseException as error:  # the others are released all the same
            interrupt = error
    if interrupt is not None:
        raise interrupt
