# /// script
# requires-python = ">=3.11"
# dependencies = [
#     "ferrocr[cpu,pdf]",
#     "pandas>=2.3",
# ]
# ///
"""Read a picture or a document into a pandas DataFrame: a row for each word, with its box and its score.

Run it with a file::

    python words_table.py scan.pdf
"""

import sys
from collections.abc import Iterable

from ferrocr import DocumentPage, OcrEngine, OcrError

try:
    import pandas as pd
except ModuleNotFoundError:
    sys.exit("error: the table needs pandas: pip install pandas")

COLUMNS = ("page", "line", "word", "text", "score", "left", "top", "right", "bottom")


def words_table(pages: Iterable[DocumentPage]) -> pd.DataFrame:
    """All words of the pages; boxes are upright, in pixels of the page's picture."""
    rows: list[tuple[object, ...]] = []
    for page in pages:
        for line_number, line in enumerate(page.page.lines, 1):
            for word_number, word in enumerate(line.words, 1):
                xs, ys = zip(*word.quad, strict=True)
                box = min(xs), min(ys), max(xs), max(ys)
                rows.append((page.number, line_number, word_number, word.text, word.score, *box))
    return pd.DataFrame(rows, columns=list(COLUMNS))


def main(arguments: list[str]) -> int:
    """Print the table, and the words that a person should look at."""
    if len(arguments) != 1:
        print(f"usage: {sys.argv[0]} FILE", file=sys.stderr)
        return 2
    try:
        with OcrEngine() as ocr:
            table = words_table(ocr.recognize_document(arguments[0]).pages)
    except OcrError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    print(table.round({"score": 3, "left": 1, "top": 1, "right": 1, "bottom": 1}).to_string(index=False))
    doubtful = table[table["score"] < 0.9]
    print(f"\n{len(table)} words, of which {len(doubtful)} are doubtful: {' '.join(doubtful['text'])}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
