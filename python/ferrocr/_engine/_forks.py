"""Work that no fork may fall into: the first load of a process, and the start of another one.

The core has the gate that such work and forks go through, one at a time.
"""

import os
from collections.abc import Callable
from functools import partial
from typing import TypeVar

from .. import _core

T = TypeVar("T")

_LONGEST_WAIT = 30.0
"""Seconds that a fork waits for what takes some tenths of a second. Where that hangs, forks should not hang with it: a
child may find a lock taken then, and only if it reads pictures too."""

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
    result = _core.in_one_piece(work)
    if first is not None:
        _done.add(first)
    return result


if hasattr(os, "register_at_fork"):
    os.register_at_fork(
        before=partial(_core.begin_fork, _LONGEST_WAIT),
        after_in_parent=_core.end_fork,
        after_in_child=_core.end_fork,
    )
