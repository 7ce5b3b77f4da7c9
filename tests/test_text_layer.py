"""Text of PDF files that was made to be odd: it becomes pages that every format can hold, or errors."""

import math

from hypothesis import given

from ferrocr import DocumentPage, OcrEngine, OcrError
from ferrocr.formats import WRITERS, Sheet, chunks
from pdf_soup import soups


def check(reader: OcrEngine, content: bytes) -> str:
    """Hold what holds for the text of any file, and return what it was."""
    try:
        pages = list(reader.recognize_pages(content, text_layer="only", characters=True, dpi=50))
    except OcrError as error:
        assert error.hint, error
        return f"refused: {type(error).__name__}"
    for page in pages:
        if isinstance(page, DocumentPage):
            check_page(page)
        else:
            assert page.hint, page
    sheets = [Sheet.of(page) for page in pages if isinstance(page, DocumentPage)]
    for name, kind in WRITERS.items():
        for group in [[sheet] for sheet in sheets] if kind.one_page else [sheets]:
            "".join(chunks(name, group)).encode()
    return "text" if any(sheet.page.lines for sheet in sheets) else "no text" if sheets else "errors"


def check_page(page: DocumentPage) -> None:
    """Hold that all numbers are numbers, and that lines, words and characters say the same."""
    page.text.encode()
    assert [line for block in page.page.blocks for line in block.lines] == list(page.page.lines)
    for line in page.page.lines:
        assert line.text == " ".join(word.text for word in line.words)
        characters = [one for word in line.words for one in word.characters]
        for quad in [line.quad, *(word.quad for word in line.words), *(one.quad for one in characters)]:
            assert all(math.isfinite(value) for point in quad for value in point)
        for word in line.words:
            assert word.text == "".join(one.text for one in word.characters)
            assert word.text
            assert not any(character.isspace() for character in word.text)


@given(soups())
def test_odd_text_is_text_or_an_error(reader: OcrEngine, content: bytes) -> None:
    check(reader, content)
