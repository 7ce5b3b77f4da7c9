# /// script
# requires-python = ">=3.11"
# dependencies = ["ferrocr[cpu]"]
# ///
"""Read a receipt or an invoice, and print what was bought, at what price, and the total.

Run it with a picture::

    python read_receipt.py receipt.jpg
"""

import re
import sys
from collections.abc import Iterator
from decimal import Decimal
from typing import NamedTuple

from ferrocr import OcrEngine, OcrError, Page

# An amount at the end of a line: 12.45, 1,299.00 or 3,50 €, but no date and no telephone number.
PRICE = re.compile(r"(?:^|(?<=\s))[$€£¥]?\s*(-?\d{1,3}(?:[.,' ]?\d{3})*)[.,](\d{2})\s*(?:[$€£¥]|[A-Z]{1,3})?\s*$")
TOTAL = re.compile(
    r"\b(sub-?total|total|sum|amount due|balance|summe|gesamt|importe|totale)\b|合计|总计", re.IGNORECASE
)

NAME = re.compile(r"[^\W\d_]{3}")


class Row(NamedTuple):
    """Something with a price."""

    what: str
    price: Decimal

    @property
    def is_total(self) -> bool:
        """Whether it says what all the others cost together."""
        return TOTAL.search(self.what) is not None


def rows_of(page: Page) -> Iterator[Row]:
    """Rows with a price. Lines come in reading order, so a row is what stands between two prices of a block."""
    above = ""
    for block in page.blocks:
        before: list[str] = []
        for line in block.lines:
            price = PRICE.search(line.text)
            if price is None:
                before.append(line.text)
                continue
            what = " ".join([*before, line.text[: price.start()]]).strip()
            before.clear()
            if not NAME.search(what):  # numbers alone: what they are about stands above them
                what = f"{above} {what}".strip()
            if NAME.search(what):
                yield Row(what, Decimal(re.sub(r"[^-\d]", "", price[1]) + "." + price[2]))
            above = ""
        above = " ".join(before)


def read(picture: str) -> Page:
    """Return the text of one picture."""
    with OcrEngine() as ocr:
        return ocr.recognize(picture)


def main(arguments: list[str]) -> int:
    """Print the rows; 1 when the picture cannot be read or has no prices, 2 when none was named."""
    if len(arguments) != 1:
        print(f"usage: {sys.argv[0]} PICTURE", file=sys.stderr)
        return 2
    try:
        rows = list(rows_of(read(arguments[0])))
    except OcrError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    end = next((number for number, row in enumerate(rows) if row.is_total), len(rows))
    for row in rows[: end + 1]:  # below the total stand taxes and how it was paid
        print(f"{row.price:>10}  {'= ' if row.is_total else ''}{row.what}")
    bought = sum((row.price for row in rows[:end]), Decimal())
    if end < len(rows) and rows[end].price != bought:
        print(f"{bought:>10}  is the sum of the rows: a row was missed, or something else has a price")
    return 0 if rows else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
