"""Finding ONNX Runtime's library: installed packages are made-up directories, nothing is imported or loaded."""

import ctypes.util
import os
import sys
import sysconfig
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ferrocr._engine import _runtime
from ferrocr._engine._runtime import ENV_LIBRARY, disable_telemetry, find_runtime, library_version
from ferrocr.exceptions import RuntimeUnavailableError


@dataclass
class Site:
    """A made-up site-packages directory, the only one on ``sys.path``."""

    path: Path

    @property
    def capi(self) -> Path:
        """The folder that holds the library."""
        return self.path / "onnxruntime" / "capi"

    def install(self, distribution: str, version: str, *libraries: str) -> None:
        """Put a distribution here, with empty files for its libraries, and a package that must not be imported."""
        info = self.path / f"{distribution.replace('-', '_')}-{version}.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {distribution}\nVersion: {version}\n")
        self.capi.mkdir(parents=True, exist_ok=True)
        (self.capi.parent / "__init__.py").write_text("raise AssertionError('imported')\n")
        for library in libraries:
            (self.capi / library).touch()


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Site:
    """An empty site-packages directory in place of the real ones; the standard library stays."""
    folder = tmp_path / "site-packages"
    folder.mkdir()
    standard = [path for path in sys.path if not {"site-packages", "dist-packages"} & set(Path(path).parts)]
    monkeypatch.setattr(sys, "path", [str(folder), *standard])
    monkeypatch.delitem(sys.modules, "onnxruntime", raising=False)
    monkeypatch.delenv(ENV_LIBRARY, raising=False)
    return Site(folder)


@dataclass(frozen=True)
class Case:
    """Libraries in the folder, and the one to find."""

    name: str
    libraries: tuple[str, ...]
    found: str
    version: str


CASES = [
    Case("linux", ("libonnxruntime.so.1.32.0",), "libonnxruntime.so.1.32.0", "1.32.0"),
    Case("macos", ("libonnxruntime.1.32.0.dylib",), "libonnxruntime.1.32.0.dylib", "1.32.0"),
    Case("windows: the version is the package's", ("onnxruntime.dll",), "onnxruntime.dll", "1.32.0"),
    Case(
        "providers are no candidates",
        ("libonnxruntime_providers_shared.dylib", "libonnxruntime_providers_cuda.so", "libonnxruntime.so.1.24.1"),
        "libonnxruntime.so.1.24.1",
        "1.24.1",
    ),
    Case(
        "the highest, by number and not by letter",
        ("libonnxruntime.so.1.9.0", "libonnxruntime.so.1.32.0", "libonnxruntime.so.1.4.1"),
        "libonnxruntime.so.1.32.0",
        "1.32.0",
    ),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_the_library_of_the_installed_package_is_found(site: Site, case: Case) -> None:
    site.install("onnxruntime", "1.32.0", *case.libraries)
    runtime = find_runtime()
    assert runtime.path == site.capi / case.found
    assert runtime.version == case.version
    assert runtime.distribution == "onnxruntime"
    assert "onnxruntime" not in sys.modules


@pytest.mark.parametrize("distribution", ["onnxruntime", "onnxruntime-gpu", "onnxruntime-openvino"])
def test_the_distribution_is_named(site: Site, distribution: str) -> None:
    site.install(distribution, "1.24.1", "libonnxruntime.so.1.24.1")
    assert find_runtime().distribution == distribution


def test_a_package_without_metadata_is_used_too(site: Site) -> None:
    site.capi.mkdir(parents=True)
    (site.capi / "libonnxruntime.so.1.30.0").touch()
    runtime = find_runtime()
    assert (runtime.version, runtime.distribution) == ("1.30.0", None)


def test_two_distributions_at_once_are_refused_with_the_way_out(site: Site) -> None:
    site.install("onnxruntime", "1.32.0", "libonnxruntime.so.1.32.0")
    site.install("onnxruntime-gpu", "1.32.0")
    with pytest.raises(RuntimeUnavailableError, match="overwrite each other") as caught:
        find_runtime()
    hint = str(caught.value).splitlines()[1]
    assert "pip uninstall -y onnxruntime onnxruntime-gpu" in hint
    assert 'pip install "ferrocr[gpu]"' in hint


def test_nothing_installed_names_the_extras(site: Site) -> None:
    with pytest.raises(RuntimeUnavailableError) as caught:
        find_runtime()
    assert isinstance(caught.value, ImportError)
    for extra in ("cpu", "gpu", "openvino"):
        assert f"ferrocr[{extra}]" in str(caught.value)


def test_musl_has_a_message_of_its_own(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    real = sysconfig.get_config_var
    fake: Callable[[str], object] = lambda name: "x86_64-unknown-linux-musl" if name == "HOST_GNU_TYPE" else real(name)  # noqa: E731
    monkeypatch.setattr(sysconfig, "get_config_var", fake)
    with pytest.raises(RuntimeUnavailableError, match="musl"):
        find_runtime()


def test_a_package_without_its_library_is_told_from_none(site: Site) -> None:
    site.install("onnxruntime", "1.32.0")
    with pytest.raises(RuntimeUnavailableError, match="onnxruntime is installed, but") as caught:
        find_runtime()
    assert "--force-reinstall onnxruntime" in str(caught.value)


@pytest.mark.parametrize("version", ["1.22.1", "1.9.0", "0.5.0"])
def test_old_versions_are_refused(site: Site, version: str) -> None:
    site.install("onnxruntime-gpu", version, f"libonnxruntime.so.{version}")
    with pytest.raises(RuntimeUnavailableError, match=f"{version} .* too old") as caught:
        find_runtime()
    assert '"onnxruntime-gpu>=1.23"' in str(caught.value)


@pytest.mark.parametrize("version", ["1.23.0", "1.32.0", "2.0.0"])
def test_the_minimum_and_later_are_accepted(site: Site, version: str) -> None:
    site.install("onnxruntime", version, f"libonnxruntime.so.{version}")
    assert find_runtime().version == version


def test_the_variable_names_a_file_and_wins(site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    site.install("onnxruntime", "1.32.0", "libonnxruntime.so.1.32.0")
    site.install("onnxruntime-gpu", "1.32.0")
    library = tmp_path / "libonnxruntime.so.1.24.0"
    library.touch()
    monkeypatch.setenv(ENV_LIBRARY, str(library))
    runtime = find_runtime()
    assert (runtime.path, runtime.version, runtime.distribution) == (library, "1.24.0", None)


def test_the_variable_names_a_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    library = tmp_path / "libonnxruntime.so.1.24.0"
    library.touch()
    monkeypatch.setenv(ENV_LIBRARY, str(tmp_path))
    assert find_runtime().path == library


@pytest.mark.skipif(sys.platform == "win32", reason="makes symbolic links")
def test_a_link_has_the_version_of_its_target(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target = tmp_path / "libonnxruntime.so.1.24.0"
    target.touch()
    link = tmp_path / "libonnxruntime.so.1"
    link.symlink_to(target)
    monkeypatch.setenv(ENV_LIBRARY, str(link))
    runtime = find_runtime()
    assert (runtime.path, runtime.version) == (link, "1.24.0")


def test_a_library_of_unknown_version_is_not_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    library = tmp_path / "libonnxruntime.so"
    library.touch()
    monkeypatch.setenv(ENV_LIBRARY, str(library))
    assert find_runtime().version is None


@pytest.mark.parametrize(("place", "message"), [("nowhere", "does not exist"), (".", "holds no ONNX Runtime library")])
def test_a_wrong_variable_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str, message: str
) -> None:
    monkeypatch.setenv(ENV_LIBRARY, str(tmp_path / place))
    with pytest.raises(RuntimeUnavailableError, match=message) as caught:
        find_runtime()
    assert ENV_LIBRARY in str(caught.value)


@given(st.sets(st.tuples(st.integers(2, 40), st.integers(0, 300), st.integers(0, 300)), min_size=1, max_size=6))
def test_the_highest_of_any_versions_is_taken(versions: set[tuple[int, int, int]]) -> None:
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        for version in versions:
            (Path(folder) / f"libonnxruntime.so.{'.'.join(map(str, version))}").touch()
        patch.setenv(ENV_LIBRARY, folder)
        assert find_runtime().version == ".".join(map(str, max(versions)))


def test_telemetry_is_turned_off_unless_the_user_decided(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ORT_DISABLE_TELEMETRY", "0")
    disable_telemetry()
    assert os.environ["ORT_DISABLE_TELEMETRY"] == "0"
    monkeypatch.delenv("ORT_DISABLE_TELEMETRY")
    disable_telemetry()
    assert os.environ["ORT_DISABLE_TELEMETRY"] == "1"


def test_a_file_that_is_no_library_cannot_be_opened(tmp_path: Path) -> None:
    library = tmp_path / "libonnxruntime.so.1.32.0"
    library.write_bytes(b"not a library")
    with pytest.raises(RuntimeUnavailableError, match="cannot open"):
        library_version(library)


@pytest.mark.skipif(sys.platform != "linux", reason="opens the math library by its Linux name")
def test_another_library_is_told_apart() -> None:
    name = ctypes.util.find_library("m")
    if name is None:
        pytest.skip("no math library found")
    with pytest.raises(RuntimeUnavailableError, match="not ONNX Runtime's"):
        library_version(Path(name))


def test_the_real_library_says_the_version_in_its_name() -> None:
    try:
        runtime = find_runtime()
    except RuntimeUnavailableError as error:
        pytest.skip(f"no ONNX Runtime here: {error}")
    _runtime.disable_telemetry()
    assert runtime.version is None or library_version(runtime.path) == runtime.version
