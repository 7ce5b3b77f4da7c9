# /// script
# requires-python = ">=3.11"
# dependencies = ["ferrocr[cpu,pdf,batch]"]
# ///
"""Read pictures and documents in a Daft plan of one's own: here the sure lines are counted.

Run it with a folder and the folder for Parquet files. Where nothing but the pages is wanted, `ferrocr.batch.run` does
more: it goes on after an interruption, and splits long documents.

    python batch_daft.py scans/ out/
"""

import asyncio
import sys
from pathlib import Path
from typing import Any

import daft
import pyarrow as pa
from daft import DataType, Series, col, lit

from ferrocr.batch import TableReader, schema

SUFFIXES = (".jpg", ".jpeg", ".pdf", ".png", ".tif", ".tiff", ".webp")

PAGES = pa.list_(pa.struct(list(schema())))


# Coroutines run in Daft's own process, several at a time; the models are in processes of ferrocr's.
@daft.cls(max_concurrency=4)
class Reader:
    """Reads a few files at a time, with models that are loaded once."""

    def __init__(self) -> None:
        """Prepare to read."""
        self._reader = TableReader()

    @daft.method.batch(return_dtype=DataType.from_arrow_type(PAGES), batch_size=1)
    async def pages(self, paths: Series) -> pa.Array:
        """Return the pages of each file."""
        tables = [await asyncio.to_thread(self._reader.read, [path]) for path in paths.to_pylist()]
        return pa.array([table.to_pylist() for table in tables], PAGES)


def main() -> None:
    """Read a folder."""
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    folder, output = Path(sys.argv[1]), sys.argv[2]
    paths = sorted(str(path) for path in folder.rglob("*") if path.suffix.lower() in SUFFIXES)
    reader: Any = Reader()  # its methods take columns and give columns, which types do not say
    pages = daft.from_pydict({"path": paths}).select(reader.pages(col("path")).alias("page")).explode("page")
    pages = pages.select(col("page").unnest())
    pages.write_parquet(output)
    # A plan runs whenever something is asked of it, so what is asked here is asked of the files.
    written = daft.read_parquet(output)
    lines = written.where(col("error_kind").is_null()).select("source", "page", "lines").explode("lines")
    sure = lines.where(col("lines")["score"] > lit(0.9))
    print(f"{written.count_rows()} pages, {sure.count_rows()} sure lines")


if __name__ == "__main__":
    main()
