"""The command that starts the service: its options, without a server."""

from pathlib import Path
from typing import Any

import pytest

import ferrocr
from fake_engine import Captured
from fake_service import FakeEngine
from ferrocr.cli import main
from ferrocr.serve import Settings
from ferrocr.serve._app import App


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """The options that the engine was made with, and the settings that would be served with."""
    found: dict[str, Any] = {}

    def make(models: str, **options: object) -> FakeEngine:
        found.update(models=models, **options)
        return FakeEngine()

    def run(app: App, log_level: str) -> None:
        found.update(settings=app.settings, log_level=log_level)

    monkeypatch.setattr(ferrocr, "OcrEngine", make)
    monkeypatch.setattr("ferrocr.serve._server.run", run)
    monkeypatch.delenv("FERROCR_API_KEY", raising=False)
    return found


def test_defaults_are_safe(started: dict[str, Any]) -> None:
    assert main(["serve"]) == 0
    assert started["settings"] == Settings()
    assert started["settings"].is_local
    assert (started["isolated"], started["workers"], started["max_pixels"]) == (True, 1, 50_000_000)


def test_options_reach_the_service_and_its_engine(started: dict[str, Any]) -> None:
    limits = ["--max-body", "7", "--queue", "0", "--seconds", "9", "--workers", "3", "--host", "0.0.0.0"]
    engine = ["--languages", "en,de", "--max-memory", "900", "--idle-unload", "60", "--no-download"]
    assert main(["serve", *limits, *engine, "--allow-origin", "https://a.example"]) == 0
    expected = Settings(
        max_body=7 * 2**20, queue=0, seconds=9, at_once=4, host="0.0.0.0", origins=("https://a.example",)
    )
    assert started["settings"] == expected
    assert started["languages"] == ["en", "de"]
    assert (started["workers"], started["max_memory"]) == (3, 900 * 2**20)
    assert (started["idle_unload"], started["download"]) == (60.0, False)


def test_without_workers_the_models_are_in_the_server(started: dict[str, Any]) -> None:
    assert main(["serve", "--workers", "0"]) == 0
    assert "isolated" not in started
    assert started["settings"].at_once == 2


def test_keys_come_from_a_file_or_the_environment(
    started: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Captured
) -> None:
    (tmp_path / "keys").write_text("# ours\none\n\n two \n", encoding="utf-8")
    assert main(["serve", "--api-key-file", str(tmp_path / "keys")]) == 0
    assert started["settings"].keys == ("one", "two")
    monkeypatch.setenv("FERROCR_API_KEY", "three\n")
    assert main(["serve"]) == 0
    assert started["settings"].keys == ("three",)
    # Nobody is let in by mistake.
    monkeypatch.setenv("FERROCR_API_KEY", " ")
    assert main(["serve"]) == 2
    (tmp_path / "keys").write_text("# none\n", encoding="utf-8")
    assert main(["serve", "--api-key-file", str(tmp_path / "keys")]) == 2
    assert main(["serve", "--api-key-file", str(tmp_path / "gone")]) == 3
    assert "no such file" in capsys.readouterr().err.lower()


def test_a_missing_extra_is_named(monkeypatch: pytest.MonkeyPatch, capsys: Captured) -> None:
    monkeypatch.setattr("ferrocr._packages.package_folders", lambda _name: [])
    assert main(["serve"]) == 3
    assert 'pip install "ferrocr[serve]"' in capsys.readouterr().err
