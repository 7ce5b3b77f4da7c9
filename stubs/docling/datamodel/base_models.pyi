"""Docling's pages."""

from enum import Enum
from typing import Any

class InputFormat(Enum):
    PDF = "pdf"
    IMAGE = "image"

class Page:
    _backend: Any
