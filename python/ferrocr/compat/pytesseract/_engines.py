"""The engines that all calls in a process share: one for each set of languages."""

from collections.abc import Mapping
from typing import Any

import ferrocr

from ..._sharing import SharedEngines
from ...results import ReleaseReport

_IDLE = 60.0
"""Seconds after which models are given back, in programs that used to start a process for each picture."""

Languages = tuple[str, ...] | None

_options: list[dict[str, Any]] = [{}]
"""The options that :func:`configure` was given last, replaced at once: other threads look."""


def _made(languages: Languages) -> "ferrocr.OcrEngine":
    options: dict[str, Any] = {"idle_unload": _IDLE, **_options[0]}
    return ferrocr.OcrEngine(languages=languages, **options)


engines: SharedEngines[Languages] = SharedEngines(_made)


def configure(**options: Any) -> None:  # noqa: ANN401
    """Read with these options of `ferrocr.OcrEngine` from now on, such as ``preset="fast"`` or ``models=...``.

    Languages come with each call. Options that were set before are forgotten, and engines in use are released.

    Raises:
        TypeError: The engine has no such option, or it is `languages`.
        InvalidArgumentError: A value is out of its range.
    """
    if "languages" in options:
        message = "languages come with each call, as lang="
        raise TypeError(message)
    with ferrocr.OcrEngine(**options):
        pass  # refuses what is wrong with them
    _options[0] = options
    engines.release()


def free_resources() -> list[ReleaseReport]:
    """Give back the models and threads of all engines, after calls in flight. A later call loads them again."""
    return engines.release()


def only(allowed: str | None) -> Mapping[str, str]:
    """Return the option of a call that lets only these characters come out."""
    if allowed is None:
        return {}
    # Tesseract's lists are about what is in words; a space keeps these apart.
    return {"allow": allowed if " " in allowed else allowed + " "}
