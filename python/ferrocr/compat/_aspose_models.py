"""Aspose's classes about models on disk, and its names for what needs a language model.

The members are those of Aspose's reference for Python via .NET as it was in November 2026.
"""

import difflib
import logging
import os
import warnings
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, NoReturn, TypeAlias

import ferrocr

AnyPath: TypeAlias = str | os.PathLike[str]

_SETTINGS: dict[str, object] = {
    "allow_auto_download": False,
    "directory_model_path": None,
    "file_model_path": None,
    "gpu_layers": None,
    "context_size": None,
    "hugging_face_repo_id": None,
    "hugging_face_file_name": None,
    "hugging_face_quantization": None,
}
"""Settings and their defaults, as Aspose has them."""


def refuse_unknown(owner: str, name: str, known: Iterable[str]) -> NoReturn:
    """Refuse a name that is not there: say what is, and what may have been meant.

    Raises:
        AttributeError: In any case.
    """
    names = sorted(one for one in known if not one.startswith("_"))
    near = difflib.get_close_matches(name, names, 1)
    hint = f"did you mean {near[0]}? " if near else ""
    message = f"{owner} has no {name}\n{hint}it has {', '.join(names)}"
    raise AttributeError(message)


def refuse_language_model(what: str) -> NoReturn:
    """Refuse what only a language model does.

    Raises:
        NotImplementedError: In any case.
    """
    message = f"{what} needs a language model, and ferrocr runs none\nwhat recognize() returns is not corrected"
    raise NotImplementedError(message)


class AsposeAIModelConfig:
    """Settings of models.

    Attributes:
        allow_auto_download: True if missing models may be downloaded.
        directory_model_path: The model directory; None for the usual one.
        file_model_path: A recogniser's file, or a directory of models.
        gpu_layers: 0 for the processor; any other number is for language models.
        context_size: For language models alone, as are all that begin with ``hugging_face_``.
    """

    allow_auto_download: bool
    directory_model_path: AnyPath | None
    file_model_path: AnyPath | None
    gpu_layers: int | None
    context_size: int | None
    hugging_face_repo_id: str | None
    hugging_face_file_name: str | None
    hugging_face_quantization: str | None

    def __init__(self, **settings: Any) -> None:  # noqa: ANN401
        """Take settings by their names; all have defaults."""
        for name, value in {**_SETTINGS, **settings}.items():
            setattr(self, name, value)

    def __setattr__(self, name: str, value: object) -> None:
        if name not in _SETTINGS:
            refuse_unknown("AsposeAIModelConfig", name, _SETTINGS)
        super().__setattr__(name, value)

    def __getattr__(self, name: str) -> NoReturn:
        refuse_unknown("AsposeAIModelConfig", name, _SETTINGS)

    def options(self) -> dict[str, Any]:
        """Return options of an engine.

        Raises:
            NotImplementedError: A setting is for language models.
        """
        for name in ("context_size", "hugging_face_repo_id", "hugging_face_file_name", "hugging_face_quantization"):
            if getattr(self, name) is not None:
                refuse_language_model(name)
        if self.gpu_layers not in (None, 0):
            refuse_language_model("gpu_layers")
        options: dict[str, Any] = {"download": bool(self.allow_auto_download)}
        if self.gpu_layers == 0:
            options["provider"] = "cpu"
        if self.directory_model_path:
            options["model_dir"] = self.directory_model_path
        if self.file_model_path:
            path = Path(self.file_model_path)
            options["model_dir" if path.is_dir() else "recognizer"] = path
        return options


class _Named(type):
    def __getattr__(cls, name: str) -> NoReturn:
        refuse_unknown(cls.__name__, name, vars(cls))


class Resources(metaclass=_Named):
    """The model directory of a program: what an `AsposeAI` takes that is given none.

    All methods are called on the class.
    """

    _directory: AnyPath | None = None
    _download = True

    @classmethod
    def set_local_path(cls, path: AnyPath, create: bool = True) -> None:  # noqa: FBT001, FBT002  # as it is there
        """Take this directory from now on, and create it.

        Without `create`, one that is not there is not taken, and a UserWarning says so.
        """
        if create:
            Path(path).mkdir(parents=True, exist_ok=True)
        elif not Path(path).is_dir():
            warnings.warn(f"there is no directory {path}; {cls.get_local_path()} is used as before", stacklevel=2)
            return
        cls._directory = path

    @classmethod
    def get_local_path(cls) -> str:
        """Return the directory's absolute path."""
        return cls._store().get_local_path()

    @classmethod
    def list_local(cls) -> list[str]:
        """Return file names of the models in the directory, sorted."""
        return cls._store().list_local()

    @classmethod
    def list_remote(cls) -> list[str]:
        """Return file names of all models that can be fetched, sorted. Nothing is asked for that: it is the catalog."""
        return sorted(entry.name for entry in ferrocr.catalog())

    @classmethod
    def fetch_resource(cls, name: str) -> None:
        """Download a model of `list_remote`, or a set of models, unless it is there with the right content.

        Args:
            name: Its name; the suffix may be left out.

        Raises:
            InvalidArgumentError: There is no such model.
            OcrError: As `ferrocr.ModelStore.pull`.
        """
        cls.fetch_resources([name])

    @classmethod
    def fetch_resources(cls, names: Sequence[str]) -> None:
        """Download several models, as `fetch_resource` does."""
        remote = set(cls.list_remote())
        cls._store().pull([f"{name}.onnx" if f"{name}.onnx" in remote else name for name in names])

    @classmethod
    def allow_automatic_downloads(cls, allow: bool) -> None:  # noqa: FBT001
        """Let every `AsposeAI` made from now on fetch missing models, or none; its own configuration goes first."""
        cls._download = bool(allow)

    @classmethod
    def _store(cls) -> ferrocr.ModelStore:
        return ferrocr.ModelStore(cls._directory)

    @classmethod
    def _options(cls) -> dict[str, Any]:
        options: dict[str, Any] = {} if cls._download else {"download": False}
        return options if cls._directory is None else {**options, "model_dir": cls._directory}


class _LanguageModelClass:
    """The base of classes that cannot be made."""

    def __init__(self, *_arguments: object, **_options: object) -> None:
        refuse_language_model(type(self).__name__)


class IOcrAIPostProcessor(_LanguageModelClass):
    """The interface of postprocessors."""


class SpellCheckAIProcessor(IOcrAIPostProcessor):
    """A corrector of spelling."""


class TableAIProcessor(IOcrAIPostProcessor):
    """A finder of tables."""


class KeywordsAIProcessor(IOcrAIPostProcessor):
    """A finder of keywords."""


def log_to(logging_: bool | logging.Logger) -> logging.Handler | None:  # noqa: FBT001
    """Show the messages of ferrocr's logger: on stderr, or by another logger; return what does it."""
    if logging_ is False:
        return None
    handler = logging.StreamHandler() if logging_ is True else _Forward(logging_)
    ours = logging.getLogger("ferrocr")
    ours.addHandler(handler)
    if ours.getEffectiveLevel() > logging.INFO:
        ours.setLevel(logging.INFO)
    return handler


def end_log(handler: logging.Handler | None) -> None:
    """Show them no more."""
    if handler is not None:
        logging.getLogger("ferrocr").removeHandler(handler)


class _Forward(logging.Handler):
    """Hands records on to a logger, unless they come there by themselves."""

    def __init__(self, to: logging.Logger) -> None:
        super().__init__()
        self._to = to

    def emit(self, record: logging.LogRecord) -> None:
        if self._to.isEnabledFor(record.levelno) and not record.name.startswith(self._to.name):
            self._to.handle(record)
