"""``ferrocr read --format pdf``: PDF files that can be searched, from the command line."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any, BinaryIO

import pytest

import ferrocr.searchable_pdf
from conftest import draw_text
from fake_engine import Captured, FakeEngine
from ferrocr import RuntimeUnavailableError
from ferrocr.cli import main
from ferrocr.cli._errors import EXIT_CANNOT_RUN, EXIT_OK, EXIT_PROBLEMS, EXIT_USAGE
from ferrocr.formats import Sheet


class StandIn:
    """Writes the texts that it was given."""

    made: list[dict[str, Any]]

    def __init__(self, path: Path, **options: object) -> None:
        self.made.append({"path": path, **options})
        self._texts: list[str] = []

    def __enter__(self) -> "StandIn":
        return self

    def __exit__(self, *exc_info: object) -> None:
        """Close nothing."""

    def add(self, sheet: Sheet) -> None:
        self._texts.append(sheet.page.text)

    def save(self, output: BinaryIO) -> None:
        output.write("%PDF {}".format("|".join(self._texts)).encode())


@pytest.fixture
def stand_in(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """What stands in for the module that makes them."""
    kind = type("Made", (StandIn,), {"made": []})
    module = SimpleNamespace(SearchablePdf=kind, check_packages=lambda: None)
    monkeypatch.setitem(sys.modules, "ferrocr.searchable_pdf._document", module)
    monkeypatch.setattr(ferrocr.searchable_pdf, "_document", module, raising=False)
    return module


def test_each_input_becomes_a_pdf_of_its_own(
    fake_engine: type[FakeEngine],
    files: Path,
    stand_in: SimpleNamespace,
) -> None:
    assert main(["read", "a.png", "broken.png", "b.png", "--format", "pdf", "-o", "out"]) == EXIT_PROBLEMS
    found = {path.name: path.read_text(encoding="utf-8") for path in Path("out").glob("*.pdf")}
    assert found == {"a.png.pdf": "%PDF alpha", "b.png.pdf": "%PDF beta\n贝塔"}
    assert stand_in.SearchablePdf.made[0] == {"path": Path("a.png"), "password": None, "own_text": "keep"}
    assert main(["read", "a.png", "--format", "pdf", "-o", "one.pdf", "--text-layer", "ignore"]) == EXIT_OK
    assert Path("one.pdf").read_text() == "%PDF alpha"
    assert stand_in.SearchablePdf.made[-1]["own_text"] == "add"


def test_the_password_may_stand_in_the_environment(
    fake_engine: type[FakeEngine],
    files: Path,
    stand_in: SimpleNamespace,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("FERROCR_PASSWORD", "secret")
    assert main(["read", "a.png", "--format", "pdf", "-o", "out/"]) == EXIT_OK
    assert stand_in.SearchablePdf.made[-1]["password"] == "secret"
    assert main(["read", "a.png", "--format", "pdf", "-o", "out/", "--password", "other"]) == EXIT_OK
    assert stand_in.SearchablePdf.made[-1]["password"] == "other"
    assert b"secret" not in Path("out/.ferrocr/done.jsonl").read_bytes()


@pytest.mark.parametrize("arguments", [["a.png", "-o", "x.pdf", "--text-layer", "only"], ["a.png", "b.png"]])
def test_what_makes_no_sense_is_refused(
    fake_engine: type[FakeEngine],
    files: Path,
    stand_in: SimpleNamespace,
    arguments: list[str],
) -> None:
    assert main(["read", "--format", "pdf", *arguments]) == EXIT_USAGE
    assert fake_engine.options == {}


def test_a_missing_package_is_told_of_before_models_load(
    fake_engine: type[FakeEngine],
    files: Path,
    stand_in: SimpleNamespace,
    capsys: Captured,
) -> None:
    def missing() -> None:
        message = "searchable PDF files need pikepdf"
        raise RuntimeUnavailableError(message, "install it")

    stand_in.check_packages = missing
    assert main(["read", "a.png", "--format", "pdf", "-o", "x.pdf"]) == EXIT_CANNOT_RUN
    assert "searchable PDF files need pikepdf" in capsys.readouterr().err
    assert (fake_engine.options, Path("x.pdf").exists()) == ({}, False)


@contextmanager
def _stdin(path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with path.open("rb") as file:
        monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=file, isatty=lambda: False))
        yield


def test_the_text_of_scans_is_found(
    models_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Captured
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("FERROCR_MODEL_DIR", str(models_dir))
    texts = ["Iron tastes of rain", "Order 4711 paid"]
    pages = [draw_text([text], width=700).convert("RGB") for text in texts]
    Path("in").mkdir()
    pages[0].save("in/scan.tif", save_all=True, append_images=pages[1:])
    assert main(["read", "in", "--format", "pdf", "-o", "out/"]) == EXIT_OK
    capsys.readouterr()
    assert main(["read", "out/scan.tif.pdf", "--text-layer", "only"]) == EXIT_OK
    assert capsys.readouterr().out == "\n\f".join(texts) + "\n"
    with _stdin(tmp_path / "in" / "scan.tif", monkeypatch):
        assert main(["read", "-", "--format", "pdf", "-o", "stdin.pdf"]) == EXIT_OK
    assert Path("stdin.pdf").stat().st_size == Path("out/scan.tif.pdf").stat().st_size
