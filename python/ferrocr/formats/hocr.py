"""hOCR 1.2, as XHTML."""

from collections.abc import Iterator
from typing import ClassVar

from .._core import __version__
from ..results import Block, Char, Line, Page, Quad, Word
from ._layout import blocks_of, box_of, decimal, turn_of, words_of
from ._sheet import Sheet
from ._writer import Writer
from ._xml import DECLARATION, escape, tag

_DOCTYPE = (
    '<!DOCTYPE html PUBLIC "-//W3C//DTD XHTML 1.0 Transitional//EN"'
    ' "http://www.w3.org/TR/xhtml1/DTD/xhtml1-transitional.dtd">\n'
)
_CLASSES = "ocr_page ocr_carea ocr_par ocr_line ocrx_word ocrx_cinfo"


class HocrWriter(Writer):
    """An ``ocr_page`` for each page; in it blocks, one paragraph each, lines and words in reading order."""

    name: ClassVar[str] = "hocr"
    suffix: ClassVar[str] = ".hocr"
    media_type: ClassVar[str] = "text/vnd.hocr+html"
    summary: ClassVar[str] = "HTML with boxes of words"
    has_characters: ClassVar[bool] = True

    def __init__(self) -> None:
        super().__init__()
        self._numbers: dict[str, int] = {}

    def begin(self) -> str:
        """Return the head of the document."""
        meta = (
            {"http-equiv": "Content-Type", "content": "text/html;charset=utf-8"},
            {"name": "ocr-system", "content": f"ferrocr {__version__}"},
            {"name": "ocr-capabilities", "content": _CLASSES},
            {"name": "ocr-langs", "content": "unknown"},
        )
        return (
            f'{DECLARATION}{_DOCTYPE}<html xmlns="http://www.w3.org/1999/xhtml">\n <head>\n  <title></title>\n'
            + "".join(f"  {tag('meta', attributes, empty=True)}\n" for attributes in meta)
            + " </head>\n <body>\n"
        )

    def end(self) -> str:
        """Return the tags that close the document."""
        return " </body>\n</html>\n"

    def _page(self, sheet: Sheet) -> str:
        page = sheet.page
        self._numbers = {}
        title = [
            f'image "{_quoted(sheet.source)}"',
            f"bbox 0 0 {page.width} {page.height}",
            f"ppageno {self.pages - 1}",
        ]
        if sheet.number > 1 and sheet.source is not None:
            title.append(f'x_source "{_quoted(sheet.source)}" {sheet.number}')
        if sheet.dpi is not None:
            title.append(f"scan_res {decimal(sheet.dpi, 2)} {decimal(sheet.dpi, 2)}")
        opening = tag("div", {"class": "ocr_page", "id": f"page_{self.pages}", "title": "; ".join(title)})
        blocks = "".join(piece for block in blocks_of(page) for piece in self._block(block, page))
        return f"  {opening}\n{blocks}  </div>\n"

    def _block(self, block: Block, page: Page) -> Iterator[str]:
        title = _bbox(block.quad, page)
        yield f"   {self._open('div', 'ocr_carea', 'block', title)}\n"
        yield f"    {self._open('p', 'ocr_par', 'par', title)}\n"
        for line in block.lines:
            yield f"     {self._open('span', 'ocr_line', 'line', _line_title(line, page))}\n"
            yield from (self._word(word, page) for word in words_of(line))
            yield "     </span>\n"
        yield "    </p>\n   </div>\n"

    def _word(self, word: Word, page: Page) -> str:
        title = f"{_bbox(word.quad, page)}; x_wconf {_percent(word.score)}"
        # The text of an element is that of what is in it, so characters that are not the word's would change it.
        is_whole = bool(word.characters) and "".join(one.text for one in word.characters) == word.text
        text = "".join(_character(one, page) for one in word.characters) if is_whole else escape(word.text)
        return f"      {self._open('span', 'ocrx_word', 'word', title)}{text}</span>\n"

    def _open(self, name: str, kind: str, prefix: str, title: str) -> str:
        """Return the tag of an element of the class `kind`, with an id that no other has."""
        number = self._numbers[prefix] = self._numbers.get(prefix, 0) + 1
        return tag(name, {"class": kind, "id": f"{prefix}_{self.pages}_{number}", "title": title})


def _bbox(quad: Quad, page: Page) -> str:
    return f"bbox {_corners(quad, page)}"


def _corners(quad: Quad, page: Page) -> str:
    return "{} {} {} {}".format(*box_of(quad, page))


def _character(one: Char, page: Page) -> str:
    """Return a character as Tesseract has it. It has no id: nothing else names a single character."""
    title = f"x_bboxes {_corners(one.quad, page)}; x_conf {_percent(one.score)}"
    return f"{tag('span', {'class': 'ocrx_cinfo', 'title': title})}{escape(one.text)}</span>"


def _percent(score: float) -> int:
    return round(min(max(score, 0.0), 1.0) * 100)


def _line_title(line: Line, page: Page) -> str:
    """Return the box, and the baseline or, where that would not be the graph of a function of x, the turn."""
    box = box_of(line.quad, page)
    title, turn = _bbox(line.quad, page), turn_of(line.quad)
    if 45 < turn < 315:
        return f"{title}; textangle {decimal(turn, 1)}"
    (x1, y1), (x0, y0) = line.quad[2:]
    if x1 - x0 < 1:
        return title  # hardly a pixel wide: no slope to speak of
    slope = (y1 - y0) / (x1 - x0)
    # Relative to the bottom left corner of the box, y down.
    height = y0 - box.bottom - slope * (x0 - box.left)
    return f"{title}; baseline {decimal(slope, 3)} {decimal(height, 1)}"


def _quoted(source: str | None) -> str:
    # There is no way to escape a quotation mark in a title, and names with one are rare enough for a form of addresses.
    return (source or "unknown").replace('"', "%22")
