"""PDF files for tests, written by hand: what is in them is known to the point."""

import io
from collections.abc import Sequence
from typing import NamedTuple

from PIL import Image


class Sheet(NamedTuple):
    """A page."""

    content: str = ""
    """What is drawn on it; :func:`words` gives some."""
    size: tuple[float, float] = (300, 100)
    more: str = ""
    """Further entries of its dictionary."""


def words(text: str, x: float = 20, y: float = 50, size: float = 20, turn: str = "1 0 0 1", mode: int = 0) -> str:
    """Text whose baseline begins at a point. `turn` is the matrix without the place, `mode` 3 is invisible."""
    return f"BT /F1 {size} Tf {mode} Tr {turn} {x} {y} Tm ({text}) Tj ET\n"


def make_pdf(sheets: Sequence[Sheet], *, objects: Sequence[bytes] = (), root: str = "") -> bytes:
    """A file of these pages. Further objects have the numbers from 4 + twice the number of pages on."""
    count = len(sheets)
    kids = " ".join(f"{4 + index} 0 R" for index in range(count))
    body = [
        f"<</Type/Catalog/Pages 2 0 R {root}>>".encode(),
        f"<</Type/Pages/Count {count}/Kids[{kids}]>>".encode(),
        b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica/Encoding/WinAnsiEncoding>>",
    ]
    for index, sheet in enumerate(sheets):
        box = f"0 0 {sheet.size[0]} {sheet.size[1]}"
        entries = f"/MediaBox[{box}]" if "/MediaBox" not in sheet.more else ""
        entries += "" if "/Resources" in sheet.more else "/Resources<</Font<</F1 3 0 R>>>>"
        page = f"<</Type/Page/Parent 2 0 R/Contents {4 + count + index} 0 R{entries}{sheet.more}>>"
        body.append(page.encode())
    body += [stream(sheet.content.encode("latin-1")) for sheet in sheets]
    return _file([*body, *objects])


def numbered(count: int) -> bytes:
    """Pages that say their number."""
    return make_pdf([Sheet(words(f"sheet {number}")) for number in range(1, count + 1)])


def scanned(pictures: Sequence[Image.Image], dpi: float = 100) -> bytes:
    """Pages that are pictures."""
    out = io.BytesIO()
    pictures[0].save(out, "PDF", resolution=dpi, save_all=True, append_images=list(pictures[1:]))
    return out.getvalue()


def form_field(value: str) -> tuple[bytes, bytes]:
    """A field that somebody has filled in, with its look: objects of a file of one page, so with numbers 6 and 7."""
    look = stream(f"BT /F1 20 Tf 2 5 Td ({value}) Tj ET".encode(), "/Type/XObject/Subtype/Form/BBox[0 0 200 30]")
    field = (
        f"<</Type/Annot/Subtype/Widget/FT/Tx/T(name)/V({value})/F 4/Rect[20 40 220 70]/DA(/F1 20 Tf 0 g)/P 4 0 R"
        "/AP<</N 7 0 R>>>>"
    )
    return field.encode(), look.replace(b"/Type/XObject", b"/Resources<</Font<</F1 3 0 R>>>>/Type/XObject")


def stream(content: bytes, entries: str = "") -> bytes:
    """An object with content, such as a form or a pattern."""
    return f"<<{entries}/Length {len(content)}>>stream\n".encode() + content + b"\nendstream"


def _file(objects: Sequence[bytes]) -> bytes:
    out, places = bytearray(b"%PDF-1.7\n"), []
    for number, content in enumerate(objects, 1):
        places.append(len(out))
        out += f"{number} 0 obj\n".encode() + content + b"\nendobj\n"
    start = len(out)
    out += f"xref\n0 {len(objects) + 1}\n0000000000 65535 f \n".encode()
    out += b"".join(f"{place:010} 00000 n \n".encode() for place in places)
    out += f"trailer\n<</Size {len(objects) + 1}/Root 1 0 R>>\nstartxref\n{start}\n%%EOF\n".encode()
    return bytes(out)
