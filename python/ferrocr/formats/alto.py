"""ALTO XML 4.4."""

import unicodedata
from collections.abc import Iterator
from typing import ClassVar

from .._core import __version__
from ..results import Block, Line, Page, Quad, Word
from ._layout import blocks_of, box_of, common_turn, confidence, corners_of, is_upright, words_of
from ._sheet import Sheet
from ._writer import Writer
from ._xml import DECLARATION, element, tag

NAMESPACE = "http://www.loc.gov/standards/alto/ns-v4#"
VERSION = "4.4"
_SCHEMA = "http://www.loc.gov/standards/alto/v4/alto-4-4.xsd"


class AltoWriter(Writer):
    """A ``Page`` for each page. A file names one picture, so the head has the first page's source.

    The schema wants one page at least.
    """

    name: ClassVar[str] = "alto"
    suffix: ClassVar[str] = ".alto.xml"
    media_type: ClassVar[str] = "application/xml"
    summary: ClassVar[str] = "ALTO XML 4.4"
    has_characters: ClassVar[bool] = True

    def __init__(self) -> None:
        super().__init__()
        self._numbers: dict[str, int] = {}

    def end(self) -> str:
        """Return the tags that close the document."""
        return ("" if self.pages else _head(None)) + " </Layout>\n</alto>\n"

    def _page(self, sheet: Sheet) -> str:
        page = sheet.page
        self._numbers = {}
        size = {"WIDTH": page.width, "HEIGHT": page.height}
        opening = tag("Page", {"ID": f"page_{self.pages}", "PHYSICAL_IMG_NR": self.pages, **size})
        space = tag("PrintSpace", {"HPOS": 0, "VPOS": 0, **size})
        blocks = "".join(piece for block in blocks_of(page) for piece in self._block(block, page))
        head = _head(sheet.source) if self.pages == 1 else ""
        return f"{head}  {opening}\n   {space}\n{blocks}   </PrintSpace>\n  </Page>\n"

    def _block(self, block: Block, page: Page) -> Iterator[str]:
        attributes = {**self._placed("block", block.quad, page), "ROTATION": common_turn(block.lines) or None}
        yield f"    {tag('TextBlock', attributes)}\n{_shape(block.quad, page, 5)}"
        for line in block.lines:
            yield f"     {tag('TextLine', self._placed('line', line.quad, page))}\n{_shape(line.quad, page, 6)}"
            yield from self._words(line, page)
            yield "     </TextLine>\n"
        yield "    </TextBlock>\n"

    def _words(self, line: Line, page: Page) -> Iterator[str]:
        before: Word | None = None
        for word in words_of(line):
            if before is not None:
                yield f"      {_space(before, word, page)}\n"
            attributes = {**self._placed("string", word.quad, page), "CONTENT": word.text, "WC": confidence(word.score)}
            inner = _shape(word.quad, page, 7) + "".join(self._glyphs(word, page))
            opening = tag("String", attributes, empty=not inner)
            yield f"      {opening}\n{inner}      </String>\n" if inner else f"      {opening}\n"
            before = word

    def _glyphs(self, word: Word, page: Page) -> Iterator[str]:
        """Give a word's characters; none where one of them is several code points, for which a glyph has no place."""
        texts = [unicodedata.normalize("NFC", one.text) for one in word.characters]
        if any(len(text) != 1 for text in texts):
            return
        for text, one in zip(texts, word.characters, strict=True):
            attributes = {**self._placed("glyph", one.quad, page), "CONTENT": text, "GC": confidence(one.score)}
            shape = _shape(one.quad, page, 8)
            opening = tag("Glyph", attributes, empty=not shape)
            yield f"       {opening}\n{shape}       </Glyph>\n" if shape else f"       {opening}\n"

    def _placed(self, prefix: str, quad: Quad, page: Page) -> dict[str, str | int | None]:
        """Return the attributes of everything that has a place: an id that no other has, and the box."""
        number = self._numbers[prefix] = self._numbers.get(prefix, 0) + 1
        box = box_of(quad, page)
        place = {"HPOS": box.left, "VPOS": box.top, "WIDTH": box.width, "HEIGHT": box.height}
        return {"ID": f"{prefix}_{self.pages}_{number}", **place}


def _head(source: str | None) -> str:
    root = {
        "xmlns": NAMESPACE,
        "xmlns:xsi": "http://www.w3.org/2001/XMLSchema-instance",
        "xsi:schemaLocation": f"{NAMESPACE} {_SCHEMA}",
        "SCHEMAVERSION": VERSION,
    }
    picture = (
        ""
        if source is None
        else f"  <sourceImageInformation>\n   {element('fileName', source)}\n  </sourceImageInformation>\n"
    )
    return (
        f"{DECLARATION}{tag('alto', root)}\n"
        " <Description>\n"
        "  <MeasurementUnit>pixel</MeasurementUnit>\n"
        f"{picture}"
        '  <Processing ID="ocr">\n'
        "   <processingCategory>contentGeneration</processingCategory>\n"
        "   <processingSoftware>\n"
        f"    <softwareName>ferrocr</softwareName>\n    {element('softwareVersion', __version__)}\n"
        "   </processingSoftware>\n"
        "  </Processing>\n"
        " </Description>\n"
        " <Layout>\n"
    )


def _shape(quad: Quad, page: Page, depth: int) -> str:
    """Return the outline of what is no upright box, from the text's top left on, which tells how it is turned."""
    if is_upright(quad):
        return ""
    return f"{' ' * depth}<Shape>{tag('Polygon', {'POINTS': corners_of(quad, page)}, empty=True)}</Shape>\n"


def _space(before: Word, after: Word, page: Page) -> str:
    """Return the space between two words; without a place on turned lines, where no upright box is."""
    if not (is_upright(before.quad) and is_upright(after.quad)):
        return "<SP/>"
    left, right = box_of(before.quad, page), box_of(after.quad, page)
    place = {"HPOS": left.right, "VPOS": left.top, "WIDTH": max(right.left - left.right, 0)}
    return tag("SP", place, empty=True)
