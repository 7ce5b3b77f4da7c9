"""Read a picture, print its text, and show what the engine gave back.

Run it with a picture, or without one to read the sample invoice, which sample.py draws with Pillow. The first run
fetches the default models, about 32 MB, into the model directory::

    python examples/read_sample.py photo.jpg
"""

import sys
import tempfile
from pathlib import Path

from ferrocr import OcrEngine, OcrError
from ferrocr.progress import DownloadProgress


def sample_invoice(folder: str) -> Path:
    """Draw the sample invoice into `folder`, for those who named no file."""
    try:
        from sample import draw_sample
    except ModuleNotFoundError:
        sys.exit(f"usage: {sys.argv[0]} FILE\nsample.py, which draws one, is not beside this script")
    draw_sample(Path(folder) / "invoice.png")
    return Path(folder) / "invoice.png"


def main(arguments: list[str]) -> int:
    """Read the picture; 0 when it worked, 1 when it did not."""
    with tempfile.TemporaryDirectory() as folder:
        picture = Path(arguments[0]) if arguments else sample_invoice(folder)
        try:
            with DownloadProgress() as progress, OcrEngine(progress=progress) as ocr:
                page = ocr.recognize(picture)
        except OcrError as error:
            print(f"error: {error}", file=sys.stderr)
            return 1
    print(page.text)
    report = ocr.free_resources()  # already freed at the end of the with block: the same report once more
    print(f"\n{len(page.lines)} lines on {page.width}x{page.height} pixels; {report.sessions} sessions ended")
    before, after = report.rss_before_mb, report.rss_after_mb
    if before is not None and after is not None:
        print(f"memory of the process: {before:.0f} MB before the release, {after:.0f} MB after it")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
