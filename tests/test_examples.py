"""The examples run alone, with what they name in their first lines, and do what they say."""

import ast
import importlib.util
import io
import json
import os
import re
import runpy
import shutil
import signal
import socket
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from decimal import Decimal
from http.client import HTTPConnection
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple, TypeAlias

import pytest

from conftest import draw_text
from ferrocr import Block, Line, OcrEngine, Page
from ferrocr.formats import Sheet
from ferrocr.formats import json as pages
from ferrocr.serve import Settings
from own_process import wait_until

EXAMPLES = Path(__file__).parent.parent / "examples"
SAMPLE = runpy.run_path(str(EXAMPLES / "sample.py"))

READ_A_FILE = ["read_picture.py", "read_receipt.py", "words_table.py", "searchable_pdf.py"]
"""Examples that read the file that is named."""

READ_A_FOLDER = ["batch_daft.py", "batch_ray_data.py", "batch_spark.py"]
"""Examples that read a folder into a table, and which test_batch_cluster.py runs."""

SCRIPTS = [*READ_A_FILE, *READ_A_FOLDER, "sample.py", "serve.py"]

NOTEBOOKS = [path.name for path in sorted(EXAMPLES.glob("*.ipynb"))]

MODULES = {"pillow": {"PIL"}, "draw": {"PIL"}, "serve": {"uvicorn"}, "batch": {"daft", "pyarrow"}}
"""Modules that packages and extras bring, where the two have other names."""


@pytest.fixture(autouse=True)
def _at_home(models_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An empty current directory, and the models that the examples take by default."""
    monkeypatch.setenv("FERROCR_MODEL_DIR", str(models_dir))
    monkeypatch.chdir(tmp_path)


class Ended(NamedTuple):
    """A program that has ended."""

    returncode: int
    stdout: str
    stderr: str


Run: TypeAlias = Callable[..., Ended]


@pytest.fixture
def run(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path_factory: pytest.TempPathFactory
) -> Run:
    """A way to run an example as `python FOLDER/NAME ARGUMENTS` does, in this process, alone in a folder."""

    def run(name: str, *arguments: str) -> Ended:
        folder = tmp_path_factory.mktemp("alone")
        shutil.copy(EXAMPLES / name, folder)
        monkeypatch.setattr(sys, "argv", [str(folder / name), *arguments])
        monkeypatch.setattr(sys, "path", [str(folder), *sys.path])
        with pytest.raises(SystemExit) as ended:
            runpy.run_path(str(folder / name), run_name="__main__")
        told, code = capsys.readouterr(), ended.value.code
        if isinstance(code, str):  # as the interpreter does it
            return Ended(1, told.out, told.err + code + "\n")
        return Ended(int(code or 0), told.out, told.err)

    return run


@contextmanager
def imported(name: str) -> Iterator[ModuleType]:
    """An example as a module."""
    spec = importlib.util.spec_from_file_location(f"example_{name}", EXAMPLES / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    yield module


# --- each of them --------------------------------------------------------------------------------------------------


def test_all_examples_are_tested() -> None:
    assert {path.name for path in EXAMPLES.iterdir() if path.is_file()} == {*SCRIPTS, *NOTEBOOKS}
    assert NOTEBOOKS


def imports(code: str) -> set[str]:
    """The modules that code imports, by their first names, without the standard library's."""
    found = set()
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "it stands alone"
            found.add(str(node.module))
    return {name.partition(".")[0] for name in found} - sys.stdlib_module_names


def brought(dependencies: list[str]) -> set[str]:
    """The modules that somebody may import who has installed these."""
    found: set[str] = set()
    for dependency in dependencies:
        named = re.match(r"([a-z]+)(?:\[([a-z,]+)\])?", dependency)
        assert named is not None, dependency
        for name in [named[1], *(named[2] or "").split(",")]:
            found |= MODULES.get(name, {name})
    return found


@pytest.mark.parametrize("name", SCRIPTS)
def test_the_first_lines_name_what_is_needed(name: str) -> None:
    text = (EXAMPLES / name).read_text(encoding="utf-8")
    header = re.match(r"# /// script\n((?:#.*\n)+?)# ///\n", text)
    assert header is not None
    needs = tomllib.loads(re.sub("^# ?", "", header[1], flags=re.MULTILINE))
    project = tomllib.loads((EXAMPLES.parent / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert needs["requires-python"] == project["requires-python"]
    for extras in re.findall(r"ferrocr\[([^]]*)\]", " ".join(needs["dependencies"])):
        assert set(extras.split(",")) <= set(project["optional-dependencies"])
    assert imports(text) <= brought(needs["dependencies"])


@pytest.mark.parametrize("name", READ_A_FILE)
def test_whoever_names_no_file_is_told_how(run: Run, name: str) -> None:
    done = run(name)
    assert (done.returncode, done.stdout) == (2, "")
    assert re.fullmatch(rf"usage: .*{name} (PICTURE|FILE( \[PDF\])?)\n", done.stderr)


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_a_notebook_runs_from_its_first_cell_to_its_last(
    name: str, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    notebook = json.loads((EXAMPLES / name).read_text(encoding="utf-8"))
    assert (notebook["nbformat"], notebook["metadata"]["language_info"]["name"]) == (4, "python")
    cells = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
    assert not [cell for cell in cells if cell["outputs"] or cell["execution_count"]], "clear what it has shown"
    named = re.search(r"pip install \"(ferrocr\[[a-z,]+\])\"", "".join(notebook["cells"][0]["source"]))
    assert named is not None
    names: dict[str, Any] = {}
    shown = []
    for cell in cells:
        code = "".join(cell["source"])
        assert imports(code) <= brought([named[1]])
        shown.append(run_cell(code, names))
    assert shown[0] == shown[2] == "image/png"  # the picture, and what was read over it
    printed = capsys.readouterr().out
    assert "Harbour Cafe\nTea\n3.20\nApple cake\n4.50\nTotal\n7.70\n" in printed
    assert printed.count("3.20\n4.50\n7.70\n") == 1
    assert json.loads((tmp_path / "receipt.json").read_text(encoding="utf-8"))
    assert names["ocr"].closed


def run_cell(code: str, names: dict[str, Any]) -> str | None:
    """Run one cell as a notebook does, and return the kind of what its last expression shows."""
    tree = ast.parse(code)
    last = tree.body.pop() if isinstance(tree.body[-1], ast.Expr) else None
    exec(compile(tree, "cell", "exec"), names)
    if last is None:
        return None
    assert isinstance(last, ast.Expr)
    value = eval(compile(ast.Expression(last.value), "cell", "eval"), names)
    if hasattr(value, "_repr_png_"):
        return "image/png" if value._repr_png_().startswith(b"\x89PNG") else None
    return None if value is None else "text/plain"


# --- receipts -----------------------------------------------------------------------------------------------------


def test_a_receipt_gives_pairs_and_a_total(run: Run) -> None:
    SAMPLE["draw_sample"]("invoice.png")
    done = run("read_receipt.py", "invoice.png")
    assert (done.returncode, done.stderr) == (0, "")
    found = [line.split(maxsplit=1) for line in done.stdout.splitlines()]
    expected = [[price, f"{what} {count}"] for what, count, price in SAMPLE["ITEMS"]]
    assert found == [*expected, [SAMPLE["TOTAL"][1], f"= {SAMPLE['TOTAL'][0]}"]]


def page_of(*blocks: list[str]) -> Page:
    """A page of such blocks."""
    quad = ((0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0))
    made = tuple(Block(quad, tuple(Line(text, 1.0, quad, ()) for text in block)) for block in blocks)
    return Page(9, 9, tuple(line for block in made for line in block.lines), made)


@pytest.mark.parametrize(
    ("blocks", "rows"),
    [
        ([["Tea", "3.20"], ["Cake 4,50 €"]], [("Tea", "3.20"), ("Cake", "4.50")]),
        ([["Tea", "3.20", "Cake", "4.50"]], [("Tea", "3.20"), ("Cake", "4.50")]),
        ([["1 x", "Chair", "$1,299.00"]], [("1 x Chair", "1299.00")]),
        ([["Discount", "-2.00"]], [("Discount", "-2.00")]),
        ([["12.03.2026"], ["7.10"], ["Thank you"]], []),
    ],
)
def test_rows_end_with_their_price(blocks: list[list[str]], rows: list[tuple[str, str]]) -> None:
    with imported("read_receipt") as receipt:
        found = list(receipt.rows_of(page_of(*blocks)))
    assert [(row.what, row.price) for row in found] == [(what, Decimal(price)) for what, price in rows]


@pytest.mark.parametrize("name", READ_A_FILE)
def test_what_cannot_be_read_is_an_error_without_a_traceback(run: Run, name: str) -> None:
    done = run(name, "gone.png")
    assert done.returncode == 1
    assert done.stderr.startswith("error: ")
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("name", READ_A_FILE)
def test_an_example_runs_where_it_was_copied_to(run: Run, name: str) -> None:
    draw_text(["Tea 3.20"], width=300).save("one.png")
    done = run(name, "one.png")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout


@pytest.mark.parametrize(
    ("name", "package", "told"),
    [
        ("sample.py", "PIL", "Pillow: pip install pillow"),
        ("words_table.py", "pandas", "pandas: pip install pandas"),
        ("serve.py", "fastapi", 'FastAPI: pip install fastapi "ferrocr[serve]"'),
    ],
)
@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of the packages among themselves
def test_a_missing_package_is_named(
    run: Run, name: str, package: str, told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    done = run(name)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("error: ")
    assert done.stderr.endswith(f"needs {told}\n")


# --- the others ---------------------------------------------------------------------------------------------------


def test_a_table_has_a_row_for_each_word(run: Run) -> None:
    draw_text(["Iron tastes of rain", "Order 4711 paid"]).save("two.png")
    with imported("words_table") as words, words.OcrEngine() as ocr:
        table = words.words_table(ocr.recognize_document("two.png").pages)
    assert table["text"].tolist() == ["Iron", "tastes", "of", "rain", "Order", "4711", "paid"]
    assert table["line"].tolist() == [1, 1, 1, 1, 2, 2, 2]
    assert (table["left"] < table["right"]).all()
    assert table["score"].between(0.5, 1).all()
    done = run("words_table.py", "two.png")
    assert (done.returncode, done.stderr) == (0, "")
    assert "7 words, of which " in done.stdout


def test_a_searchable_pdf_has_the_words(run: Run) -> None:
    SAMPLE["draw_sample"]("invoice.png")
    done = run("searchable_pdf.py", "invoice.png")
    assert (done.returncode, done.stderr, done.stdout) == (0, "", "invoice-searchable.pdf\n")
    import ferrocr

    with ferrocr.OcrEngine() as ocr:
        document = ocr.recognize_document("invoice-searchable.pdf", text_layer="only")
    found = set(document.text.split())
    expected = SAMPLE["expected_words"]()
    assert sum(word in found for word in expected) >= 0.9 * len(expected)


@pytest.fixture
def serve() -> Iterator[Any]:
    """The service as a module."""
    with imported("serve") as module:
        yield module


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of the packages among themselves
def test_the_service_reads_and_frees_its_engine(serve: Any) -> None:  # noqa: ANN401
    from fastapi.testclient import TestClient

    draw_text(["Order 4711 paid", "to"]).save("one.png")
    picture = Path("one.png").read_bytes()
    app = serve.make()
    with TestClient(app, base_url="http://localhost") as client:
        engine = engine_of(app)
        answer = client.post("/ocr/v1/read", content=picture)
        assert answer.status_code == 200
        (sheet,) = pages.read(answer.text)
        assert isinstance(sheet, Sheet)
        assert sheet.page.text == "Order 4711 paid\nto"
        assert client.post("/longest-line", content=picture).json() == {"line": "Order 4711 paid"}
        assert client.post("/longest-line", content=b"no picture").status_code == 422
        assert client.post("/longest-line", content=b"x" * (serve.MOST_BYTES + 1)).status_code == 413
        assert client.get("/ocr/").status_code == client.get("/ocr/static/page.js").status_code == 200
        assert engine.loaded
    assert engine.closed


@pytest.mark.skipif(os.name == "nt", reason="signals end processes otherwise there")
def test_the_service_runs_alone_in_a_folder(tmp_path: Path) -> None:
    shutil.copy(EXAMPLES / "serve.py", tmp_path)
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port = found.getsockname()[1]
    picture = io.BytesIO()
    draw_text(["Order 4711 paid", "to"]).save(picture, "png")
    log = tmp_path / "log"
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    with log.open("wb") as stderr:
        service = subprocess.Popen(
            [sys.executable, "serve.py", str(port)], cwd=tmp_path, stdout=stderr, stderr=stderr, env=environment
        )
    try:
        wait_until(lambda: b"Uvicorn running" in log.read_bytes() or service.poll() is not None, "it listens")
        connection = HTTPConnection("127.0.0.1", port, timeout=60)
        connection.request("POST", "/longest-line", picture.getvalue())
        assert json.load(connection.getresponse()) == {"line": "Order 4711 paid"}
        connection.close()
        service.send_signal(signal.SIGINT)
        service.wait(60)
    finally:
        service.kill()
        service.wait()
    assert b"Traceback" not in log.read_bytes(), log.read_text()


def engine_of(app: Any) -> OcrEngine:  # noqa: ANN401
    """The engine of the service that an application has mounted."""
    (engine,) = (route.app.service.engine for route in app.routes if getattr(route, "path", "") == "/ocr")
    assert isinstance(engine, OcrEngine)
    return engine


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_the_service_says_in_its_status_what_is_wrong(serve: Any) -> None:  # noqa: ANN401
    from fastapi.testclient import TestClient

    pictures = [draw_text([text], width=300) for text in ("one", "two", "three")]
    pictures[0].save("three.tif", save_all=True, append_images=pictures[1:])
    document = Path("three.tif").read_bytes()

    def status(content: bytes, query: str = "", **limits: Any) -> int:  # noqa: ANN401
        app = serve.make(Settings(**limits))
        with TestClient(app, base_url="http://localhost") as client:
            answer = client.post(f"/ocr/v1/read{query}", content=content)
            assert answer.status_code == 200 or answer.json()["error"]["message"]
            return int(answer.status_code)

    assert status(b"no picture") == 422
    assert status(b"") == 400
    assert status(document, "?pages=4") == 400
    assert status(document, "?pages=x") == 400
    assert status(document, max_pages=2) == 400
    assert status(document, "?pages=1-2", max_pages=2) == 200
    # Over before it is read, or before it is let in.
    assert status(document, seconds=1e-9) in (503, 504)
    assert status(document, max_body=len(document) - 1) == 413
    app = serve.make()
    with TestClient(app, base_url="http://localhost") as client:
        assert len(client.post("/ocr/v1/read?pages=2-", content=document).json()["pages"]) == 2
        engine_of(app).free_resources()
        assert client.post("/ocr/v1/read", content=document).status_code == 503
