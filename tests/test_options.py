"""Options are listed once, and what is derived from a list has all of it."""

from ferrocr._engine._options import PROVIDERS, TRIED


def test_auto_stands_for_all_other_providers() -> None:
    assert sorted(["auto", *TRIED]) == sorted(PROVIDERS)
