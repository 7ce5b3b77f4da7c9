"""The options of one call, listed once: methods of the engine that read take them, and everything below gets them."""

from collections.abc import Callable, Iterable
from functools import wraps
from inspect import Parameter, signature
from typing import Literal, NamedTuple, TypedDict, TypeVar, cast

from .. import _core
from .._arguments import checked_seconds, text_of
from ..exceptions import InvalidArgumentError
from ._options import checked_flag, checked_score

OnError = Literal["return", "raise"]
"""Errors of one picture stand in its place, or end it all."""

M = TypeVar("M", bound=Callable[..., object])


class RuleKeywords(TypedDict, total=False):
    """Keywords for what lines are to follow."""

    allow: str | None
    pattern: str | None
    words: Iterable[str] | None


class ReadKeywords(RuleKeywords, total=False):
    """Keywords of :meth:`ferrocr.OcrEngine.recognize`, for methods that pass them on."""

    min_score: float | None
    timeout: float | None
    characters: bool


class ReadOptions(NamedTuple):
    """Options for the lines that a call reads, as the core takes them."""

    min_score: float
    """Lines with a lower score are left out."""
    characters: bool
    """True if words come with their characters."""
    rules: _core.Rules | None = None
    """The rules for the text of each line."""


class CallOptions(NamedTuple):
    """Options of one call, checked."""

    reading: ReadOptions
    timeout: float | None
    """Seconds for each picture or page."""
    keep_going: bool
    """True if an error of one picture or page stands in its place instead of ending it all."""

    @classmethod
    def checked(
        cls,
        usual_score: float,
        *,
        min_score: float | None = None,
        timeout: float | None = None,
        characters: bool = False,
        allow: str | None = None,
        pattern: str | None = None,
        words: Iterable[str] | None = None,
        on_error: OnError = "raise",
    ) -> "CallOptions":
        """Return the options that hold for a call of an engine with `usual_score`.

        Raises:
            InvalidArgumentError: One is out of its range.
        """
        bound = usual_score if min_score is None else checked_score(min_score)
        rules = checked_rules(allow, pattern, words)
        reading = ReadOptions(bound, checked_flag("characters", characters), rules)
        if on_error not in ("return", "raise"):
            message = f"on_error is 'return' or 'raise', not {on_error!r}"
            raise InvalidArgumentError(message)
        seconds = None if timeout is None else checked_seconds("timeout", timeout)
        return cls(reading, seconds, on_error == "return")


def checked_rules(allow: str | None, pattern: str | None, words: Iterable[str] | None) -> _core.Rules | None:
    """Return what lines are to follow, prepared for any number of pictures.

    Raises:
        InvalidArgumentError: There is no character or word, the pattern is none, or something is too large.
    """
    if isinstance(words, str):
        message = f"words is a list of words, not the text {words!r}"
        raise InvalidArgumentError(message, f"say words=[{words!r}]")
    if words is not None and not isinstance(words, Iterable):
        message = f"words is a list of words, not {words!r}"
        raise InvalidArgumentError(message)
    return _core.Rules.of(
        None if allow is None else text_of(allow, "allow"),
        None if pattern is None else text_of(pattern, "a pattern"),
        None if words is None else [text_of(word, "a word") for word in words],
    )


def takes_keywords_of(model: Callable[..., object]) -> Callable[[M], M]:
    """Return a decorator for a method that passes ``**options`` on, of which `model` has the keywords.

    The method shows them in its signature, with their defaults, and refuses others as if it had them there: with a
    TypeError at the call.
    """

    def decorate(method: M) -> M:
        own, passed_on = signature(method), signature(model).parameters
        first = [one for one in own.parameters.values() if one.kind is Parameter.POSITIONAL_OR_KEYWORD]
        keywords = [one for one in (passed_on | own.parameters).values() if one.kind is Parameter.KEYWORD_ONLY]
        shown = own.replace(parameters=[*first, *keywords])

        @wraps(method)
        def checked(*arguments: object, **options: object) -> object:
            for name in options:
                if name not in shown.parameters:
                    message = f"{checked.__qualname__}() got an unexpected keyword argument {name!r}"
                    raise TypeError(message)
            return method(*arguments, **options)

        vars(checked)["__signature__"] = shown
        return cast("M", checked)

    return decorate


def check_ahead(ahead: int | None) -> None:
    """Refuse what is no number of pictures.

    Raises:
        InvalidArgumentError: It is negative or no whole number.
    """
    if ahead is not None and (isinstance(ahead, bool) or not isinstance(ahead, int) or ahead < 0):
        message = f"ahead is a number of pictures from 0 on, not {ahead!r}"
        raise InvalidArgumentError(message)
