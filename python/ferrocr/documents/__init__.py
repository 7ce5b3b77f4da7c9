"""Documents that were read: plain values that stay valid after the engine is freed."""

from dataclasses import dataclass
from typing import Literal

from .._writable import Writable
from ..exceptions import InvalidArgumentError, OcrError
from ..results import Page, Point, Quad, Word, described, short

Origin = Literal["ocr", "text layer"]
"""The origin of a page's text: it was read from the page's picture, or taken from the PDF."""


@dataclass(frozen=True, slots=True)
class DocumentPage(Writable):
    """A page of a document, and what is known of it.

    Attributes:
        number: Its number in the document, from 1 on, whatever is printed on it.
        page: Its text. Positions are pixels of the picture that the page was rendered to; a page whose text was taken
            from the PDF was not rendered, and has the positions that it would have had.
        origin: ``"ocr"``, or ``"text layer"`` for text that was taken from the PDF.
        source: The document's path as it was given; None for one that is no file.
        size: Width and height of a PDF's page in points, 1/72 inch, as a viewer shows it; None for other formats.
        dpi: Pixels to the inch. Of a PDF those that the page was rendered at: what was asked for, or less for a page
            that would have been larger than the engine allows. Of a TIFF file's page what it says itself, if that can
            be true and is the same across and down. None for other formats.
    """

    number: int
    page: Page
    origin: Origin = "ocr"
    source: str | None = None
    size: tuple[float, float] | None = None
    dpi: float | None = None

    @property
    def text(self) -> str:
        """The page's text."""
        return self.page.text

    @property
    def words(self) -> tuple[Word, ...]:
        """The words of all its lines, in reading order."""
        return self.page.words

    def __repr__(self) -> str:
        source = "" if self.source is None else f" of {short(self.source)}"
        return f"<DocumentPage {self.number}{source}, {described(self.page.lines)}>"

    def in_points(self, quad: Quad) -> Quad:
        """Return a quad of this page in points: x to the right and y down from the top left corner that a viewer shows.

        Raises:
            InvalidArgumentError: It is no page of a PDF, so nobody knows how large it is.
        """
        if self.size is None:
            message = f"page {self.number} has no size in points: it is a picture"
            raise InvalidArgumentError(message, "only pages of PDF files have one")
        across, down = self.size[0] / self.page.width, self.size[1] / self.page.height

        def scaled(point: Point) -> Point:
            return point[0] * across, point[1] * down

        return scaled(quad[0]), scaled(quad[1]), scaled(quad[2]), scaled(quad[3])


@dataclass(frozen=True, slots=True)
class Document(Writable):
    """The pages of a document that were asked for.

    Attributes:
        pages: Those that could be read, in the order in which they were asked for.
        errors: One for each that could not; its ``page`` is the page's number. Empty unless errors were asked for.
        page_count: Number of pages of the document, read or not.
        source: The document's path as it was given; None for one that is no file.
    """

    pages: tuple[DocumentPage, ...]
    errors: tuple[OcrError, ...]
    page_count: int
    source: str | None = None

    @property
    def text(self) -> str:
        """The pages' texts, with an empty line between two of them."""
        return "\n\n".join(page.text for page in self.pages)

    def __repr__(self) -> str:
        source = "" if self.source is None else f"{short(self.source)}, "
        errors = f", {len(self.errors)} error{'s' if len(self.errors) > 1 else ''}" if self.errors else ""
        return f"<Document {source}{len(self.pages)} of {self.page_count} pages{errors}>"
