"""RapidOCR's parameters as options of an engine."""

import difflib
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from functools import partial
from typing import Any

from ... import _core
from ...exceptions import InvalidArgumentError
from ._names import LANGUAGES, EngineType, ModelType, OCRVersion

_ROLES = {"Det": "detector", "Rec": "recognizer", "Cls": "orienter"}

_WITHOUT_A_WORD = {
    *("Global.log_level", "Global.font_path", "Rec.font_path"),
    *("Cls.lang_type", "Cls.cls_batch_num", "Rec.rec_batch_num"),
}
"""Parameters about RapidOCR's messages, pictures and batches: the text is the same."""

_TUNING = {
    *("Global.use_preprocess_img", "Global.min_side_len", "Global.max_side_len", "Global.use_vertical_padding"),
    *("Global.min_height", "Global.width_height_ratio"),
    *("Det.limit_side_len", "Det.limit_type", "Det.std", "Det.mean", "Det.thresh", "Det.box_thresh", "Det.lang_type"),
    *("Det.max_candidates", "Det.unclip_ratio", "Det.use_dilation", "Det.score_mode"),
    *("Cls.cls_image_shape", "Cls.cls_thresh", "Cls.label_list", "Rec.rec_img_shape"),
}
"""Parameters of steps that ferrocr does in its own way."""

_REFUSED = {
    "Global.use_det": "it always looks for text; give use_det=False in a call for the picture of one line",
    "Global.use_rec": "it has no boxes without text",
    "Rec.rec_keys_path": "characters come from the model, or from a file beside it with suffix .txt",
    "Det.model_dir": "give Det.model_path",
    "Rec.model_dir": "give Rec.model_path",
    "Cls.model_dir": "give Cls.model_path",
}


@dataclass
class Params:
    """The part of RapidOCR's parameters that ferrocr follows.

    Attributes:
        options: Options of :class:`ferrocr.OcrEngine`.
        word_boxes: True for results with words.
        character_boxes: True for results whose words are single characters.
        models: The version and size of a role's model, as far as they are given.
    """

    options: dict[str, Any] = field(default_factory=dict)
    word_boxes: bool = False
    character_boxes: bool = False
    models: dict[str, dict[str, str]] = field(default_factory=dict)


def parsed(params: Mapping[str, Any] | None) -> Params:
    """Return what parameters such as ``{"Global.text_score": 0.6}`` ask for.

    Raises:
        ValueError: There is no such parameter, or it cannot be followed.
    """
    result = Params()
    for name, value in (params or {}).items():
        _follow(result, name, value.value if isinstance(value, Enum) else value)
    result.options |= _models(result.models)
    return result


def _follow(result: Params, name: str, value: Any) -> None:  # noqa: ANN401
    section, _, key = name.partition(".")
    if name in _FOLLOWED:
        _FOLLOWED[name](result, value)
    elif key == "model_path" and section in _ROLES:
        if value is not None:
            result.options[_ROLES[section]] = value
    elif key in {"ocr_version", "model_type"} and section in _ROLES:
        result.models.setdefault(section, {})[key] = str(value)
    elif key == "engine_type" and section in _ROLES:
        _run_with(result, name, value)
    elif name in _REFUSED:
        if value not in (None, True):
            message = f"ferrocr does not follow {name}: {_REFUSED[name]}"
            raise InvalidArgumentError(message)
    elif name in _TUNING:
        _ignored(name, "")
    elif section in {*_ROLES, "EngineConfig"}:
        # RapidOCR takes any key there.
        if name not in _WITHOUT_A_WORD and value not in (None, False, -1):
            _ignored(name, _suggestion(name))
    elif name not in _WITHOUT_A_WORD:
        message = f"{name} is not a valid key."
        raise InvalidArgumentError(message, _suggestion(name) or None)


def _ignored(name: str, suggestion: str) -> None:
    message = f"ferrocr ignores RapidOCR's parameter {name}" + (f"; {suggestion}" if suggestion else "")
    warnings.warn(message, stacklevel=5)


def _suggestion(name: str) -> str:
    """Return a question about a name that may have been misspelt; empty where none is near."""
    known = {*_FOLLOWED, *_TUNING, *_REFUSED, *(f"{role}.model_path" for role in _ROLES)}
    near = difflib.get_close_matches(name, known, 1, 0.8)
    return f"did you mean {near[0]}?" if near else ""


def _set(option: str, result: Params, value: Any) -> None:  # noqa: ANN401
    if value is not None:
        result.options[option] = value


def _threads(result: Params, value: int) -> None:
    if value != -1:
        result.options["threads"] = value


def _cuda(result: Params, value: object) -> None:
    if value:
        result.options["provider"] = "cuda"


def _orienter(result: Params, value: object) -> None:
    if not value:
        result.options["orienter"] = False


def _word_boxes(result: Params, value: object) -> None:
    result.word_boxes = bool(value)


def _character_boxes(result: Params, value: object) -> None:
    result.character_boxes = bool(value)


def _language(result: Params, value: str) -> None:
    if value not in LANGUAGES:
        message = f"there is no lang_type {value!r}; there are {', '.join(LANGUAGES)}"
        raise InvalidArgumentError(message)
    result.options["languages"] = LANGUAGES[value]


def _run_with(result: Params, name: str, value: str) -> None:
    if value == EngineType.OPENVINO.value:
        result.options["provider"] = "openvino"
    elif value != EngineType.ONNXRUNTIME.value:
        message = f"ferrocr does not follow {name}={value!r}: it runs models with ONNX Runtime, or with OpenVINO by it"
        raise InvalidArgumentError(message, "leave it out")


def _models(asked: Mapping[str, Mapping[str, str]]) -> dict[str, str]:
    """Return the models whose version or size is given. What is not given is that of RapidOCR's defaults."""
    sets: dict[str, dict[str, str]] = dict(_core.model_sets())
    chosen: dict[str, str] = {}
    for section, parts in asked.items():
        if section == "Cls":  # all versions share one
            continue
        version = parts.get("ocr_version", OCRVersion.PPOCRV6.value)
        usual = ModelType.SMALL if version == OCRVersion.PPOCRV6.value else ModelType.MOBILE
        name = f"{version.lower().replace('-', '')}-{parts.get('model_type', usual.value)}"
        if name not in sets:
            message = f"there is no {section} model {name!r}; the sets of models are {', '.join(sorted(sets))}"
            raise InvalidArgumentError(message)
        chosen[_ROLES[section]] = sets[name][_ROLES[section]]
    return chosen


_FOLLOWED: dict[str, Callable[[Params, Any], None]] = {
    "Global.text_score": partial(_set, "min_score"),
    "Global.model_root_dir": partial(_set, "model_dir"),
    "Global.use_cls": _orienter,
    "Global.return_word_box": _word_boxes,
    "Global.return_single_char_box": _character_boxes,
    "Rec.lang_type": _language,
    "EngineConfig.onnxruntime.use_cuda": _cuda,
    "EngineConfig.onnxruntime.cuda_ep_cfg.device_id": partial(_set, "device_id"),
    "EngineConfig.onnxruntime.intra_op_num_threads": _threads,
    "EngineConfig.openvino.inference_num_threads": _threads,
}
