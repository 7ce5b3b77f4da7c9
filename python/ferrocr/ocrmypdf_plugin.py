"""ferrocr as an engine of OCRmyPDF: ``ocrmypdf --ocr-engine ferrocr in.pdf out.pdf``.

OCRmyPDF finds this by itself where both are installed: ``pip install "ferrocr[cpu,ocrmypdf]"``. docs/ocrmypdf.md has
the rest.
"""

from .integrations.ocrmypdf.plugin import (
    FerrocrEngine,
    add_options,
    check_options,
    get_ocr_engine,
    initialize,
    validate,
)

__all__ = ["FerrocrEngine", "add_options", "check_options", "get_ocr_engine", "initialize", "validate"]
