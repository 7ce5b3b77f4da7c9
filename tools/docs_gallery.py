"""The gallery of the documentation: pictures that the program draws, and what it reads in them."""

import runpy
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from PIL import Image, ImageDraw, ImageFont

from ferrocr import OcrEngine

SAMPLE = runpy.run_path(str(Path(__file__).parent.parent / "examples" / "sample.py"))
PAPER, INK = (250, 249, 244), (25, 25, 35)


class Exhibit(NamedTuple):
    """One picture of the gallery."""

    name: str
    title: str
    text: str
    draw: Callable[[], Image.Image]


def text_on(size: tuple[int, int], *rows: tuple[int, int, str, int]) -> Image.Image:
    """Return a page with texts, each with its place and size."""
    page = Image.new("RGB", size, PAPER)
    for x, y, text, height in rows:
        ImageDraw.Draw(page).text((x, y), text, INK, ImageFont.load_default(size=height))
    return page


def invoice() -> Image.Image:
    """Draw the sample invoice."""
    page: Image.Image = SAMPLE["sample"]()
    return page


def turned() -> Image.Image:
    """Turn the invoice by a quarter, as a camera may bring it."""
    return invoice().transpose(Image.Transpose.ROTATE_90)


def askew() -> Image.Image:
    """Turn the invoice a little, as a scanner may bring it."""
    return invoice().rotate(-6, Image.Resampling.BICUBIC, expand=True, fillcolor=PAPER)


def columns() -> Image.Image:
    """Draw a page of two columns below a heading."""
    left = ("Paper is made of fibres", "that settle on a sieve.", "The sieve is shaken, and", "what stays is a sheet.")
    right = (
        "Ink is older than paper.",
        "Soot and gum were mixed",
        "with water, and dried in",
        "sticks for the journey.",
    )
    rows = [(60, 150 + 44 * number, text, 26) for number, text in enumerate(left)]
    rows += [(480, 150 + 44 * number, text, 26) for number, text in enumerate(right)]
    return text_on((860, 380), (60, 50, "Of paper and ink", 44), *rows)


EXHIBITS = (
    Exhibit("invoice", "An invoice", "Rows of a table stay together: what, how many, how much.", invoice),
    Exhibit("columns", "Two columns", "The left column comes before the right one, and each is a block.", columns),
    Exhibit(
        "turned", "A page on its side", "The lines say how the page is turned, and quads begin at their start.", turned
    ),
    Exhibit("askew", "A page askew", "Outlines follow the lines, and the order is that of the level page.", askew),
)


def gallery(folder: Path) -> str:
    """Write the pictures into `folder`, and return the page that shows them."""
    folder.mkdir(parents=True)
    parts = [
        "# Gallery\n",
        "Drawn, read and outlined when this page was built, with the default models: lines in reading order with their",
        "scores in per cent, and blocks in grey. `ferrocr read --format png` makes such pictures of yours.\n",
    ]
    with OcrEngine() as ocr:
        for exhibit in EXHIBITS:
            picture = exhibit.draw()
            page = ocr.recognize(picture)
            page.draw(picture).save(folder / f"{exhibit.name}.png")
            parts += [f"## {exhibit.title}\n", f"{exhibit.text}\n"]
            parts += [
                f"![{exhibit.title}, with outlines](gallery/{exhibit.name}.png)\n",
                f"```text\n{page.text}\n```\n",
            ]
    return "\n".join(parts)
