"""Draw the sample picture, read it, print its text, and show what the engine gave back.

``python examples/read_sample.py`` takes no arguments. Its first run fetches the default models, about 32 MB, into
the model directory.
"""

import sys
import tempfile
from pathlib import Path

from sample import draw_sample

from ferrocr import OcrEngine, OcrError
from ferrocr.progress import DownloadProgress


def main() -> int:
    """Read the sample; 0 when it worked, 1 when it did not."""
    with tempfile.TemporaryDirectory() as folder:
        picture = Path(folder) / "invoice.png"
        draw_sample(picture)
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
    sys.exit(main())
