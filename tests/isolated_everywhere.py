"""A plugin of pytest with which every engine is isolated: ``pytest -p isolated_everywhere tests/test_engine.py``.

What fails then has to be about the core's own engine: a few tests look into it, or load its library in this process.
"""

from typing import Any

from ferrocr import OcrEngine

_make = OcrEngine.__init__


def _make_isolated(self: OcrEngine, *arguments: Any, **options: Any) -> None:  # noqa: ANN401
    options.setdefault("isolated", True)
    _make(self, *arguments, **options)


OcrEngine.__init__ = _make_isolated  # type: ignore[method-assign]
