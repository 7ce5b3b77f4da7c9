"""Work that no fork may fall into: the first load of a process, and the start of another one.

A child has no thread but the one that forked, and whatever lock another thread held stays taken there for ever: those
of Python's imports, and those that ONNX Runtime's library holds while it sets itself up. So a fork waits for what runs
here, and this for a fork. Downloads stay outside, since no fork may wait for a server.
"""

import os
from collections.abc import Callable
from functools import partial
from typing import TypeVar

from ._call import Claim, Deadline, Gate, open_gates_after_fork

T = TypeVar("T")

_LONGEST_WAIT = 30.0
"""Seconds that a fork waits for what takes some tenths of a second. Where that hangs, forks should not hang with it: a
child may find a lock taken then, and only if it reads pictures too."""

_gate = Gate()
_done: set[str] = set()


def in_one_piece(work: Callable[[], T], *, first: str | None = None) -> T:
    """Return what `work` returns; no other thread's fork falls into it.

    A fork by this thread itself, in a signal handler, goes through, and both sides then go on with the work.

    Args:
        work: The work.
        first: A name: work that came to its end under it once is not guarded any more.
    """
    if first in _done:
        return work()
    claim = Claim()
    try:
        _gate.enter(claim, Deadline(None))
        result = work()
        if first is not None:
            _done.add(first)
        return result
    finally:
        if _gate.owner is claim:
            del _gate.owner


def wait_for_loads(seconds: float) -> None:
    """Wait until no other thread is inside, at most so long."""
    claim = Claim()
    try:
        _gate.enter(claim, Deadline(seconds))
    finally:
        if _gate.owner is claim:
            del _gate.owner


def _begin_fork() -> None:
    _gate.enter(Claim(), Deadline(_LONGEST_WAIT))


# No function of Python's, at whose start a signal could end it. Where the thread that forks was inside before, the rest
# of its work goes without a guard.
_end_fork = partial(vars(_gate).pop, "owner", None)

if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=open_gates_after_fork)
    os.register_at_fork(before=_begin_fork, after_in_parent=_end_fork, after_in_child=_end_fork)
