"""The functions of pytesseract, served by ferrocr: a program changes one import.

Instead of ``import pytesseract``::

    from ferrocr.compat import pytesseract

    print(pytesseract.image_to_string("receipt.jpg", lang="eng+deu"))

Neither pytesseract nor Tesseract has to be installed. docs/migration.md says which options are kept, and which are
refused or ignored. Threads share one engine for each set of languages; `free_resources` gives them back, and the end of
the process does too.
"""

from ._engines import configure, free_resources
from ._errors import (
    ALTONotSupported,
    PandasNotSupported,
    TesseractError,
    TesseractNotFoundError,
    TSVNotSupported,
)
from .pytesseract import (
    Output,
    get_languages,
    get_tesseract_version,
    image_to_alto_xml,
    image_to_boxes,
    image_to_data,
    image_to_osd,
    image_to_pdf_or_hocr,
    image_to_string,
    run_and_get_multiple_output,
    run_and_get_output,
)

__all__ = [
    "ALTONotSupported",
    "Output",
    "PandasNotSupported",
    "TSVNotSupported",
    "TesseractError",
    "TesseractNotFoundError",
    "configure",
    "free_resources",
    "get_languages",
    "get_tesseract_version",
    "image_to_alto_xml",
    "image_to_boxes",
    "image_to_data",
    "image_to_osd",
    "image_to_pdf_or_hocr",
    "image_to_string",
    "run_and_get_multiple_output",
    "run_and_get_output",
]
