"""Aspose's classes: configuration, resources, logging, and what needs a language model."""

import logging
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import pytest

import ferrocr
from conftest import RECOGNIZER
from ferrocr import exceptions
from ferrocr.compat.aspose import AsposeAI, AsposeAIModelConfig, Resources, SpellCheckAIProcessor


@pytest.fixture(autouse=True)
def _as_at_the_start() -> Iterator[None]:
    """Resources are the program's: each test finds them untouched."""
    yield
    Resources._directory, Resources._download = None, True


def made_with(config: AsposeAIModelConfig) -> dict[str, Any]:
    return config.options()


def test_a_configuration_is_options_of_the_engine(tmp_path: Path) -> None:
    config = AsposeAIModelConfig()
    assert made_with(config) == {"download": False}
    config.allow_auto_download = True
    config.directory_model_path = str(tmp_path)
    config.gpu_layers = 0
    assert made_with(config) == {"download": True, "model_dir": str(tmp_path), "provider": "cpu"}
    assert made_with(AsposeAIModelConfig(file_model_path=tmp_path / "own.onnx"))["recognizer"] == tmp_path / "own.onnx"
    assert made_with(AsposeAIModelConfig(file_model_path=tmp_path))["model_dir"] == tmp_path


@pytest.mark.parametrize("name", ["context_size", "gpu_layers", "hugging_face_repo_id", "hugging_face_quantization"])
def test_settings_of_language_models_are_refused(name: str) -> None:
    with pytest.raises(NotImplementedError, match=f"{name} needs a language model, and ferrocr runs none"):
        AsposeAI(AsposeAIModelConfig(**{name: 40}))


def test_a_misspelt_setting_is_no_silent_one() -> None:
    config: Any = AsposeAIModelConfig()
    with pytest.raises(AttributeError, match="did you mean directory_model_path"):
        config.directory_model_pth = "x"
    with pytest.raises(AttributeError, match="did you mean allow_auto_download"):
        _ = config.allow_auto_downloads
    with pytest.raises(AttributeError, match="has no nonsense"):
        AsposeAIModelConfig(nonsense=1)


def test_the_directory_comes_from_the_configuration_or_the_resources(models: Path, tmp_path: Path) -> None:
    with AsposeAI(AsposeAIModelConfig(directory_model_path=str(models))) as ai:
        assert ai.list_local() == ["a.bin", "b.onnx"]
    Resources.set_local_path(models)
    with AsposeAI(True) as ai:
        assert ai.get_local_path() == str(models)
    with AsposeAI(tmp_path) as ai:
        assert ai.get_local_path() == str(tmp_path)
    with AsposeAI(AsposeAIModelConfig(), model_dir=tmp_path) as ai:
        assert ai.get_local_path() == str(tmp_path)


def test_resources_have_a_directory(models: Path, tmp_path: Path) -> None:
    Resources.set_local_path(models, create=False)
    assert Resources.get_local_path() == str(models)
    assert Resources.list_local() == ["a.bin", "b.onnx"]
    with pytest.warns(UserWarning, match="there is no directory"):
        Resources.set_local_path(tmp_path / "other", create=False)
    assert Resources.get_local_path() == str(models)
    Resources.set_local_path(str(tmp_path / "new" / "one"))
    assert (tmp_path / "new" / "one").is_dir()


def test_resources_are_fetched_by_their_names(
    models_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FERROCR_MIRROR", models_dir.as_uri())
    monkeypatch.delenv("FERROCR_OFFLINE")
    assert RECOGNIZER in Resources.list_remote()
    Resources.set_local_path(tmp_path / "models")
    Resources.fetch_resource(RECOGNIZER.removesuffix(".onnx"))
    Resources.fetch_resources(["ppocrv6-small"])
    assert len(Resources.list_local()) == 3
    with pytest.raises(exceptions.InvalidArgumentError):
        Resources.fetch_resource("nothing of that name")


def test_downloads_are_forbidden_for_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("FERROCR_OFFLINE")
    monkeypatch.setenv("FERROCR_MIRROR", tmp_path.as_uri())
    Resources.allow_automatic_downloads(False)
    with AsposeAI(tmp_path) as ai, pytest.raises(exceptions.ModelNotFoundError, match="download"):
        ai.recognize(b"")


def test_it_is_initialized_while_models_are_loaded(models_dir: Path, picture_file: Path) -> None:
    with AsposeAI(models_dir, download=False) as ai:
        assert ai.is_initialized() is False
        assert ai.recognize(picture_file).lines[1].text == "Order 4711 paid"
        assert ai.is_initialized() is True
    assert ai.is_initialized() is False


def test_messages_are_shown_while_it_is_open(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    theirs, seen = logging.getLogger("my program"), logging.getLogger("ferrocr").handlers[:]
    received: list[str] = []

    class Keep(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            received.append(record.getMessage())

    handler = Keep()
    theirs.addHandler(handler)
    theirs.setLevel(logging.INFO)
    try:
        for form in (theirs, True, False):
            with AsposeAI(form):
                logging.getLogger("ferrocr").info("a message")
            logging.getLogger("ferrocr").info("not seen")
    finally:
        theirs.removeHandler(handler)
        logging.getLogger("ferrocr").setLevel(logging.NOTSET)
    assert received[0] == "a message"
    assert "not seen" not in received
    assert [one for one in logging.getLogger("ferrocr").handlers if one not in seen][1:] == []


def test_wrong_forms_of_logging_are_refused() -> None:
    with pytest.raises(TypeError, match=r"True, False or a logging\.Logger"):
        AsposeAI(cast("Any", 3))


@pytest.mark.parametrize(
    "use",
    [
        lambda ai: ai.set_post_processor(object(), AsposeAIModelConfig()),
        lambda ai: ai.run_postprocessor([]),
        lambda ai: SpellCheckAIProcessor(),
    ],
)
def test_language_models_are_refused(use: Any, models: Path) -> None:  # noqa: ANN401
    with (
        AsposeAI(models) as ai,
        pytest.raises(NotImplementedError, match="needs a language model, and ferrocr runs none"),
    ):
        use(ai)


def test_unknown_attributes_say_what_there_is(models: Path) -> None:
    with AsposeAI(models) as ai:
        loose: Any = ai
        with pytest.raises(
            AttributeError, match=r"AsposeAI has no list_locals\ndid you mean list_local\? it has closed, f"
        ):
            loose.list_locals()
        assert not hasattr(ai, "dispose")
    with pytest.raises(AttributeError, match=r"did you mean fetch_resource\? it has allow_automatic"):
        cast("Any", Resources).fetch_ressource("x")


def test_scripts_find_the_classes_and_are_told_what_else_there_is() -> None:
    code = (
        "from ferrocr.compat import aspose as compat\n"
        "compat.install()\n"
        "from aspose.ocr import Resources\n"
        "from aspose.ocr.ai import AsposeAI, AsposeAIModelConfig, SpellCheckAIProcessor, TableAIProcessor\n"
        "assert Resources is compat.Resources and AsposeAIModelConfig is compat.AsposeAIModelConfig\n"
        "import aspose.ocr\n"
        "try:\n"
        "    aspose.ocr.AsposeOcr()\n"
        "except AttributeError as error:\n"
        "    print(error)\n"
    )
    done = subprocess.run([sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=False)
    assert done.stderr == ""
    assert done.stdout == "aspose.ocr, served by ferrocr, has no AsposeOcr\nit has Resources, ai\n"


def test_the_version_of_models_is_the_engines() -> None:
    assert {entry.name for entry in ferrocr.catalog()} == set(Resources.list_remote())
