"""Numbers of the pages of a document that are wanted."""

import operator
import re
from collections.abc import Iterable, Iterator
from itertools import chain

from ..exceptions import InvalidArgumentError

PageNumbers = str | Iterable[int]
"""Numbers from 1 on: a text such as ``"1-3,7,12-"``, or several ints."""

_HINT = 'say for example pages="1-3,7", pages="5-" or pages=[1, 2, 7]; the first page is 1'
_SHELL_HINT = "say for example --pages 1-3,7 or --pages 5-; the first page is 1"

# More digits than any document has pages, and few enough for int().
_SPAN = re.compile(r"\s*([0-9]{1,18})\s*(?:(-)\s*([0-9]{1,18})?\s*)?")


class Wanted:
    """The pages that a call asks for, in the order in which it names them.

    Args:
        pages: None for all of them.

    Raises:
        InvalidArgumentError: It is no list of pages.
    """

    def __init__(self, pages: PageNumbers | None) -> None:
        self._spans = [(1, None)] if pages is None else _spans_of(pages)
        self._all = pages is None

    def among(self, count: int, name: str) -> Iterator[int]:
        """Return their numbers in a document of `count` pages that messages call `name`.

        Raises:
            InvalidArgumentError: It has no page of such a number.
        """
        if self._all:
            return iter(range(1, count + 1))
        for first, last in self._spans:
            if max(first, last or first) > count:
                message = f"there is no page {max(first, last or first)} in {name}, which has {count}"
                raise InvalidArgumentError(message, f"its pages are 1 to {count}")
        return chain.from_iterable(range(first, (last or count) + 1) for first, last in self._spans)


def _spans_of(pages: PageNumbers) -> list[tuple[int, int | None]]:
    if isinstance(pages, str):
        return [_span_of(part, pages) for part in pages.split(",")]
    if not isinstance(pages, Iterable) or isinstance(pages, bytes | bytearray):
        message = f"pages are a str or several int, not {pages!r}"
        raise InvalidArgumentError(message, _HINT, shell_hint=_SHELL_HINT)
    return [(number, number) for number in map(_number_of, pages)]


def _span_of(part: str, pages: str) -> tuple[int, int | None]:
    found = _SPAN.fullmatch(part)
    if found is None:
        message = f"pages={pages!r} is no list of pages: {part.strip()!r} is neither a number nor a range"
        raise InvalidArgumentError(message, _HINT, shell_hint=_SHELL_HINT)
    first = int(found[1])
    last = int(found[3]) if found[3] else None if found[2] else first
    if first < 1 or (last is not None and last < first):
        problem = "there is no page 0" if first < 1 else f"{part.strip()!r} ends before it begins"
        message = f"pages={pages!r} is no list of pages: {problem}"
        raise InvalidArgumentError(message, _HINT, shell_hint=_SHELL_HINT)
    return first, last


def _number_of(number: int) -> int:
    try:
        value = operator.index(number)
    except TypeError:
        value = 0
    if value < 1 or isinstance(number, bool):
        message = f"a page is a number from 1 on, not {number!r}"
        raise InvalidArgumentError(message, _HINT, shell_hint=_SHELL_HINT)
    return value
