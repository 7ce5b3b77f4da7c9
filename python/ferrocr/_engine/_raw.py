"""From the core's tuples to the values that users see."""

import warnings
from typing import TYPE_CHECKING

from ..results import Block, Char, Line, Page, ReleaseReport, Word
from ..stats import EngineStats, Timings

if TYPE_CHECKING:
    from .. import _core


def page(raw: "_core._RawPage") -> Page:
    """Return a page with its blocks, lines and words. Blocks hold the page's own lines. Warns of text that it lacks."""
    width, height, raw_lines, raw_blocks, unread, timings = raw
    for reason, (at, *_) in unread:
        message = f"the text at ({at[0]:.0f}, {at[1]:.0f}) of a picture is left out, it could not be read: {reason}"
        warnings.warn(message, RuntimeWarning, stacklevel=2)
    lines = tuple(Line(*line[:3], tuple(map(_word, line[3]))) for line in raw_lines)
    blocks = tuple(Block(quad, lines[first:end]) for first, end, quad in raw_blocks)
    return Page(width, height, lines, blocks, Timings(*timings))


def _word(raw: "_core._Word") -> Word:
    return Word(*raw[:3], tuple(Char(*one) for one in raw[3]), raw[4])


def stats(raw: "_core._RawStats") -> EngineStats:
    """Return counts of an engine."""
    return EngineStats(*raw[:-1], Timings(*raw[-1]))


def release_report(raw: "_core._Release") -> ReleaseReport:
    """Return the report of a release or an unload."""
    complete, calls, sessions, threads, files, before, after, waited = raw
    memory = (_megabytes(before), _megabytes(after))
    return ReleaseReport(sessions, threads, *memory, waited, files=files, complete=complete, calls=calls)


def _megabytes(size: int | None) -> float | None:
    return None if size is None else size / 2**20
