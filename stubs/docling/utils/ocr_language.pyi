"""Languages as Docling has them."""

class OcrLanguageSupport:
    bcp47: list[str]
    native: list[str]
    def __init__(self, *, bcp47: list[str] = ..., native: list[str] = ...) -> None: ...

class OcrLanguage:
    bcp47_language: str | None
    bcp47_script: str | None
    native: str | None
    def tag(self) -> str: ...
    def has_default_script(self) -> bool: ...
