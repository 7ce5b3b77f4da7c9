"""A TrueType font that draws nothing: what invisible text of a PDF is set in.

Its widths are what counts: programs that select or search text ask where a character begins and ends.
"""

import struct

UNITS = 1000
"""Units of a letter's height, from :data:`DESCENT` to :data:`ASCENT`."""

ASCENT, DESCENT = 800, -200
"""Together the height of a line, so that a program sees it marked as high as it was found. Most fonts divide it so."""

WIDTHS = (0, 500, 1000)
"""Widths of the three glyphs: one for marks that stand over others, one as wide as most letters, and one as wide as
those of Chinese. Each shows nothing."""

NAME = "FerrocrGlyphless"

_MADE = 3_850_070_400
"""When, in seconds since 1904: the first day of 2026, so that every file has the same bytes."""


def font_file() -> bytes:
    """Return the font, always the same."""
    glyphs = [_glyph(width) for width in WIDTHS]
    places = [sum(map(len, glyphs[:index])) // 2 for index in range(len(glyphs) + 1)]
    tables = {
        b"OS/2": _os2(),
        b"cmap": struct.pack(">4H L 12H", 0, 1, 3, 1, 12, 4, 24, 0, 2, 2, 0, 0, 0xFFFF, 0, 0xFFFF, 1, 0),
        b"glyf": b"".join(glyphs),
        b"head": _head(),
        b"hhea": _hhea(),
        b"hmtx": b"".join(struct.pack(">Hh", width, 0) for width in WIDTHS),
        b"loca": struct.pack(f">{len(places)}H", *places),
        b"maxp": struct.pack(">L 14H", 0x10000, len(WIDTHS), 2, 2, 0, 0, 1, *[0] * 8),
        b"name": _name(),
        b"post": struct.pack(">L L 2h 5L", 0x30000, 0, 0, 0, 1, 0, 0, 0, 0),
    }
    return _file(tables)


def _glyph(width: int) -> bytes:
    """Draw two single points, in opposite corners of the letter: they draw nothing and give it an extent.

    PDFium leaves out a text without an extent: one of a single letter, and one that runs up or down.
    """
    box = (0, DESCENT, width, ASCENT)
    ends, no_instructions, on_the_curve = (0, 1), 0, 1
    start = struct.pack(">5h 3H 2B", 2, *box, *ends, no_instructions, on_the_curve, on_the_curve)
    return _padded(start + struct.pack(">4h", 0, width, DESCENT, ASCENT - DESCENT))


def _head() -> bytes:
    start = struct.pack(">4L 2H", 0x10000, 0x10000, 0, 0x5F0F3CF5, 0, UNITS)
    return start + struct.pack(">2Q 4h 2H 3h", _MADE, _MADE, 0, DESCENT, max(WIDTHS), ASCENT, 0, 8, 2, 0, 0)


def _hhea() -> bytes:
    heights, widths = (ASCENT, DESCENT, 0), (max(WIDTHS), 0, 0, max(WIDTHS))
    return struct.pack(">L 3h H 3h 8h H", 0x10000, *heights, *widths, 1, *[0] * 7, len(WIDTHS))


def _os2() -> bytes:
    sizes = [650, 600, 0, 75, 650, 600, 0, 350, 50, 300]
    start = struct.pack(">H h 3H 10h h", 3, 500, 400, 5, 0, *sizes, 0)
    ranges = struct.pack(">10x 4L 4s 3H", 0, 0, 0, 0, b"    ", 0x40, 0x20, 0xFFFF)
    heights = struct.pack(">3h 2H", ASCENT, DESCENT, 0, ASCENT, -DESCENT)
    return start + ranges + heights + struct.pack(">2L 2h 3H", 1, 0, 500, 700, 0, 0x20, 1)


def _name() -> bytes:
    texts = {1: NAME, 2: "Regular", 4: NAME, 6: NAME}
    records, stored = b"", b""
    for number, text in texts.items():
        value = text.encode("utf-16-be")
        records += struct.pack(">6H", 3, 1, 0x409, number, len(value), len(stored))
        stored += value
    return struct.pack(">3H", 0, len(texts), 6 + len(records)) + records + stored


def _file(tables: dict[bytes, bytes]) -> bytes:
    power = len(tables).bit_length() - 1
    out = struct.pack(">L 4H", 0x10000, len(tables), 16 << power, power, 16 * len(tables) - (16 << power))
    place, body = len(out) + 16 * len(tables), b""
    for tag, content in tables.items():
        out += struct.pack(">4s 3L", tag, _sum(content), place + len(body), len(content))
        body += _padded(content)
    whole = out + body
    adjustment = struct.pack(">L", (0xB1B0AFBA - _sum(whole)) & 0xFFFFFFFF)
    # In `head`, behind the versions of the table and of the font.
    return whole.replace(_head(), _head()[:8] + adjustment + _head()[12:])


def _padded(content: bytes) -> bytes:
    return content + b"\0" * (-len(content) % 4)


def _sum(content: bytes) -> int:
    padded = _padded(content)
    numbers: tuple[int, ...] = struct.unpack(f">{len(padded) // 4}L", padded)
    return sum(numbers) & 0xFFFFFFFF
