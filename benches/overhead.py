"""Measure what a page costs beside the same models in ONNX Runtime by themselves, in one run.

    python benches/overhead.py

A drawn page is read with one thread; in turn with that, ONNX Runtime runs the model files as they are: the detector on
the page, and the recogniser on a strip for each line. The ratio of their processor times was 0.62 by default and 0.43
with the fast preset on an Intel processor with AVX-512, and 0.93 and 0.71 on an AMD processor with AVX2, which is not
slowed down by the denormal weights that ferrocr sets to zero. So a ratio is compared with others of one processor only,
and no test holds it: `tests/pipeline.rs` counts the runs of models that a page costs.
"""

import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from functools import partial
from importlib import import_module
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from ferrocr import ModelStore, OcrEngine, Page, model_sets

ROUNDS = 5
"""As many as the median needs beside other work on the machine."""

WIDTH, HEIGHT, LINES = 1000, 800, 16
STRIP = 48
"""Height of a recogniser's strip."""


def draw(path: Path) -> None:
    """Draw a page of small print."""
    page = Image.new("RGB", (WIDTH, HEIGHT), (250, 250, 245))
    pen, font = ImageDraw.Draw(page), ImageFont.load_default(20)
    for line in range(LINES):
        words = " ".join(f"{(line + 3) * (word + 7)} pages of paper" for word in range(1 + line % 4))
        pen.text((60, 40 + 40 * line), words, fill=(20, 20, 30), font=font)
    page.save(path)


def bare(page: Page) -> Callable[[], None]:
    """Return a function with what ONNX Runtime does for a page with these lines, without anything around it."""
    # Not before an engine has turned its telemetry off.
    onnxruntime = import_module("onnxruntime")
    store = ModelStore()
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    detector, recognizer, _ = (
        onnxruntime.InferenceSession(store.get_local_path(name), options, providers=["CPUExecutionProvider"])
        for name in model_sets()["ppocrv6-small"]
    )
    noise = np.random.default_rng(0)
    inputs = [(detector, _input(noise, HEIGHT // 32 * 32, WIDTH // 32 * 32))]
    for line in page.lines:
        left, top, right, bottom = (*line.quad[0], *line.quad[2])
        inputs.append((recognizer, _input(noise, STRIP, max(STRIP, round((right - left) * STRIP / (bottom - top))))))

    def run() -> None:
        for session, values in inputs:
            session.run(None, {session.get_inputs()[0].name: values})

    return run


def _input(noise: np.random.Generator, height: int, width: int) -> np.ndarray:
    return noise.uniform(-1, 1, (1, 3, height, width)).astype(np.float32)


def measure(ways: Mapping[str, Callable[[], object]]) -> dict[str, float]:
    """Median processor seconds of each way, taken in turn."""
    taken: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(ROUNDS + 1):
        for name, way in ways.items():
            started = time.process_time()
            way()
            taken[name].append(time.process_time() - started)
    # The first round fills caches.
    return {name: statistics.median(seconds[1:]) for name, seconds in taken.items()}


def main() -> int:
    """Measure, and print the ratios."""
    with (
        tempfile.TemporaryDirectory() as folder,
        OcrEngine(threads=1, provider="cpu", download=False) as default,
        OcrEngine(threads=1, provider="cpu", download=False, preset="fast") as fast,
    ):
        path = Path(folder) / "page.png"
        draw(path)
        page = default.recognize(path)
        if len(page.lines) != LINES:
            print(f"error: {len(page.lines)} lines were found on a page of {LINES}", file=sys.stderr)
            return 1
        presets = {"default": partial(default.recognize, path), "fast": partial(fast.recognize, path)}
        seconds = measure({"bare": bare(page), **presets})
    for name in presets:
        print(f"{name:8} {seconds[name] / seconds['bare']:.2f} of ONNX Runtime by itself")
    return 0


if __name__ == "__main__":
    sys.exit(main())
