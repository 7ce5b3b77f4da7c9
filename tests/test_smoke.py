"""Odd and broken real files: each ends in a page or a clear error, in one process, in bounded memory."""

import json
from pathlib import Path

from own_process import check_child

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


READ = """
import json, sys
from pathlib import Path
from ferrocr import ImageError, OcrEngine
files, found = sys.argv[1:], {}
with OcrEngine(threads=2) as engine:
    for file, result in zip(files, engine.recognize_many(files), strict=True):
        if isinstance(result, ImageError):
            assert file in str(result), result
        found[Path(file).name] = None if isinstance(result, ImageError) else result.text
try:
    status = Path("/proc/self/status").read_text()
    peak = int(status.partition("VmHWM:")[2].split()[0])
except FileNotFoundError:
    peak = None
print(json.dumps([found, peak]))
"""


def test_every_file_ends_in_a_page_or_an_error_in_bounded_memory(models_dir: Path, shared_data: Path) -> None:
    files = sorted((shared_data / "smoke").iterdir())
    found, peak = json.loads(check_child(READ, *files, models=models_dir))
    assert len(found) == len(files)
    for name, text in found.items():
        # Files without a row here, PDFs among them, are no pictures.
        word = EXPECTED.get(name)
        assert (text is None) == (word is None), (name, text)
        assert word is None or word in text, (name, text)
    # Twice what was measured: the largest file is a 4000x2864 scan, and 35,000 px pages must not be attempted.
    assert peak is None or peak < 2_200_000
