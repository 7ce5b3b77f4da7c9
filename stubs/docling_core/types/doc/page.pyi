"""Text with its place."""

from docling_core.types.doc import BoundingBox

class BoundingRectangle:
    @classmethod
    def from_bounding_box(cls, bbox: BoundingBox) -> BoundingRectangle: ...

class TextCell:
    index: int
    text: str
    def __init__(
        self, *, index: int, text: str, orig: str, confidence: float, from_ocr: bool, rect: BoundingRectangle
    ) -> None: ...
