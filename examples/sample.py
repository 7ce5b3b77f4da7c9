# /// script
# requires-python = ">=3.11"
# dependencies = ["pillow>=11"]
# ///
"""Draw the picture that the examples read: a small invoice, 900x600 pixels.

Run it with the file to write::

    python sample.py invoice.png
"""

import sys
from pathlib import Path

try:
    from PIL import Image, ImageDraw, ImageFont
except ModuleNotFoundError:
    sys.exit("error: drawing the sample invoice needs Pillow: pip install pillow")

WIDTH, HEIGHT = 900, 600
MARGIN = 60
INK, PAPER, NIGHT = (25, 25, 35), (250, 249, 244), (31, 45, 74)

TITLE = "Lighthouse Paper Mill"
ADDRESS = "14 Harbour Street, Port Ellery"
DATE = "Invoice 2047 of 12 March 2026"
ITEMS = (
    ("Drawing paper A3, white", "2 pads", "37.80"),
    ("Blue ink, 500 ml", "1 jar", "12.45"),
    ("Linen tape, 25 m", "3 rolls", "21.60"),
)
TOTAL = ("Total in EUR", "71.85")
THANKS = "Thank you for writing by hand"


def expected_words() -> list[str]:
    """Every word on the picture, from top to bottom and from left to right."""
    rows = [TITLE, ADDRESS, DATE, *(" ".join(item) for item in ITEMS), " ".join(TOTAL), THANKS]
    return " ".join(rows).split()


def sample() -> Image.Image:
    """Return the picture."""
    picture = Image.new("RGB", (WIDTH, HEIGHT), PAPER)
    draw = ImageDraw.Draw(picture)
    _text(draw, (MARGIN, 40), TITLE, 44)
    _text(draw, (MARGIN, 104), ADDRESS, 24)
    _text(draw, (MARGIN, 142), DATE, 24)
    for row, (what, count, price) in enumerate(ITEMS):
        top = 214 + 52 * row
        _text(draw, (MARGIN, top), what, 26)
        _text(draw, (540, top), count, 26)
        _text(draw, (WIDTH - MARGIN, top), price, 26, anchor="ra")
    draw.line([(MARGIN, 382), (WIDTH - MARGIN, 382)], fill=INK, width=2)
    _text(draw, (MARGIN, 404), TOTAL[0], 32)
    _text(draw, (WIDTH - MARGIN, 404), TOTAL[1], 32, anchor="ra")
    draw.rectangle([(0, 500), (WIDTH, HEIGHT)], fill=NIGHT)
    _text(draw, (WIDTH // 2, 532), THANKS, 30, anchor="ma", fill=(255, 255, 255))
    return picture


def draw_sample(path: str | Path) -> None:
    """Write the picture to `path`; its suffix says in which format."""
    sample().save(path)


def _text(
    draw: ImageDraw.ImageDraw,
    at: tuple[int, int],
    text: str,
    size: int,
    *,
    anchor: str = "la",
    fill: tuple[int, int, int] = INK,
) -> None:
    draw.text(at, text, font=ImageFont.load_default(size=size), anchor=anchor, fill=fill)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: python sample.py OUT.png")
    draw_sample(sys.argv[1])
