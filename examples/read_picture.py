# /// script
# requires-python = ">=3.11"
# dependencies = ["ferrocr[cpu]"]
# ///
"""Read a picture, print its text, and show what the engine gave back.

Run it with a picture. The first run fetches the default models, about 32 MB, into the model directory::

    python read_picture.py photo.jpg
"""

import sys

from ferrocr import OcrEngine, OcrError
from ferrocr.progress import DownloadProgress


def main(arguments: list[str]) -> int:
    """Read the picture; 0 when it worked, 1 when it did not, 2 when none was named."""
    if len(arguments) != 1:
        print(f"usage: {sys.argv[0]} PICTURE", file=sys.stderr)
        return 2
    try:
        with DownloadProgress() as progress, OcrEngine(progress=progress) as ocr:
            page = ocr.recognize(arguments[0])
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
