"""Descriptions say what something is or does, as any Python project would: none begins with a question word."""

import ast
import io
import re
import tokenize
from collections.abc import Iterator
from pathlib import Path

import pytest

FOLDER = Path(__file__).parent.parent / "python" / "ferrocr"
FILES = sorted(path for path in FOLDER.rglob("*.py*") if path.suffix in {".py", ".pyi"})

QUESTION = re.compile(r"(?:\w+: |# )?(?:What|Whether|How|Where|Which|Who)\b")
"""The beginning of a docstring, of an argument's or an attribute's description in one, or of a comment."""

NAMED = re.compile(r"\s+\w+: ")


def descriptions(code: str) -> Iterator[str]:
    """Give docstrings, what they say of arguments and attributes, and comments."""
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
            first, *others = node.value.value.split("\n")
            yield first
            yield from (line.strip() for line in others if NAMED.match(line))
    for token in tokenize.generate_tokens(io.StringIO(code).readline):
        if token.type == tokenize.COMMENT:
            yield token.string


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(FOLDER).as_posix())
def test_no_description_begins_with_a_question_word(path: Path) -> None:
    assert not [text for text in descriptions(path.read_text(encoding="utf-8")) if QUESTION.match(text)]


def test_descriptions_are_found() -> None:
    code = '"""Whether."""\n\ndef f(a):  # Where\n    """Do.\n\n    Args:\n        a: What.\n    """\n'
    assert [text for text in descriptions(code) if QUESTION.match(text)] == ["Whether.", "a: What.", "# Where"]
