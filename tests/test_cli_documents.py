"""``ferrocr read`` with documents: PDF files, TIFF files with several pages, and pictures among them."""

import json
from pathlib import Path

import pikepdf
import pytest
from PIL import Image

from conftest import draw_text
from fake_engine import Captured
from ferrocr import RuntimeUnavailableError
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


def test_hints_name_options(folder: Path, capsys: Captured) -> None:
    with pikepdf.open("born.pdf") as document:
        document.save("secret.pdf", encryption=pikepdf.Encryption(user="u", owner="o"))
    for arguments in (["secret.pdf"], ["secret.pdf", "--format", "pdf", "-o", "out.pdf"]):
        assert main(["read", *arguments]) == EXIT_PROBLEMS
        assert "hint: say --password, or set FERROCR_PASSWORD" in capsys.readouterr().err
    assert main(["read", "one.png", "--text-layer", "only"]) == EXIT_PROBLEMS
    assert "hint: say --text-layer auto for" in capsys.readouterr().err


def test_a_page_that_a_document_has_not_is_its_failure(folder: Path, capsys: Captured) -> None:
    assert main(["read", "scan.pdf", "one.png", "--pages", "2"]) == EXIT_PROBLEMS
    captured = capsys.readouterr()
    assert "Order 4711 paid" in captured.out
    assert "there is no page 2 in one.png" in captured.err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["scan.pdf", "--pages", "1-x"], "hint: say for example --pages 1-3,7 or --pages 5-;"),
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


def test_documents_that_are_done_are_not_read_again(folder: Path, capsys: Captured) -> None:
    command = ["read", "scan.pdf", "scan.tif", "born.pdf", "-o", "out/", "--resume"]
    for told in ("3 files written to out/, 0 done before\n", "0 files written to out/, 3 done before\n"):
        assert main(command) == EXIT_OK
        assert capsys.readouterr().err == told


@pytest.mark.parametrize(("name", "suffix"), [("png", ".png"), ("page", ".page.xml")])
def test_each_page_has_a_file_where_a_file_holds_one(folder: Path, capsys: Captured, name: str, suffix: str) -> None:
    command = ["read", "scan.pdf", "one.png", "born.pdf", "--format", name, "-o", "out/", "--resume"]
    assert main(command) == EXIT_OK
    one = "one.png" if name == "png" else f"one.png{suffix}"
    expected = [f"born.pdf{suffix}", one, f"scan.pdf.1{suffix}", f"scan.pdf.2{suffix}"]
    assert sorted(path.name for path in Path("out").glob("*.*")) == [".ferrocr", *expected]
    if name == "page":
        assert "Order 4711 paid" in Path("out/scan.pdf.2.page.xml").read_text(encoding="utf-8")
    capsys.readouterr()
    assert main(command) == EXIT_OK
    assert capsys.readouterr().err == "0 files written to out/, 3 done before\n"
    # All pages are made again where one of them was changed, and only of that input.
    Path(f"out/scan.pdf.2{suffix}").write_text("edited")
    assert main(command) == EXIT_OK
    assert capsys.readouterr().err == "2 files written to out/, 2 done before\n"
    # The number is that of the document's page, however many are wanted.
    assert main(["read", "scan.tif", "--pages", "2", "--format", name, "-o", "some/"]) == EXIT_OK
    assert sorted(path.name for path in Path("some").glob("*.*")) == [".ferrocr", f"scan.tif.2{suffix}"]


def test_a_smaller_copy_in_a_tiff_is_no_page_to_draw_on(folder: Path) -> None:
    with Image.open("one.png") as page:
        small, size = page.convert("RGB").resize((90, 40)), page.size
        small.encoderinfo = {"tiffinfo": {254: 1}}
        page.convert("RGB").save("copy.tif", save_all=True, append_images=[small, page.convert("RGB")])
    assert main(["read", "copy.tif", "--format", "png", "-o", "out/"]) == EXIT_OK
    assert sorted(path.name for path in Path("out").glob("*.png")) == ["copy.tif.1.png", "copy.tif.2.png"]
    with Image.open("out/copy.tif.2.png") as drawn:
        assert drawn.size == size


def test_a_page_is_written_over_nothing_else(folder: Path, capsys: Captured) -> None:
    Image.open("one.png").save("scan.tif.2.png")
    before = Path("scan.tif.2.png").read_bytes()
    assert main(["read", "scan.tif", "scan.tif.2.png", "--format", "page", "-o", "out/"]) == EXIT_OK
    assert main(["read", "scan.tif", "./scan.tif.2.png", "-o", ".", "--format", "png"]) == EXIT_USAGE
    Path("scans").mkdir()
    for name in ("scan.tif", "scan.tif.2.png"):
        Path(name).rename(f"scans/{name}")
    capsys.readouterr()
    assert main(["read", "scans", "--format", "png", "-o", "both/"]) == EXIT_PROBLEMS
    error = capsys.readouterr().err
    assert "a page of scans/scan.tif and scans/scan.tif.2.png would both be written to both/scan.tif.2.png" in error
    assert Path("scans/scan.tif.2.png").read_bytes() == before
    with Image.open("both/scan.tif.2.png") as drawn, Image.open("scans/scan.tif.2.png") as picture:
        assert drawn.size == picture.size


def test_a_pdf_without_what_reads_it_is_the_failure_of_one_file(
    folder: Path, capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing() -> None:
        message = "PDF files are read with pypdfium2, which is not installed"
        raise RuntimeUnavailableError(message, "install it")

    monkeypatch.setattr("ferrocr.cli._reading.pdf_file", missing)
    assert main(["read", "scan.pdf", "one.png", "-o", "out/"]) == EXIT_PROBLEMS
    assert sorted(path.name for path in Path("out").glob("*.txt")) == ["one.png.txt"]
    assert capsys.readouterr().err.splitlines()[:2] == [
        "error: scan.pdf: PDF files are read with pypdfium2, which is not installed",
        "hint: install it",
    ]


@pytest.mark.parametrize("arguments", [["one.png"], ["scan.pdf", "--pages", "2"], ["born.pdf", "--text-layer", "auto"]])
def test_characters_are_in_the_file_where_they_are_wanted(folder: Path, capsys: Captured, arguments: list[str]) -> None:
    for more, has in ((["--characters"], True), ([], False)):
        assert main(["read", *arguments, *more, "--format", "json"]) == EXIT_OK
        (page,) = json.loads(capsys.readouterr().out)["pages"]
        for word in page["lines"][0]["words"]:
            assert "".join(one["text"] for one in word.get("characters", [])) == (word["text"] if has else "")


def test_characters_are_refused_where_there_is_no_place_for_them(folder: Path, capsys: Captured) -> None:
    assert main(["read", "one.png", "--characters"]) == EXIT_USAGE
    assert "a file of the format text does not hold the characters" in capsys.readouterr().err
