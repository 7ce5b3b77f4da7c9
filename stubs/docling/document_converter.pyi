"""Docling's converter."""

from collections.abc import Mapping
from pathlib import Path

from docling.datamodel.base_models import InputFormat
from docling.datamodel.document import ConversionResult
from docling.datamodel.pipeline_options import PdfPipelineOptions

class FormatOption: ...

class PdfFormatOption(FormatOption):
    def __init__(self, *, pipeline_options: PdfPipelineOptions = ...) -> None: ...

class ImageFormatOption(PdfFormatOption): ...

class DocumentConverter:
    def __init__(self, *, format_options: Mapping[InputFormat, FormatOption] = ...) -> None: ...
    def convert(self, source: str | Path) -> ConversionResult: ...
