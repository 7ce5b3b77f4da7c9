"""What several test files need: the models, one loaded engine, drawn pages, the shared pictures."""

import gc
import io
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import settings
from PIL import Image, ImageDraw, ImageFont

import ferrocr
from fake_engine import FakeEngine
from ferrocr import ModelStore, OcrEngine, model_sets

# No time limit for one example: the first pays for imports and models, and machines differ.
settings.register_profile("ferrocr", deadline=None)
settings.load_profile("ferrocr")

# A shell that starts the tests in the background has them, and their children, ignore Ctrl-C.
signal.signal(signal.SIGINT, signal.default_int_handler)

DETECTOR, RECOGNIZER, ORIENTER = model_sets()["ppocrv6-small"]

SHARED = Path(__file__).parent.parent.parent / "shared"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests that `make check` leaves out."""
    for item in items:
        fixtures = set(getattr(item, "fixturenames", ()))
        names = set(vars(item.module)) if isinstance(item, pytest.Function) else set()
        loads = fixtures & {"models_dir", "engine", "two", "real_folder"}
        if loads or names & {"run_child", "run_python", "subprocess"}:
            item.add_marker("slow")


@pytest.fixture(scope="session")
def models_dir() -> Path:
    """A directory with the default models. `make test` fills it before."""
    store = ModelStore()
    missing = set(model_sets()["ppocrv6-small"]) - set(store.list_local())
    if missing:
        pytest.skip(f"{', '.join(sorted(missing))} not in {store.get_local_path()}: run `ferrocr models pull`")
    return Path(store.get_local_path())


@pytest.fixture(scope="session")
def engine(models_dir: Path) -> Iterator[OcrEngine]:
    """One engine with the real models for all tests that only read."""
    with OcrEngine(model_dir=models_dir, download=False) as ocr:
        ocr.load()
        yield ocr


@pytest.fixture
def fake_engine(monkeypatch: pytest.MonkeyPatch) -> type[FakeEngine]:
    """A fake in place of the engine, for the command line."""
    fake = type("Fake", (FakeEngine,), {"was_read": []})
    monkeypatch.setattr(ferrocr, "OcrEngine", fake)
    return fake


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current directory, with three files that the fake engine reads."""
    monkeypatch.chdir(tmp_path)
    for name, text in (("a.png", "alpha"), ("b.png", "beta\n贝塔"), ("broken.png", "")):
        (tmp_path / name).write_text(text, encoding="utf-8")
    return tmp_path


@pytest.fixture
def two(models_dir: Path) -> Iterator[OcrEngine]:
    """An engine with two threads, whatever the machine has."""
    with OcrEngine(model_dir=models_dir, download=False, threads=2) as engine:
        engine.load()
        yield engine


@pytest.fixture(scope="session")
def reader() -> Iterator[OcrEngine]:
    """An engine without models: pages that have text need none."""
    with OcrEngine(download=False, threads=2) as engine:
        yield engine


@pytest.fixture
def no_pdf_stays_open() -> Iterator[None]:
    """Holds that each PDF file that a test opens is closed, also where nobody has closed it."""
    yield
    gc.collect()
    from ferrocr.documents._pdf import _open_files

    assert not _open_files


@pytest.fixture(autouse=True)
def _offline(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test touches the network; those that want to look as if they did set this themselves."""
    monkeypatch.setenv("FERROCR_OFFLINE", "1")


@pytest.fixture(autouse=True)
def cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The user's cache directory, which is not theirs: no test writes there."""
    folder = tmp_path_factory.mktemp("cache")
    monkeypatch.setenv("XDG_CACHE_HOME", str(folder))
    return folder


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Real pictures that are not part of the project."""
    data = SHARED / "data"
    if not data.is_dir():
        pytest.skip(f"there is no {os.path.relpath(data)} beside this checkout")
    return data


def draw_text(lines: list[str], *, size: int = 32, ink: int = 0, paper: int = 255, width: int = 900) -> Image.Image:
    """A grey picture with lines of text, one below the other, in Pillow's own font."""
    step = size * 2
    picture = Image.new("L", (width, step * len(lines) + step), paper)
    draw = ImageDraw.Draw(picture)
    font = ImageFont.load_default(size)
    for row, line in enumerate(lines):
        draw.text((size, size // 2 + row * step), line, fill=ink, font=font)
    return picture


@pytest.fixture(scope="session")
def picture_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two drawn lines of text, 900x192 pixels."""
    path = tmp_path_factory.mktemp("pictures") / "two lines.png"
    draw_text(["Iron tastes of rain", "Order 4711 paid"]).save(path)
    return path


def run_python(code: str, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run code in an interpreter of its own, where warnings are errors."""
    # An engine that another test loaded has set the variable in this process.
    inherited = {name: value for name, value in os.environ.items() if name != "ORT_DISABLE_TELEMETRY"}
    return subprocess.run(
        [sys.executable, "-W", "error", "-c", code, *arguments],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        env={**inherited, **environment},
    )


@pytest.fixture
def models(tmp_path: Path) -> Path:
    """A model directory whose files are not real."""
    folder = tmp_path / "models"
    folder.mkdir()
    (folder / "b.onnx").write_bytes(b"12345")
    (folder / "a.bin").write_bytes(b"123")
    (folder / "notes.txt").write_text("no model")
    return folder


class Terminal(io.StringIO):
    """Text that a person types, or is shown."""

    def isatty(self) -> bool:
        """Say so."""
        return True


def _field(number: int, value: int | bytes) -> bytes:
    """One field of a protobuf message."""
    if isinstance(value, int):
        return _varint(number << 3) + _varint(value)
    return _varint(number << 3 | 2) + _varint(len(value)) + value


def _varint(value: int) -> bytes:
    low, rest = value & 0x7F, value >> 7
    return bytes([low | 0x80]) + _varint(rest) if rest else bytes([low])


def _tensor(name: str, sizes: tuple[int | None, ...]) -> bytes:
    """An input or output of floats; None is a size that varies."""
    dims = (_field(2, b"n") if size is None else _field(1, size) for size in sizes)
    shape = b"".join(_field(1, dim) for dim in dims)
    return _field(1, name.encode()) + _field(2, _field(1, _field(1, 1) + _field(2, shape)))


def tiny_model(producer: str = "tests", *, padding: int = 0) -> bytes:
    """A model of a hundred bytes with the form of a detector. Another producer or padding makes another content."""
    picture, map_of_text = _tensor("x", (None, 3, None, None)), _tensor("y", (None, 1, None, None))
    graph = _field(2, b"graph") + _field(11, picture) + _field(12, map_of_text)
    opset = _field(2, 17)
    about = _field(2, producer.encode()) + _field(6, b" " * padding)
    return _field(1, 8) + about + _field(7, graph) + _field(8, opset)


def _node(operator: str, taken: str, made: str, domain: str = "", attributes: bytes = b"") -> bytes:
    return (
        _field(1, taken.encode())
        + _field(2, made.encode())
        + _field(4, operator.encode())
        + attributes
        + _field(7, domain.encode())
    )


def function_bomb(levels: int) -> bytes:
    """A detector of functions that each call the one before twice: a few kilobytes become 2**levels nodes."""
    picture, map_of_text = _tensor("x", (None, 3, None, None)), _tensor("y", (None, 1, None, None))
    axis = _field(5, _field(1, b"axes") + _field(8, 1) + _field(20, 7))
    nodes = _field(1, _node("ReduceMean", "x", "m", attributes=axis)) + _field(1, _node(f"F{levels}", "m", "y", "own"))
    opsets = (_field(2, 17), _field(1, b"own") + _field(2, 1))
    functions = []
    for level in range(levels + 1):
        calls = (
            (_node(f"F{level - 1}", "a", "t", "own"), _node(f"F{level - 1}", "t", "b", "own"))
            if level
            else (_node("Sigmoid", "a", "b"),)
        )
        function = _field(1, f"F{level}".encode()) + _field(4, b"a") + _field(5, b"b")
        function += b"".join(_field(7, call) for call in calls)
        functions.append(function + b"".join(_field(9, opset) for opset in opsets) + _field(10, b"own"))
    graph = nodes + _field(2, b"graph") + _field(11, picture) + _field(12, map_of_text)
    own = b"".join(_field(25, function) for function in functions)
    return _field(1, 9) + _field(7, graph) + b"".join(_field(8, opset) for opset in opsets) + own


def recognizer_of_height(height: int) -> bytes:
    """A recogniser of two classes that gives their means over each column of a strip of this height."""
    strip, steps = _tensor("x", (None, 3, height, None)), _tensor("y", (None, None, 3))
    axis = _field(5, _field(1, b"axes") + _field(8, 2) + _field(20, 7))
    squeeze = _field(5, _field(1, b"keepdims") + _field(3, 0) + _field(20, 2))
    turn = _field(5, _field(1, b"perm") + b"".join(_field(8, side) for side in (0, 2, 1)) + _field(20, 7))
    nodes = _field(1, _node("ReduceMean", "x", "m", attributes=axis + squeeze))
    nodes += _field(1, _node("Transpose", "m", "y", attributes=turn))
    graph = nodes + _field(2, b"graph") + _field(11, strip) + _field(12, steps)
    characters = _field(14, _field(1, b"character") + _field(2, b"a"))
    return _field(1, 8) + _field(7, graph) + _field(8, _field(2, 17)) + characters


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A model directory with three tiny models and the list of characters beside one of them."""
    directory = tmp_path / "models"
    directory.mkdir()
    for name in ("a.onnx", "b.onnx", "old_c.onnx"):
        (directory / name).write_bytes(tiny_model(name))
    (directory / "a.txt").write_text("x\ny\n")
    return directory


@pytest.fixture
def real_folder(models_dir: Path, tmp_path: Path) -> Path:
    """A model directory with copies of the default models, for what changes or uses it."""
    directory = tmp_path / "real models"
    directory.mkdir()
    for name in (DETECTOR, RECOGNIZER, ORIENTER):
        shutil.copy(models_dir / name, directory / name)
    return directory


@pytest.fixture
def common_ground() -> Iterator[Path]:
    """A directory that every user may enter, unlike pytest's own."""
    directory = Path(tempfile.mkdtemp(prefix="ferrocr-"))
    directory.chmod(0o755)
    yield directory
    shutil.rmtree(directory)


@contextmanager
def as_nobody() -> Iterator[None]:
    """Takes away what root may do in spite of permissions; every other user stays who it is."""
    if not hasattr(os, "seteuid"):
        pytest.skip("permissions work in another way here")
    user = os.geteuid()
    if user == 0:
        os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(user)


def snapshot(directory: Path) -> dict[str, tuple[float, bytes | str | None]]:
    """Everything below a directory, hidden or not, with times and contents, to see whether anything was changed."""
    found: dict[str, tuple[float, bytes | str | None]] = {}
    for path in [directory, *sorted(directory.rglob("*"))]:
        what: bytes | str | None = None
        if path.is_symlink():
            what = str(path.readlink())
        elif path.is_file():
            what = path.read_bytes()
        found[path.relative_to(directory).as_posix()] = (path.lstat().st_mtime_ns, what)
    return found
