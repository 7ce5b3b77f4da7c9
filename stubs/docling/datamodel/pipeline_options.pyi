"""The part of Docling's options that its engine and its tests use."""

from enum import Enum
from typing import Any, ClassVar

class OcrMode(Enum):
    FULL_PAGE = "full_page"

class OcrOptions:
    kind: ClassVar[str]
    mode: OcrMode
    lang: list[str]
    scale: float
    def __init__(self, **data: Any) -> None: ...

class PdfPipelineOptions:
    def __init__(self, **data: Any) -> None: ...
