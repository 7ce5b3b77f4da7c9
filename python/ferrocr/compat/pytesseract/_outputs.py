"""The files that Tesseract writes, made of one reading."""

import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator
from functools import cached_property

from ..._engine._inputs import ImageInput
from ...formats import Sheet, chunks
from ...formats._layout import box_of, direction_of, words_of
from ...formats.tsv import cell
from ...results import Line, Page
from ._config import TURN_ONLY, Config
from ._errors import TesseractError
from ._reading import searchable_pdf, sheets_of
from ._rows import shaped, text_of

EXTENSIONS = ("txt", "tsv", "box", "hocr", "xml", "osd", "pdf")

_SCRIPTS = {
    "LATIN": "Latin",
    "CJK": "Han",
    "HIRAGANA": "Japanese",
    "KATAKANA": "Japanese",
    "HANGUL": "Korean",
    "CYRILLIC": "Cyrillic",
    "GREEK": "Greek",
    "ARABIC": "Arabic",
    "HEBREW": "Hebrew",
    "THAI": "Thai",
    "DEVANAGARI": "Devanagari",
    "TAMIL": "Tamil",
    "TELUGU": "Telugu",
    "KANNADA": "Kannada",
    "GEORGIAN": "Georgian",
    "ARMENIAN": "Armenian",
}
"""Tesseract's names of scripts by the first word of their characters' names in Unicode."""


class Outputs:
    """The files of one picture. It is read once for all but the PDF, which has it upright."""

    def __init__(self, image: ImageInput, config: Config, timeout: float, *, characters: bool) -> None:
        """Read nothing yet."""
        self._image, self._config, self._timeout = image, config, timeout
        self._characters = characters or config.has_characters

    def make(self, extension: str) -> bytes:
        """Return the content of the file with this suffix.

        Raises:
            ValueError: There is no such file.
            TesseractError: Too few characters to tell how the page is turned, or the mode is for that alone.
        """
        if self._config.mode == TURN_ONLY and extension != "osd":
            raise TesseractError(1, "--psm 0 tells how a page is turned and reads nothing\ncall image_to_osd")
        if extension == "pdf":
            return searchable_pdf(self._image, self._config, self._timeout)
        match extension:
            case "txt" | "":
                text = self._text()
            case "tsv" | "hocr":
                text = "".join(chunks(extension, self._shaped))
            case "xml":
                text = "".join(chunks("alto", self._shaped))
            case "box":
                text = "".join(_boxes(self._shaped))
            case "osd":
                text = "".join(_turn(number, sheet.page) for number, sheet in enumerate(self._sheets))
            case _:
                message = f"Unsupported extension: {extension}"
                raise ValueError(message)
        return text.encode()

    def _text(self) -> str:
        spaces = self._config.keeps_spaces
        return self._config.separator.join(text_of(sheet.page, keeps_spaces=spaces) for sheet in self._shaped)

    @cached_property
    def _sheets(self) -> list[Sheet]:
        return sheets_of(self._image, self._config, self._timeout, characters=self._characters)

    @cached_property
    def _shaped(self) -> list[Sheet]:
        return [
            Sheet(shaped(sheet.page, self._config.mode), sheet.source, sheet.number, sheet.dpi, sheet.origin)
            for sheet in self._sheets
        ]


def _boxes(sheets: Iterable[Sheet]) -> Iterator[str]:
    """Give a row for each character, with its box counted from the lower left corner of the page."""
    for number, sheet in enumerate(sheets):
        page = sheet.page
        for line in page.lines:
            for one in (character for word in words_of(line) for character in word.characters):
                box = box_of(one.quad, page)
                bottom, top = page.height - box.bottom, page.height - box.top
                text = cell(one.text).replace(" ", "") or "\ufffd"
                yield f"{text} {box.left} {bottom} {box.right} {top} {number}\n"


def _turn(number: int, page: Page) -> str:
    if not any(line.text.strip() for line in page.lines):
        raise TesseractError(1, "Too few characters. Skipping this page")
    turn, certainty = direction_of(page.lines)
    script, share = _script_of(page.lines)
    return (
        f"Page number: {number}\n"
        f"Orientation in degrees: {turn}\n"
        f"Rotate: {-turn % 360}\n"
        f"Orientation confidence: {certainty:.2f}\n"
        f"Script: {script}\n"
        f"Script confidence: {share * 10:.2f}\n"
    )


def _script_of(lines: Iterable[Line]) -> tuple[str, float]:
    """Return the script of most characters, and its share among all that have one, weighted by their scores."""
    weights: Counter[str] = Counter()
    for line in lines:
        for letter in filter(str.isalpha, line.text):
            name = unicodedata.name(letter, "").partition(" ")[0]
            weights[_SCRIPTS.get(name, name.capitalize())] += line.score  # type: ignore[assignment]  # any number
    if weights["Japanese"] > 0.1 * weights["Han"]:  # Japanese has characters of both
        weights["Japanese"] += weights.pop("Han", 0)
    if not weights or max(weights.values()) <= 0:
        return "NULL", 0.0  # as Tesseract calls it
    script, most = max(weights.items(), key=lambda item: item[1])
    return script, most / sum(weights.values())
