"""``ferrocr read`` with documents: PDF files, TIFF files with several pages, and pictures among them."""

import json
from pathlib import Path

import pytest
from PIL import Image

from conftest import draw_text
from fake_engine import Captured
from ferrocr.cli import main
from ferrocr.cli._errors import EXIT_OK, EXIT_PROBLEMS, EXIT_USAGE
from pdf_files import Sheet, make_pdf, scanned, words


@pytest.fixture
def folder(models_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current directory, with a scan of two pages as PDF and TIFF, a PDF that brings its text, and a picture."""
    monkeypatch.setenv("FERROCR_MODEL_DIR", str(models_dir))
    monkeypatch.chdir(tmp_path)
    pages = [draw_text([text], width=700).convert("RGB") for text in ("Iron tastes of rain", "Order 4711 paid")]
    pages[0].save("scan.tif", save_all=True, append_images=pages[1:])
    (tmp_path / "born.pdf").write_bytes(make_pdf([Sheet(words("written by a program"))]))
    pages[1].save("one.png")
    # Last: Pillow leaves what it tells the encoder of PDF on the picture.
    (tmp_path / "scan.pdf").write_bytes(scanned(pages, dpi=150))
    return tmp_path


def test_all_pages_of_documents_are_read_in_order(folder: Path, capsys: Captured) -> None:
    assert main(["read", "scan.pdf", "one.png", "scan.tif"]) == EXIT_OK
    first, second = "Iron tastes of rain", "Order 4711 paid"
    assert capsys.readouterr().out.split("\n") == [
        *("==> scan.pdf <==", first, "", "==> scan.pdf, page 2 <==", second, ""),
        *("==> one.png <==", second, ""),
        *("==> scan.tif <==", first, "", "==> scan.tif, page 2 <==", second, ""),
    ]


def test_pages_and_resolution_can_be_chosen(folder: Path, capsys: Captured) -> None:
    assert main(["read", "scan.pdf", "--pages", "2", "--dpi", "100", "--format", "json"]) == EXIT_OK
    (page,) = json.loads(capsys.readouterr().out)["pages"]
    assert (page["source"], page["number"], page["dpi"], page["text"]) == ("scan.pdf", 2, 100, "Order 4711 paid")


def test_the_text_that_a_pdf_brings_can_be_taken(folder: Path, capsys: Captured) -> None:
    assert main(["read", "born.pdf", "scan.pdf", "--text-layer", "only", "--format", "jsonl"]) == EXIT_OK
    texts = [json.loads(line)["text"] for line in capsys.readouterr().out.splitlines()]
    assert texts == ["written by a program", "", ""]


def test_what_cannot_be_read_is_said_and_the_rest_is_read(folder: Path, capsys: Captured) -> None:
    (folder / "broken.pdf").write_bytes(b"%PDF-1.7 and nothing more")
    assert main(["read", "broken.pdf", "missing.pdf", "one.png", "scan.pdf", "--pages", "1"]) == EXIT_PROBLEMS
    captured = capsys.readouterr()
    assert captured.out == "==> one.png <==\nOrder 4711 paid\n\n==> scan.pdf <==\nIron tastes of rain\n"
    assert "broken.pdf is a PDF that is damaged" in captured.err
    assert "missing.pdf" in captured.err


def test_a_page_that_a_document_has_not_is_its_failure(folder: Path, capsys: Captured) -> None:
    assert main(["read", "scan.pdf", "one.png", "--pages", "2"]) == EXIT_PROBLEMS
    captured = capsys.readouterr()
    assert "Order 4711 paid" in captured.out
    assert "there is no page 2 in one.png" in captured.err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["scan.pdf", "--pages", "1-x"], "1-x"),
        (["scan.pdf", "--dpi", "0"], "dpi is a number"),
        (["scan.pdf", "--format", "png", "-o", "out"], "holds one page"),
        (["scan.pdf", "--format", "page", "-o", "out"], "holds one page"),
    ],
)
def test_what_makes_no_sense_is_refused_and_leaves_no_file(
    folder: Path, capsys: Captured, arguments: list[str], said: str
) -> None:
    assert main(["read", *arguments]) == EXIT_USAGE
    assert said in capsys.readouterr().err
    assert not Path("out").exists()


def test_a_document_of_one_page_makes_a_file_of_one_page(folder: Path) -> None:
    assert main(["read", "scan.pdf", "--pages", "1", "--format", "page", "-o", "out.xml"]) == EXIT_OK
    assert "Iron tastes of rain" in Path("out.xml").read_text(encoding="utf-8")
    assert main(["read", "scan.tif", "--pages", "1", "--format", "png", "-o", "out.png"]) == EXIT_OK
    with Image.open("out.png") as drawn, Image.open("scan.tif") as scan:
        assert drawn.size == scan.size
