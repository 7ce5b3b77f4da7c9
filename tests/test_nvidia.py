"""Opening the libraries that CUDA needs: a C compiler makes small ones in a made-up site-packages folder."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from ferrocr import OcrEngine, _core
from ferrocr._engine import _nvidia
from ferrocr._engine._loading import Loader
from ferrocr._engine._nvidia import open_libraries
from ferrocr.exceptions import InvalidArgumentError

COMPILER = shutil.which("cc")

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="wheels for other systems are found in other ways")

needs_compiler = pytest.mark.skipif(COMPILER is None, reason="no C compiler")

PROVIDER = "libonnxruntime_providers_cuda.so"


def build(library: Path, *needed: Path) -> Path:
    """Make a shared object that needs others by their names alone, and says not where they are."""
    library.parent.mkdir(parents=True, exist_ok=True)
    assert COMPILER is not None
    names = [f"-l:{other.name}" for other in needed]
    folders = [f"-L{other.parent}" for other in needed]
    command = [COMPILER, "-shared", "-x", "c", "/dev/null", "-o", str(library), f"-Wl,-soname,{library.name}"]
    subprocess.run([*command, "-Wl,--no-as-needed", *folders, *names], check=True)
    return library


def fresh_process(site: Path, runtime: Path, *, opens: Path | None = None) -> list[str]:
    """Run `open_libraries` in a process of its own, since a library stays open, and return what it said.

    With `opens`, that library is opened afterwards.
    """
    code = "\n".join(
        (
            "import ctypes, sys",
            "from pathlib import Path",
            "from ferrocr._engine._nvidia import open_libraries",
            f"sys.path.insert(0, {str(site)!r})",
            f"print(*open_libraries(Path({str(runtime)!r})), sep='\\n')",
            f"ctypes.CDLL({str(opens)!r})" if opens else "",
        )
    )
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    return done.stdout.splitlines()


@pytest.fixture
def runtime(tmp_path: Path) -> Path:
    """The place of ONNX Runtime's library, which is not there; its provider would lie beside it."""
    folder = tmp_path / "capi"
    folder.mkdir()
    return folder / "libonnxruntime.so.1.31.1"


@needs_compiler
@pytest.mark.slow
def test_libraries_in_packages_are_opened_so_that_the_provider_loads(tmp_path: Path, runtime: Path) -> None:
    site = tmp_path / "site-packages"
    shared = site / "nvidia" / "cu99" / "lib"
    helper = build(shared / "libcublasLt.so.99")
    blas = build(shared / "libcublas.so.99", helper)
    cudart = build(shared / "libcudart.so.99")
    graph = build(site / "nvidia" / "cudnn" / "lib" / "libcudnn_graph.so.98")
    cudnn = build(site / "nvidia" / "cudnn" / "lib" / "libcudnn.so.98")
    provider = build(runtime.parent / PROVIDER, blas, cudart, cudnn)
    # Of another version, and no library at all: nobody opens them.
    (shared / "libcudart.so.97").write_text("no library")
    (shared / "libnothing.so.1").write_text("no library")
    faults = [fault for fault in fresh_process(site, runtime, opens=provider) if "driver" not in fault]
    assert faults == [""] or not faults
    # What cuDNN opens by itself while it runs.
    found = {library.name for library in _brought(site, _nvidia._needed(provider))}
    assert found == {library.name for library in (helper, blas, cudart, graph, cudnn)}


def _brought(site: Path, needed: set[str]) -> list[Path]:
    patch = pytest.MonkeyPatch()
    patch.setattr(_nvidia, "package_folders", lambda _package: [site / "nvidia"])
    try:
        return _nvidia._brought(needed)
    finally:
        patch.undo()


@needs_compiler
@pytest.mark.slow
def test_what_is_missing_or_damaged_is_told_and_raises_nothing(tmp_path: Path, runtime: Path) -> None:
    site = tmp_path / "site-packages"
    damaged = build(site / "nvidia" / "cu99" / "lib" / "libcudart.so.99")
    elsewhere = build(tmp_path / "elsewhere" / "libcufft.so.99")
    build(runtime.parent / PROVIDER, damaged, elsewhere)
    damaged.write_text("no library")
    faults = fresh_process(site, runtime)
    assert any(fault.startswith("libcudart.so.99 cannot be opened (") for fault in faults), faults
    assert 'libcufft.so.99 not found, which pip install "ferrocr[gpu]" brings' in faults


@needs_compiler
def test_needed_libraries_are_read_off_the_provider(tmp_path: Path) -> None:
    needed = [build(tmp_path / name) for name in ("libcudart.so.12", "libcudnn.so.9", "libother.so.3")]
    assert _nvidia._needed(build(tmp_path / PROVIDER, *needed)) == {"libcudart.so.12", "libcudnn.so.9"}


@pytest.mark.parametrize("content", [b"", b"no library", b"\x7fELF\x02\x01", b"\x7fELF\x02\x01" + b"\xff" * 100])
def test_a_provider_that_is_no_library_needs_nothing(tmp_path: Path, content: bytes) -> None:
    (tmp_path / PROVIDER).write_bytes(content)
    assert _nvidia._needed(tmp_path / PROVIDER) == set()


def test_nothing_is_opened_without_the_provider(runtime: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_nvidia, "_needed", lambda _: pytest.fail("it looked"))
    assert open_libraries(runtime) == []
    loader = Loader([], download=False, progress=None)
    (runtime.parent / PROVIDER).touch()
    monkeypatch.setattr(_core, "runtime_path", lambda: str(runtime))
    assert loader.make_ready("cpu") == []


def test_a_device_is_chosen_where_the_provider_has_some() -> None:
    with OcrEngine(provider="cuda", device_id=1), OcrEngine(device_id=0):
        pass
    for provider in ("cpu", "openvino"):
        with pytest.raises(InvalidArgumentError, match=f"device_id=0 .*{provider} has none.*\n.*cuda"):
            OcrEngine(provider=provider, device_id=0)
