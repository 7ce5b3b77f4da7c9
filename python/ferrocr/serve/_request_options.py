"""The options of a request, as a query or as the fields of a form."""

from collections.abc import Callable, Mapping
from typing import NamedTuple, TypeVar, cast

from .._engine._call_options import checked_rules
from ..documents._request import USUAL_DPI, DocumentKeywords, UseOfTextLayer, checked_request
from ..exceptions import OcrError
from ._outputs import OUTPUTS, Output
from ._problems import problem_of, refuse

T = TypeVar("T")

OPTIONS = (
    *("format", "pages", "dpi", "text_layer", "min_score", "characters", "password"),
    *("allow", "pattern", "words"),
)
_IGNORED = ("language", "file")
"""Fields of other services' forms, which say nothing that a request can choose here."""

_BY_MEDIA_TYPE = {
    "application/x-ndjson": "jsonl",
    "application/ndjson": "jsonl",
    "application/jsonl": "jsonl",
    "text/html": "hocr",
    "text/xml": "alto",
    **{output.media_type: name for name, output in OUTPUTS.items()},
}


class RequestOptions(NamedTuple):
    """The options, checked."""

    output: Output
    keywords: DocumentKeywords


def options_of(
    query: Mapping[str, str], fields: Mapping[str, str], accept: str, password: str | None, usual: str = "json"
) -> RequestOptions:
    """Return the options of a request.

    Args:
        query: Those of its address.
        fields: Those of its form, which come first.
        accept: The media types that it takes.
        password: The password of its header.
        usual: The format where it wants none.

    Raises:
        Problem: One is unknown, or out of its range.
    """
    if "password" in query:
        refuse("a password does not belong into an address", "send it as a field, or as X-Document-Password")
    given = {**query, **fields}
    for name in given:
        if name not in OPTIONS and name not in _IGNORED:
            refuse(f"there is no option {name!r}", f"there are {', '.join(OPTIONS)}")
    output = _output_of(given.get("format"), accept, usual)
    usual_layer = "auto" if output.has_own_text else "ignore"
    keywords = DocumentKeywords(
        pages=given.get("pages") or None,
        dpi=_number("dpi", given.get("dpi"), USUAL_DPI),
        text_layer=cast("UseOfTextLayer", given.get("text_layer") or usual_layer),  # checked below
        password=given.get("password") or password,
        characters=_flag("characters", given.get("characters", "")),
    )
    if given.get("min_score"):
        keywords["min_score"] = _number("min_score", given["min_score"], 0.0)
    if given.get("allow"):
        keywords["allow"] = given["allow"]
    if given.get("pattern"):
        keywords["pattern"] = given["pattern"]
    if given.get("words"):
        keywords["words"] = given["words"].splitlines()
    _check(output, keywords)
    return RequestOptions(output, keywords)


def _check(output: Output, keywords: DocumentKeywords) -> None:
    try:
        checked_request(keywords["pages"], keywords["dpi"], keywords["text_layer"], keywords["password"])
        checked_rules(keywords.get("allow"), keywords.get("pattern"), keywords.get("words"))
        output.check()
    except OcrError as error:
        raise problem_of(error) from None
    if output.has_own_text and keywords["text_layer"] == "only":
        refuse("with text_layer=only nothing is read, and a PDF has that text already", "say text_layer=auto")
    if keywords["characters"] and not output.has_characters:
        refuse(f"a file of the format {output.name} does not hold the characters of words", "say format=json")


def _output_of(name: str | None, accept: str, usual: str) -> Output:
    if name:
        if name not in OUTPUTS:
            refuse(f"there is no format {name!r}", f"choose one of {', '.join(OUTPUTS)}")
        return OUTPUTS[name]
    for media_type in _by_weight(accept):
        if media_type in _BY_MEDIA_TYPE:
            return OUTPUTS[_BY_MEDIA_TYPE[media_type]]
        if media_type in ("*/*", "application/*"):
            break
    return OUTPUTS[usual]


def _by_weight(accept: str) -> list[str]:
    weighed: list[tuple[float, str]] = []
    for part in accept.split(",")[:32]:
        media_type, *parameters = (piece.strip().lower() for piece in part.split(";"))
        weight = next((one[2:] for one in parameters if one.startswith("q=")), "1")
        try:
            weighed.append((float(weight), media_type))
        except ValueError:
            continue
    return [media_type for weight, media_type in sorted(weighed, key=_weight, reverse=True) if weight > 0]


def _weight(weighed: tuple[float, str]) -> float:
    return weighed[0]


def _number(name: str, text: str | None, usual: float) -> float:
    if not text:
        return usual
    return _parsed(name, text, float, "a number")


def _flag(name: str, text: str) -> bool:
    known: dict[str, bool] = {"": False, "0": False, "false": False, "1": True, "true": True}
    return _parsed(name, text.lower(), known.__getitem__, "true or false")


def _parsed(name: str, text: str, parse: Callable[[str], T], kind: str) -> T:
    try:
        return parse(text)
    except (KeyError, ValueError):
        refuse(f"{name} is {kind}, not {text[:40]!r}")
