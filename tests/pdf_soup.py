"""PDF files whose text is odd in every way that text can be: for tests, and for long runs of fuzz/pdf_text.py."""

from hypothesis import strategies as st

from pdf_files import Sheet, make_pdf, stream

# Numbers as files have them: ordinary ones, and those that some program cannot count in.
_NUMBERS = st.one_of(
    st.integers(-50, 400).map(str),
    st.floats(-3, 3).map(lambda number: f"{number:.4f}"),
    st.sampled_from(
        ["0", "-0", "1e38", "99999999999", "1" + "0" * 37, "1" + "0" * 60, "nan", ".", "--5", "2147483648"]
    ),
    st.sampled_from(["0.00001", "-" + "9" * 37, "-1"]),
)
_TEXTS = st.one_of(
    st.text("abc de-", min_size=1, max_size=12),
    st.binary(min_size=1, max_size=8).map(lambda code: "".join(f"\\{byte:03o}" for byte in code)),
)
# What codes may be said to mean: text of every kind, and what is none.
_MEANINGS = st.sampled_from(
    [
        *("0061", "0020", "000a", "000d", "0000", "001b", "009b", "00ad", "2028", "202e", "3000", "d83d", "de00"),
        *("d83dde00", "fffd", "ffff", "e000", "00660069", "0061" * 40, "0301", "4e2d", "0627", "dbffdfff", "", "zz"),
    ]
)


def _operators() -> st.SearchStrategy[str]:
    several = [st.tuples(*[_NUMBERS] * count).map(" ".join) for count in range(7)]
    show = _TEXTS.map(lambda text: f"({text}) Tj")
    kerned = st.lists(st.tuples(_TEXTS, _NUMBERS), max_size=4).map(
        lambda parts: "[" + " ".join(f"({text}) {number}" for text, number in parts) + "] TJ"
    )
    return st.one_of(
        show,
        show,
        kerned,
        several[6].map("{} Tm".format),
        several[6].map("{} cm".format),
        several[2].map("{} Td".format),
        several[1].map("/F1 {} Tf".format),
        several[1].map("/F2 {} Tf".format),
        several[1].map("{} Tz".format),
        several[1].map("{} Tc".format),
        several[1].map("{} Ts".format),
        several[1].map("{} TL".format),
        st.sampled_from(
            ["T*", "q", "Q", "ET", "BT", "3 Tr", "0 Tr", "7 Tr", "/X Do", "/Span<</ActualText(x)>>BDC", "EMC"]
        ),
    )


def _font(meanings: list[tuple[int, str]]) -> bytes:
    lines = "".join(f"<{code:02x}> <{meaning}>\n" for code, meaning in meanings)
    space = "begincmap 1 begincodespacerange <00> <ff> endcodespacerange\n"
    cmap = f"{space}{len(meanings)} beginbfchar\n{lines}endbfchar endcmap"
    return stream(cmap.encode())


@st.composite
def soups(draw: st.DrawFn) -> bytes:
    """A file of one or two pages."""
    sheets = []
    for _ in range(draw(st.integers(1, 2))):
        content = "BT /F1 12 Tf 20 50 Td " + " ".join(draw(st.lists(_operators(), max_size=25))) + " ET"
        box = " ".join(draw(st.tuples(*[_NUMBERS] * 4))) if draw(st.booleans()) else "0 0 300 100"
        more = f"/MediaBox[{box}]/Rotate {draw(st.sampled_from([0, 90, 180, 45, -90]))}"
        sheets.append(Sheet(content, more=f"{more}/Resources<</Font<</F1 3 0 R/F2 99 0 R>>/XObject<</X 98 0 R>>>>"))
    first = 4 + 2 * len(sheets)
    widths = " ".join(draw(st.lists(_NUMBERS, min_size=3, max_size=3)))
    matrix = " ".join(draw(st.tuples(*[_NUMBERS] * 6)))
    meanings = draw(st.lists(st.tuples(st.integers(0, 255), _MEANINGS), max_size=12))
    font = (
        f"<</Type/Font/Subtype/TrueType/BaseFont/Odd/FirstChar 97/LastChar 99/Widths[{widths}]/ToUnicode {first} 0 R>>"
    )
    form = f"/Type/XObject/Subtype/Form/BBox[0 0 300 100]/Matrix[{matrix}]/Resources<</Font<</F1 {first + 1} 0 R>>>>"
    objects = [_font(meanings), font.encode(), stream(b"BT /F1 9 Tf 5 5 Td (in a form) Tj ET", form)]
    whole = make_pdf(sheets, objects=objects)
    return whole.replace(b"99 0 R", b"%2d 0 R" % (first + 1)).replace(b"98 0 R", b"%2d 0 R" % (first + 2))
