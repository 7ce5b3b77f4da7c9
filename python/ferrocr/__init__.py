"""OCR with a Rust core: pictures to text with positions, and every resource given back.

Example::

    from ferrocr import OcrEngine

    with OcrEngine() as ocr:
        print(ocr.recognize("receipt.jpg").text)
"""

from ._core import __version__
from .engine import OcrEngine
from .exceptions import (
    DownloadError,
    ForkedError,
    ImageError,
    ImageNotFoundError,
    InferenceError,
    InvalidArgumentError,
    ModelCorruptError,
    ModelInUseError,
    ModelMismatchError,
    ModelNotFoundError,
    OcrCancelledError,
    OcrError,
    ResourcesFreedError,
    RuntimeUnavailableError,
    StorageError,
)
from .results import Line, Page, ReleaseReport, Word
from .store import CatalogEntry, ModelStore, catalog, model_sets

__all__ = [
    "CatalogEntry",
    "DownloadError",
    "ForkedError",
    "ImageError",
    "ImageNotFoundError",
    "InferenceError",
    "InvalidArgumentError",
    "Line",
    "ModelCorruptError",
    "ModelInUseError",
    "ModelMismatchError",
    "ModelNotFoundError",
    "ModelStore",
    "OcrCancelledError",
    "OcrEngine",
    "OcrError",
    "Page",
    "ReleaseReport",
    "ResourcesFreedError",
    "RuntimeUnavailableError",
    "StorageError",
    "Word",
    "__version__",
    "catalog",
    "model_sets",
]
