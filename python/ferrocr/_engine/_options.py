"""The engine's arguments, checked: each that is wrong is refused when the engine is made, not at the first picture."""

import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from numbers import Integral, Real
from typing import Literal, get_args

from .. import _core
from .._arguments import checked_seconds, text_of
from ..exceptions import InvalidArgumentError
from ..models.store import ProgressCallback

ModelChoice = str | os.PathLike[str]
"""A catalog name, the name of a file in the model directory, or a path to a file anywhere."""

ModelChoices = dict[str, ModelChoice]
"""A model for each role that has one."""

Preset = Literal["default", "fast"]
PRESETS: tuple[Preset, ...] = get_args(Preset)

Provider = Literal["auto", "cpu", "cuda", "openvino"]
PROVIDERS: tuple[Provider, ...] = get_args(Provider)

MOST_SIDE = 2**32 - 1
"""The core counts sides in 32 bits."""

# From and to. Sizes are counted in 64 bits with a sign, everywhere that they pass through.
_RANGES = {
    "threads": (1, 1024),
    "device_id": (0, 2**31 - 1),
    "max_pixels": (1, 2**63 - 1),
    "max_side": (1, MOST_SIDE),
    "max_bytes": (1, 2**63 - 1),
    "workers": (1, 256),
    "max_memory": (2**20, 2**63 - 1),
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
    """Refuse numbers out of their ranges; None is for those that may be left to the core.

    Raises:
        InvalidArgumentError: One is too small, too large or no whole number.
    """
    for name, value in numbers.items():
        least, most = _RANGES[name]
        if value is None and name in {"threads", "device_id", "max_memory"}:
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


def check_isolation(workers: int, max_memory: int | None, *, isolated: bool) -> None:
    """Refuse options of isolated engines elsewhere, and what no system or only another one has.

    Raises:
        InvalidArgumentError: One is out of its range, or the engine is not isolated.
    """
    checked_flag("isolated", isolated)
    check_ranges(workers=workers, max_memory=max_memory)
    if not isolated and (workers != 1 or max_memory is not None):
        message = "workers and max_memory are for engines whose models have processes of their own"
        raise InvalidArgumentError(message, "say isolated=True too")
    if max_memory is not None and sys.platform != "linux":
        message = f"max_memory cannot be kept here: {sys.platform} bounds no process's memory as Linux does"
        raise InvalidArgumentError(message, "leave it out, or bound the memory of the whole service")


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
    models: str, chosen: Mapping[str, ModelChoice | Literal[False] | None], languages: list[str] | None
) -> ModelChoices:
    """Return the models of the set by role, but for those that are `chosen` instead; False is for none at all.

    Where no recogniser is chosen, the one that reads all of the `languages` is taken.

    Raises:
        InvalidArgumentError: There is no such set or language, no recogniser reads all of the languages, or a name is
            empty, or neither a name nor a path.
    """
    sets = dict(_core.model_sets())
    if not isinstance(models, str) or models not in sets:
        message = f"there is no model set {models!r}; the sets are {', '.join(sorted(sets))}"
        raise InvalidArgumentError(message)
    choices: ModelChoices = {}
    for role, is_required in _core.roles():
        choice = chosen.get(role)
        if choice is None and role in sets[models]:
            choices[role] = sets[models][role]
        elif choice is not None and (is_required or choice is not False):
            choices[role] = _model_choice(role, choice, "" if is_required else " or False")
    if languages is not None and chosen.get("recognizer") is None:
        recognizer = _core.recognizer_for(models, languages)
        if recognizer is not None:
            choices["recognizer"] = recognizer
    return choices


def _model_choice(role: str, choice: ModelChoice | Literal[False], or_false: str) -> ModelChoice:
    """Return the model that is chosen for a role."""
    text = os.fspath(choice) if isinstance(choice, str | os.PathLike) else None
    if not isinstance(choice, str | os.PathLike) or not isinstance(text, str) or "\0" in text:
        message = f"{role} is a name, a path{or_false}, not {choice!r}"
        raise InvalidArgumentError(message, "leave it out for that of the model set")
    if text == "":
        message = f"the {role}'s name is empty"
        raise InvalidArgumentError(message, "leave it out for that of the model set")
    return choice
