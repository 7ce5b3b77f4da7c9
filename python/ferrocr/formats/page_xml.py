"""PAGE XML, page content of 2019-07-15."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import ClassVar

from .._core import __version__
from ..results import Block, Line, Page, Quad
from ._layout import blocks_of, common_turn, confidence, corners_of, decimal
from ._sheet import Sheet
from ._writer import Writer
from ._xml import DECLARATION, element, tag

NAMESPACE = "http://schema.primaresearch.org/PAGE/gts/pagecontent/2019-07-15"


class PageXmlWriter(Writer):
    """One page: its schema has room for no more.

    Args:
        created: The time that the file says it was made; by default when the page is added.
    """

    name: ClassVar[str] = "page"
    suffix: ClassVar[str] = ".page.xml"
    media_type: ClassVar[str] = "application/vnd.prima.page+xml"
    summary: ClassVar[str] = "PAGE XML of 2019-07-15"
    has_characters: ClassVar[bool] = True
    one_page: ClassVar[bool] = True

    def __init__(self, *, created: datetime | None = None) -> None:
        super().__init__()
        self._created = created

    def end(self) -> str:
        """Return the tag that closes the document; nothing where there was no page."""
        return "</PcGts>\n" if self.pages else ""

    def _page(self, sheet: Sheet) -> str:
        blocks = blocks_of(sheet.page)
        regions = "".join(
            piece for number, block in enumerate(blocks, 1) for piece in _region(number, block, sheet.page)
        )
        return f"{self._head()} {_page_tag(sheet)}\n{_reading_order(len(blocks))}{regions} </Page>\n"

    def _head(self) -> str:
        root = {
            "xmlns": NAMESPACE,
            "xmlns:xsi": "http://www.w3.org/2001/XMLSchema-instance",
            "xsi:schemaLocation": f"{NAMESPACE} {NAMESPACE}/pagecontent.xsd",
        }
        made = (self._created or datetime.now(UTC)).astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        return (
            f"{DECLARATION}{tag('PcGts', root)}\n <Metadata>\n"
            f"  {element('Creator', f'ferrocr {__version__}')}\n"
            f"  {element('Created', made)}\n"
            f"  {element('LastChange', made)}\n"
            " </Metadata>\n"
        )


def _page_tag(sheet: Sheet) -> str:
    size: dict[str, str | int | None] = {"imageWidth": sheet.page.width, "imageHeight": sheet.page.height}
    if sheet.dpi is not None:
        dpi = decimal(sheet.dpi, 2)
        size |= {"imageXResolution": dpi, "imageYResolution": dpi, "imageResolutionUnit": "PPI"}
    return tag("Page", {"imageFilename": sheet.source or "", **size})


def _reading_order(count: int) -> str:
    if not count:
        return ""  # a group without members is against the schema
    members = "".join(
        f"    {tag('RegionRefIndexed', {'index': index, 'regionRef': f'region_{index + 1}'}, empty=True)}\n"
        for index in range(count)
    )
    return f'  <ReadingOrder>\n   <OrderedGroup id="reading_order">\n{members}   </OrderedGroup>\n  </ReadingOrder>\n'


def _region(number: int, block: Block, page: Page) -> Iterator[str]:
    # The format asks how far it has to be turned clockwise to be upright, which is how far it is turned the other way.
    yield f"  {tag('TextRegion', {'id': f'region_{number}', 'orientation': common_turn(block.lines) or None})}\n"
    yield f"   {_coords(block.quad, page)}\n"
    for row, line in enumerate(block.lines, 1):
        yield from _line(f"{number}_{row}", line, page)
    yield f"   {_text(block.text)}\n  </TextRegion>\n"


def _line(number: str, line: Line, page: Page) -> Iterator[str]:
    yield f"   {tag('TextLine', {'id': f'line_{number}'})}\n    {_coords(line.quad, page)}\n"
    for column, word in enumerate(line.words, 1):
        yield f"    {tag('Word', {'id': f'word_{number}_{column}'})}\n     {_coords(word.quad, page)}\n"
        for place, one in enumerate(word.characters, 1):
            yield f"     {tag('Glyph', {'id': f'glyph_{number}_{column}_{place}'})}{_coords(one.quad, page)}"
            yield f"{_text(one.text, one.score)}</Glyph>\n"
        yield f"     {_text(word.text, word.score)}\n    </Word>\n"
    yield f"    {_text(line.text, line.score)}\n   </TextLine>\n"


def _coords(quad: Quad, page: Page) -> str:
    return tag("Coords", {"points": corners_of(quad, page)}, empty=True)


def _text(text: str, score: float | None = None) -> str:
    opening = tag("TextEquiv", {"conf": None if score is None else confidence(score)})
    return f"{opening}{element('Unicode', text)}</TextEquiv>"
