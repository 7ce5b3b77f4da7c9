"""Make a PDF that can be searched from a scan: the same pages, with their text behind the picture.

Run it with a PDF, a TIFF or a picture, or without one to use the sample invoice, which sample.py draws. Needs
``ferrocr[pdf]``::

    python examples/searchable_pdf.py scan.pdf searchable.pdf
"""

import sys
import tempfile
from pathlib import Path

from ferrocr import OcrEngine, OcrError
from ferrocr.formats import pdf


def make_searchable(source: Path, target: Path) -> int:
    """Read `source`, page by page, and write `target`; returns how many pages could not be read."""
    with OcrEngine() as ocr:
        errors = pdf.make_searchable(ocr, source, target, on_error="return")
    for error in errors:  # these pages are in the PDF as they were
        print(f"error: page {error.page}: {error}", file=sys.stderr)
    return len(errors)


def sample_invoice(folder: str) -> Path:
    """Draw the sample invoice into `folder`, for those who named no file."""
    try:
        from sample import draw_sample
    except ModuleNotFoundError:
        sys.exit(f"usage: {sys.argv[0]} FILE\nsample.py, which draws one, is not beside this script")
    draw_sample(Path(folder) / "invoice.png")
    return Path(folder) / "invoice.png"


def main(arguments: list[str]) -> int:
    """Write the PDF; 1 when something could not be read."""
    with tempfile.TemporaryDirectory() as folder:
        source = Path(arguments[0]) if arguments else sample_invoice(folder)
        target = Path(arguments[1]) if len(arguments) > 1 else Path(f"{source.stem}-searchable.pdf")
        try:
            failed = make_searchable(source, target)
        except OcrError as error:
            print(f"error: {error}", file=sys.stderr)
            return 1
    print(target)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
