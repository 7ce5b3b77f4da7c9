"""RapidOCR's names of languages, versions and sizes of models, and what they are here."""

from enum import Enum


class LangDet(Enum):
    """Languages of detectors."""

    CH = "ch"
    EN = "en"
    MULTI = "multi"


class LangCls(Enum):
    """Languages of classifiers of turned lines."""

    CH = "ch"


class LangRec(Enum):
    """Languages of recognisers."""

    CH = "ch"
    CH_DOC = "ch_doc"
    EN = "en"
    ARABIC = "arabic"
    CHINESE_CHT = "chinese_cht"
    CYRILLIC = "cyrillic"
    DEVANAGARI = "devanagari"
    JAPAN = "japan"
    KOREAN = "korean"
    KA = "ka"
    LATIN = "latin"
    TA = "ta"
    TE = "te"
    ESLAV = "eslav"
    TH = "th"
    EL = "el"


class OCRVersion(Enum):
    """Versions of PP-OCR."""

    PPOCRV4 = "PP-OCRv4"
    PPOCRV5 = "PP-OCRv5"
    PPOCRV6 = "PP-OCRv6"


class EngineType(Enum):
    """Libraries that run models."""

    ONNXRUNTIME = "onnxruntime"
    OPENVINO = "openvino"
    PADDLE = "paddle"
    TORCH = "torch"
    TENSORRT = "tensorrt"
    MNN = "mnn"


class ModelType(Enum):
    """Sizes of models."""

    MOBILE = "mobile"
    SERVER = "server"
    TINY = "tiny"
    SMALL = "small"
    MEDIUM = "medium"


LANGUAGES: dict[str, tuple[str, ...] | None] = {
    "ch": None,
    "ch_doc": None,
    "en": ("en",),
    "latin": ("en",),
    "chinese_cht": ("zh", "en"),
    "japan": ("ja", "en"),
    "korean": ("ko", "en"),
    "arabic": ("ar", "en"),
    "cyrillic": ("bg", "en"),
    "eslav": ("ru", "en"),
    "devanagari": ("hi", "en"),
    "ka": ("kn", "en"),
    "ta": ("ta", "en"),
    "te": ("te", "en"),
    "th": ("th", "en"),
    "el": ("el", "en"),
}
"""Codes for an engine by the values of :class:`LangRec`; None for all that the default recogniser knows."""
