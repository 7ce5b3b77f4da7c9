"""Boxes of Docling's documents."""

from enum import Enum

class CoordOrigin(Enum):
    TOPLEFT = "TOPLEFT"

class BoundingBox:
    l: float
    t: float
    r: float
    b: float
    def __init__(self, *, l: float, t: float, r: float, b: float, coord_origin: CoordOrigin = ...) -> None: ...
    def area(self) -> float: ...
