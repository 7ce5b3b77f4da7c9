"""RapidOCR's class: its results, its parameters, its errors."""

import gc
import inspect
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import ferrocr
from ferrocr import Char, Line, Page, Word, exceptions
from ferrocr.compat import rapidocr
from ferrocr.compat.rapidocr import EngineType, LangRec, LoadImageError, ModelType, OCRVersion, RapidOCR
from ferrocr.compat.rapidocr._params import parsed
from ferrocr.results import Quad


def box(left: float, top: float, right: float, bottom: float) -> Quad:
    return (left, top), (right, top), (right, bottom), (left, bottom)


def word(text: str, left: float, top: float) -> Word:
    characters = tuple(
        Char(one, 0.9, box(left + 10 * place, top, left + 10 * place + 10, top + 12)) for place, one in enumerate(text)
    )
    return Word(text, 0.9, box(left, top, left + 10 * len(text), top + 12), characters)


PAGE = Page(
    400,
    200,
    (
        Line("milk 2", 0.95, box(10, 20, 80, 32), (word("milk", 10, 20), word("2", 70, 20))),
        Line("1.20", 0.85, box(300, 21, 340, 33), (word("1.20", 300, 21),)),
        Line("中文ab", 0.75, box(10, 90, 50, 102), (word("中文ab", 10, 90),)),
    ),
)


class Fake:
    """Stands in for the engine; "reads" `page`."""

    page = PAGE
    asked: dict[str, Any]
    freed = 0
    error: Exception | None = None

    def __init__(self, **options: object) -> None:
        type(self).asked = options

    def recognize(self, image: object, **options: object) -> Page:
        type(self).asked = {**self.asked, **options, "image": image}
        if self.error is not None:
            raise self.error
        return self.page

    def free_resources(self) -> str:
        type(self).freed += 1
        return "report"


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> type[Fake]:
    """A fake in the place of the engine."""
    kind = type("Fake", (Fake,), {})
    monkeypatch.setattr(ferrocr, "OcrEngine", kind)
    return kind


PICTURE = Image.new("RGB", (400, 200), "white")


def test_a_result_has_boxes_texts_and_scores(fake: type[Fake]) -> None:
    result: Any = RapidOCR()(PICTURE)
    assert (result.boxes.shape, result.boxes.dtype) == ((3, 4, 2), np.float32)
    assert result.txts == ("milk 2", "1.20", "中文ab")
    assert result.scores == (0.95, 0.85, 0.75)
    assert result.word_results == ()
    assert len(result) == 3
    assert result.elapse == result.elapse_list[2] >= 0
    assert result.to_json()[1] == {
        "box": [[300.0, 21.0], [340.0, 21.0], [340.0, 33.0], [300.0, 33.0]],
        "txt": "1.20",
        "score": 0.85,
    }
    assert result.to_markdown() == "milk 2" + " " * 12 + "1.20\n\n中文ab"


def test_words_are_as_rapidocr_has_them(fake: type[Fake]) -> None:
    result: Any = RapidOCR(params={"Global.return_word_box": True})(PICTURE)
    assert fake.asked["characters"] is True
    assert [[part[0] for part in line] for line in result.word_results] == [["milk", "2"], ["1.20"], ["中", "文", "ab"]]
    assert result.word_results[2][2] == ("ab", 0.9, [[30, 90], [50, 90], [50, 102], [30, 102]])
    result = RapidOCR()(PICTURE, return_word_box=True, return_single_char_box=True)
    assert [part[0] for part in result.word_results[0]] == list("milk2")


def test_nothing_found_is_none(fake: type[Fake]) -> None:
    fake.page = Page(40, 30, ())
    result: Any = RapidOCR()(PICTURE)
    assert (result.boxes, result.txts, result.scores, result.word_results) == (None, None, None, (("", 1.0, None),))
    assert (len(result), result.to_json(), result.to_markdown(), result.vis(), result.img) == (0, None, "", None, None)
    line: Any = RapidOCR()(PICTURE, use_det=False)
    assert (line.txts, line.scores) == (("",), (0.0,))


def test_a_picture_of_one_line(fake: type[Fake]) -> None:
    result: Any = RapidOCR()(PICTURE, use_det=False, use_cls=False, use_rec=True)
    assert result.txts == ("milk 2 1.20 中文ab",)
    assert result.scores[0] == pytest.approx((0.95 * 6 + 0.85 * 4 + 0.75 * 4) / 14)
    assert not hasattr(result, "boxes")


def test_arrays_are_bgr_and_others_are_not(fake: type[Fake]) -> None:
    array = np.zeros((4, 5, 3), np.uint8)
    array[..., 0] = 255  # blue
    engine = RapidOCR()
    engine(array)
    assert fake.asked["image"][0, 0].tolist() == [0, 0, 255]
    for form in (array[..., 0], np.zeros((4, 5, 4), np.uint8), b"bytes", PICTURE):
        engine(form)
        assert fake.asked["image"] is form
    result: Any = engine(array)
    assert result.img[0, 0].tolist() == [255, 0, 0]


def test_an_exif_turn_is_applied_to_files_alone(fake: type[Fake], tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    path = tmp_path / "turned.jpg"
    PICTURE.save(path, exif=exif)
    engine = RapidOCR()
    result: Any = engine(str(path))
    assert fake.asked["image"] == path
    assert result.img.shape == (400, 200, 3)
    for form in (path.read_bytes(), Image.open(path)):
        engine(form)
        assert not fake.asked["image"].getexif()


def test_a_result_is_drawn(fake: type[Fake], tmp_path: Path) -> None:
    path = tmp_path / "drawn.png"
    result: Any = RapidOCR()(PICTURE)
    drawn = result.vis(path)
    assert drawn.shape == (200, 400, 3)
    assert path.exists()
    assert (drawn != 255).any()


@pytest.mark.parametrize(
    ("params", "options"),
    [
        (None, {}),
        ({"Global.text_score": 0.7, "Global.use_cls": False}, {"min_score": 0.7, "orienter": False}),
        ({"Global.model_root_dir": "/m", "Global.log_level": "error"}, {"model_dir": "/m"}),
        ({"Det.model_path": "d.onnx", "Rec.model_path": None}, {"detector": "d.onnx"}),
        ({"Rec.lang_type": LangRec.JAPAN}, {"languages": ("ja", "en")}),
        ({"Rec.lang_type": "ch", "Global.use_det": True}, {"languages": None}),
        ({"Det.engine_type": EngineType.OPENVINO}, {"provider": "openvino"}),
        ({"Rec.engine_type": EngineType.ONNXRUNTIME, "EngineConfig.onnxruntime.use_dml": False}, {}),
        (
            {
                "EngineConfig.onnxruntime.use_cuda": True,
                "EngineConfig.onnxruntime.cuda_ep_cfg.device_id": 1,
                "EngineConfig.onnxruntime.intra_op_num_threads": 2,
            },
            {"provider": "cuda", "device_id": 1, "threads": 2},
        ),
        ({"Rec.model_type": ModelType.TINY}, {"recognizer": "PP-OCRv6_tiny_rec.onnx"}),
        ({"Det.ocr_version": OCRVersion.PPOCRV5}, {"detector": "ch_PP-OCRv5_det_mobile.onnx"}),
    ],
)
def test_parameters_are_options_of_the_engine(params: dict[str, Any] | None, options: dict[str, Any]) -> None:
    assert parsed(params).options == options


@pytest.mark.parametrize(
    ("params", "told"),
    [
        ({"Global.text_scor": 1}, "Global.text_scor is not a valid key.\ndid you mean Global.text_score?"),
        ({"Global.use_rec": False}, "does not follow Global.use_rec"),
        ({"Rec.rec_keys_path": "keys.txt"}, "characters come from the model"),
        ({"Det.engine_type": EngineType.TORCH}, "it runs models with ONNX Runtime"),
        ({"Rec.lang_type": "xx"}, "there is no lang_type 'xx'"),
        ({"Rec.ocr_version": OCRVersion.PPOCRV4, "Rec.model_type": ModelType.TINY}, "no Rec model 'ppocrv4-tiny'"),
    ],
)
def test_what_cannot_be_followed_is_refused(params: dict[str, Any], told: str) -> None:
    with pytest.raises(ValueError, match=told):
        RapidOCR(params=params)


def test_what_only_tunes_its_own_steps_is_ignored_with_a_warning(fake: type[Fake]) -> None:
    with pytest.warns(UserWarning, match=r"ignores RapidOCR's parameter Det\.box_thresh") as caught:
        RapidOCR(params={"Det.box_thresh": 0.4})
    assert caught[0].filename == __file__
    with pytest.warns(UserWarning, match=r"parameter Rec\.lang_typ; did you mean Rec\.lang_type\?"):
        RapidOCR(params={"Rec.lang_typ": "en"})
    RapidOCR(params={"Det.use_cuda": False, "Det.use_dml": None, "EngineConfig.torch.use_npu": False})
    with pytest.warns(UserWarning, match="unclip_ratio"):
        RapidOCR()(PICTURE, unclip_ratio=2)


def test_options_of_the_engine_go_first(fake: type[Fake]) -> None:
    RapidOCR(params={"Global.text_score": 0.7}, min_score=0.2, preset="fast")
    assert fake.asked == {"min_score": 0.2, "preset": "fast"}


def test_errors_say_what_is_wrong(fake: type[Fake]) -> None:
    engine = RapidOCR()
    with pytest.raises(ValueError, match="no configuration files"):
        RapidOCR("config.yaml")
    with pytest.raises(ValueError, match="no boxes without text"):
        engine(PICTURE, use_rec=False)
    with pytest.raises(LoadImageError, match="fetches no pictures"):
        engine("https://example.org/a.png")
    fake.error = exceptions.ImageError("no picture")
    with pytest.raises(LoadImageError, match="no picture"):
        engine(PICTURE)
    with pytest.raises(AttributeError, match="has no download_models: run: ferrocr models pull"):
        _ = rapidocr.download_models
    with pytest.raises(AttributeError, match=r"has no Nothing$"):
        _ = rapidocr.Nothing


def test_the_engine_goes_with_the_object(fake: type[Fake]) -> None:
    engine = RapidOCR()
    del engine
    gc.collect()
    assert fake.freed == 1
    with RapidOCR():
        pass
    assert fake.freed >= 2


@pytest.fixture(scope="module")
def real(models_dir: Path) -> Iterator[RapidOCR]:
    """A real one."""
    with RapidOCR(model_dir=models_dir, download=False) as engine:
        yield engine


def test_a_picture_is_read(real: RapidOCR, picture_file: Path) -> None:
    result: Any = real(picture_file, return_word_box=True)
    assert result.txts == ("Iron tastes of rain", "Order 4711 paid")
    assert [part[0] for part in result.word_results[1]] == ["Order", "4711", "paid"]
    crop: Any = real(np.asarray(Image.open(picture_file).convert("RGB").crop((28, 80, 280, 124))), use_det=False)
    assert crop.txts == ("Order 4711 paid",)


@pytest.mark.skipif(find_spec("rapidocr") is None, reason="RapidOCR is not installed")
def test_names_and_arguments_are_those_of_rapidocr(fake: type[Fake]) -> None:
    import rapidocr as host
    from rapidocr.utils.output import RapidOCROutput

    def arguments(function: Callable[..., object]) -> list[tuple[str, object]]:
        parameters = inspect.signature(function).parameters.values()
        return [(one.name, one.default) for one in parameters if one.kind is one.POSITIONAL_OR_KEYWORD]

    assert arguments(RapidOCR.__call__) == arguments(host.RapidOCR.__call__)
    assert arguments(RapidOCR.__init__) == arguments(host.RapidOCR.__init__)
    for name in ("LangRec", "LangDet", "LangCls", "OCRVersion", "EngineType", "ModelType"):
        theirs = {one.name: one.value for one in getattr(host, name)}
        assert {one.name: one.value for one in getattr(rapidocr, name)} == theirs, name
    result = RapidOCR()(PICTURE)
    there = vars(RapidOCROutput()).keys() - {"viser"}
    assert {name for name in there if not hasattr(result, name)} == set()


@pytest.mark.skipif(find_spec("rapidocr") is None, reason="RapidOCR is not installed")
def test_a_result_has_the_shapes_of_rapidocr(real: RapidOCR, models_dir: Path, picture_file: Path) -> None:
    import rapidocr as host

    files = {"Det": "PP-OCRv6_det_small", "Rec": "PP-OCRv6_rec_small", "Cls": "ch_ppocr_mobile_v2.0_cls_mobile"}
    params: dict[str, Any] = {f"{role}.model_path": str(models_dir / f"{name}.onnx") for role, name in files.items()}
    theirs: Any = host.RapidOCR(params={**params, "Global.log_level": "error"})(str(picture_file), return_word_box=True)
    ours: Any = real(str(picture_file), return_word_box=True)
    assert ours.txts == theirs.txts
    assert (ours.boxes.shape, ours.boxes.dtype) == (theirs.boxes.shape, theirs.boxes.dtype)
    assert np.abs(ours.boxes - theirs.boxes).max() < 12
    assert [[part[0] for part in line] for line in ours.word_results] == [
        [part[0] for part in line] for line in theirs.word_results
    ]
    assert ours.to_markdown() == theirs.to_markdown()
    assert [set(one) for one in ours.to_json()] == [set(one) for one in theirs.to_json()]
    assert (type(ours.img), ours.img.shape) == (type(theirs.img), theirs.img.shape)
