"""OCR with a Rust core: pictures to text with positions, and every resource given back.

Example::

    from ferrocr import OcrEngine

    with OcrEngine() as ocr:
        print(ocr.recognize("receipt.jpg").text)
"""

from . import _rendering as _rendering
from ._core import __version__
from .audit import AuditEntry, AuditReport, ModelInfo, ModelState
from .documents import Document, DocumentPage
from .engine import OcrEngine
from .exceptions import (
    DocumentError,
    DownloadError,
    EncryptedDocumentError,
    EngineCrashedError,
    ForkedError,
    ImageError,
    ImageNotFoundError,
    InferenceError,
    InvalidArgumentError,
    ModelCorruptError,
    ModelInUseError,
    ModelKeptError,
    ModelMismatchError,
    ModelNotFoundError,
    OcrCancelledError,
    OcrError,
    OcrTimeoutError,
    OutOfMemoryError,
    PillowMissingError,
    ResourcesFreedError,
    RuntimeUnavailableError,
    StorageError,
)
from .lease import Lease
from .removal import ArchivedFile, PlannedFile, Removal, TrashedFile
from .results import Block, Char, Line, Page, ReleaseReport, Word
from .stats import EngineStats, Timings
from .store import CatalogEntry, ModelStore, catalog, model_sets

__all__ = [
    "ArchivedFile",
    "AuditEntry",
    "AuditReport",
    "Block",
    "CatalogEntry",
    "Char",
    "Document",
    "DocumentError",
    "DocumentPage",
    "DownloadError",
    "EncryptedDocumentError",
    "EngineCrashedError",
    "EngineStats",
    "ForkedError",
    "ImageError",
    "ImageNotFoundError",
    "InferenceError",
    "InvalidArgumentError",
    "Lease",
    "Line",
    "ModelCorruptError",
    "ModelInUseError",
    "ModelInfo",
    "ModelKeptError",
    "ModelMismatchError",
    "ModelNotFoundError",
    "ModelState",
    "ModelStore",
    "OcrCancelledError",
    "OcrEngine",
    "OcrError",
    "OcrTimeoutError",
    "OutOfMemoryError",
    "Page",
    "PillowMissingError",
    "PlannedFile",
    "ReleaseReport",
    "Removal",
    "ResourcesFreedError",
    "RuntimeUnavailableError",
    "StorageError",
    "Timings",
    "TrashedFile",
    "Word",
    "__version__",
    "catalog",
    "model_sets",
]
