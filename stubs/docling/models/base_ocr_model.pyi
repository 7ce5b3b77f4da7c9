"""The base of Docling's OCR engines."""

from abc import ABC, abstractmethod
from collections.abc import Iterable
from pathlib import Path
from typing import ClassVar

from docling.datamodel.accelerator_options import AcceleratorOptions
from docling.datamodel.base_models import Page
from docling.datamodel.document import ConversionResult
from docling.datamodel.pipeline_options import OcrOptions
from docling.utils.ocr_language import OcrLanguage, OcrLanguageSupport
from docling_core.types.doc import BoundingBox
from docling_core.types.doc.page import TextCell

class BaseOcrModel(ABC):
    multiple_languages: ClassVar[bool]
    enabled: bool
    def __init__(
        self,
        *,
        enabled: bool,
        artifacts_path: Path | None,
        options: OcrOptions,
        accelerator_options: AcceleratorOptions,
    ) -> None: ...
    @property
    def _engine_name(self) -> str: ...
    def supported_ocr_languages(self) -> OcrLanguageSupport: ...
    def map_ocr_language(self, language: OcrLanguage) -> str | list[str]: ...
    def resolve_ocr_languages(self) -> list[str]: ...
    def get_ocr_rects(self, page: Page) -> list[BoundingBox]: ...
    def post_process_cells(self, ocr_cells: list[TextCell], page: Page, conv_res: ConversionResult) -> None: ...
    @abstractmethod
    def __call__(self, conv_res: ConversionResult, page_batch: Iterable[Page]) -> Iterable[Page]: ...
    @classmethod
    @abstractmethod
    def get_options_type(cls) -> type[OcrOptions]: ...
