"""Boxes of words and characters against drawn text, whose true boxes are known."""

import asyncio
import math
import random
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image, ImageDraw, ImageFont

from ferrocr import Char, InvalidArgumentError, Line, OcrEngine, Page, Word
from ferrocr.documents import Document

# Where systems keep fonts, and some that are common: with serifs and without, of one width, bold, slanted.
FOLDERS = (Path("/usr/share/fonts"), Path("/Library/Fonts"), Path("/System/Library/Fonts"), Path("C:/Windows/Fonts"))
COMMON = (
    "DejaVuSans.ttf",
    "DejaVuSerif-Bold.ttf",
    "NimbusRoman-Regular.otf",
    "NimbusMonoPS-Regular.otf",
    "C059-Italic.otf",
    "LiberationSerif-Regular.ttf",
    "Times New Roman.ttf",
    "Courier New.ttf",
    "times.ttf",
    "cour.ttf",
)
CHINESE = ("DroidSansFallbackFull.ttf", "NotoSansCJK-Regular.ttc", "wqy-microhei.ttc", "PingFang.ttc", "msyh.ttc")

TEXT = (
    "Iron tastes of rain and the old quarry",
    "Order 4711 was paid on 12.03.2024",
    "Illinois willows fill a hollow valley",
    "THE QUICK BROWN FOX JUMPS HIGH",
    "Total: 1,234.56 EUR (net) by invoice",
    "A well-known tower, e.g. in Pisa, leans",
)

Font = ImageFont.FreeTypeFont
Ends = tuple[float, float]


def fonts_named(names: tuple[str, ...]) -> list[str]:
    """The paths of those fonts that the system has."""
    files = {file.name: str(file) for folder in FOLDERS if folder.is_dir() for file in folder.rglob("*.[ot]t[fc]")}
    return [files[name] for name in names if name in files]


FONTS: list[str | None] = [None, *fonts_named(COMMON)]
"""None is Pillow's own."""


def font_of(path: str | None, size: int) -> Font:
    """A font of a size in pixels."""
    font = ImageFont.load_default(size) if path is None else ImageFont.truetype(path, size)
    assert isinstance(font, Font), "Pillow has FreeType"
    return font


@dataclass(frozen=True)
class Drawn:
    """A word on a picture, its ends along the line, and those of its characters."""

    text: str
    ends: Ends
    characters: list[Ends]


@dataclass(frozen=True)
class Sheet:
    """A picture with lines of text, drawn upright and then turned counter-clockwise by `degrees`."""

    picture: Image.Image
    lines: list[list[Drawn]]
    width: float
    """Of a character, usually."""
    upright_size: tuple[int, int]
    degrees: int

    def upright(self, point: tuple[float, float]) -> tuple[float, float]:
        """Where a point of the turned picture was before."""
        cos, sin = math.cos(math.radians(self.degrees)), math.sin(math.radians(self.degrees))
        x, y = point[0] - self.picture.width / 2, point[1] - self.picture.height / 2
        return x * cos - y * sin + self.upright_size[0] / 2, x * sin + y * cos + self.upright_size[1] / 2

    def ends(self, part: Word | Char) -> Ends:
        """Where a word or a character that was read begins and ends along the line."""
        (a, _), (b, _), (c, _), (d, _) = (self.upright(corner) for corner in part.quad)
        return (a + d) / 2, (b + c) / 2


def ink(text: str, font: Font) -> Ends:
    """Where the ink of a text begins and ends from where it is drawn on."""
    margin = 2 * round(font.size)
    mask = Image.new("L", (round(font.getlength(text)) + 2 * margin, 3 * round(font.size)))
    ImageDraw.Draw(mask).text((margin, font.size / 2), text, fill=255, font=font)
    box = mask.point([0] * 100 + [255] * 156).getbbox()
    assert box is not None, f"{text!r} has ink"
    return box[0] - margin, box[2] - margin


def sheet_of(
    lines: list[str],
    font: Font,
    *,
    degrees: int = 0,
    paper: int = 255,
    gap: float = 1,
    latin: Font | None = None,
) -> Sheet:
    """A picture with `lines`, between whose words there are `gap` spaces; `latin` is for words in ASCII."""
    margin, step = 2 * round(font.size), round(2 * font.size)
    space = font.getlength(" ") * gap
    fonts = {word: latin if latin and word.isascii() else font for line in lines for word in line.split()}
    widths = [sum(fonts[word].getlength(word) + space for word in line.split()) for line in lines]
    picture = Image.new("L", (round(max(widths)) + 2 * margin, step * len(lines) + 2 * margin), paper)
    draw = ImageDraw.Draw(picture)
    drawn: list[list[Drawn]] = []
    for row, line in enumerate(lines):
        x = float(margin)
        drawn.append([])
        for word in line.split():
            x, font = round(x), fonts[word]
            draw.text((x, margin + row * step), word, fill=255 - paper, font=font)
            start, end = ink(word, font)
            places = [x + font.getlength(word[: i + 1]) - font.getlength(sign) for i, sign in enumerate(word)]
            own = [ink(sign, font) for sign in word]
            characters = [(place + a, place + b) for place, (a, b) in zip(places, own, strict=True)]
            drawn[-1].append(Drawn(word, (x + start, x + end), characters))
            x += font.getlength(word) + space
    signs = "".join(lines).replace(" ", "")
    width = sum(fonts[word].getlength(word) for line in lines for word in line.split()) / len(signs)
    turned = picture.rotate(degrees, Image.Resampling.BICUBIC, expand=True, fillcolor=paper)
    return Sheet(turned, drawn, width, picture.size, degrees)


def read_right(sheet: Sheet, page: Page) -> Iterator[tuple[Drawn, Word]]:
    """Drawn words with what was read of them, in lines whose text is right."""
    for drawn in sheet.lines:
        text = " ".join(word.text for word in drawn)
        line = next((line for line in page.lines if line.text == text), None)
        if line is not None:
            assert [word.text for word in line.words] == text.split()
            yield from zip(drawn, line.words, strict=True)


def off(found: Ends, true: Ends) -> float:
    """How far the worse end is away from where it should be."""
    return max(abs(found[0] - true[0]), abs(found[1] - true[1]))


@settings(max_examples=20, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    font=st.sampled_from(FONTS),
    size=st.sampled_from([16, 24, 36, 60]),
    degrees=st.sampled_from([0, 0, 7, -7, 90, 180]),
    paper=st.sampled_from([255, 0]),
    gap=st.sampled_from([1.0, 1.0, 1.8]),
    seed=st.integers(0, 99),
)
def test_words_are_tight_to_a_third_of_a_character(
    engine: OcrEngine, font: str | None, size: int, degrees: int, paper: int, gap: float, seed: int
) -> None:
    lines = random.Random(seed).sample(TEXT, 3)
    sheet = sheet_of(lines, font_of(font, size), degrees=degrees, paper=paper, gap=gap)
    pairs = list(read_right(sheet, engine.recognize(sheet.picture)))
    assert pairs or size < 24, "some line is read right"
    for drawn, word in pairs:
        found = sheet.ends(word)
        assert off(found, drawn.ends) <= sheet.width / 3, f"{word.text!r}: {found} is not {drawn.ends}"


def test_nearly_all_characters_are_tight_to_a_third_of_one(engine: OcrEngine) -> None:
    distances: list[float] = []
    words = 0
    for font in FONTS:
        sheet = sheet_of(list(TEXT), font_of(font, 32))
        for drawn, word in read_right(sheet, engine.recognize(sheet.picture, characters=True)):
            words += 1
            assert [one.text for one in word.characters] == list(word.text)
            places = zip(drawn.characters, word.characters, strict=True)
            distances += [off(sheet.ends(one), ends) / sheet.width for ends, one in places]
    assert words >= 20 * len(FONTS), "most lines are read right"
    distances.sort()
    # Letters that stand over each other, such as "fj" and slanted ones, have no border of columns.
    assert distances[len(distances) * 94 // 100] <= 1 / 3
    assert distances[len(distances) // 2] <= 0.1


def test_chinese_words_and_characters_are_tight(engine: OcrEngine) -> None:
    paths = fonts_named(CHINESE)
    if not paths:
        pytest.skip(f"none of {', '.join(CHINESE)} on this system")
    lines = ["人工智能技术在文字识别中的应用", "川流不息的小河", "第二章 山上的一个人"]
    font = font_of(paths[0], 36)
    sheet = sheet_of(lines, font, gap=font.size / font.getlength(" "))  # a character wide, as it is written in Chinese
    pairs = list(read_right(sheet, engine.recognize(sheet.picture, characters=True)))
    assert len(pairs) >= 3
    for drawn, word in pairs:
        assert off(sheet.ends(word), drawn.ends) <= sheet.width / 3, word.text
        for ends, one in zip(drawn.characters, word.characters, strict=True):
            assert off(sheet.ends(one), ends) <= sheet.width / 2, f"{one.text} of {word.text}"


def test_words_of_mixed_scripts_are_tight(engine: OcrEngine) -> None:
    paths = fonts_named(CHINESE)
    if not paths:
        pytest.skip(f"none of {', '.join(CHINESE)} on this system")
    lines = ["Rust 语言版本 1.85 发布", "合计 1280 元 EUR", "请使用 Python 调用接口", "第 12 页 Chapter 第三章"]
    for degrees, paper in [(0, 255), (0, 0), (6, 255), (180, 255)]:
        fonts = font_of(paths[0], 36), font_of(None, 36)
        sheet = sheet_of(lines, fonts[0], degrees=degrees, paper=paper, gap=2, latin=fonts[1])
        pairs = list(read_right(sheet, engine.recognize(sheet.picture)))
        assert len(pairs) >= 8, f"{degrees} degrees on {paper}"
        for drawn, word in pairs:
            assert off(sheet.ends(word), drawn.ends) <= sheet.width / 3, word.text


def same_line(line: Line, other: Line) -> bool:
    """Whether two lines are the same but for the characters of their words."""
    same = [(word.text, word.score, word.quad) for word in line.words]
    return line.text == other.text and same == [(word.text, word.score, word.quad) for word in other.words]


def test_characters_come_where_they_are_asked_for(engine: OcrEngine, picture_file: Path) -> None:
    plain = engine.recognize(picture_file)
    assert not any(word.characters for line in plain.lines for word in line.words)
    asked = engine.recognize(picture_file, characters=True)
    assert all(map(same_line, plain.lines, asked.lines))
    for word in (word for line in asked.lines for word in line.words):
        characters = word.characters
        assert "".join(one.text for one in characters) == word.text
        assert sum(one.score for one in characters) / len(characters) == pytest.approx(word.score, abs=1e-6)
        assert (characters[0].quad[0], characters[-1].quad[1]) == (word.quad[0], word.quad[1])
        assert all(one.quad[1][0] <= other.quad[0][0] + 1e-3 for one, other in pairwise(characters))


def test_every_call_gives_them(engine: OcrEngine, picture_file: Path) -> None:
    expected = engine.recognize(picture_file, characters=True)
    assert asyncio.run(engine.arecognize(picture_file, characters=True)) == expected
    for ahead in (0, 1):
        assert list(engine.recognize_many([picture_file], characters=True, ahead=ahead)) == [expected]
    document = engine.recognize_document(picture_file, characters=True)
    assert isinstance(document, Document)
    assert document.pages[0].page == expected
    assert asyncio.run(engine.arecognize_document(picture_file, characters=True)) == document
    assert list(engine.recognize_pages(picture_file, characters=True)) == list(document.pages)


def test_what_is_neither_yes_nor_no_is_refused(engine: OcrEngine, picture_file: Path) -> None:
    for characters in ("yes", 1, None):
        with pytest.raises(InvalidArgumentError, match="characters is True or False"):
            engine.recognize(picture_file, characters=characters)  # type: ignore[arg-type]
