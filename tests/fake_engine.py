"""What stands in for the engine in tests of the command line."""

import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, ClassVar, Self

import pytest

from ferrocr import Line, Page, exceptions

Captured = pytest.CaptureFixture[str]


def make_page(text: str) -> Page:
    """A page with a line of text for each line of `text`."""
    quad = ((1.04, 2.0), (9.0, 2.0), (9.0, 5.0), (1.0, 5.0))
    return Page(40, 30, tuple(Line(line, 0.98765, quad, ()) for line in text.split("\n")))


class FakeEngine:
    """Stands in for the engine: "reads" a file by returning its content, and a file with "broken" in its name fails."""

    options: ClassVar[dict[str, Any]] = {}
    was_read: ClassVar[list[str]] = []
    load_error: ClassVar[BaseException | None] = None

    def __init__(self, models: str, **options: object) -> None:
        """Keep the options for the test to look at."""
        type(self).options = {"models": models, **options}

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(self, *exc_info: object) -> None:
        """Free nothing."""

    def load(self) -> None:
        """Fail, if the test wants it."""
        if self.load_error is not None:
            raise self.load_error

    def recognize_many(
        self, images: Iterable[str], *, ahead: int | None = None, characters: bool = False, **_rules: object
    ) -> Iterator[Any]:
        """One page or error for each file."""
        for image in images:
            self.was_read.append(image)
            if "broken" in image:
                yield exceptions.ImageError(f"{image} is not a picture", "convert it to PNG first")
            else:
                yield make_page(Path(image).read_text(encoding="utf-8"))


def ascii_only() -> dict[str, str]:
    """An environment in which stdout knows nothing but ASCII."""
    return {**os.environ, "PYTHONIOENCODING": "ascii"}
