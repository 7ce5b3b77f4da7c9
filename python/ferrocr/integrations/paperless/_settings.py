"""The settings of paperless-ngx as options of an engine and of its calls."""

import json
import os
from dataclasses import dataclass
from typing import Any

from ..._languages import EVERYTHING
from ...documents._request import DocumentKeywords
from ...exceptions import InvalidArgumentError
from .._hosts import importing

with importing("paperless-ngx", "paperless", plugin=True):
    from paperless.config import OcrConfig

VARIABLE = "PAPERLESS_FERROCR_OPTIONS"
"""The environment variable with more options, an object in JSON like ``PAPERLESS_OCR_USER_ARGS``."""

_OF_CALLS = DocumentKeywords.__annotations__.keys() - {"pages", "text_layer", "password", "characters"}

_NO_LANGUAGES = {"osd", "equ"}
"""Models of Tesseract that are named like languages, and are none."""

_IDLE = 60.0
"""Seconds after which a process that goes on gives back the memory of its models. Workers end after each document."""

_MOST_THREADS = 1024

_NO_LIMIT = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Settings:
    """The options that documents are read with.

    Attributes:
        engine: Keywords of the engine, as JSON, so that equal ones have one engine.
        call: Keywords of its calls.
        mode: ``"auto"``, ``"redo"``, ``"force"`` or ``"off"``.
        first_pages: Pages that are read from the first one on; None for all.
        turn_from: The certainty from which the archive's pages are turned upright; None where they stay as they are.
    """

    engine: str
    call: dict[str, Any]
    mode: str
    first_pages: int | None
    turn_from: float | None


def settings_of(config: OcrConfig, threads: int) -> Settings:
    """Return the settings of paperless-ngx.

    Raises:
        InvalidArgumentError: The environment variable has no object in JSON.
    """
    more = _more_options()
    named = [code.strip() for code in config.language.split("+")]
    codes = [code for code in named if code and code not in _NO_LANGUAGES]
    engine: dict[str, Any] = {
        "languages": None if EVERYTHING in codes or not codes else codes,
        "threads": max(1, min(threads, _MOST_THREADS)),
        "idle_unload": _IDLE,
        **_pixels(config.max_image_pixel),
        **{name: value for name, value in more.items() if name not in _OF_CALLS},
    }
    return Settings(
        engine=json.dumps(engine, sort_keys=True),
        call={name: value for name, value in more.items() if name in _OF_CALLS},
        mode=str(config.mode),
        first_pages=config.pages if config.pages and config.pages > 0 else None,
        turn_from=config.rotate_threshold if config.rotate else None,
    )


def names_engine(user_args: str | None) -> bool:
    """Return True if ``PAPERLESS_OCR_USER_ARGS`` tells OCRmyPDF which engine to read with, be it ferrocr or Tesseract.

    paperless-ngx's own parser, which asks OCRmyPDF, is to read then.
    """
    try:
        options = json.loads(user_args or "{}")
    except ValueError:
        return False
    return isinstance(options, dict) and "ocr_engine" in options


def _pixels(limit: float | None) -> dict[str, int]:
    """Return the bound for pictures: paperless-ngx refuses what has twice its limit, and 0 is none."""
    if limit is None or limit < 0:
        return {}
    return {"max_pixels": int(2 * limit) or _NO_LIMIT}


def _more_options() -> dict[str, Any]:
    text = os.environ.get(VARIABLE, "").strip() or "{}"
    try:
        options = json.loads(text)
    except ValueError as error:
        message = f"{VARIABLE} is no JSON: {error}"
        raise InvalidArgumentError(message) from error
    if not isinstance(options, dict):
        message = f'{VARIABLE} is an object such as {{"preset": "fast"}}, not {text}'
        raise InvalidArgumentError(message)
    return options
