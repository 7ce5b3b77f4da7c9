"""Haystack's streams of bytes."""

from typing import Any

class ByteStream:
    data: bytes
    meta: dict[str, Any]
    def __init__(self, data: bytes, meta: dict[str, Any] = ..., mime_type: str | None = ...) -> None: ...
