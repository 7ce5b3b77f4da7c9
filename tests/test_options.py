"""Options are listed once, and what is derived from a list has all of it."""

from inspect import Parameter, signature
from typing import get_type_hints

import pytest

from ferrocr import OcrEngine, _core
from ferrocr._engine._call_options import CallOptions, ReadKeywords
from ferrocr._engine._options import PROVIDERS
from ferrocr.documents._request import DocumentKeywords


def test_auto_stands_for_providers_that_can_be_named(engine: OcrEngine) -> None:
    engine.load()
    tried, built_in = _core.automatic_providers(), _core.built_in_providers()
    assert tried[-1] == "cpu"
    assert set(tried) <= set(built_in) <= set(PROVIDERS)


def test_every_provider_can_be_named() -> None:
    assert ("auto", *(name for name, *_ in _core.providers())) == PROVIDERS


def test_every_role_of_a_model_has_its_keyword() -> None:
    assert dict(_core.roles()) == {"detector": True, "recognizer": True, "orienter": False, "page_orienter": False}
    assert dict(_core.roles()).keys() <= signature(OcrEngine).parameters.keys()


METHODS = ("recognize", "arecognize", "recognize_many", "recognize_document", "arecognize_document", "recognize_pages")


def keywords(method: str) -> dict[str, Parameter]:
    """Keywords that a method shows to those who ask for its signature."""
    shown = signature(getattr(OcrEngine, method)).parameters.values()
    assert not [one.name for one in shown if one.kind is Parameter.VAR_KEYWORD]
    return {one.name: one for one in shown if one.kind is Parameter.KEYWORD_ONLY}


@pytest.mark.parametrize("method", METHODS)
def test_all_methods_that_read_take_the_options_of_a_call(method: str) -> None:
    shown, first = keywords(method), keywords("recognize")
    assert first.keys() == get_type_hints(ReadKeywords).keys()
    assert {name: shown[name] for name in first} == first


@pytest.mark.parametrize("method", [method for method in METHODS if "document" in method or "pages" in method])
def test_all_methods_for_documents_take_their_options(method: str) -> None:
    shown, first = keywords(method), keywords("recognize_document")
    assert first.keys() - {"on_error"} == get_type_hints(DocumentKeywords).keys()
    assert {name: shown[name].default for name in first.keys() - {"on_error"}} == {
        name: one.default for name, one in first.items() if name != "on_error"
    }
    assert ("ahead" in shown) == (method == "recognize_pages")
    assert shown["on_error"].default == ("return" if method == "recognize_pages" else "raise")


@pytest.mark.parametrize("method", METHODS)
def test_other_keywords_are_refused_at_the_call(method: str) -> None:
    for options in ({"charcters": True}, {"timeout": 1, "self_": 2, "ahaed": 0}):
        wrong = next(name for name in options if name != "timeout")
        with pytest.raises(TypeError, match=rf"^OcrEngine\.{method}\(\) got an unexpected keyword argument '{wrong}'"):
            getattr(OcrEngine(), method)("a.png", **options)


@pytest.mark.parametrize("method", METHODS)
def test_types_and_defaults_of_options_are_those_that_are_checked(method: str) -> None:
    checked = signature(CallOptions.checked).parameters
    shown = keywords(method)
    for name in get_type_hints(ReadKeywords):
        assert (shown[name].default, shown[name].annotation) == (checked[name].default, checked[name].annotation)
