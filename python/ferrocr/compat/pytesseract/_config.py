"""Tesseract's command line, as programs hand it over in `config`: what is kept, ignored and refused."""

import shlex
import sys
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, replace

from ..._languages import EVERYTHING, KNOWN, languages_of
from ._errors import TesseractError

DIGITS = "0123456789-."
"""The characters of Tesseract's configuration ``digits``."""

TURN_ONLY = 0
"""The page segmentation mode that reads nothing."""
SEGMENTED = frozenset({1, 3, 5})
"""Modes in which the page's own layout tells what belongs together."""
ROWS = frozenset({4, 6})
"""Modes for one column or block: rows go from side to side."""
SPARSE = frozenset({11, 12})
"""Modes for scattered text: each piece by itself."""
ONE_LINE = frozenset({7, 8, 9, 10, 13})
"""Modes for one line, word or character."""

_OUTPUTS = {"txt", "hocr", "tsv", "pdf", "alto", "makebox", "batch.nochop", "quiet"}
"""Configurations that ask for files, of which a program gets the one that its function is for."""

_NO_EFFECT = {"oem", "tessdata-dir", "loglevel"}
"""Options about Tesseract's own engines, files and messages."""

_RESTRICTING = {
    "tessedit_char_blacklist": "it cannot leave out single characters",
    "tessedit_char_unblacklist": "it cannot leave out single characters",
    "user_words_file": "it has no dictionary",
    "user_words_suffix": "it has no dictionary",
    "user_patterns_file": "it has no patterns",
    "user_patterns_suffix": "it has no patterns",
    "textonly_pdf": "its PDF files have the picture",
}
"""Variables that say what may come out; ignored, the result would not be what was asked for."""


@dataclass(frozen=True)
class Config:
    """The part of a command line that ferrocr follows.

    Attributes:
        mode: The page segmentation mode.
        languages: Codes for an engine; None for all characters.
        dpi: Pixels to the inch; None where the picture says it.
        allowed: The characters that may come out; None for all.
        separator: The text between two pages.
        keeps_spaces: True for as many spaces between words as fit there.
        has_characters: True for characters with boxes in hOCR.
    """

    mode: int = 3
    languages: tuple[str, ...] | None = ("en",)
    dpi: float | None = None
    allowed: str | None = None
    separator: str = "\f"
    keeps_spaces: bool = False
    has_characters: bool = False


def parsed(config: str, lang: str | None) -> Config:
    """Return what `config` and `lang` ask for. Of an option that is given twice, the last one counts.

    Raises:
        TesseractError: An unknown option, language or mode, or one that cannot be followed.
    """
    result = Config()
    try:
        words = shlex.split(config, posix=sys.platform != "win32")
    except ValueError as error:
        raise TesseractError(1, f"config is no command line: {error}: {config!r}") from error
    for name, value in _options(words):
        if name == "psm":
            result = replace(result, mode=_mode(value))
        elif name in {"l", "lang"}:
            lang = value
        elif name == "dpi":
            result = replace(result, dpi=_dpi(value))
        elif name == "c":
            result = _with_variable(result, value)
        elif name == "config":
            result = _with_file(result, value)
        elif name in {"user-words", "user-patterns"}:
            raise _refused("--" + name, "it has neither dictionary nor patterns")
        elif name not in _NO_EFFECT:
            raise TesseractError(1, f"unknown command line argument {name!r} in config={config!r}")
    return replace(result, languages=_languages(lang))


def _options(words: list[str]) -> Iterator[tuple[str, str]]:
    """Give options with their values. A word by itself is the name of a configuration."""
    rest = iter(words)
    for word in rest:
        if not word.startswith("-"):
            yield "config", word
            continue
        name, has_value, value = word.lstrip("-").partition("=")
        if word.startswith("-c") and not word.startswith("--") and len(word) > 2:  # -cNAME=VALUE
            name, has_value, value = "c", "=", word[2:]
        if not has_value:
            given = next(rest, None)
            if given is None:
                raise TesseractError(1, f"{word} has no value in config={' '.join(words)!r}")
            value = given
        yield name, value


def _languages(lang: str | None) -> tuple[str, ...] | None:
    """Return codes for an engine. English is the default, as it is Tesseract's."""
    named = [code for code in (lang or "eng").split("+") if code]
    codes = [code for code in named if code != "osd"]
    if not codes:  # the language of image_to_osd: any
        return None
    unknown = sorted(set(codes) - KNOWN.keys() - {EVERYTHING})
    if unknown:
        message = (
            f"ferrocr does not know the language {', '.join(unknown)}\n"
            f"get_languages() returns those that it knows; {EVERYTHING} is for all that its models can read"
        )
        raise TesseractError(1, message)
    return languages_of(codes)


def _mode(value: str) -> int:
    modes = {TURN_ONLY} | SEGMENTED | ROWS | SPARSE | ONE_LINE
    if value.isdecimal() and int(value) in modes:
        return int(value)
    raise TesseractError(1, f"--psm {value} is not among {', '.join(map(str, sorted(modes)))}")


def _dpi(value: str) -> float:
    try:
        dpi = float(value)
    except ValueError:
        dpi = 0.0
    if 1 <= dpi <= 10_000:
        return dpi
    raise TesseractError(1, f"dpi is a number from 1 to 10000, not {value!r}")


def _with_variable(config: Config, assignment: str) -> Config:
    name, equals, value = assignment.partition("=")
    if not equals:
        raise TesseractError(1, f"-c {assignment} has no value")
    is_on = value.lower() in {"1", "t", "true", "y", "yes"}
    match name:
        case "tessedit_char_whitelist":
            return replace(config, allowed=value or None)
        case "page_separator":
            return replace(config, separator=value)
        case "preserve_interword_spaces":
            return replace(config, keeps_spaces=is_on)
        case "hocr_char_boxes":
            return replace(config, has_characters=is_on)
        case "user_defined_dpi":
            return config if value == "0" else replace(config, dpi=_dpi(value))
        case "tessedit_pageseg_mode":
            return replace(config, mode=_mode(value))
    if name in _RESTRICTING and value not in {"", "0", "F", "false"}:
        raise _refused("-c " + name, _RESTRICTING[name])
    if name not in _RESTRICTING and not name.startswith("tessedit_create_"):
        # Hundreds of them tune steps that there are none of here.
        warnings.warn(f"ferrocr ignores Tesseract's variable {name}", stacklevel=_depth())
    return config


def _with_file(config: Config, name: str) -> Config:
    if name == "digits":
        return replace(config, allowed=DIGITS)
    if name in _OUTPUTS:
        return config
    raise TesseractError(1, f"ferrocr has no configuration {name!r}")


def _refused(option: str, why: str) -> TesseractError:
    return TesseractError(1, f"ferrocr does not follow {option}: {why}\nleave it out")


def _depth() -> int:
    """Return the number of frames up to the first one outside this package, which a warning is about."""
    package = __name__.rpartition(".")[0]
    depth, frame = 1, sys._getframe(1)
    while frame.f_back is not None and str(frame.f_globals.get("__name__", "")).startswith(package):
        depth, frame = depth + 1, frame.f_back
    return depth
