"""Batches with the real models: pages as an engine reads them, and processes that crash or take too much memory."""

import os
import sys
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("daft")
import pandas as pd
import pyarrow as pa
from pyarrow import parquet

from conftest import draw_text
from ferrocr import InvalidArgumentError, OcrEngine, batch
from ferrocr.batch import TableReader
from ferrocr.batch._reader import PageReader
from ferrocr.batch._rows import Unit
from ferrocr.batch._settings import LEAST_MEMORY, Settings
from ferrocr.integrations.ray import FerrocrReader
from ferrocr.integrations.spark import page_schema, pages_of
from pdf_files import numbered
from test_isolated_faults import fault, short_grace

__all__ = ["fault", "short_grace"]

ON_SIGNALS = pytest.mark.skipif(not hasattr(os, "fork"), reason="processes end by signals elsewhere")


@pytest.fixture
def scans(tmp_path: Path) -> Path:
    """Three pictures, a PDF of two pages, and what is none of these."""
    folder = tmp_path / "scans"
    folder.mkdir()
    for name in ("one", "two", "three"):
        draw_text([name]).save(folder / f"{name}.png")
    (folder / "book.pdf").write_bytes(numbered(2))
    (folder / "broken.png").write_bytes(b"no picture")
    return folder


def rows_of(output: Path) -> dict[tuple[str, int | None], dict[str, Any]]:
    rows = [row for part in output.glob("*.parquet") for row in parquet.read_table(part).to_pylist()]
    found = {(Path(row["source"]).name, row["page"]): row for row in rows}
    assert len(found) == len(rows)
    return found


def test_rows_are_what_an_engine_reads(models_dir: Path, engine: OcrEngine, scans: Path, tmp_path: Path) -> None:
    report = batch.run(scans, tmp_path / "out", model_dir=models_dir, download=False, workers=2, threads=1)
    assert (report.pages, report.errors) == (5, {"ImageError": 1})
    rows = rows_of(tmp_path / "out")
    for name in ("one", "two", "three"):
        page, row = engine.recognize(scans / f"{name}.png"), rows[f"{name}.png", 1]
        assert (row["text"], row["width"], row["height"]) == (page.text, page.width, page.height)
        assert [line["text"] for line in row["lines"]] == [line.text for line in page.lines]
    document = engine.recognize_document(scans / "book.pdf")
    assert [rows["book.pdf", number]["text"] for number in (1, 2)] == [page.text for page in document.pages]
    assert rows["book.pdf", 1]["dpi"] == 200


@ON_SIGNALS
@pytest.mark.parametrize("way", ["SIGSEGV", "SIGKILL"])
def test_pages_of_a_process_that_dies_are_read_once_more(
    models_dir: Path,
    fault: Any,  # noqa: ANN401
    scans: Path,
    tmp_path: Path,
    way: str,
) -> None:
    fault("page", way)
    report = batch.run(scans, tmp_path / "out", model_dir=models_dir, download=False, workers=1)
    assert (tmp_path / "failed").exists()
    assert (report.pages, report.errors) == (5, {"ImageError": 1})


@pytest.mark.skipif(sys.platform != "linux", reason="memory is bounded on Linux alone")
def test_a_page_that_takes_too_much_memory_is_an_error(models_dir: Path, scans: Path, tmp_path: Path) -> None:
    draw_text(["large"]).resize((11_000, 11_000)).save(scans / "large.png")
    memory = 2 * LEAST_MEMORY
    report = batch.run(
        scans, tmp_path / "out", model_dir=models_dir, download=False, workers=1, threads=1, memory=memory
    )
    assert report.pages == 5
    assert rows_of(tmp_path / "out")["large.png", 1]["error_kind"] in ("OutOfMemoryError", "EngineCrashedError")


def test_rules_that_no_recogniser_can_follow_end_it(models_dir: Path, scans: Path, tmp_path: Path) -> None:
    with pytest.raises(InvalidArgumentError):
        batch.run(scans, tmp_path / "out", model_dir=models_dir, download=False, allow="\ue000")
    assert not rows_of(tmp_path / "out")


def test_tables_of_files_and_bytes(models_dir: Path, scans: Path) -> None:
    reader = TableReader(model_dir=models_dir, download=False)
    table = reader.read(
        [str(scans / "one.png"), (scans / "two.png").read_bytes(), str(scans / "book.pdf")], [None, "2", None]
    )
    assert table.schema.equals(batch.schema())
    assert [Path(source).name for source in table["source"].to_pylist()] == ["one.png", "2", "book.pdf", "book.pdf"]
    assert table["page"].to_pylist() == [1, 1, 1, 2]
    reader.close()


@pytest.mark.parametrize("form", ["numpy", "pandas", "pyarrow"])
def test_a_batch_of_ray_data(models_dir: Path, scans: Path, form: str) -> None:
    frame = pd.DataFrame({"path": [str(scans / "one.png"), str(scans / "broken.png")], "n": [1, 2]})
    forms: dict[str, Any] = {
        "pandas": frame,
        "numpy": {name: frame[name].to_numpy() for name in frame},
        "pyarrow": pa.table({name: frame[name].tolist() for name in frame}),
    }
    reader = FerrocrReader(model_dir=models_dir, download=False)
    table = reader(forms[form])
    assert table["error_kind"].to_pylist() == [None, "ImageError"]
    with pytest.raises(InvalidArgumentError, match="has no column 'data'; its columns are 'path', 'n'"):
        FerrocrReader(bytes_column="data")(frame)
    reader.close()


def test_frames_of_spark(models_dir: Path, scans: Path) -> None:
    frame = pd.DataFrame({"path": ["file:" + str(scans / "one.png")], "content": [(scans / "two.png").read_bytes()]})
    by_path, by_content = (
        next(iter(pages_of(bytes_column=column, model_dir=models_dir, download=False)([frame])))
        for column in (None, "content")
    )
    assert list(by_path) == batch.schema().names
    assert Path(by_path["source"][0]) == scans / "one.png"
    assert by_content["source"][0].startswith("file:")
    assert by_path["text"][0] != by_content["text"][0]
    assert isinstance(by_path["lines"][0][0]["words"][0]["quad"], list)
    assert page_schema().startswith("source string, page int, source_pages int, ")
    assert "lines array<struct<text: string, score: float, quad: array<float>, words: array<struct<" in page_schema()


def test_a_document_that_goes_away_has_a_row_for_each_page(models_dir: Path, scans: Path) -> None:
    reader = PageReader(Settings.of(model_dir=models_dir, download=False, workers=1))
    rows = reader.rows(Unit("gone.pdf", str(scans / "gone.pdf"), (3, 4), 20))
    assert [(row["page"], row["source_pages"], row["error_kind"]) for row in rows] == [
        (3, 20, "ImageNotFoundError"),
        (4, 20, "ImageNotFoundError"),
    ]
    reader.close()
