"""Invisible text of PDF files, which an earlier OCR has left, taken out of a copy."""

from pathlib import Path

import pikepdf
from pikepdf import ContentStreamInlineImage, ContentStreamInstruction, Dictionary, Name, Operator

_SHOWING = {"Tj", "TJ", "'", '"'}

_INVISIBLE = 3

_DEEPEST = 8
"""Levels of forms within forms that are looked through."""


def without_hidden_text(source: Path, copy: Path) -> Path:
    """Return a copy without invisible text; the source itself where there is none, or where it cannot be changed."""
    try:
        with pikepdf.open(source) as pdf:
            cleaner = _Cleaner(pdf)
            for page in pdf.pages:
                cleaner.clear(page.obj, 0)
            if not cleaner.found:
                return source
            pdf.save(copy)
    except (pikepdf.PdfError, TypeError, ValueError, AttributeError, IndexError):
        return source  # whoever reads it says what is wrong with it
    return copy


class _Cleaner:
    """Takes the invisible text out of pages, and of the forms that they draw."""

    def __init__(self, pdf: pikepdf.Pdf) -> None:
        self.found = False
        self._pdf = pdf
        self._seen: set[tuple[int, int]] = set()

    def clear(self, drawn: pikepdf.Object, depth: int) -> None:
        """Take it out of a page or a form."""
        if depth > _DEEPEST or drawn.objgen in self._seen:
            return
        self._seen.add(drawn.objgen)
        is_form = isinstance(drawn, pikepdf.Stream)
        if is_form or "/Contents" in drawn:
            kept, found = _without_text(drawn)
            self.found = self.found or found
            if found and is_form:
                drawn.write(pikepdf.unparse_content_stream(kept))
            elif found:
                drawn.Contents = self._pdf.make_stream(pikepdf.unparse_content_stream(kept))
        resources = drawn.get("/Resources")
        forms = resources.get("/XObject") if isinstance(resources, Dictionary) else None
        for form in forms.values() if isinstance(forms, Dictionary) else ():
            if isinstance(form, pikepdf.Stream) and form.get("/Subtype") == Name.Form:
                self.clear(form, depth + 1)


def _without_text(drawn: pikepdf.Object) -> tuple[list[ContentStreamInstruction | ContentStreamInlineImage], bool]:
    """Return what is drawn but for invisible text, and True if there was some."""
    kept: list[ContentStreamInstruction | ContentStreamInlineImage] = []
    mode, outer, found = 0, list[int](), False
    for instruction in pikepdf.parse_content_stream(drawn):
        name = str(instruction.operator)
        if name == "q":
            outer.append(mode)
        elif name == "Q" and outer:
            mode = outer.pop()
        elif name == "Tr":
            mode = int(instruction.operands[0])
        elif name in _SHOWING and mode == _INVISIBLE:
            found = True
            if name in ("'", '"'):  # they go to the next line first, where visible text may follow
                kept.append(ContentStreamInstruction([], Operator("T*")))
            continue
        kept.append(instruction)
    return kept, found
