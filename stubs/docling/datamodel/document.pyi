"""Docling's results."""

from typing import Any

class ConversionResult:
    document: Any
