"""PyMuPDF4LLM's interface to OCR engines."""

from collections.abc import Callable
from typing import Any

from pymupdf import Page

def exec_ocr_full(
    page: Page,
    full_ocr: Callable[[Any], list[Any]],
    dpi: int = ...,
    language: str | None = ...,
    keep_ocr_text: bool = ...,
) -> None: ...
