"""PyMuPDF4LLM."""

from typing import Any

from pymupdf import Document

def to_markdown(doc: str | Document, **options: Any) -> Any: ...
