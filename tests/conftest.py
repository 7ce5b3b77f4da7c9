"""What several test files need: the models, one loaded engine, drawn pages, the shared pictures."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings
from PIL import Image, ImageDraw, ImageFont

from ferrocr import ModelStore, OcrEngine, model_sets

# No time limit for one example: the first pays for imports and models, and machines differ.
settings.register_profile("ferrocr", deadline=None)
settings.load_profile("ferrocr")

DETECTOR, RECOGNIZER, ORIENTER = model_sets()["ppocrv6-small"]

SHARED = Path(__file__).parent.parent.parent / "shared"


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


@pytest.fixture(autouse=True)
def _offline(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test touches the network; those that want to look as if they did set this themselves."""
    monkeypatch.setenv("FERROCR_OFFLINE", "1")


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
