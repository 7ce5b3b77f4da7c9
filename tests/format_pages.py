"""Pages for the tests of formats: a plain one, a turned one, and whatever hypothesis thinks of."""

from dataclasses import replace

from hypothesis import strategies as st

from ferrocr import Block, Char, Line, Page, Word
from ferrocr.formats import Sheet

Quad = tuple[tuple[float, float], tuple[float, float], tuple[float, float], tuple[float, float]]

HOSTILE = (
    "]]> <b>&amp;</b> <!-- -->",
    "\"double\" 'single' `back`",
    "</span></p></div> <script>alert(1)</script>",
    "\x00\x01\x08\x0b\x0c\x1b[31m\x1f\x7f\x85\x9f",
    "tab\there\nline\r\nfeed\x0b\x0c\x1c\x1d\x1e\u2028\u2029",
    "\ud800 half \udfff",
    "\ufffe\uffff \ufeff",
    "\u202eevil\u202c \u200e\u200f\u2066\u2069\u061c",
    "a\u0301 \U0001f600\u200d\U0001f525 \U0010ffff 贝塔 שלום",
    "# *no* _markup_ [link](x) ![i](y) <http://a.b> `c` ~~d~~ $e$ &copy; | f |",
    "1. one", "2) two", "- dash", "+ plus", "===", "---", "***", "> quote", "    code", "\\", "|--|--|", ": - |",
)  # fmt: skip


def upright(left: float, top: float, right: float, bottom: float) -> Quad:
    """A quad of text that runs to the right."""
    return ((left, top), (right, top), (right, bottom), (left, bottom))


def line_of(text: str, left: float, top: float, *, score: float = 0.975) -> Line:
    """A line of upright text, ten pixels a character and twenty high."""
    words, x = [], left
    for part in text.split(" "):
        words.append(Word(part, score, upright(x, top, x + 10 * len(part), top + 20)))
        x += 10 * (len(part) + 1)
    return Line(text, score, upright(left, top, x - 10, top + 20), tuple(words))


_LINES = (line_of("Iron tastes", 20, 10), line_of("of rain", 20, 40, score=0.5), line_of("4711", 200, 80, score=1.0))
PLAIN = Page(
    320,
    120,
    _LINES,
    (Block(upright(20, 10, 130, 60), _LINES[:2]), Block(upright(200, 80, 240, 100), _LINES[2:])),
)
"""Two lines in one block, and one in another."""

UP = Page(
    100,
    400,
    (
        Line(
            "runs up",
            0.9,
            ((40, 300), (40, 100), (60, 100), (60, 300)),
            (
                Word("runs", 0.9, ((40, 300), (40, 200), (60, 200), (60, 300))),
                Word("up", 0.9, ((40, 190), (40, 100), (60, 100), (60, 190))),
            ),
        ),
    ),
)
"""A line that runs from the bottom to the top, without blocks."""


def _part(quad: Quad, start: float, end: float) -> Quad:
    """A quad between two parts of its width."""

    def between(one: tuple[float, float], other: tuple[float, float], part: float) -> tuple[float, float]:
        return one[0] + (other[0] - one[0]) * part, one[1] + (other[1] - one[1]) * part

    a, b, c, d = quad
    return between(a, b, start), between(a, b, end), between(d, c, end), between(d, c, start)


def with_characters(page: Page) -> Page:
    """The same page with the characters of its words, each as wide as the others."""

    def word_of(word: Word) -> Word:
        count = len(word.text)
        parts = (_part(word.quad, i / count, (i + 1) / count) for i in range(count))
        characters = (Char(sign, word.score, quad) for sign, quad in zip(word.text, parts, strict=True))
        return replace(word, characters=tuple(characters))

    lines = tuple(replace(line, words=tuple(map(word_of, line.words))) for line in page.lines)
    parts, start = [], 0
    for block in page.blocks:
        parts.append(replace(block, lines=lines[start : start + len(block.lines)]))
        start += len(block.lines)
    return replace(page, lines=lines, blocks=tuple(parts))


BLANK = Page(50, 60, ())

# Beyond the largest page, and to the left and above every one.
_coordinates = st.floats(-50, 700, width=32)
_quads = st.tuples(*[st.tuples(_coordinates, _coordinates)] * 4) | st.builds(
    lambda x, y, w, h: upright(x, y, x + w, y + h), *[st.floats(0, 200, width=32)] * 4
)
# Two halves of a character beside each other are one, as in JSON.
_texts = st.sampled_from(HOSTILE) | st.text(st.characters(exclude_categories=()), max_size=12).map(
    lambda text: text.encode("utf-16", "surrogatepass").decode("utf-16", "surrogatepass")
)
_scores = st.floats(0, 1)


@st.composite
def words(draw: st.DrawFn) -> Word:
    """Any word: with the characters that it is made of, with others, or without."""
    text = draw(_texts)
    own = list(text) if draw(st.booleans()) else draw(st.lists(_texts, max_size=2))
    characters = tuple(Char(part, draw(_scores), draw(_quads)) for part in own[: draw(st.sampled_from([0, 100]))])
    return Word(text, draw(_scores), draw(_quads), characters)


_lines = st.builds(Line, _texts, _scores, _quads, st.lists(words(), max_size=3).map(tuple))


@st.composite
def pages(draw: st.DrawFn) -> Page:
    """Any page: its lines in blocks, or without."""
    lines = tuple(draw(st.lists(_lines, max_size=5)))
    blocks: list[Block] = []
    start = 0
    while lines and start < len(lines) and (blocks or draw(st.booleans())):
        end = draw(st.integers(start + 1, len(lines)))
        blocks.append(Block(draw(_quads), lines[start:end]))
        start = end
    return Page(draw(st.integers(1, 640)), draw(st.integers(1, 480)), lines, tuple(blocks))


_sources = st.none() | _texts
sheets = st.builds(Sheet, pages(), _sources, st.integers(1, 999), st.none() | st.floats(1, 2400))


def words_in(page: Page) -> list[str]:
    """The texts of a page's words in order; a line without words counts as one."""
    return [word for line in page.lines for word in ([part.text for part in line.words] or [line.text])]


def in_xml(text: str) -> str:
    """The same text with U+FFFD for what XML 1.0 cannot hold, and for control characters that it only warns of."""
    return "".join(letter if _may_stand_in_xml(ord(letter)) else "\ufffd" for letter in text)


def _may_stand_in_xml(code: int) -> bool:
    """The production Char of XML 1.0, without what the note below it discourages."""
    return not 0x7F <= code <= 0x9F and _is_character(code)


def _is_character(code: int) -> bool:
    return code in (9, 10, 13) or 0x20 <= code <= 0xD7FF or 0xE000 <= code <= 0xFFFD or 0x10000 <= code <= 0x10FFFF
