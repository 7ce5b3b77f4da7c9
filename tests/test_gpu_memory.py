"""The memory of GPUs in reports: a C compiler makes a driver that is not there."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from ferrocr import OcrEngine, _core
from ferrocr._engine import _gpu
from ferrocr.cli._release_check import Cycle, problems_of

DRIVER = """
typedef struct { unsigned long long total, free, used; } memory;
static int open;
int nvmlInit_v2(void) { open++; return REFUSES; }
int nvmlShutdown(void) { open--; return 0; }
int nvmlDeviceGetCount_v2(unsigned *count) { *count = 2; return open != 1; }
int nvmlDeviceGetHandleByIndex_v2(unsigned index, void **device) { *device = (void *)(8 + index); return 0; }
int nvmlDeviceGetMemoryInfo(void *device, memory *found) {
    found->total = 1ull << 40;
    found->used = ((unsigned long long)device - 7) << 33;
    return 0;
}
"""


@pytest.mark.skipif(shutil.which("cc") is None or sys.platform != "linux", reason="no C compiler")
def test_memory_of_all_gpus_is_added_up(tmp_path: Path) -> None:
    (tmp_path / "driver.c").write_text(DRIVER)
    for refuses, used in ((0, 3 * 2**13), (9, None)):
        library = tmp_path / f"driver{refuses}.so"
        command = ["cc", "-shared", "-fPIC", f"-DREFUSES={refuses}", str(tmp_path / "driver.c"), "-o", str(library)]
        subprocess.run(command, check=True)
        assert _gpu.used_mb(str(library)) == used
        # It is given back each time.
        assert _gpu.used_mb(str(library)) == (used if refuses == 0 else None)


def test_without_a_driver_nothing_is_told() -> None:
    assert _gpu.used_mb("libnothing.so.1") is None
    # A library that is none of NVIDIA's.
    assert _gpu.used_mb("libc.so.6") is None


def test_a_release_of_an_engine_on_a_gpu_reports_its_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    used = [900.0, 300.0]
    monkeypatch.setattr(_gpu, "used_mb", lambda: used.pop(0))
    engine = OcrEngine()
    # As if it had been loaded there.
    monkeypatch.setattr(OcrEngine, "provider", "cuda")
    report = engine.free_resources()
    assert (report.gpu_before_mb, report.gpu_after_mb) == (900.0, 300.0)
    assert engine.free_resources() == report, "one for all who ask"
    monkeypatch.setattr(OcrEngine, "provider", "cpu")
    report = OcrEngine().free_resources()
    assert (report.gpu_before_mb, report.gpu_after_mb) == (None, None)


def test_memory_of_a_gpu_that_grows_from_release_to_release_is_a_problem() -> None:
    def cycle(released: float | None) -> Cycle:
        return Cycle("cuda", 50.0, 400.0, 80.0, 2, 2, 5, 5, 1.0, gpu_before_mb=100.0, gpu_released_mb=released)

    assert problems_of([cycle(400.0), cycle(410.0)]) == []
    assert problems_of([cycle(None), cycle(None)]) == []
    (problem,) = problems_of([cycle(400.0), cycle(700.0)])
    assert "GPU" in problem and "from 400 to 700 MB" in problem
    assert "cuda" in [name for name, *_ in _core.providers()]
