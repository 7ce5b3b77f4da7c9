from typing import NamedTuple

class OrientationConfidence(NamedTuple):
    angle: int
    confidence: float

class OcrEngine: ...
