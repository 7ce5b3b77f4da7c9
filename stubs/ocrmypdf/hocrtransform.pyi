from dataclasses import dataclass

@dataclass
class BoundingBox:
    left: float
    top: float
    right: float
    bottom: float

@dataclass
class Baseline:
    slope: float
    intercept: float

@dataclass
class OcrElement:
    ocr_class: str
    bbox: BoundingBox | None = None
    text: str = ""
    confidence: float | None = None
    children: list[OcrElement] = ...
    baseline: Baseline | None = None
    textangle: float | None = None
    dpi: float | None = None
    page_number: int | None = None

class OcrClass:
    PAGE: str
    PARAGRAPH: str
    LINE: str
    WORD: str
