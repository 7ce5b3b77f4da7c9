"""What ``ferrocr read`` takes its arguments for: files, folders, patterns and standard input."""

import glob
import io
import os
import sys
import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conftest import Terminal, as_nobody
from ferrocr import ImageNotFoundError, InvalidArgumentError, StorageError
from ferrocr.cli._sources import Source, are_many, describe_left_out, find
from ferrocr.documents._kinds import SUFFIXES

posix_names = pytest.mark.skipif(sys.platform == "win32", reason="names that Windows has not")


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current directory, with a folder `in` of pictures, documents and other things."""
    monkeypatch.chdir(tmp_path)
    names = "page10.png page2.PNG notes.txt .hidden.png b/scan.pdf b/c/fax.tif .git/x.png d.png/e.jpg"
    for name in names.split():
        path = tmp_path / "in" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    return tmp_path


def names_of(sources: list[Source]) -> list[str]:
    """How they are called."""
    return [Path(source.name).as_posix() for source in sources]


def places_of(sources: list[Source]) -> list[str]:
    """Where their outputs go."""
    return [source.place.as_posix() for source in sources]


FOUND = ["in/b/c/fax.tif", "in/b/scan.pdf", "in/d.png/e.jpg", "in/page2.PNG", "in/page10.png"]


def test_a_folder_is_its_pictures_and_documents_in_natural_order(tree: Path) -> None:
    found = find(["in"])
    assert names_of(found) == FOUND
    assert places_of(found) == [name.removeprefix("in/") for name in FOUND]


def test_files_in_folders_that_do_not_count_are_told(tree: Path) -> None:
    for name in ("in/x.HEIC", "in/b/y.heic", "in/b/z.avif", "in/README"):
        Path(name).touch()
    left_out: set[Path] = set()
    assert names_of(find(["in", "in/notes.txt", "in/b"], left_out=left_out)) == [*FOUND, "in/notes.txt", *FOUND[:2]]
    assert describe_left_out(left_out) == ("left out 4 files: .heic (2), .avif (1), without a suffix (1)")
    assert describe_left_out({Path("a.\x1bx")}) == "left out 1 file: .\\x1bx (1)"
    many = {Path(f"{number}.{kind}") for kind in range(7) for number in range(kind, 7)}
    assert describe_left_out(many).endswith(".4 (3), others (3)")
    assert not describe_left_out(set())


def test_beside_others_a_folder_keeps_its_own_name(tree: Path) -> None:
    Path("more").mkdir()
    Path("more/page2.PNG").touch()
    found = places_of(find(["in", "more", "in/page2.PNG"]))
    assert found == [*FOUND, "more/page2.PNG", "page2.PNG"]


def test_the_folder_of_the_outputs_is_left_out_unless_it_is_named(tree: Path) -> None:
    assert names_of(find(["in"], avoid=Path("in/b"))) == FOUND[2:]
    assert names_of(find(["in/**/*.*g"], avoid=Path("in/d.png"))) == ["in/page10.png"]
    assert names_of(find(["in/b"], avoid=Path("in/b"))) == FOUND[:2]


@pytest.mark.skipif(not hasattr(os, "symlink"), reason="no links here")
def test_links_to_folders_are_not_followed_and_links_to_files_are(tree: Path) -> None:
    Path("in/b/loop").symlink_to(tree / "in", target_is_directory=True)
    Path("in/z.png").symlink_to(tree / "in" / "page10.png")
    Path("in/zz.png").symlink_to("nowhere")
    found = find(["in"])
    assert names_of(found) == [*FOUND, "in/z.png", "in/zz.png"]
    assert isinstance(found[-1].problem, ImageNotFoundError)
    assert names_of(find(["in/**/*.pdf"])) == ["in/b/scan.pdf"]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes here")
def test_a_pipe_in_a_folder_is_left_alone(tree: Path) -> None:
    os.mkfifo("in/pipe.png")
    assert names_of(find(["in"])) == FOUND


def test_a_folder_that_nobody_may_look_into_is_a_problem_of_its_own(common_ground: Path) -> None:
    (common_ground / "closed").mkdir(mode=0o000)
    (common_ground / "open.png").touch()
    with as_nobody():
        found = find([str(common_ground)])
    assert [type(source.problem) for source in found] == [StorageError, type(None)]


@pytest.mark.parametrize("name", ["empty", "in/*.webp", "gone.png", "gone/", "x" * 5000, "a\0b"])
def test_what_is_not_there_is_a_problem_that_names_it(tree: Path, name: str) -> None:
    Path("empty").mkdir()
    (source,) = find([name])
    assert source.problem is not None
    assert name in str(source.problem)


@posix_names
def test_a_file_with_wildcards_in_its_name_is_no_pattern(tree: Path) -> None:
    Path("[a]*.png").touch()
    assert names_of(find(["[a]*.png"])) == ["[a]*.png"]
    assert not are_many(["[a]*.png"])


def test_a_pattern_takes_files_of_any_suffix_and_folders_whole(tree: Path) -> None:
    assert names_of(find(["in/*"])) == [
        *("in/b/c/fax.tif", "in/b/scan.pdf", "in/d.png/e.jpg", "in/notes.txt", "in/page2.PNG", "in/page10.png")
    ]


@pytest.mark.parametrize(
    ("names", "many"),
    [(["a.png"], False), (["-"], False), (["a.png", "b.png"], True), (["in"], True), (["in/*.pdf"], True)],
)
def test_a_folder_counts_as_many(tree: Path, names: list[str], many: bool) -> None:
    assert are_many(names) is many


PARTS = st.sampled_from(["a", "b", "a1", "ab", "b.png", "a.png", ".h"])
PATTERNS = st.sampled_from(["*", "**", "a*", "?", "[ab]", "*.png", "a", ".*", "[!a]*"])


@given(
    paths=st.lists(st.lists(PARTS, min_size=1, max_size=3).map("/".join), max_size=8),
    parts=st.lists(PATTERNS, min_size=1, max_size=3),
)
def test_patterns_mean_what_pythons_glob_means(paths: list[str], parts: list[str]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        for path in paths:
            if not any(parent.is_file() for parent in (root / path).parents):
                (root / path).parent.mkdir(parents=True, exist_ok=True)
                if not (root / path).exists():
                    (root / path).touch()
        pattern = "/".join([*parts, "*.png"])
        if not (root / pattern).exists():
            matches = {Path(name) for name in glob.glob(str(root / pattern), recursive=True)}  # noqa: PTH207
            expected = {path for path in matches if path.is_file()}
            expected |= {path for match in matches if match.is_dir() for path in visible_files(match)}
            found = [source.name for source in find([str(root / pattern)]) if source.problem is None]
            assert {Path(name) for name in found} == expected
            assert len(set(found)) == len(found)


def visible_files(folder: Path) -> list[Path]:
    """The pictures in a folder, of which none is hidden or in a hidden folder."""
    return [
        path
        for path in folder.rglob("*.png")
        if path.is_file() and not any(part.startswith(".") for part in path.relative_to(folder).parts)
    ]


def test_standard_input_is_read_once_and_not_from_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    stand_in = io.TextIOWrapper(io.BytesIO(b"picture"))
    monkeypatch.setattr(sys, "stdin", stand_in)
    (source,) = find(["-"])
    assert (source.name, source.content, source.label, str(source.place)) == (
        "-",
        b"picture",
        "standard input",
        "stdin",
    )
    with pytest.raises(InvalidArgumentError, match="once"):
        find(["-", "-"])
    monkeypatch.setattr(sys, "stdin", Terminal())
    with pytest.raises(InvalidArgumentError, match="standard input"):
        find(["-"])


def test_the_help_names_every_suffix(capsys: pytest.CaptureFixture[str]) -> None:
    from ferrocr.cli import main

    with pytest.raises(SystemExit):
        main(["read", "--help"])
    assert " ".join(sorted(suffix[1:] for suffix in SUFFIXES)) in capsys.readouterr().out.replace("\n  ", " ")
