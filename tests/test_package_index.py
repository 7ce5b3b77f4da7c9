"""Package indexes: what pip was told about them is honoured, and nothing of pip is run."""

import os
import sys
import zipfile
from pathlib import Path

import pytest

from ferrocr import ModelStore
from ferrocr.exceptions import DownloadError
from ferrocr.models import _package_index
from ferrocr.models._package_index import packages

DEFAULT = "https://index.example"


@pytest.fixture(autouse=True)
def bare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A user without any settings, and a pip whose default index is `DEFAULT`."""
    for name in [name for name in os.environ if name.startswith(("PIP_", "XDG_")) or name == _package_index.VARIABLE]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("USERPROFILE", str(tmp_path / "home"))
    monkeypatch.setenv("XDG_CONFIG_DIRS", str(tmp_path / "shared"))
    monkeypatch.setattr(sys, "prefix", str(tmp_path / "environment"))
    # The machine's own file would count too.
    files = _package_index._files
    monkeypatch.setattr(_package_index, "_files", lambda: (path for path in files() if path.is_relative_to(tmp_path)))
    install_pip(tmp_path / "site", f'PyPI = PackageIndex(\n    "{DEFAULT}/", file_storage_domain="files.example"\n)')
    monkeypatch.setattr(sys, "path", [str(tmp_path / "site")])
    monkeypatch.setattr("sysconfig.get_config_var", lambda _name: None)
    monkeypatch.delitem(sys.modules, "pip", raising=False)


def install_pip(site: Path, source: str) -> None:
    """Put something in the place of pip that ends the test when it is run."""
    module = site / _package_index._INDEX_MODULE
    module.parent.mkdir(parents=True, exist_ok=True)
    (site / "pip" / "__init__.py").write_text("raise SystemExit('pip was imported')")
    module.write_text(f"raise SystemExit('pip was run')\n{source}\n")


def configure(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def test_without_settings_it_is_the_index_that_pip_asks() -> None:
    assert packages() == ([], [f"{DEFAULT}/simple"], [], None, None)


def test_the_installed_pip_says_which_index_it_asks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    assert _package_index._default_index().startswith("https://"), "pip has moved it"


def test_where_pip_is_not_installed_the_one_that_comes_with_python_says_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wheels = tmp_path / "lib" / "ensurepip" / "_bundled"
    wheels.mkdir(parents=True)
    (wheels.parent / "__init__.py").write_text("raise SystemExit('it was imported')")
    with zipfile.ZipFile(wheels / "pip-26.0-py3-none-any.whl", "w") as wheel:
        wheel.writestr(_package_index._INDEX_MODULE, 'PyPI = PackageIndex("https://bundled.example/", "")')
    (wheels / "pip-1-damaged.whl").write_bytes(b"no archive")
    monkeypatch.setattr(sys, "path", [str(tmp_path / "lib")])
    monkeypatch.delitem(sys.modules, "ensurepip", raising=False)
    assert packages()[1] == ["https://bundled.example/simple"]
    monkeypatch.setattr("sysconfig.get_config_var", lambda _name: str(tmp_path / "none"))
    assert packages()[1] == ["https://bundled.example/simple"]
    monkeypatch.setattr(sys, "path", [])
    assert packages()[1] == [], "no index is known"


def test_a_pip_that_is_built_otherwise_is_no_error(tmp_path: Path) -> None:
    install_pip(tmp_path / "site", "PyPI = somewhere_else()")
    assert packages()[1] == []
    (tmp_path / "site" / _package_index._INDEX_MODULE).write_bytes(b"\xff")
    assert packages()[1] == []


def test_files_and_variables_count_in_the_order_that_pip_has(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    name = "pip.ini" if sys.platform == "win32" else "pip.conf"
    configure(tmp_path / "environment" / name, "[global]\nindex-url = https://environment.example/simple\n")
    assert packages()[1] == ["https://environment.example/simple"]
    configure(
        tmp_path / "named", "[download]\nindex_url = https://named.example/simple\n[install]\nindex-url = other\n"
    )
    monkeypatch.setenv("PIP_CONFIG_FILE", str(tmp_path / "named"))
    assert packages()[1] == ["https://named.example/simple"]
    monkeypatch.setenv("PIP_INDEX_URL", "https://variable.example/simple")
    assert packages()[1] == ["https://variable.example/simple"]
    monkeypatch.setenv(_package_index.VARIABLE, "https://own.example/simple https://second.example/simple")
    assert packages()[1] == ["https://own.example/simple", "https://second.example/simple"]
    monkeypatch.delenv(_package_index.VARIABLE)
    monkeypatch.delenv("PIP_INDEX_URL")
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    assert packages()[1] == [f"{DEFAULT}/simple"], "pip reads no file then"


@pytest.mark.skipif(sys.platform in {"win32", "darwin"}, reason="the files are in other places there")
def test_the_user_s_file_counts_more_than_the_shared_one(tmp_path: Path) -> None:
    configure(tmp_path / "shared" / "pip" / "pip.conf", "[global]\nindex-url = https://a.example\nproxy = p:1\n")
    configure(tmp_path / "home" / ".config" / "pip" / "pip.conf", "[global]\nindex-url = https://b.example\n")
    assert packages() == ([], ["https://b.example"], [], None, "p:1")


def test_all_that_concerns_an_index_is_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = (
        "[global]\nextra-index-url =\n  https://one.example/simple\n  https://two.example/simple\n"
        "trusted-host = one.example\n    two.example:8080\ncert = ~/company.pem\nfind-links = wheels https://l.example/\n"
    )
    configure(tmp_path / "named", text)
    monkeypatch.setenv("PIP_CONFIG_FILE", str(tmp_path / "named"))
    monkeypatch.setenv("PIP_PROXY", "http://proxy.example:3128")
    monkeypatch.chdir(tmp_path)
    links, indexes, hosts, certificates, proxy = packages()
    assert links == [str(tmp_path / "wheels"), "https://l.example/"]
    assert indexes == [f"{DEFAULT}/simple", "https://one.example/simple", "https://two.example/simple"]
    assert hosts == ["one.example", "two.example:8080"]
    assert (certificates, proxy) == (str(tmp_path / "home" / "company.pem"), "http://proxy.example:3128")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    assert packages()[1] == []


@pytest.mark.parametrize("content", [b"\xff\xfe", b"no section", b"[global\n", b"[global]\na=1\n[global]\n"])
def test_a_file_that_is_none_is_left_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: bytes) -> None:
    (tmp_path / "named").write_bytes(content)
    monkeypatch.setenv("PIP_CONFIG_FILE", str(tmp_path / "named"))
    assert packages()[1] == [f"{DEFAULT}/simple"]


@pytest.mark.skipif(sys.platform == "win32", reason="variables are text there")
def test_an_address_that_is_no_text_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIP_INDEX_URL", os.fsdecode(b"https://\xff.example"))
    monkeypatch.setenv("PIP_PROXY", os.fsdecode(b"\xff"))
    assert packages() == ([], [], [], None, None)


def test_a_wheel_in_a_folder_is_enough_and_pip_is_not_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Settings that have pip run code, or an interpreter take it from elsewhere, change nothing."""
    monkeypatch.delenv("FERROCR_OFFLINE", raising=False)
    folder = tmp_path / "wheels"
    folder.mkdir()
    (folder / "rapidocr-3.10.0-py3-none-any.whl").write_bytes(b"no wheel")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_NO_BINARY", ":all:")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "site"))
    # Nobody listens there: it fails at once, and the network is left alone.
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:1")
    with pytest.raises(DownloadError) as error:
        ModelStore(tmp_path / "models").pull("ch_ppocr_mobile_v2.0_cls_mobile.onnx")
    text = str(error.value)
    assert "rapidocr-3.10.0-py3-none-any.whl: rapidocr/models/" in text
    assert "cannot be read" in text
    assert "pip was" not in text
