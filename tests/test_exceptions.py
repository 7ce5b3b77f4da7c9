"""The exceptions: what they say, and that they survive a way to another process."""

import copy
import pickle

import pytest

from ferrocr import exceptions
from ferrocr.exceptions import OcrError

CLASSES = [value for value in vars(exceptions).values() if isinstance(value, type) and issubclass(value, OcrError)]


@pytest.mark.parametrize("kind", CLASSES)
@pytest.mark.parametrize("hint", ["do this", None])
def test_text_and_hint_survive_copies(kind: type[OcrError], hint: str | None) -> None:
    error = kind("no source:\n  one: gone\n  two: away", hint)
    for same in (error, copy.copy(error), copy.deepcopy(error), pickle.loads(pickle.dumps(error))):
        assert type(same) is kind
        assert str(same) == "no source:\n  one: gone\n  two: away" + (f"\n{hint}" if hint else "")
        assert same.hint == hint
        assert same.args == error.args


@pytest.mark.parametrize("kind", CLASSES)
def test_the_core_makes_them_from_the_whole_text(kind: type[OcrError]) -> None:
    error = kind("nothing there\nlook elsewhere")
    assert error.hint is None
    error.hint = "look elsewhere"
    for same in (error, pickle.loads(pickle.dumps(error))):
        assert (str(same), same.hint) == ("nothing there\nlook elsewhere", "look elsewhere")


def test_there_are_some() -> None:
    assert len(CLASSES) > 10
