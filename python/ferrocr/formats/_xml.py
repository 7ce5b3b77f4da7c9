"""Text in XML. Not by ``xml.sax.saxutils``, which imports the whole of ``urllib.request``."""

import re
from collections.abc import Mapping

# Left to right and right to left marks and their like, spaces of other widths, soft hyphens: whoever looks at the file
# sees them, and no line of it is shown in another order than it has.
_UNSEEN = "\xa0\xad\u061c\u1680\u180e\u2000-\u200f\u2028-\u202f\u205f-\u206f\u3000\ufeff\ufff9-\ufffb"
# U+007F to U+009F XML allows and calls unwise: a terminal takes some for commands, and in HTML they are errors, and
# references to them mean something else.
_FORBIDDEN = "\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff"
_IN_TEXT = re.compile(f"[&<>\r{_UNSEEN}{_FORBIDDEN}]")
_IN_ATTRIBUTE = re.compile(f'[&<>"\t\n\r{_UNSEEN}{_FORBIDDEN}]')
_NO_CHARACTER = re.compile(f"[{_FORBIDDEN}]")
_NAMED = {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;"}

DECLARATION = '<?xml version="1.0" encoding="UTF-8"?>\n'


def escape(text: str) -> str:
    """Return `text` as the content of an element. What XML 1.0 cannot hold, or had better not, becomes U+FFFD."""
    return _IN_TEXT.sub(_reference, text)


def tag(name: str, attributes: Mapping[str, str | int | None], *, empty: bool = False) -> str:
    """Return the tag that opens an element, or all of an `empty` one. Attributes that are None are left out."""
    parts = [
        f'{key}="{_IN_ATTRIBUTE.sub(_reference, str(value))}"' for key, value in attributes.items() if value is not None
    ]
    return f"<{' '.join([name, *parts])}{'/' if empty else ''}>"


def element(name: str, text: str) -> str:
    """Return an element with text and without attributes."""
    return f"<{name}>{escape(text)}</{name}>"


def _reference(match: re.Match[str]) -> str:
    letter = match[0]
    if _NO_CHARACTER.match(letter):
        return "\ufffd"
    return _NAMED.get(letter) or f"&#x{ord(letter):X};"
