"""``ferrocr read --min-score --timeout``: handed on to each call, refused where they make no sense; CSV comes out."""

import csv
import io
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest

import ferrocr
from conftest import draw_text
from fake_engine import Captured, FakeEngine
from ferrocr import OcrTimeoutError
from ferrocr.cli import main
from ferrocr.cli._errors import EXIT_OK, EXIT_PROBLEMS, EXIT_USAGE
from pdf_files import numbered


class Noting(FakeEngine):
    """Keeps the options of its calls, and has no time for what is slow."""

    seen: dict[str, Any]

    def recognize_many(self, images: Iterable[str], **options: Any) -> Iterator[Any]:  # noqa: ANN401
        """One page or error for each file."""
        type(self).seen = options
        for image in images:
            if options["timeout"] is not None and "slow" in image:
                yield OcrTimeoutError(f"the call did not end within its timeout of {options['timeout']:g} s")
            else:
                yield from super().recognize_many([image])

    def recognize_pages(self, _document: str, **options: Any) -> Iterator[Any]:  # noqa: ANN401
        """No page."""
        type(self).seen = options
        yield from ()


@pytest.fixture
def noting(monkeypatch: pytest.MonkeyPatch) -> type[Noting]:
    """A fake that keeps options."""
    fake = type("Fake", (Noting,), {"was_read": []})
    monkeypatch.setattr(ferrocr, "OcrEngine", fake)
    return fake


@pytest.mark.parametrize("name", ["a.png", "book.pdf"])
def test_both_are_handed_on(name: str, noting: type[Noting], files: Path) -> None:
    pytest.importorskip("pypdfium2")
    (files / "book.pdf").write_bytes(numbered(1))
    main(["read", name, "--min-score", "0.8", "--timeout", "2.5"])
    assert (noting.seen["min_score"], noting.seen["timeout"]) == (0.8, 2.5)
    main(["read", name])
    assert (noting.seen["min_score"], noting.seen["timeout"]) == (None, None)


@pytest.mark.parametrize("value", ["-0.1", "1.5", "nan"])
def test_a_score_out_of_its_range_is_refused(value: str, noting: type[Noting], files: Path, capsys: Captured) -> None:
    assert main(["read", "a.png", "--min-score", value]) == EXIT_USAGE
    assert "min_score is a probability from 0 to 1" in capsys.readouterr().err
    assert not hasattr(noting, "seen")


@pytest.mark.parametrize("value", ["-1", "nan"])
def test_a_timeout_that_is_none_is_refused(value: str, noting: type[Noting], files: Path, capsys: Captured) -> None:
    assert main(["read", "a.png", "--timeout", value]) == EXIT_USAGE
    assert "timeout is a number of seconds from 0 on" in capsys.readouterr().err
    assert not hasattr(noting, "seen")


@pytest.mark.usefixtures("noting")
def test_what_takes_too_long_has_failed_and_the_rest_is_read(files: Path, capsys: Captured) -> None:
    (files / "slow.png").write_text("never")
    assert main(["read", "slow.png", "a.png", "--timeout", "2", "-o", "out/"]) == EXIT_PROBLEMS
    assert "slow.png: the call did not end within its timeout of 2 s" in capsys.readouterr().err
    assert [path.name for path in (files / "out").glob("*.txt")] == ["a.png.txt"]


def test_another_score_is_another_output(noting: type[Noting], files: Path, capsys: Captured) -> None:
    def run(*options: str) -> str:
        assert main(["read", "a.png", "-o", "out/", "--resume", *options]) == EXIT_OK
        return capsys.readouterr().err

    run("--min-score", "0.7")
    assert "1 done before" in run("--min-score", "0.7", "--timeout", "9")
    assert "0 done before" in run("--min-score", "0.8")
    assert noting.was_read == ["a.png"] * 2


def test_csv_of_several_files_has_one_head(fake_engine: type[FakeEngine], files: Path) -> None:
    assert main(["read", "a.png", "broken.png", "b.png", "--format", "csv", "-o", "out.csv"]) == EXIT_PROBLEMS
    rows = list(csv.DictReader(io.StringIO((files / "out.csv").read_bytes().decode(), newline="")))
    assert [(row["source"], row["line"], row["text"]) for row in rows] == [
        ("a.png", "1", "alpha"),
        ("b.png", "1", "beta"),
        ("b.png", "2", "贝塔"),
    ]
    assert main(["read", "a.png", "--format", "csv", "--characters"]) == EXIT_USAGE
    assert fake_engine.was_read == ["a.png", "broken.png", "b.png"]


def test_an_address_is_a_failure_with_what_to_do(fake_engine: type[FakeEngine], files: Path, capsys: Captured) -> None:
    assert main(["read", "https://a.example/scan.png", "a.png"]) == EXIT_PROBLEMS
    told = capsys.readouterr()
    assert "alpha" in told.out
    assert "addresses are not opened" in told.err
    assert "curl -s ADDRESS | ferrocr read -" in told.err
    assert fake_engine.was_read == ["a.png"]


@pytest.mark.parametrize("option", [["--timeout", "0"], ["--min-score", "1"]])
def test_an_engine_takes_them(option: list[str], models_dir: Path, tmp_path: Path, capsys: Captured) -> None:
    draw_text(["Order 4711"], width=400).save(tmp_path / "a.png")
    for apart in ([], ["--isolated"]):
        code = main(["read", str(tmp_path / "a.png"), "--model-dir", str(models_dir), *option, *apart])
        told = capsys.readouterr()
        if option[0] == "--timeout":
            assert (code, "timeout of 0 s" in told.err) == (EXIT_PROBLEMS, True)
        else:
            assert (code, told.out.strip()) == (EXIT_OK, "")
