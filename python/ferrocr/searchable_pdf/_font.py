"""The font of a PDF's invisible text: which code stands for which character, and the objects that say so."""

import unicodedata
import zlib
from collections.abc import Iterable, Iterator

import pikepdf
from pikepdf import Array, Dictionary, Name

from ._glyphless import ASCENT, DESCENT, NAME, UNITS, WIDTHS, font_file

_UNKNOWN = "\ufffd"

_MOST = 0xFFFF
"""Codes of two bytes that there are beside 0. Of more kinds of characters in one document, which no recogniser knows,
the rest becomes U+FFFD."""


class InvisibleFont:
    """A font of one document. It is written when all text is there.

    Args:
        pdf: The document.
    """

    def __init__(self, pdf: pikepdf.Pdf) -> None:
        self._pdf = pdf
        self._codes: dict[str, int] = {}
        self._unicode = pdf.make_stream(b"")
        self._glyphs = pdf.make_stream(b"")
        self._descendant = pdf.make_indirect(_descendant(pdf, self._glyphs))
        self.object = pdf.make_indirect(
            Dictionary(
                Type=Name.Font,
                Subtype=Name.Type0,
                BaseFont=Name("/" + NAME),
                Encoding=Name("/Identity-H"),
                DescendantFonts=Array([self._descendant]),
                ToUnicode=self._unicode,
            )
        )

    def encoded(self, text: str) -> bytes:
        """Return the codes of a text."""
        return b"".join(self._code(character).to_bytes(2, "big") for character in text)

    def advance(self, text: str) -> float:
        """Return the width of a text at a size of 1."""
        return sum(WIDTHS[_glyph(character)] for character in text) / UNITS

    def write(self) -> None:
        """Say in the document which code is which character. More text may follow, and then this again."""
        self._unicode.write(zlib.compress(_to_unicode(self._codes)), filter=Name.FlateDecode)
        glyphs = [0, *map(_glyph, self._codes)]
        numbers = b"".join(glyph.to_bytes(2, "big") for glyph in glyphs)
        self._glyphs.write(zlib.compress(numbers), filter=Name.FlateDecode)
        self._descendant.W = Array([0, Array([WIDTHS[glyph] for glyph in glyphs])])

    def _code(self, character: str) -> int:
        known = self._codes.get(character)
        if known is not None:
            return known
        if len(self._codes) >= _MOST - 1 and character != _UNKNOWN:
            return self._code(_UNKNOWN)
        self._codes[character] = len(self._codes) + 1
        return len(self._codes)


def _glyph(character: str) -> int:
    if unicodedata.combining(character) or unicodedata.category(character) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if unicodedata.east_asian_width(character) in ("W", "F") else 1


def _descendant(pdf: pikepdf.Pdf, glyphs: pikepdf.Object) -> Dictionary:
    content = font_file()
    file = pdf.make_stream(zlib.compress(content), Filter=Name.FlateDecode, Length1=len(content))
    descriptor = Dictionary(
        Type=Name.FontDescriptor,
        FontName=Name("/" + NAME),
        Flags=5,  # fixed pitch, and characters of its own
        FontBBox=Array([0, DESCENT, max(WIDTHS), ASCENT]),
        ItalicAngle=0,
        Ascent=ASCENT,
        Descent=DESCENT,
        CapHeight=ASCENT,
        StemV=80,
        FontFile2=file,
    )
    return Dictionary(
        Type=Name.Font,
        Subtype=Name.CIDFontType2,
        BaseFont=Name("/" + NAME),
        CIDSystemInfo=Dictionary(Registry=pikepdf.String("Adobe"), Ordering=pikepdf.String("Identity"), Supplement=0),
        FontDescriptor=pdf.make_indirect(descriptor),
        CIDToGIDMap=glyphs,
        DW=WIDTHS[1],
    )


def _to_unicode(codes: Iterable[str]) -> bytes:
    pairs = [f"<{code:04X}> <{character.encode('utf-16-be').hex().upper()}>" for code, character in enumerate(codes, 1)]
    return "\n".join(_map_lines(pairs)).encode()


def _map_lines(pairs: list[str]) -> Iterator[str]:
    yield "/CIDInit /ProcSet findresource begin\n12 dict begin\nbegincmap"
    yield "/CIDSystemInfo <</Registry (Adobe) /Ordering (UCS) /Supplement 0>> def"
    yield f"/CMapName /{NAME}-UCS def\n/CMapType 2 def"
    yield "1 begincodespacerange\n<0000> <FFFF>\nendcodespacerange"
    for start in range(0, len(pairs), 100):  # no more are allowed in one
        some = pairs[start : start + 100]
        yield f"{len(some)} beginbfchar"
        yield from some
        yield "endbfchar"
    yield "endcmap\nCMapName currentdict /CMap defineresource pop\nend\nend"
