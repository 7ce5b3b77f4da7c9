"""Languages as Tesseract calls them, and programs that used to call Tesseract."""

from collections.abc import Iterable

from . import _core

EVERYTHING = "mul"
"""ISO 639-2's code for several languages: every character that the recogniser knows."""

KNOWN = dict(_core.language_codes())
"""Codes of ISO 639-1 by the codes that such programs give; :data:`EVERYTHING` has none."""


def languages_of(codes: Iterable[str]) -> tuple[str, ...] | None:
    """Return codes of ISO 639-1 for an engine; None for every character.

    Raises:
        KeyError: A code is unknown.
    """
    named = list(codes)
    return None if EVERYTHING in named else tuple(dict.fromkeys(KNOWN[code] for code in named))
