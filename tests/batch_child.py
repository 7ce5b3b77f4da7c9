"""A batch in a process of its own, whose pages are made up in a moment: for tests that kill it.

    python batch_child.py OUTPUT SOURCE...

A source's name says what comes of it: `x.12.pdf` has 12 pages, what is called `broken` cannot be read, and a page that
is read is a line in the file that BATCH_CHILD_LOG names.
"""

import os
import re
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from ferrocr import DocumentPage, ImageError, Line, Page, Word, batch
from ferrocr.batch import _reader
from ferrocr.batch._rows import Row, Unit, error_row, page_row
from ferrocr.batch._settings import Settings

QUAD = ((0.0, 0.0), (9.0, 0.0), (9.0, 5.0), (0.0, 5.0))


class MadeUp:
    """Stands in for a reader with models."""

    failure = None
    workers = 2

    def __init__(self, settings: Settings, downloads: object = None) -> None:
        self.threads = ThreadPoolExecutor(4)

    def load(self) -> None: ...

    def close(self, *, cancel: bool = False) -> None:
        self.threads.shutdown(cancel_futures=True)

    def numbers(self, unit: Unit) -> list[int] | None:
        return None if "broken" in unit.source else list(range(1, pages_of(unit.source) + 1))

    def rows(self, unit: Unit) -> list[Row]:
        if "broken" in unit.source:
            return [error_row(ImageError(f"{unit.source} is broken"), unit, None, None, 0.0)]
        return list(self._pages(unit))

    def _pages(self, unit: Unit) -> Iterator[Row]:
        for number in unit.pages or (1,):
            time.sleep(0.002)
            with Path(os.environ["BATCH_CHILD_LOG"]).open("a", encoding="utf-8") as log:
                log.write(f"{unit.source} {number}\n")
            text = f"page {number}"
            line = Line(text, 0.9, QUAD, (Word("page", 0.9, QUAD), Word(str(number), 0.8, QUAD)))
            yield page_row(DocumentPage(number, Page(9, 5, (line,))), unit, unit.source_pages or 1, 0.002)


def pages_of(source: str) -> int:
    """Return the number of pages that a name says."""
    found = re.search(r"\.([0-9]+)\.pdf$", source)
    return int(found[1]) if found else 1


def run(output: str, sources: list[str], **options: Any) -> batch.Report:  # noqa: ANN401
    """Run a batch with made-up pages."""
    vars(_reader)["PageReader"] = MadeUp
    return batch.run(sources, output, **options)


if __name__ == "__main__":
    report = run(sys.argv[1], sys.argv[2:], part_rows=7)
    print(report.pages, report.sources, report.before)
