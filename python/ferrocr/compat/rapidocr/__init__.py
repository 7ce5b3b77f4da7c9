"""The class ``RapidOCR`` and its results, served by ferrocr: a program changes one import.

Instead of ``from rapidocr import RapidOCR``::

    from ferrocr.compat.rapidocr import RapidOCR

    engine = RapidOCR()
    print(engine("receipt.jpg").txts)

RapidOCR does not have to be installed. docs/migration.md says which parameters are followed.
"""

from typing import NoReturn

from ._engine import RapidOCR
from ._names import EngineType, LangCls, LangDet, LangRec, ModelType, OCRVersion
from ._output import LoadImageError, RapidOCRError, RapidOCROutput, TextRecOutput

__all__ = [
    "EngineType",
    "LangCls",
    "LangDet",
    "LangRec",
    "LoadImageError",
    "ModelType",
    "OCRVersion",
    "RapidOCR",
    "RapidOCRError",
    "RapidOCROutput",
    "TextRecOutput",
]

_INSTEAD = {
    "VisRes": "call vis() of a result, or draw() of its page",
    "download_models": "run: ferrocr models pull",
}


def __getattr__(name: str) -> NoReturn:
    """Say what there is instead of what is not served.

    Raises:
        AttributeError: In any case.
    """
    message = f"ferrocr.compat.rapidocr has no {name}"
    raise AttributeError(f"{message}: {_INSTEAD[name]}" if name in _INSTEAD else message)
