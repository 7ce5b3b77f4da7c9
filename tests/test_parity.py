"""Stage by stage against RapidOCR, the reference implementation of PP-OCR in ONNX Runtime, where it is installed.

Run ``pip install rapidocr==3.10.0`` in the development environment to have these tests.
"""

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from PIL import ImageOps

from conftest import draw_text
from ferrocr import OcrEngine, _core

rapidocr = pytest.importorskip(
    "rapidocr", reason="pip install rapidocr==3.10.0 to compare with it", exc_type=ImportError
)

pytestmark = pytest.mark.filterwarnings("ignore")  # the reference's own


@pytest.fixture(scope="module")
def reference(models_dir: Path) -> Any:  # noqa: ANN401
    return rapidocr.RapidOCR(params={"Global.log_level": "critical"})


def pages() -> list[npt.NDArray[np.uint8]]:
    """Drawn BGR pages whose sides are multiples of 32, so that nobody scales them."""
    texts = [["Short", "and a longer line of text", "42"], [f"Row {i}: value {i * 37}" for i in range(12)]]
    drawn = [ImageOps.pad(draw_text(text, size=24).convert("RGB"), (960, 768), color="white") for text in texts]
    return [np.asarray(page.rotate(angle, fillcolor="white"))[:, :, ::-1] for page in drawn for angle in (0, 4, -11)]


def test_the_same_map_gives_the_same_boxes(reference: Any) -> None:  # noqa: ANN401
    detector = reference._load_det_model()
    for page in pages():
        height, width = page.shape[:2]
        tensor = detector.get_preprocess()(page)
        assert tensor.shape[2:] == (height, width)
        prediction = detector.session(tensor)
        expected, scores = detector.postprocess_op(prediction, (height, width))
        found = _core.regions_of_map(np.ascontiguousarray(prediction[0, 0]), width)
        assert len(found) == len(expected) > 0
        centres = np.asarray([np.mean(quad, axis=0) for _, quad in found])
        for box, score in zip(np.asarray(expected, np.float64), scores, strict=True):
            nearest = int(np.argmin(np.linalg.norm(centres - box.mean(axis=0), axis=1)))
            own_score, quad = found[nearest]
            clipped = np.clip(np.asarray(quad), 0, [width - 1, height - 1])
            assert np.abs(clipped - box).max() <= 2.0, (box, quad)
            # The reference counts pixels that the outline only touches; in small boxes that tells.
            assert abs(own_score - score) < 0.1


def test_the_same_strip_gives_the_same_text(engine: OcrEngine, reference: Any) -> None:  # noqa: ANN401
    from rapidocr.ch_ppocr_rec.typings import TextRecInput

    recognizer = reference._load_rec_model()
    core = engine._core
    assert isinstance(core, _core.Engine)
    for text in ("The quick brown fox jumps over it", "Total: $1,234.56 (incl. VAT)", "A-17 / B_42 = {x; y}"):
        # 48 pixels high and wider than the 320 to which the reference pads: both see the same numbers.
        strip = np.asarray(draw_text([text], size=26, width=520).crop((0, 4, 520, 52)).convert("RGB"))
        expected = recognizer(TextRecInput(img=np.ascontiguousarray(strip[:, :, ::-1]), return_word_box=False))
        found, score, _, _ = core.recognize_line(np.ascontiguousarray(strip), (strip.shape[1], strip.shape[0]), 3)
        assert found == expected.txts[0].strip()
        assert abs(score - expected.scores[0]) < 1e-3
