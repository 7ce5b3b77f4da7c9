"""Results in RapidOCR's shape."""

import os
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeAlias

from ..._engine._inputs import ImageInput
from ...formats._layout import words_of
from ...results import Char, Line, Page, Quad, Word
from .._rows import Frame, sorted_rows

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

WordResult: TypeAlias = tuple[str, float, list[list[int]] | None]
"""A word's text, score and corners."""

_NO_WORDS: tuple[WordResult, ...] = (("", 1.0, None),)
"""The words of a picture without text."""


class LoadImageError(Exception):
    """A picture cannot be read."""


class RapidOCRError(Exception):
    """Never raised: it is there for programs that name it."""


@dataclass
class RapidOCROutput:
    """The lines of a picture, as RapidOCR has them; everything is None where there are none.

    Attributes:
        boxes: Corners of the lines, an array of shape (lines, 4, 2).
        txts: Their texts, in reading order.
        scores: Their scores.
        word_results: A tuple for each line, of words with text, score and corners, where they were asked for. Words of
            Chinese and Japanese are single characters.
        elapse_list: Seconds; ferrocr measures the whole alone.
        page: The page as ferrocr has it.
        source: The picture, as it was given.
    """

    boxes: "npt.NDArray[np.float32] | None" = None
    txts: tuple[str, ...] | None = None
    scores: tuple[float, ...] | None = None
    word_results: tuple[Any, ...] = _NO_WORDS
    elapse_list: list[float | None] = field(default_factory=list)
    page: Page | None = field(default=None, repr=False)
    source: "ImageInput | None" = field(default=None, repr=False)

    @property
    def elapse(self) -> float:
        """The sum of all times, in seconds."""
        return sum(seconds for seconds in self.elapse_list if seconds is not None)

    @cached_property
    def img(self) -> "npt.NDArray[np.uint8] | None":
        """The picture as an array of HxWx3, BGR, which needs Pillow; None where there is no text."""
        if self.source is None or self.boxes is None:
            return None
        import numpy as np

        return np.asarray(_pillow(self.source))[..., ::-1]

    def __len__(self) -> int:
        return len(self.txts or ())

    def to_json(self) -> list[dict[str, Any]] | None:
        """Return a dictionary for each line, with "box", "txt" and "score"; None where there is no text."""
        if self.boxes is None or self.txts is None or self.scores is None:
            return None
        return [
            {"box": box.tolist(), "txt": text, "score": score}
            for box, text, score in zip(self.boxes, self.txts, self.scores, strict=True)
        ]

    def to_markdown(self) -> str:
        """Return the text laid out by where it stands: rows as lines, wide gaps as spaces, an empty line between parts.

        It is empty where there is no text.
        """
        return "" if self.page is None else "\n".join(_laid_out(self.page.lines))

    def vis(self, save_path: str | os.PathLike[str] | None = None) -> "npt.NDArray[np.uint8] | None":
        """Return the picture with outlines and numbers, BGR; write it to a file if there is a path. It needs Pillow.

        None where there is no text.
        """
        if self.page is None or self.source is None:
            return None
        import numpy as np

        drawn = self.page.draw(_pillow(self.source), words=self.word_results not in ((), _NO_WORDS))
        if save_path is not None:
            drawn.save(save_path)
        return np.asarray(drawn.convert("RGB"))[..., ::-1]


@dataclass
class TextRecOutput:
    """The text of a picture that is one line.

    Attributes:
        txts: Its text, alone.
        scores: Its score, alone.
        word_results: Its words, as in :class:`RapidOCROutput`.
        elapse: Seconds.
    """

    txts: tuple[str, ...] = ("",)
    scores: tuple[float, ...] = (0.0,)
    word_results: tuple[Any, ...] = ()
    elapse: float | None = None

    def __len__(self) -> int:
        return len(self.txts)


def output_of(page: Page, source: ImageInput, seconds: float, *, words: bool, characters: bool) -> RapidOCROutput:
    """Return a page's lines."""
    if not page.lines:
        return RapidOCROutput()
    import numpy as np

    return RapidOCROutput(
        np.asarray([line.quad for line in page.lines], dtype=np.float32),
        tuple(line.text for line in page.lines),
        tuple(line.score for line in page.lines),
        tuple(tuple(_word_results(line, characters=characters)) for line in page.lines) if words else (),
        [None, None, seconds],
        page,
        source,
    )


def one_line(page: Page, seconds: float, *, words: bool, characters: bool) -> TextRecOutput:
    """Return all of a page's text as one line."""
    lines = [line for row in sorted_rows(page.lines, Frame.of(page.lines)) for line in row]
    if not lines:
        return TextRecOutput(elapse=seconds)
    weights = [max(len(line.text), 1) for line in lines]
    score = sum(line.score * weight for line, weight in zip(lines, weights, strict=True)) / sum(weights)
    found = tuple(result for line in lines for result in _word_results(line, characters=characters))
    return TextRecOutput((" ".join(line.text for line in lines),), (score,), (found,) if words else (), seconds)


def _word_results(line: Line, *, characters: bool) -> Iterator[WordResult]:
    for word in words_of(line):
        parts = word.characters if characters else _parts(word)
        for part in parts or (word,):
            yield part.text, part.score, [[round(x), round(y)] for x, y in part.quad]


def _parts(word: Word) -> list[Char]:
    """Return a word's runs: each character of Chinese and Japanese by itself, others together."""
    runs: list[list[Char]] = []
    for one in word.characters:
        alone = _stands_alone(one.text)
        if runs and not alone and not _stands_alone(runs[-1][-1].text):
            runs[-1].append(one)
        else:
            runs.append([one])
    return [
        Char("".join(one.text for one in run), sum(one.score for one in run) / len(run), _across(run)) for run in runs
    ]


def _across(run: list[Char]) -> Quad:
    first, last = run[0].quad, run[-1].quad
    return first[0], last[1], last[2], first[3]


def _stands_alone(text: str) -> bool:
    return any(unicodedata.name(letter, "").startswith(("CJK", "HIRAGANA", "KATAKANA")) for letter in text)


def _laid_out(lines: Iterable[Line]) -> Iterator[str]:
    lines = tuple(lines)
    frame = Frame.of(lines)
    bottom = None
    for row in sorted_rows(lines, frame):
        spans = [frame.span(line.quad) for line in row]
        height = max(span.bottom - span.top for span in spans)
        if bottom is not None and min(span.top for span in spans) - bottom > 0.8 * height:
            yield ""
        text = row[0].text
        for before, after, line in zip(spans, spans[1:], row[1:], strict=False):
            # Half of a line's height is about a character wide.
            gap = round((after.start - before.end) / max(height / 2, 1))
            text += " " * min(max(gap, 1), 12) + line.text
        yield text
        bottom = max(span.bottom for span in spans)


def _pillow(source: ImageInput) -> Any:  # noqa: ANN401
    """Return a picture as an RGB image of Pillow's, in the frame that was read."""
    import io

    import PIL.Image
    from PIL import ImageOps

    image: Any = source
    if isinstance(source, str | os.PathLike):
        image = PIL.Image.open(source)
    elif isinstance(source, bytes | bytearray | memoryview):
        image = PIL.Image.open(io.BytesIO(source))
    elif not hasattr(source, "getexif"):
        image = PIL.Image.fromarray(image)
    return ImageOps.exif_transpose(image).convert("RGB")
