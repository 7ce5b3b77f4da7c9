"""LangChain's documents."""

from typing import Any

class Document:
    page_content: str
    metadata: dict[Any, Any]
    def __init__(self, page_content: str, *, metadata: dict[Any, Any] = ...) -> None: ...
