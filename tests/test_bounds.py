"""What a picture may cost: either a clear refusal that names the limit, or a page, within bounds of memory and time."""

import json
import os
import struct
import sys
import zlib
from pathlib import Path
from typing import NamedTuple

import pytest

from ferrocr import OcrEngine, StorageError
from own_process import check_child

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="measures with resource.getrusage")

# What a process with a loaded engine of two threads that has read a small picture holds at its peak, about 300 MB, and
# that much again: a page of any size is seen by the detector at 1280 pixels at most, and read in strips of 48 pixels.
USUAL_MB = 800

CHILD = """
import json, pathlib, resource, sys
import numpy as np
from ferrocr import OcrEngine, OcrError

def peak():
    # Linux hands the peak of getrusage on from the process that started this one.
    if sys.platform == "linux":
        lines = pathlib.Path("/proc/self/status").read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 2**10
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20

options, kind, what = json.loads(sys.argv[1])
make = {
    "white": lambda h, w: np.full((h, w), 255, np.uint8),
    "black": lambda h, w: np.zeros((h, w), np.uint8),
    "noise": lambda h, w: np.random.default_rng(1).integers(0, 256, (h, w), np.uint8),
    "bits": lambda h, w: np.random.default_rng(1).integers(0, 2, (h, w), np.uint8) * np.uint8(255),
    "checkers of 1": lambda h, w: np.indices((h, w)).sum(0).astype(np.uint8) % 2 * 255,
    "checkers of 8": lambda h, w: (np.indices((h, w)) // 8).sum(0).astype(np.uint8) % 2 * 255,
    "bars": lambda h, w: np.tile(np.repeat(np.array([0, 255], np.uint8), 12), (h, w // 24 + 1))[:, :w],
    "view": lambda h, w: np.broadcast_to(np.uint8(255), (h, w)),
}
small = np.full((64, 64), 255, np.uint8)
with OcrEngine(download=False, threads=2, **options) as engine:
    engine.load()
    try:
        engine.recognize(small)
    except OcrError:
        pass  # also beyond some of the limits
    image = what if kind == "file" else make[kind](*what)
    base = peak()
    try:
        page = engine.recognize(image)
        outcome = {"size": [page.width, page.height], "lines": len(page.lines)}
    except OcrError as error:
        outcome = {"error": type(error).__name__, "text": str(error)}
print(json.dumps({**outcome, "peak": peak(), "more": peak() - base}))
"""


class Case(NamedTuple):
    """A picture, and what has to come of it."""

    what: tuple[int, int] | bytes
    """Height and width of an array, or a file's content."""
    kind: str = "file"
    options: dict[str, int] = {}  # noqa: RUF012 (never changed)
    says: tuple[str, ...] = ()
    """Parts of the refusal; without any it has to be a page."""
    peak_mb: float = USUAL_MB


def png(width: int, height: int, pixels: bytes = b"") -> bytes:
    """A grey PNG whose header says what is given, whatever pixels follow."""

    def chunk(name: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    body = chunk(b"IDAT", zlib.compress(pixels, 9))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + body + chunk(b"IEND", b"")


def gif(width: int, height: int) -> bytes:
    """44 bytes: a canvas of that size with one image of one pixel."""
    screen = struct.pack("<HHBBB", width, height, 0x80, 0, 0) + bytes(6)
    image = b"," + struct.pack("<HHHHB", 0, 0, 1, 1, 0) + b"\x02\x02\x44\x01\x00" + b";"
    return (b"GIF89a" + screen + image).ljust(44, b"\0")


def bmp(width: int, height: int) -> bytes:
    """A header without pixels."""
    info = struct.pack("<IiiHHIIiiII", 40, width, height, 1, 24, 0, 0, 0, 0, 0, 0)
    return b"BM" + struct.pack("<IHHI", 54, 0, 0, 54) + info


def white_png(width: int, height: int) -> bytes:
    """A whole PNG of white pixels: a thousandth of its pixels' size."""
    return png(width, height, (b"\0" + b"\xff" * width) * height)


REFUSED = {
    "a gif of 44 bytes that claims a huge canvas": Case(gif(65_535, 65_535), says=("max_pixels=150000000",)),
    "a png header of 100,000 x 100,000": Case(png(100_000, 100_000), says=("max_side=65535",)),
    "a png header of 2 billion x 1": Case(png(2**31 - 1, 1), says=("max_side=65535",)),
    "a png header that is just within, without pixels": Case(png(12_000, 12_000), says=("",)),
    "a bmp header just within, without pixels": Case(bmp(12_000, 12_000), says=("",)),
    "a bmp header with sides below zero": Case(bmp(-5, -5), says=("",)),
    "a file of which more unpacks than its limit": Case(
        white_png(4000, 4000), options={"max_pixels": 4000 * 4000 - 1}, says=("max_pixels=15999999", "4000")
    ),
    "an array with too many pixels": Case((20_000, 20_000), "view", says=("max_pixels=150000000", "20000")),
    "an array with too long a side": Case((4, 65_536), "view", says=("max_side=65535", "65536")),
    "an array beyond limits of one's own": Case((100, 100), "white", {"max_side": 99}, says=("max_side=99",)),
    "an array beyond pixels of one's own": Case((100, 100), "white", {"max_pixels": 9999}, says=("max_pixels=9999",)),
}

# An array of 16 MB is held once by the caller and once by the call; as RGB it is 48.
READ = {
    "one pixel": Case((1, 1), "white"),
    "one row": Case((1, 4000), "bars"),
    "one column": Case((4000, 1), "black"),
    "a strip": Case((12, 4000), "bars"),
    "a page of 35,000 rows": Case((35_000, 800), "white"),
    "a page of 35,000 rows of noise": Case((35_000, 400), "noise"),
    "blank white": Case((4000, 4000), "white"),
    "blank black": Case((4000, 4000), "black"),
    "noise": Case((2000, 2000), "noise"),
    "noise of two colours": Case((2000, 2000), "bits"),
    "checkers of one pixel": Case((2000, 2000), "checkers of 1"),
    "checkers of eight": Case((2000, 2000), "checkers of 8"),
    "bars": Case((2000, 2000), "bars"),
    "a small file that unpacks to 100 million pixels": Case(white_png(10_000, 10_000), peak_mb=USUAL_MB + 400),
    "the longest side": Case((8, 65_535), "white"),
}


@pytest.mark.parametrize("name", [*REFUSED, *READ])
def test_a_picture_costs_what_it_may(models_dir: Path, tmp_path: Path, name: str) -> None:
    case = {**REFUSED, **READ}[name]
    what: object = case.what
    if isinstance(case.what, bytes):
        path = tmp_path / "picture"
        path.write_bytes(case.what)
        what = str(path)
    outcome = json.loads(check_child(CHILD, json.dumps([case.options, case.kind, what]), models=models_dir))
    print(name, outcome)
    assert outcome["peak"] < case.peak_mb
    if name in REFUSED:
        assert outcome["error"] == "ImageError", outcome
        assert all(part in outcome["text"] for part in case.says), outcome
        # A refusal comes before pixels are made: 64 MB are the reading of the file and some of its rows.
        assert outcome["more"] < 64 or "just within" in name, outcome
    else:
        height, width = case.what if not isinstance(case.what, bytes) else (10_000, 10_000)
        assert outcome.get("size") == [width, height], outcome


def test_a_file_beyond_its_bytes_is_read_to_its_limit_only(models_dir: Path, tmp_path: Path) -> None:
    path = tmp_path / "long.png"
    with path.open("wb") as file:
        file.write(b"\x89PNG\r\n\x1a\n")
        file.truncate(600 * 2**20)  # a hole: it takes no room on the disk
    outcome = json.loads(check_child(CHILD, json.dumps([{}, "file", str(path)]), models=models_dir))
    assert outcome["error"] == "ImageError", outcome
    assert "max_bytes" in outcome["text"], outcome
    # What its length says is not trusted, since a pipe has none: it is read, but no further than the limit.
    assert outcome["more"] < 512 + 64, outcome


def test_a_pipe_is_refused_and_not_waited_for(engine: OcrEngine, tmp_path: Path) -> None:
    pipe = tmp_path / "pipe.png"
    os.mkfifo(pipe)
    with pytest.raises(StorageError, match="no regular file") as caught:
        engine.recognize(pipe)
    assert caught.value.hint is not None
    (error,) = engine.recognize_many([pipe])
    assert isinstance(error, StorageError)
