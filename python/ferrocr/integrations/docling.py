"""ferrocr as an OCR engine of Docling.

Docling finds this by itself where both are installed, ``pip install "ferrocr[cpu,docling]"``, and external plugins are
allowed: ``PdfPipelineOptions(allow_external_plugins=True, ocr_options=FerrocrOcrOptions())``. docs/integrations.md has
the rest.
"""

import os
import weakref
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, ClassVar, Literal

import ferrocr

from .._languages import KNOWN
from .._sharing import SharedEngines
from ..models.store import catalog
from ..results import Page as Read
from ._hosts import importing

with importing("Docling", "docling"):
    from docling.datamodel.accelerator_options import AcceleratorOptions
    from docling.datamodel.base_models import Page
    from docling.datamodel.document import ConversionResult
    from docling.datamodel.pipeline_options import OcrOptions
    from docling.exceptions import OcrLanguageNotSupportedError
    from docling.models.base_ocr_model import BaseOcrModel
    from docling.utils.ocr_language import OcrLanguage, OcrLanguageSupport
    from docling.utils.profiling import TimeRecorder
    from docling_core.types.doc import BoundingBox, CoordOrigin
    from docling_core.types.doc.page import BoundingRectangle, TextCell

__all__ = ["FerrocrOcrModel", "FerrocrOcrOptions", "ocr_engines"]

_HAN = {"Hans", "Hant"}
"""Scripts of Chinese that one recogniser reads."""


class FerrocrOcrOptions(OcrOptions):
    """Options of the engine; `mode`, `scale` and others are Docling's own.

    Attributes:
        lang: Languages, as `ferrocr.OcrEngine` takes them or as ``iso:`` tags; empty for all that the models read.
        models: A set of models; None for the default.
        options: More options of `ferrocr.OcrEngine`, such as ``{"preset": "fast"}``.
        min_score: Lines with a lower score are left out; None for the engine's bound.
        timeout: Seconds for each region or page that is read.
    """

    kind: ClassVar[Literal["ferrocr"]] = "ferrocr"
    lang: list[str] = []  # noqa: RUF012  # pydantic copies it
    models: str | None = None
    options: dict[str, Any] = {}  # noqa: RUF012
    min_score: float | None = None
    timeout: float | None = None


class FerrocrOcrModel(BaseOcrModel):
    """The engine. Its models load at the first page, and go with the converter."""

    multiple_languages = True

    def __init__(
        self,
        enabled: bool,  # noqa: FBT001  # as it is there
        artifacts_path: Path | None,
        options: FerrocrOcrOptions,
        accelerator_options: AcceleratorOptions,
    ) -> None:
        """Prepare to read.

        Raises:
            OcrLanguageNotSupportedError: No recogniser reads a language.
            InvalidArgumentError: An option is out of its range, or no recogniser reads all of the languages.
        """
        super().__init__(
            enabled=enabled, artifacts_path=artifacts_path, options=options, accelerator_options=accelerator_options
        )
        self.options: FerrocrOcrOptions = options
        if not enabled:
            return
        of_engine: dict[str, Any] = {
            "languages": self.resolve_ocr_languages() or None,
            "threads": max(1, min(accelerator_options.num_threads, _processors())),
            **options.options,
        }
        if options.models is not None:
            of_engine["models"] = options.models
        self._engines: SharedEngines[None] = SharedEngines(lambda _: ferrocr.OcrEngine(**of_engine))
        self._engines.engine(None)  # refuses what is wrong with its options
        weakref.finalize(self, self._engines.release)

    def __call__(self, conv_res: ConversionResult, page_batch: Iterable[Page]) -> Iterable[Page]:
        """Read the regions of pages that Docling asks for.

        Raises:
            OcrError: As `ferrocr.OcrEngine.recognize`.
        """
        for page in page_batch:
            if self.enabled and page._backend is not None and page._backend.is_valid():
                with TimeRecorder(conv_res, "ocr"):
                    cells = [cell for region in self.get_ocr_rects(page) for cell in self._cells(page, region)]
                    for place, cell in enumerate(cells):
                        cell.index = place
                    self.post_process_cells(cells, page, conv_res)
            yield page

    @classmethod
    def get_options_type(cls) -> type[OcrOptions]:
        """Return the class of the options."""
        return FerrocrOcrOptions

    def supported_ocr_languages(self) -> OcrLanguageSupport:
        """Return the languages that a recogniser of the catalog reads."""
        read = {language for entry in catalog() for language in entry.languages}
        return OcrLanguageSupport(bcp47=sorted(read), native=sorted(c for c, one in KNOWN.items() if one in read))

    def map_ocr_language(self, language: OcrLanguage) -> str:
        """Return the engine's code of a language.

        Raises:
            OcrLanguageNotSupportedError: There is none.
        """
        code = language.native or language.bcp47_language or ""
        if KNOWN.get(code.partition("-")[0]) not in self.supported_ocr_languages().bcp47:
            raise OcrLanguageNotSupportedError(
                self._engine_name, language.tag(), supported=self.supported_ocr_languages()
            )
        script = language.bcp47_script
        return code if script is None or script in _HAN or language.has_default_script() else f"{code}-{script}"

    def _cells(self, page: Page, region: BoundingBox) -> Iterator[TextCell]:
        """Give the lines of a region, with their places on the page."""
        if region.area() == 0:
            return
        picture = page._backend.get_page_image(scale=self.options.scale, cropbox=region)
        read: Read = self._engines.use(
            None,
            lambda engine: engine.recognize(picture, min_score=self.options.min_score, timeout=self.options.timeout),
        )
        for line in read.lines:
            xs, ys = zip(*line.quad, strict=True)
            left, right = (region.l + x / self.options.scale for x in (min(xs), max(xs)))
            top, bottom = (region.t + y / self.options.scale for y in (min(ys), max(ys)))
            box = BoundingBox(l=left, t=top, r=right, b=bottom, coord_origin=CoordOrigin.TOPLEFT)
            yield TextCell(
                index=0,
                text=line.text,
                orig=line.text,
                confidence=line.score,
                from_ocr=True,
                rect=BoundingRectangle.from_bounding_box(box),
            )


def ocr_engines() -> dict[str, list[type[BaseOcrModel]]]:
    """Return the engine; Docling calls this."""
    return {"ocr_engines": [FerrocrOcrModel]}


def _processors() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
