"""An engine that is in calls, for tests of what waits for them."""

import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

from conftest import draw_text
from ferrocr import OcrEngine


class BusyEngine:
    """An engine with one thread, and calls in flight that take a second or more."""

    def __init__(self, models_dir: Path, calls: int = 1) -> None:
        self.engine = OcrEngine(model_dir=models_dir, threads=1)
        self.engine.load()
        self.page = np.asarray(draw_text([f"A line of text with number {i}" for i in range(45)]))
        self._pool = ThreadPoolExecutor(calls)
        self.calls = [self._pool.submit(self.engine.recognize, self.page) for _ in range(calls)]
        core = self.engine._core
        assert core is not None
        while core.calls < calls:
            assert not any(call.done() for call in self.calls)
            time.sleep(0.001)
