"""The engine's arguments, checked: each that is wrong is refused when the engine is made, not at the first picture."""

import os
from collections.abc import Iterable, Sequence
from numbers import Integral, Real
from typing import Literal, get_args

from .._arguments import checked_seconds, text_of
from ..exceptions import InvalidArgumentError
from ..models.store import ProgressCallback, model_sets

ModelChoice = str | os.PathLike[str]
"""A catalog name, the name of a file in the model directory, or a path to a file anywhere."""

ModelChoices = tuple[ModelChoice, ModelChoice, ModelChoice | None]
"""Detector, recogniser, and orienter if there is one."""

Preset = Literal["default", "fast"]
PRESETS: tuple[Preset, ...] = get_args(Preset)

Provider = Literal["auto", "cpu", "cuda", "openvino"]
PROVIDERS: tuple[Provider, ...] = get_args(Provider)

MOST_SIDE = 2**32 - 1
"""The core counts sides in 32 bits."""

# From and to. Sizes are counted in 64 bits with a sign, everywhere that they pass through.
_RANGES = {
    "threads": (1, 1024),
    "max_pixels": (1, 2**63 - 1),
    "max_side": (1, MOST_SIDE),
    "max_bytes": (1, 2**63 - 1),
    "max_regions": (1, 2**31 - 1),
    # As wide as a strip is high: what is narrower has no room for a character.
    "max_strip_width": (48, MOST_SIDE),
}


def check_choice(what: str, choice: str, choices: Sequence[str]) -> None:
    """Refuse an unknown name of a provider or a preset.

    Raises:
        InvalidArgumentError: There is none of that name.
    """
    if choice not in choices:
        listed = f"{', '.join(choices[:-1])} and {choices[-1]}"
        message = f"there is no {what} {choice!r}; the {what}s are {listed}"
        raise InvalidArgumentError(message)


def check_ranges(**numbers: int | None) -> None:
    """Refuse numbers out of their ranges; None is for `threads` alone, which the core chooses then.

    Raises:
        InvalidArgumentError: One is too small, too large or no whole number.
    """
    for name, value in numbers.items():
        least, most = _RANGES[name]
        if value is None and name == "threads":
            continue
        if isinstance(value, Integral) and not isinstance(value, bool) and least <= value <= most:
            continue
        message = f"{name} is a number from {least} to {most}, not {value!r}"
        raise InvalidArgumentError(message)


def check_idle_unload(seconds: float | None) -> None:
    """Refuse what is no time.

    Raises:
        InvalidArgumentError: It is negative or no number.
    """
    if seconds is not None:
        checked_seconds("idle_unload", seconds)


def check_progress(progress: ProgressCallback | None) -> None:
    """Refuse what cannot be called.

    Raises:
        InvalidArgumentError: It is neither None nor a function.
    """
    if progress is not None and not callable(progress):
        message = f"progress is a function or None, not {progress!r}"
        raise InvalidArgumentError(message)


def checked_languages(languages: Sequence[str] | None) -> list[str] | None:
    """Return codes in a list; which of them are known is the core's to say.

    Raises:
        InvalidArgumentError: It is one text instead, or no list of texts.
    """
    if languages is None:
        return None
    if isinstance(languages, str):
        message = f"languages is a list of codes, not the text {languages!r}"
        raise InvalidArgumentError(message, f"say languages=[{languages!r}]")
    codes = list(languages) if isinstance(languages, Iterable) else None
    if codes is None or not all(isinstance(code, str) for code in codes):
        message = f"languages is a list of codes such as ['en', 'de'], not {languages!r}"
        raise InvalidArgumentError(message)
    return [text_of(code, "a language's code") for code in codes]


def checked_score(score: float) -> float:
    """Return a probability.

    Raises:
        InvalidArgumentError: It is none.
    """
    if isinstance(score, Real) and 0.0 <= score <= 1.0:
        return score
    message = f"min_score is a probability from 0 to 1, not {score!r}"
    raise InvalidArgumentError(message)


def checked_flag(name: str, flag: object) -> bool:
    """Return the flag.

    Raises:
        InvalidArgumentError: It is neither.
    """
    if isinstance(flag, bool):
        return flag
    message = f"{name} is True or False, not {flag!r}"
    raise InvalidArgumentError(message)


def model_choices(
    models: str,
    detector: ModelChoice | None,
    recognizer: ModelChoice | None,
    orienter: ModelChoice | Literal[False] | None,
) -> ModelChoices:
    """Return the models of the set, but for those that are given instead.

    Raises:
        InvalidArgumentError: There is no such set, or a name is empty, or neither a name nor a path.
    """
    sets = model_sets()
    if not isinstance(models, str) or models not in sets:
        message = f"there is no model set {models!r}; the sets are {', '.join(sorted(sets))}"
        raise InvalidArgumentError(message)
    defaults = sets[models]
    return (
        _model_choice("detector", detector, defaults[0]),
        _model_choice("recognizer", recognizer, defaults[1]),
        None if orienter is False else _model_choice("orienter", orienter, defaults[2]),
    )


def _model_choice(role: str, choice: ModelChoice | None, default: str) -> ModelChoice:
    """Return the model for a role: that of the set unless another is given."""
    if choice is None:
        return default
    text = os.fspath(choice) if isinstance(choice, str | os.PathLike) else None
    if not isinstance(text, str) or "\0" in text:
        false = " or False" if role == "orienter" else ""
        message = f"{role} is a name, a path{false}, not {choice!r}"
        raise InvalidArgumentError(message, "leave it out for that of the model set")
    if text == "":
        message = f"the {role}'s name is empty"
        raise InvalidArgumentError(message, "leave it out for that of the model set")
    return choice
