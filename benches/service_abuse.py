"""Clients that a service has to bear: slow ones, those that leave, and uploads that mean harm. For `service.py`."""

import io
import random
import socket
import struct
import time
import zlib
from collections.abc import Callable, Iterator

from PIL import Image

BEARABLE = frozenset({200, 400, 408, 413, 415, 422, 501, 503, 504, 507})
"""Statuses that an upload may get. 500 is a defect."""

HEAD = b"POST /v1/read?format=text HTTP/1.1\r\nHost: 127.0.0.1\r\n"


def connected(port: int, seconds: float = 30.0) -> socket.socket:
    """Return a connection to the service."""
    return socket.create_connection(("127.0.0.1", port), timeout=seconds)


# --- slow and broken clients ----------------------------------------------------------------------------------------


def slow_headers(port: int, until: float) -> None:
    """Send a header letter by letter, and never the end of it."""
    with connected(port) as connection:
        connection.sendall(HEAD + b"X-Slow: ")
        while time.monotonic() < until:
            connection.sendall(b"a")
            time.sleep(0.2)


def slow_body(port: int, until: float) -> None:
    """Send a body so slowly that it never arrives."""
    with connected(port) as connection:
        connection.sendall(HEAD + b"Content-Length: 1000000\r\n\r\n")
        while time.monotonic() < until:
            connection.sendall(b"\x89PNG")
            time.sleep(0.2)


def half_a_body(port: int, until: float) -> None:
    """Leave in the midst of bodies, again and again, without a word or with a reset."""
    for turn in range(1_000_000):
        if time.monotonic() >= until:
            return
        with connected(port) as connection:
            connection.sendall(HEAD + b"Content-Length: 500000\r\n\r\n" + b"\x89PNG" * 20_000)
            if turn % 2:
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        time.sleep(0.05)


def no_interest(port: int, until: float, picture: bytes) -> None:
    """Ask for pictures to be read, and leave before the answer."""
    while time.monotonic() < until:
        with connected(port) as connection:
            connection.sendall(HEAD + f"Content-Length: {len(picture)}\r\n\r\n".encode() + picture)
            time.sleep(0.1)


def idle(port: int, until: float) -> None:
    """Connect, and say nothing."""
    with connected(port):
        time.sleep(max(0.0, until - time.monotonic()))


def rude(work: Callable[[], object]) -> None:
    """Do it; that the service closes such connections is what it should do."""
    try:
        work()
    except OSError:
        return


# --- uploads that mean harm -----------------------------------------------------------------------------------------


def _png(width: int, height: int, rows: int) -> bytes:
    """Return a PNG that says to be so large and has so many rows of nothing."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    data = zlib.compress(bytes((1 + width) * rows), 9)
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", data) + chunk(b"IEND", b"")


def _tiff(width: int, height: int) -> bytes:
    """Return a TIFF that says to be so large, with a directory that leads back to itself."""
    entries = [(256, 4, width), (257, 4, height), (258, 3, 8), (259, 3, 1), (262, 3, 1), (273, 4, 8), (279, 4, 2**31)]
    body = struct.pack("<H", len(entries))
    body += b"".join(struct.pack("<HHII", tag, kind, 1, value) for tag, kind, value in entries)
    return b"II*\0" + struct.pack("<I", 8) + body + struct.pack("<I", 8)


def hostile(pictures: list[bytes], count: int) -> Iterator[tuple[str, bytes]]:
    """Give so many uploads, each with its name: some made by hand, others good ones that were damaged at random."""
    bomb = _png(30_000, 30_000, 1000)
    fixed = {
        "nothing": b"",
        "a letter": b"x",
        "zeros": bytes(1_000_000),
        "a PNG of 900 million pixels": bomb,
        "a PNG of 49 million pixels": _png(7000, 7000, 7000),
        "a PNG with a row": _png(7000, 7000, 1),
        "a PNG without width": _png(0, 10, 0),
        "a TIFF of 4 billion pixels": _tiff(65_535, 65_535),
        "a TIFF of 40 million pixels that is not there": _tiff(8000, 5000),
        "a PDF of nothing": b"%PDF-1.7\n",
        "a PDF that names itself": b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 1 0 R/Kids[1 0 R]/Count 9999999>>endobj\n"
        b"trailer<</Root 1 0 R/Prev 9>>\nstartxref\n9\n%%EOF",
        "a deep PDF": b"%PDF-1.4\n1 0 obj" + b"[" * 200_000 + b"]" * 200_000 + b"endobj\ntrailer<</Root 1 0 R>>\n%%EOF",
        "JSON": b'{"image": "' + b"A" * 100_000 + b'"}',
    }
    for form in ("jpeg", "gif", "webp", "bmp", "tiff"):
        out = io.BytesIO()
        Image.new("RGB", (600, 400), "white").save(out, form)
        fixed[f"half a {form}"] = out.getvalue()[: len(out.getvalue()) // 2]
    yield from list(fixed.items())[:count]
    chance = random.Random(17)
    for number in range(count - len(fixed)):
        data = bytearray(chance.choice(pictures))
        for _ in range(chance.choice([1, 3, 30])):
            at = chance.randrange(len(data))
            data[at : at + chance.choice([1, 4, 400])] = chance.randbytes(chance.choice([0, 1, 4, 400]))
        yield f"damaged {number}", bytes(data)
