"""The part of LangChain's loaders that its parser uses."""

from abc import ABC, abstractmethod
from collections.abc import Iterator

from langchain_core.documents import Document
from langchain_core.documents.base import Blob

class BaseBlobParser(ABC):
    @abstractmethod
    def lazy_parse(self, blob: Blob) -> Iterator[Document]: ...
    def parse(self, blob: Blob) -> list[Document]: ...
