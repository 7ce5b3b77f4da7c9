"""The text that a PDF brings with a page, as lines and words like those that are read.

A PDF has glyphs with places, in the order in which they were written. Here x runs to the right and y up, in points.
"""

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from .._text import line_text
from ..results import Block, Char, Line, Page, Point, Quad, Word

_MOST_UNKNOWN = 0.05
"""Share of glyphs without a known character from which a page is read instead. A ligature or a bullet that a font does
not explain is usual; a font without any explanation gives a page of rubbish. Chosen, not measured."""

_PICTURED = 0.5
"""Share of a page that pictures cover from which it may be a scan."""

_LEAST_OF_A_SCAN = 100
"""Fewest characters that are taken for the text of a scan. Stamps, page numbers and the marks of scanning programs have
less than a line's 80 characters; a page whose text is as short as that is read, which costs nothing but time."""

_GAP = 1.5
"""Distance of two words from which they are two lines, such as cells of a table or columns, in heights of the line. A
justified line has gaps of up to about one."""

_TURN = math.radians(5)
"""Change of direction within a line from which another one begins."""


class Glyph(NamedTuple):
    """A character of a PDF."""

    text: str
    """Empty where the file does not tell."""
    box: tuple[float, float, float, float] | None
    """Left, bottom, right and top; None for spaces and line ends, whether they are in the file or not."""
    angle: float
    """Direction of reading in radians, 0 to the right and counter-clockwise from there."""


@dataclass(frozen=True, slots=True)
class TextLayer:
    """The text that a PDF brings with a page.

    Attributes:
        glyphs: Its characters.
        pictured: The share of the page that pictures cover, 0 to 1.
        has_notes: True if it has form fields, stamps, ink or typed notes, whose text is not among the characters.
    """

    glyphs: tuple[Glyph, ...]
    pictured: float
    has_notes: bool

    @property
    def is_usable(self) -> bool:
        """True if it is likely to be all the text that a person sees on the page."""
        written = [glyph for glyph in self.glyphs if glyph.box is not None]
        if not written or self.has_notes:
            return False
        if self.pictured >= _PICTURED and len(written) < _LEAST_OF_A_SCAN:
            return False
        return sum(not line_text(glyph.text) for glyph in written) <= _MOST_UNKNOWN * len(written)

    def page(self, width: int, height: int, to_pixels: Callable[[Point], Point], *, characters: bool = False) -> Page:
        """Return its text as a page of `width` x `height` pixels, with `characters` of words where they are wanted."""
        lines = _lines(self.glyphs)
        if not characters:
            lines = [[word._replace(characters=()) for word in line] for line in lines]
        blocks = tuple(_block(group, to_pixels) for group in _grouped(lines))
        return Page(width, height, tuple(line for block in blocks for line in block.lines), blocks)


class _Strip(NamedTuple):
    """A rectangle along a direction: `left` to `right` in that direction, `bottom` to `top` across it."""

    angle: float
    left: float
    bottom: float
    right: float
    top: float

    @property
    def height(self) -> float:
        return self.top - self.bottom

    def corners(self, to_pixels: Callable[[Point], Point]) -> Quad:
        """Return the corners from the top left as the text is read, clockwise on the screen."""
        cos, sin = math.cos(self.angle), math.sin(self.angle)

        def point(along: float, across: float) -> Point:
            return to_pixels((along * cos - across * sin, along * sin + across * cos))

        return (
            point(self.left, self.top),
            point(self.right, self.top),
            point(self.right, self.bottom),
            point(self.left, self.bottom),
        )


class _Word(NamedTuple):
    text: str
    strip: _Strip
    characters: tuple[tuple[str, _Strip], ...]


_Line = list[_Word]


def _lines(glyphs: Iterable[Glyph]) -> list[_Line]:
    """Return words of lines, both in the order of the file."""
    lines: list[_Line] = [[]]
    texts, strips = list[str](), list[_Strip]()

    def end_word() -> None:
        word = _Word(_repaired("".join(texts)), _around(strips), _characters(texts, strips)) if texts else None
        texts.clear()
        strips.clear()
        if word is not None:
            if lines[-1] and not _continues(lines[-1][-1].strip, word.strip):
                lines.append([])
            lines[-1].append(word)

    for glyph in glyphs:
        if glyph.text in ("\r", "\n"):
            end_word()
            lines.append([])
        elif glyph.box is None or (text := line_text(glyph.text)).isspace():
            end_word()
        elif text:
            strip = _strip_of(glyph.box, glyph.angle)
            if strips and abs(_difference(strip.angle, strips[0].angle)) > _TURN:
                end_word()
            strips.append(strip)
            texts.append(text)
    end_word()
    return [line for line in lines if line]


def _continues(before: _Strip, after: _Strip) -> bool:
    """Return True if two words that follow each other stand in one line."""
    if abs(_difference(before.angle, after.angle)) > _TURN:
        return False
    after = _turned(after, before.angle)
    apart = max(after.left - before.right, before.left - after.right)
    return apart <= _GAP * before.height and min(before.top, after.top) > max(before.bottom, after.bottom)


def _grouped(lines: Iterable[_Line]) -> list[list[_Line]]:
    """Return lines that follow each other closely, one below the other, in letters of about the same size."""
    groups: list[list[_Line]] = []
    for line in lines:
        if groups and _is_below(_strip_of_line(groups[-1][-1]), _strip_of_line(line)):
            groups[-1].append(line)
        else:
            groups.append([line])
    return groups


def _is_below(upper: _Strip, lower: _Strip) -> bool:
    if abs(_difference(upper.angle, lower.angle)) > _TURN:
        return False
    lower = _turned(lower, upper.angle)
    small, large = sorted((upper.height, lower.height))
    # A paragraph has less than an empty line between its lines, and a heading has larger letters.
    close = abs(upper.bottom - lower.top) < 0.8 * small
    return close and large < 1.3 * small and min(upper.right, lower.right) > max(upper.left, lower.left)


def _block(lines: Sequence[_Line], to_pixels: Callable[[Point], Point]) -> Block:
    quad = _around([_strip_of_line(line) for line in lines]).corners(to_pixels)
    return Block(quad, tuple(_line(line, to_pixels) for line in lines))


def _line(words: _Line, to_pixels: Callable[[Point], Point]) -> Line:
    # Nobody has judged the text, so every score is that of a certainty.
    parts = tuple(_finished(word, to_pixels) for word in words)
    return Line(" ".join(word.text for word in words), 1.0, _strip_of_line(words).corners(to_pixels), parts)


def _finished(word: _Word, to_pixels: Callable[[Point], Point]) -> Word:
    characters = tuple(Char(text, 1.0, strip.corners(to_pixels)) for text, strip in word.characters)
    return Word(word.text, 1.0, word.strip.corners(to_pixels), characters)


def _characters(texts: Sequence[str], strips: Sequence[_Strip]) -> tuple[tuple[str, _Strip], ...]:
    """Return each glyph's text and box; both halves of a character are one."""
    characters: list[tuple[str, _Strip]] = []
    for text, strip in zip(texts, strips, strict=True):
        if characters and "\udc00" <= text[0] <= "\udfff" and "\ud800" <= characters[-1][0][-1] <= "\udbff":
            before, place = characters.pop()
            characters.append((before + text, _around([place, strip])))
        else:
            characters.append((text, strip))
    return tuple((_repaired(text), strip) for text, strip in characters)


def _strip_of_line(words: _Line) -> _Strip:
    return _around([word.strip for word in words])


def _strip_of(box: tuple[float, float, float, float], angle: float) -> _Strip:
    """Return the turned rectangle that just fits into an upright box."""
    left, bottom, right, top = box
    cos, sin = abs(math.cos(angle)), abs(math.sin(angle))
    width, height = right - left, top - bottom
    # The box is `wide * cos + high * sin` wide and `wide * sin + high * cos` high. Near 45 degrees this cannot be
    # solved, and the box itself is taken, which is larger.
    root = cos * cos - sin * sin
    if abs(root) > 0.3:
        wide, high = (width * cos - height * sin) / root, (height * cos - width * sin) / root
        if wide > 0 and high > 0:
            width, height = wide, high
    x, y = (left + right) / 2, (bottom + top) / 2
    cos, sin = math.cos(angle), math.sin(angle)
    along, across = x * cos + y * sin, y * cos - x * sin
    return _Strip(angle, along - width / 2, across - height / 2, along + width / 2, across + height / 2)


def _around(strips: Sequence[_Strip]) -> _Strip:
    """Return the strip around all of them, in the direction of the first."""
    angle = strips[0].angle
    turned = [_turned(strip, angle) for strip in strips]
    return _Strip(
        angle,
        min(strip.left for strip in turned),
        min(strip.bottom for strip in turned),
        max(strip.right for strip in turned),
        max(strip.top for strip in turned),
    )


def _turned(strip: _Strip, angle: float) -> _Strip:
    """Return one as large and at the same place, in a direction that is about the same."""
    turn = strip.angle - angle
    if turn == 0:
        return strip
    cos, sin = math.cos(turn), math.sin(turn)
    along, across = (strip.left + strip.right) / 2, (strip.bottom + strip.top) / 2
    along, across = along * cos - across * sin, along * sin + across * cos
    width, height = strip.right - strip.left, strip.height
    return _Strip(angle, along - width / 2, across - height / 2, along + width / 2, across + height / 2)


def _difference(one: float, other: float) -> float:
    return math.remainder(one - other, math.tau)


def _repaired(text: str) -> str:
    """Put halves of characters together, as some systems give those beyond 16 bits; a half alone is no character."""
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
