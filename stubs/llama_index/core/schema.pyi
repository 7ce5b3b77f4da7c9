"""LlamaIndex's documents."""

from enum import StrEnum
from typing import Any

class MetadataMode(StrEnum):
    LLM = "llm"
    EMBED = "embed"

class Document:
    text: str
    metadata: dict[str, Any]
    def __init__(
        self,
        *,
        text: str,
        metadata: dict[str, Any] = ...,
        excluded_embed_metadata_keys: list[str] = ...,
        excluded_llm_metadata_keys: list[str] = ...,
    ) -> None: ...
    def get_content(self, metadata_mode: MetadataMode = ...) -> str: ...
