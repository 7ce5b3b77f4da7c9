"""LangChain's blobs."""

from pathlib import PurePath
from typing import Any

class Blob:
    data: bytes | str | None
    path: str | PurePath | None
    metadata: dict[Any, Any]
    @property
    def source(self) -> str | None: ...
    def as_bytes(self) -> bytes: ...
    @classmethod
    def from_path(cls, path: str | PurePath, *, metadata: dict[Any, Any] | None = ...) -> Blob: ...
    @classmethod
    def from_data(cls, data: str | bytes, *, path: str | None = ..., metadata: dict[Any, Any] | None = ...) -> Blob: ...
