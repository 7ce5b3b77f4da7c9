"""ferrocr in PyMuPDF4LLM: an ``ocr_function`` for its ``to_markdown``, ``to_json`` and ``to_text``.

``pip install "ferrocr[cpu,pymupdf4llm]"``; docs/integrations.md has an example.
"""

import weakref
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import ferrocr

from .._languages import EVERYTHING, KNOWN, languages_of
from .._sharing import SharedEngines
from ..exceptions import InvalidArgumentError
from ._hosts import importing

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import pymupdf

    from ..results import Quad

__all__ = ["FerrocrFunction"]


Languages = tuple[str, ...] | None


class FerrocrFunction:
    """Puts the text of a page under it, where PyMuPDF4LLM asks for that: ``to_markdown(doc, ocr_function=...)``.

    The languages are those of ``ocr_language``, by Tesseract's codes joined with ``+``, unless they are given here.

    The models are loaded by the first page, and given back when nobody has the function any more, or by `close`.
    """

    def __init__(
        self,
        *,
        languages: Sequence[str] | None = None,
        min_score: float | None = None,
        timeout: float | None = None,
        **options: Any,  # noqa: ANN401
    ) -> None:
        """Prepare to read.

        Args:
            languages: Codes as `ferrocr.OcrEngine` takes them; None takes PyMuPDF4LLM's ``ocr_language``.
            min_score: As for `ferrocr.OcrEngine.recognize`.
            timeout: Seconds for each page.
            options: Of `ferrocr.OcrEngine`.
        """
        self._languages = None if languages is None else tuple(languages)
        self._min_score, self._timeout = min_score, timeout

        def made(key: Languages) -> ferrocr.OcrEngine:
            return ferrocr.OcrEngine(languages=key, **options)

        self._engines: SharedEngines[Languages] = SharedEngines(made)
        self._engines.engine(self._languages or ("en",))  # refuses what is wrong with the options
        weakref.finalize(self, self._engines.release)

    def __call__(
        self,
        page: "pymupdf.Page",
        dpi: int = 150,
        pixmap: object = None,
        language: str | None = None,
        keep_ocr_text: bool = False,  # noqa: FBT001, FBT002  # as it is there
    ) -> None:
        """Read a page, except where it has legible text, and insert what was read.

        Raises:
            InvalidArgumentError: The language is unknown.
            OcrError: As `ferrocr.OcrEngine.recognize`.
        """
        with importing("PyMuPDF4LLM 2 or later", "pymupdf4llm"):
            from pymupdf4llm.ocr.exec_ocr_interface import exec_ocr_full

        key = self._languages or _codes(language)

        def lines_of(picture: "npt.NDArray[np.uint8]") -> "list[tuple[Quad, str, float]]":
            page = self._engines.use(
                key, lambda engine: engine.recognize(picture, min_score=self._min_score, timeout=self._timeout)
            )
            return [(line.quad, line.text, line.score) for line in page.lines]

        exec_ocr_full(page, lines_of, dpi=dpi, language=language, keep_ocr_text=keep_ocr_text)

    def close(self) -> None:
        """Give the models back. A later use loads them again."""
        self._engines.release()


def _codes(language: str | None) -> Languages:
    """Return the engine's codes for languages by Tesseract's."""
    named = (language or "eng").split("+")
    unknown = sorted(set(named) - KNOWN.keys() - {EVERYTHING})
    if unknown:
        message = f"ferrocr does not know the language {', '.join(unknown)}"
        raise InvalidArgumentError(message, f"ocr_language takes Tesseract's codes, such as eng+deu, or {EVERYTHING}")
    return languages_of(named)
