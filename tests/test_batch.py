"""Batches on Daft's own runner: what is found, read, left out and tried again, and what the table says of it."""

import csv
import json
import os
import sys
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("daft")
import pyarrow as pa
from pyarrow import parquet

import batch_child
from conftest import run_python
from ferrocr import InvalidArgumentError, RuntimeUnavailableError, StorageError, batch
from ferrocr.batch import _hosts, _reader
from ferrocr.batch._beside import Beside
from ferrocr.batch._parts import Parts
from ferrocr.batch._plan import PAGES_AT_ONCE
from ferrocr.batch._settings import LEAST_MEMORY, Settings
from ferrocr.cli import main
from ferrocr.formats.json import read_lines


@pytest.fixture
def log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Pages are made up, and a line in this file for each."""
    monkeypatch.setattr(_reader, "PageReader", batch_child.MadeUp)
    monkeypatch.setenv("BATCH_CHILD_LOG", str(tmp_path / "log"))
    return tmp_path / "log"


@pytest.fixture
def scans(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of these sources, in the current directory."""
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "scans"
    (folder / "may").mkdir(parents=True)
    for name in ("a.png", "may/b.JPG", "book.40.pdf", "broken.tif", "notes.md", ".hidden.png"):
        (folder / name).write_bytes(name.encode())
    return folder


def table_of(output: Path) -> pa.Table:
    return pa.concat_tables([parquet.read_table(part) for part in sorted(output.glob("*.parquet"))])


def pages_in(output: Path) -> list[tuple[str, int | None]]:
    table = table_of(output)
    names = [Path(source).name for source in table["source"].to_pylist()]
    return sorted(zip(names, table["page"].to_pylist(), strict=True), key=str)


def test_a_folder_becomes_a_table_of_pages(log: Path, scans: Path) -> None:
    report = batch.run(scans, scans.parent / "out")
    assert (report.pages, report.sources, report.errors) == (42, 4, {"ImageError": 1})
    assert (report.problems, report.left_out) == ((), {".md": 1})
    book = [("book.40.pdf", number) for number in range(1, 41)]
    assert pages_in(scans.parent / "out") == sorted([("a.png", 1), ("b.JPG", 1), ("broken.tif", None), *book], key=str)


def test_the_table_has_the_documented_columns(log: Path, scans: Path) -> None:
    batch.run([scans / "a.png", scans / "broken.tif"], scans.parent / "out")
    (part,) = (scans.parent / "out").glob("*.parquet")
    assert parquet.read_schema(part).equals(batch.schema())
    assert parquet.read_schema(part).metadata == batch.schema().metadata
    rows = {Path(row["source"]).name: row for row in parquet.read_table(part).to_pylist()}
    page, broken = rows["a.png"], rows["broken.tif"]
    assert (page["width"], page["height"], page["text"], page["source_pages"]) == (9, 5, "page 1", 1)
    words = [(word["text"], round(word["score"], 2), word["quad"]) for word in page["lines"][0]["words"]]
    assert words == [("page", 0.9, [0, 0, 9, 0, 9, 5, 0, 5]), ("1", 0.8, [0, 0, 9, 0, 9, 5, 0, 5])]
    assert (page["error_kind"], page["size"], page["modified"].year > 2000) == (None, 5, True)
    assert (broken["error_kind"], broken["page"], broken["lines"]) == ("ImageError", None, None)
    assert broken["error"].endswith("is broken")
    assert page["options_id"] == broken["options_id"] == Settings.of().id()
    assert page["models"].split(", ")[0].endswith(".onnx")


def test_a_second_run_reads_what_is_new(log: Path, scans: Path) -> None:
    output = scans.parent / "out"
    batch.run(scans, output)
    read = len(log.read_text().splitlines())
    (scans / "c.png").write_bytes(b"c")
    (scans / "a.png").write_bytes(b"another one")
    os.utime(scans / "may/b.JPG", ns=(1, 1))
    report = batch.run(scans, output)
    assert (report.sources, report.before, report.errors_before) == (3, 2, 1)
    assert len(log.read_text().splitlines()) == read + 3


def test_by_content_a_file_that_was_touched_is_the_same(log: Path, scans: Path) -> None:
    output = scans.parent / "out"
    batch.run(scans, output, identity="content")
    os.utime(scans / "a.png", ns=(1, 1))
    (scans / "may/b.JPG").write_bytes(b"MAY/b.jpg")
    assert batch.run(scans, output, identity="content").sources == 1


@pytest.mark.parametrize("options", [{"languages": ["de"]}, {"dpi": 100}, {"min_score": 0.1}, {"allow": "01"}])
def test_other_options_read_everything_anew(log: Path, scans: Path, options: dict[str, Any]) -> None:
    batch.run(scans / "a.png", scans.parent / "out")
    report = batch.run(scans / "a.png", scans.parent / "out", **options)
    assert (report.sources, report.before) == (1, 0)


@pytest.mark.parametrize("options", [{"threads": 1}, {"workers": 1}, {"timeout": 5}, {"password": "x"}])
def test_options_that_decide_nothing_do_not(log: Path, scans: Path, options: dict[str, Any]) -> None:
    batch.run(scans / "a.png", scans.parent / "out")
    assert batch.run(scans / "a.png", scans.parent / "out", **options).sources == 0


def test_errors_are_tried_again_on_request(log: Path, scans: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    output = scans.parent / "out"
    batch.run(scans, output)
    assert batch.run(scans, output).sources == 0
    rows = pages_in(output)
    report = batch.run(scans, output, retry_errors=True)
    assert (report.sources, report.errors, report.errors_before) == (1, {"ImageError": 1}, 0)
    assert pages_in(output) == rows
    monkeypatch.setattr(batch_child.MadeUp, "rows", lambda self, unit: list(self._pages(unit)))
    monkeypatch.setattr(batch_child.MadeUp, "numbers", lambda self, unit: [1])
    assert batch.run(scans, output, retry_errors=True).errors == {}
    assert ("broken.tif", 1) in pages_in(output)
    assert len(pages_in(output)) == len(rows)


def test_a_document_that_is_half_done_goes_on_where_it_was(log: Path, scans: Path) -> None:
    output = scans.parent / "out"
    batch.run(scans / "book.40.pdf", output, part_rows=PAGES_AT_ONCE)
    first, *others = sorted(output.glob("*.parquet"))
    assert others
    lost = parquet.read_metadata(first).num_rows
    first.unlink()
    assert batch.run(scans / "book.40.pdf", output).pages == lost
    assert pages_in(output) == sorted((("book.40.pdf", number) for number in range(1, 41)), key=str)


def test_one_batch_at_a_time_writes_to_a_folder(log: Path, scans: Path) -> None:
    with (
        Parts(scans.parent / "out", Beside()),
        pytest.raises(StorageError, match="another batch writes to"),
    ):
        batch.run(scans, scans.parent / "out")


def test_a_foreign_table_is_no_output(log: Path, scans: Path) -> None:
    parquet.write_table(pa.table({"x": [1]}), scans / "part-000001.parquet")
    with pytest.raises(StorageError, match="no table of pages of schema"):
        batch.run(scans / "a.png", scans)


def test_what_is_damaged_is_told(log: Path, scans: Path) -> None:
    (scans / "part-000001.parquet").write_bytes(b"PAR1")
    with pytest.raises(StorageError, match="is no part of a batch, or is damaged"):
        batch.run(scans / "a.png", scans)


def write_list(path: Path, names: list[str]) -> None:
    if path.suffix == ".txt":
        path.write_text("\n".join(names) + "\n\n", encoding="utf-8")
    elif path.suffix == ".csv":
        with path.open("w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows([["n", "path"], *([str(n), name] for n, name in enumerate(names))])
    else:
        parquet.write_table(pa.table({"path": names, "n": range(len(names))}), path)


@pytest.mark.parametrize("suffix", [".txt", ".csv", ".parquet"])
def test_lists_name_sources(log: Path, scans: Path, suffix: str) -> None:
    names = ["scans/a.png", str(scans / "may/b.JPG"), (scans / "book.40.pdf").as_uri(), "scans/a.png"]
    write_list(scans / f"list{suffix}", names)
    report = batch.run(scans / f"list{suffix}", scans.parent / "out")
    assert (report.pages, report.sources) == (42, 3)


def test_a_list_without_the_column_says_which_it_has(log: Path, scans: Path) -> None:
    write_list(scans / "list.csv", ["a.png"])
    with pytest.raises(InvalidArgumentError, match=r"has no column 'name'; its columns are 'n', 'path'"):
        batch.run(scans / "list.csv", scans.parent / "out", path_column="name")


def test_lists_bring_bytes(log: Path, scans: Path) -> None:
    output = scans.parent / "out"
    parquet.write_table(pa.table({"path": ["x.png", None], "data": [b"1", b"2"]}), scans / "list.parquet")
    report = batch.run(scans / "list.parquet", output, bytes_column="data")
    assert report.pages == 2
    assert pages_in(output)[1] == ("x.png", 1)
    assert pages_in(output)[0][0].startswith("sha256:")
    assert batch.run(scans / "list.parquet", output, bytes_column="data").pages == 0


def test_lists_of_bytes_are_read_beside_files_that_are_done(log: Path, scans: Path) -> None:
    output = scans.parent / "out"
    batch.run(scans / "a.png", output)
    parquet.write_table(pa.table({"path": ["x.png"], "data": [b"1"]}), scans / "list.parquet")
    report = batch.run([scans / "a.png", scans / "list.parquet"], output, bytes_column="data")
    assert (report.before, report.pages) == (1, 1)


def test_patterns_and_what_is_not_there(log: Path, scans: Path) -> None:
    report = batch.run(["scans/**/*.*g", "scans/*.gif", str(scans / "may")], scans.parent / "out")
    assert report.pages == 3 - 1  # b.JPG is no .jpg, and counts once
    assert report.problems == ("there is no picture or document in scans/*.gif",)


@pytest.mark.skipif(sys.platform != "linux", reason="names are text elsewhere")
def test_any_name_of_a_file_is_a_source(log: Path, scans: Path) -> None:
    name = os.fsdecode(b"\xff\n.png")
    (scans / name).write_bytes(b"x")
    batch.run(scans / name, scans.parent / "out")
    assert pages_in(scans.parent / "out") == [(r"\udcff\n.png", 1)]
    assert batch.run(scans / name, scans.parent / "out").before == 1


def test_other_files_stand_beside_the_parts(log: Path, scans: Path) -> None:
    output = scans.parent / "out"
    batch.run(scans, output, also=["jsonl", "text"], part_rows=20)
    parts = sorted(output.glob("*.parquet"))
    assert [part.with_suffix(".jsonl") for part in parts] == sorted(output.glob("*.jsonl"))
    sheets = [sheet for part in parts for sheet in read_lines(part.with_suffix(".jsonl").read_bytes().splitlines())]
    assert len(sheets) == 43
    errors = [line for part in output.glob("*.jsonl") for line in part.read_text().splitlines() if '"error"' in line]
    assert json.loads(errors[0])["error"].endswith("is broken")
    texts = {path.relative_to(output / "text" / str(scans.parent)[1:]).as_posix() for path in output.rglob("*.txt")}
    pages = {f"scans/book.40.pdf.{number}.txt" for number in range(1, 41)}
    assert texts == {"scans/a.png.txt", "scans/may/b.JPG.txt", *pages}


def test_json_lines_of_a_part_that_never_came_are_swept(log: Path, scans: Path) -> None:
    output = scans.parent / "out"
    output.mkdir()
    (output / "part-000001.jsonl").write_text("{}")
    batch.run(scans, output)
    assert not list(output.glob("*.jsonl"))


def test_progress_ends_at_all_sources(log: Path, scans: Path) -> None:
    seen: list[tuple[int | None, float, int]] = []
    batch.run(scans, scans.parent / "out", progress=lambda state: seen.append((state.sources, state.done, state.pages)))
    assert seen[0] == (4, 0, 0)
    assert seen[-1][1] == pytest.approx(4)
    assert seen[-1][2] == 42


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"identity": "name"}, "identity is 'time' or 'content'"),
        ({"also": ["hocr"]}, "also has 'jsonl' and 'text', not 'hocr'"),
        ({"runner": "spark"}, "runner is 'native' or 'ray'"),
        ({"address": "ray://head"}, "an address is that of a Ray cluster"),
        ({"part_rows": 0}, "part_rows is a number from 1 on"),
        ({"memory": LEAST_MEMORY}, "memory is at least"),
        ({"max_memory": 2**30}, "max_memory is not for batches"),
        ({"isolated": False}, "isolated is not for batches"),
        ({"workers": 0}, "workers is a number from 1"),
        ({"pages": "0"}, "there is no page 0"),
        ({"provider": "abacus"}, "there is no provider 'abacus'"),
    ],
)
def test_what_makes_no_sense_is_refused(log: Path, scans: Path, options: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidArgumentError, match=message):
        batch.run(scans, scans.parent / "out", **options)
    assert not list((scans.parent / "out").glob("*.parquet"))


def test_no_source_is_refused(log: Path, tmp_path: Path) -> None:
    with pytest.raises(InvalidArgumentError, match="no source is named"):
        batch.run([], tmp_path / "out")


@pytest.mark.parametrize(
    ("memory", "free", "workers"),
    [(None, None, 64), (None, 100_000, 64), (None, 10_000, 24), (10_000, 1000, 24), (1200, None, 2), (800, None, 1)],
)
def test_workers_follow_the_memory(
    monkeypatch: pytest.MonkeyPatch, memory: int | None, free: float | None, workers: int
) -> None:
    monkeypatch.setattr("ferrocr.batch._settings.cores", lambda: 64)
    monkeypatch.setattr("ferrocr.batch._settings.available_mb", lambda: free)
    bound = None if memory is None else memory * 2**20
    settings = Settings({}, {}, memory=bound).on_this_machine()
    assert settings.workers == workers
    assert Settings({"provider": "cuda"}, {}, memory=bound).on_this_machine().workers == 1
    share = settings.shares()["max_memory"]
    assert share is None or share >= LEAST_MEMORY


def test_a_missing_package_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_hosts, "package_folders", lambda name: [] if name == "daft" else [Path()])
    with pytest.raises(RuntimeUnavailableError, match=r'daft is not installed\nrun: pip install "ferrocr\[batch\]"'):
        batch.run("x", "out")


def test_without_it_nothing_of_daft_is_imported() -> None:
    code = "import sys, ferrocr.cli, ferrocr.batch; print({'daft', 'pyarrow', 'ray'} & {*sys.modules})"
    assert run_python(code).stdout.strip() == "set()"


def test_daft_sends_no_statistics() -> None:
    code = (
        "import os; from ferrocr.batch._hosts import check_packages; check_packages(); import daft.scarf_telemetry as t"
    )
    assert run_python(code + "; print(t.opted_out(), os.environ['RAY_USAGE_STATS_ENABLED'])").stdout.strip() == "True 0"


@pytest.mark.parametrize("quiet", [False, True])
def test_the_command(log: Path, scans: Path, capsys: pytest.CaptureFixture[str], quiet: bool) -> None:
    options = ["-q"] if quiet else []
    assert main(["batch", "scans", "-o", "out", *options]) == 1
    said = capsys.readouterr().err
    assert main(["batch", "scans/a.png", "-o", "out2", *options]) == 0
    if quiet:
        assert said == ""
    else:
        first, second, third = said.splitlines()
        assert first.startswith("42 pages of 4 sources read to out, ")
        assert (second, third) == ("1 could not be read: ImageError (1)", "left out 1 files: .md (1)")


def test_the_command_says_what_went_before(log: Path, scans: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["batch", "scans", "-o", "out", "--also", "jsonl"])
    capsys.readouterr()
    assert main(["batch", "scans", "nothing/*.png", "-o", "out"]) == 1
    assert capsys.readouterr().err.splitlines() == [
        "0 pages of 0 sources read to out; 4 sources done before",
        "1 could not be read before; --retry-errors tries them again",
        "left out 1 files: .md (1)",
        "error: there is no picture or document in nothing/*.png",
    ]
    assert main(["batch", "scans", "-o", "out", "--memory", "100"]) == 2
    assert "hint: say --memory 800 or more" in capsys.readouterr().err
    Path("file").touch()
    assert main(["batch", "scans", "-o", "file"]) == 3
    assert "cannot write to file" in capsys.readouterr().err
