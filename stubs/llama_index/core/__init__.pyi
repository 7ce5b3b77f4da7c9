"""The part of LlamaIndex that its reader and its tests use."""

from pathlib import Path

from llama_index.core.readers.base import BaseReader
from llama_index.core.schema import Document

class SimpleDirectoryReader:
    def __init__(
        self, input_dir: str | Path, *, recursive: bool = ..., file_extractor: dict[str, BaseReader] = ...
    ) -> None: ...
    def load_data(self, *, num_workers: int | None = ...) -> list[Document]: ...
