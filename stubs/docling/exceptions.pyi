"""Docling's exceptions."""

from docling.utils.ocr_language import OcrLanguageSupport

class OcrLanguageNotSupportedError(Exception):
    def __init__(
        self, engine: str, language: str, supported: OcrLanguageSupport | None = ..., detail: str | None = ...
    ) -> None: ...
