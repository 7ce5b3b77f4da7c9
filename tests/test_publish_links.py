"""Links that an index of packages shows are addresses, made of the one that the workflow names."""

import re
import shutil
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent

sys.path.insert(0, str(ROOT / "tools"))

import publish_links  # noqa: E402

ADDRESS = "https://forge.example/owner/ferrocr"


@pytest.fixture
def copy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The files that are changed, and all that the README leads to."""
    for name in ("README.md", "pyproject.toml", "Cargo.toml"):
        shutil.copy(ROOT / name, tmp_path)
    for target in re.findall(r"\]\(([^)#\s]+)", (ROOT / "README.md").read_text(encoding="utf-8")):
        if (ROOT / target).is_dir():
            (tmp_path / target).mkdir(parents=True, exist_ok=True)
        else:
            (tmp_path / target).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / target).touch()
    monkeypatch.setattr(publish_links, "ROOT", tmp_path)
    return tmp_path


def test_every_link_of_the_readme_becomes_an_address(copy: Path) -> None:
    before = (ROOT / "README.md").read_text(encoding="utf-8")
    assert publish_links.main([f"{ADDRESS}/", "v0.1.0"]) == 0
    targets = re.findall(r"\]\(([^)\s]+)\)", (copy / "README.md").read_text(encoding="utf-8"))
    assert len(targets) == len(re.findall(r"\]\(([^)\s]+)\)", before)) > 20
    assert {target.partition("//")[0] for target in targets} == {"https:"}
    assert f"{ADDRESS}/raw/v0.1.0/docs/invoice.png" in targets
    assert f"{ADDRESS}/blob/v0.1.0/docs/integrations.md#langchain" in targets
    assert f"{ADDRESS}/tree/v0.1.0/deploy" in targets


def test_the_metadata_names_the_address(copy: Path) -> None:
    assert publish_links.main([ADDRESS, "v0.1.0"]) == 0
    project = tomllib.loads((copy / "pyproject.toml").read_text(encoding="utf-8"))
    assert project["project"]["urls"]["Source"] == ADDRESS
    assert tomllib.loads((copy / "Cargo.toml").read_text(encoding="utf-8"))["package"]["repository"] == ADDRESS
    del project["project"]["urls"]
    assert project == tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


@pytest.mark.parametrize("arguments", [[], ["here"], ["here", "v1"], [ADDRESS]])
def test_nothing_is_changed_without_an_address(arguments: list[str], copy: Path) -> None:
    assert publish_links.main(arguments) == 2
    assert (copy / "README.md").read_bytes() == (ROOT / "README.md").read_bytes()


def test_no_file_of_the_sources_names_an_address_of_the_project() -> None:
    """There is one place: the workflow, which knows it from where it runs."""
    workflow = (ROOT / ".github" / "workflows" / "wheels.yml").read_text(encoding="utf-8")
    calls = workflow.count('python tools/publish_links.py "$GITHUB_SERVER_URL/$GITHUB_REPOSITORY"')
    assert calls == 2  # for wheels, and for the source distribution
    assert "urls" not in tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
