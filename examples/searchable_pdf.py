# /// script
# requires-python = ">=3.11"
# dependencies = ["ferrocr[cpu,pdf]"]
# ///
"""Make a PDF that can be searched from a scan: the same pages, with their text behind the picture.

Run it with a PDF, a TIFF or a picture::

    python searchable_pdf.py scan.pdf searchable.pdf
"""

import sys
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


def main(arguments: list[str]) -> int:
    """Write the PDF; 1 when something could not be read, 2 when no file was named."""
    if len(arguments) not in (1, 2):
        print(f"usage: {sys.argv[0]} FILE [PDF]", file=sys.stderr)
        return 2
    source = Path(arguments[0])
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
