"""The base of LlamaIndex's readers."""

from abc import ABC
from collections.abc import Iterable
from typing import Any

from llama_index.core.schema import Document

class BaseReader(ABC):
    def lazy_load_data(self, *args: Any, **load_kwargs: Any) -> Iterable[Document]: ...
    def load_data(self, *args: Any, **load_kwargs: Any) -> list[Document]: ...
