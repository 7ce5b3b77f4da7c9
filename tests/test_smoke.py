"""Odd and broken real files: each ends in a page or a clear error, in one process, in bounded memory."""

import sys
import time
from pathlib import Path

import pytest

from ferrocr import ImageError, OcrEngine

# Far more than any of them takes, on any machine: what is above has gone astray.
LONGEST_SECONDS = 60

# What must be among the words of the page; None where the file is refused.
EXPECTED: dict[str, str | None] = {
    "baiona_alpha.png": "Bokale",
    "baiona_cmyk.jpg": "Bokale",
    "baiona_palette.png": "Bokale",
    "bmp_24.bmp": "",
    "broken_data_stream.png": None,
    "chi.gif": "",
    "chi_sim.jpeg": "帮助肌肤完美吸收后续营养",
    "crash_tiff.tif": None,
    "decompression_bomb.gif": None,
    "empty.jpg": None,
    "form_16bit.png": "12/12/96",
    "form_1bit.png": "12/12/96",
    "form_huge.png": None,
    "forms_3pages_g4.tif": "COMPETITIVE",
    "g3_text.tif": "dateline",
    "invalid.pdf": None,
    "jpn_vertical.jpeg": "横書き不能な書体も存在する",
    "layout-parser-paper-combined.tiff": "LayoutParser",
    "not_an_image.png": None,
    "orientation_6.jpg": "",
    "phototest_rot180.png": "lazy",
    "receipt.gif": "PROMO",
    "receipt.webp": "PROMO",
    "receipt_exif6.jpg": "ENTERPRISE",
    "receipt_truncated.jpg": None,
    "strip_4000x12.png": "",
    "tiny_1x1.png": "",
    "typewriter.png": "Linzensoep",
}


def outcomes(folder: Path) -> list[tuple[str, str | None]]:
    """Files without a row here, PDFs among them, are no pictures."""
    return [(path.name, EXPECTED.get(path.name)) for path in sorted(folder.iterdir())]


def test_every_file_ends_in_a_page_or_an_error(engine: OcrEngine, shared_data: Path) -> None:
    folder = shared_data / "smoke"
    for name, word in outcomes(folder):
        started = time.monotonic()
        if word is None:
            with pytest.raises(ImageError) as caught:
                engine.recognize(folder / name)
            assert name in str(caught.value)
        else:
            assert word in engine.recognize(folder / name).text, name
        assert time.monotonic() - started < LONGEST_SECONDS, name


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_memory_stays_bounded(models_dir: Path, shared_data: Path) -> None:
    import re
    import subprocess

    code = (
        "import sys, ferrocr\n"
        "with ferrocr.OcrEngine(model_dir=sys.argv[1], threads=2) as engine:\n"
        "    results = list(engine.recognize_many(sys.argv[2:]))\n"
        "print(len(results), open('/proc/self/status').read())\n"
    )
    files = [str(path) for path in sorted((shared_data / "smoke").iterdir())]
    command = [sys.executable, "-W", "error", "-c", code, str(models_dir), *files]
    done = subprocess.run(command, capture_output=True, text=True, timeout=600, check=True)
    assert done.stdout.startswith(f"{len(files)} ")
    peak = re.search(r"VmHWM:\s+(\d+) kB", done.stdout)
    assert peak is not None
    # Twice what was measured: the largest file is a 4000x2864 scan, and 35,000 px pages must not be attempted.
    assert int(peak[1]) < 2_200_000
