"""Files beside the parts, for those who read no Parquet: JSON Lines, and a text file for each page."""

import os
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any, Literal, get_args

from .._whole_file import whole_file
from ..formats.json import SCHEMA_VERSION, dumped
from ._remote import Remote

if TYPE_CHECKING:
    import pyarrow as pa

Also = Literal["jsonl", "text"]
ALSO: tuple[Also, ...] = get_args(Also)

_TEXTS = "text"
"""The folder of text files."""


class Beside:
    """Writes other files of the rows of a part, before the part gets its name: the part says that they are there.

    Args:
        also: The kinds of files.
    """

    def __init__(self, also: Sequence[Also] = ()) -> None:
        self._also = also

    def write(self, rows: "pa.Table", part: Path, hidden: Path) -> None:
        """Write the files of a part, each whole or not at all.

        Raises:
            OSError: One cannot be written.
        """
        if not self._also:
            return
        if "jsonl" in self._also:
            with whole_file(part.with_suffix(".jsonl"), hidden) as file:
                file.writelines(dumped(_json(row)).encode() + b"\n" for row in _rows_of(rows))
        if "text" in self._also:
            for row in _rows_of(rows):
                if row["error_kind"] is None:
                    self._text(row, part.parent, hidden)

    def sweep(self, folder: Path) -> None:
        """Remove the JSON Lines of parts that never got their names. A page's text file is written over."""
        for path in folder.glob("part-*.jsonl"):
            if not path.with_suffix(".parquet").exists():
                path.unlink(missing_ok=True)

    def _text(self, row: dict[str, Any], folder: Path, hidden: Path) -> None:
        path = folder / _TEXTS / text_path(row)
        path.parent.mkdir(parents=True, exist_ok=True)
        with whole_file(path, hidden) as file:
            file.write((row["text"] + "\n").encode())


def text_path(row: dict[str, Any]) -> PurePosixPath:
    """Return the name of a page's text file below the folder of text files."""
    source: str = row["source"]
    name = source.replace("://", "/") if Remote.has(source) else source
    parts = [part for part in name.replace(os.sep, "/").replace(":", "").split("/") if part not in ("", ".", "..")]
    number = "" if row["source_pages"] == 1 else f".{row['page']}"
    return PurePosixPath(*parts[:-1], f"{parts[-1]}{number}.txt")


def _rows_of(rows: "pa.Table") -> Iterator[dict[str, Any]]:
    for batch in rows.to_batches(max_chunksize=100):
        yield from batch.to_pylist()


def _json(row: dict[str, Any]) -> dict[str, Any]:
    """Return a row as `ferrocr read --format jsonl` has a page."""
    plain = {"schema_version": SCHEMA_VERSION, "source": row["source"], "number": row["page"] or 1}
    if row["error_kind"] is not None:
        return {**plain, "error": row["error"]}
    lines = [{**_written(line), "words": [_word(word) for word in line["words"]]} for line in row["lines"]]
    blocks = [{"quad": _corners(block["quad"]), "lines": block["lines"]} for block in row["blocks"]]
    known = {name: row[name] for name in ("dpi", "width", "height", "text")}
    return {**plain, **known, "lines": lines, "blocks": blocks}


def _word(word: dict[str, Any]) -> dict[str, Any]:
    return {**_written(word), **({"doubtful": True} if word["doubtful"] else {})}


def _written(part: dict[str, Any]) -> dict[str, Any]:
    return {"text": part["text"], "score": round(part["score"], 4), "quad": _corners(part["quad"])}


def _corners(quad: list[float]) -> list[list[float]]:
    rounded = [round(side, 1) for side in quad]
    return [rounded[corner : corner + 2] for corner in range(0, 8, 2)]
