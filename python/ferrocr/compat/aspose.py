"""``AsposeAI`` on ferrocr's engine, and a runner for scripts that import it from ``aspose.ocr.ai``.

In a program of your own::

    from ferrocr.compat.aspose import AsposeAI, AsposeAIModelConfig, Resources

A script that says ``from aspose.ocr.ai import AsposeAI`` runs unchanged with::

    python -m ferrocr.compat.aspose script.py [args]
"""

import logging as logs
import os
import runpy
import sys
from collections.abc import Callable, Sequence
from functools import partial
from importlib.machinery import ModuleSpec
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType, TracebackType
from typing import TYPE_CHECKING, Any, NoReturn, Self

import ferrocr

from .._text import printable
from ._aspose_models import (
    AsposeAIModelConfig,
    IOcrAIPostProcessor,
    KeywordsAIProcessor,
    Resources,
    SpellCheckAIProcessor,
    TableAIProcessor,
    end_log,
    log_to,
    refuse_language_model,
    refuse_unknown,
)

if TYPE_CHECKING:
    from ferrocr import Page, ReleaseReport

__all__ = [
    "AsposeAI",
    "AsposeAIModelConfig",
    "IOcrAIPostProcessor",
    "KeywordsAIProcessor",
    "Resources",
    "SpellCheckAIProcessor",
    "TableAIProcessor",
    "audit_models",
    "install",
]

_FOR_LANGUAGE_MODELS = (IOcrAIPostProcessor, SpellCheckAIProcessor, TableAIProcessor, KeywordsAIProcessor)

EXIT_USAGE = 2
_USAGE = "usage: python -m ferrocr.compat.aspose script.py [args]"


class AsposeAI:
    """The models on disk, and reading with them, in the shape of Aspose's class of this name.

    Making one is cheap: models are loaded by the first `recognize`. After `free_resources` every method raises
    `ResourcesFreedError`, which is a `RuntimeError`.
    """

    def __init__(
        self,
        logging: "bool | logs.Logger | AsposeAIModelConfig | str | os.PathLike[str] | None" = None,
        *,
        model_dir: str | os.PathLike[str] | None = None,
        **options: Any,  # noqa: ANN401
    ) -> None:
        """Open the model directory.

        Args:
            logging: True to show messages of loads, downloads and releases on stderr; a logger that gets them; or,
                in its place, a configuration, or the model directory.
            model_dir: The directory; None takes that of `Resources`, or ``FERROCR_MODEL_DIR``, or the user's own.
            options: Whatever else `ferrocr.OcrEngine` takes.

        Raises:
            NotImplementedError: The configuration has settings for language models.
        """
        own: dict[str, Any] = {}
        self._handler: logs.Handler | None = None
        if isinstance(logging, AsposeAIModelConfig):
            own = logging.options()
        elif isinstance(logging, str | os.PathLike):
            own = {"model_dir": logging}
        elif logging is not None and not isinstance(logging, bool | logs.Logger):
            message = f"logging is True, False or a logging.Logger, not {logging!r}"
            raise TypeError(message)
        if model_dir is not None:
            own["model_dir"] = model_dir
        self._engine = ferrocr.OcrEngine(**{**Resources._options(), **own, **options})
        if isinstance(logging, bool | logs.Logger):
            self._handler = log_to(logging)

    def __getattr__(self, name: str) -> NoReturn:
        """Say what there is.

        Raises:
            AttributeError: In any case.
        """
        refuse_unknown(type(self).__name__, name, vars(type(self)))

    def is_initialized(self) -> bool:
        """Return True while models are loaded: from the first `recognize` to `free_resources`."""
        return self._engine.loaded

    def set_post_processor(self, processor: object, custom_settings: object = None) -> NoReturn:
        """Refuse what needs a language model.

        Raises:
            NotImplementedError: In any case.
        """
        refuse_language_model("set_post_processor")

    def run_postprocessor(self, res: object) -> NoReturn:
        """Refuse what needs a language model.

        Raises:
            NotImplementedError: In any case.
        """
        refuse_language_model("run_postprocessor")

    def list_local(self) -> list[str]:
        """Return file names of the models in the directory, sorted; empty where it does not exist yet."""
        return self._engine.list_local()

    def get_local_path(self, name: str | None = None) -> str:
        """Return the absolute path of the directory, or of the model `name` in it."""
        return self._engine.get_local_path(name)

    def recognize(self, image: Any, **options: Any) -> "Page":  # noqa: ANN401
        """Read `image`: whatever `ferrocr.OcrEngine.recognize` takes."""
        return self._engine.recognize(image, **options)

    def free_resources(
        self, *, cancel: bool = False, timeout: float | None = None, trim: bool = True
    ) -> "ReleaseReport":
        """Give everything back, as `ferrocr.OcrEngine.free_resources` does; again returns the same report."""
        report = self._engine.free_resources(cancel=cancel, timeout=timeout, trim=trim)
        end_log(self._handler)
        self._handler = None
        return report

    @property
    def closed(self) -> bool:
        """True once `free_resources` has been called."""
        return self._engine.closed

    def __enter__(self) -> Self:
        """Return itself; its end frees the resources."""
        self._engine.__enter__()
        return self

    def __exit__(self, *exc_info: object) -> None:
        """Free the resources."""
        self.free_resources()


def audit_models(directory: str | os.PathLike[str]) -> list[str]:
    """Return ``OLD: path`` for each model whose name begins with ``old_``, and ``CURRENT: path`` for each other one."""
    store = ferrocr.ModelStore(directory)
    return [
        f"{'OLD' if name.startswith('old_') else 'CURRENT'}: {store.get_local_path(name)}"
        for name in store.list_local()
    ]


def install() -> str | None:
    """Make `aspose.ocr.ai.AsposeAI` importable in this process, in place of any package of that name.

    Other packages of a real ``aspose`` namespace, such as ``aspose.words``, stay importable.

    Returns:
        Where a real ``aspose`` package lies, if one is installed; None otherwise.
    """
    shadowed = _real_aspose()
    served = (AsposeAI, AsposeAIModelConfig, *_FOR_LANGUAGE_MODELS)
    ai = _StandIn("aspose.ocr.ai", None, **{kind.__name__: kind for kind in served})
    ocr = _StandIn("aspose.ocr", [], ai=ai, Resources=Resources)
    root = _StandIn("aspose", shadowed, ocr=ocr)
    sys.modules.update({module.__name__: module for module in (root, ocr, ai)})
    return shadowed[0] if shadowed else None


class _StandIn(ModuleType):
    """A module made here, with `members`; a package where `search` says in which directories its other modules lie."""

    def __init__(self, name: str, search: list[str] | None, **members: object) -> None:
        super().__init__(name, "Stands in for the module of that name; served by ferrocr.")
        self.__spec__ = ModuleSpec(name, None, is_package=search is not None)
        self.__dict__.update(members, __all__=list(members))
        if search is not None:
            self.__path__ = search

    def __getattr__(self, name: str) -> NoReturn:
        refuse_unknown(f"{self.__name__}, served by ferrocr,", name, self.__all__)


def _real_aspose() -> list[str]:
    """Return the directories of an installed ``aspose`` package that is not this module's own."""
    loaded = sys.modules.get("aspose")
    if isinstance(loaded, _StandIn):
        return list(loaded.__path__)
    try:
        spec = find_spec("aspose")
    except ValueError:  # a module of that name without a spec, put into sys.modules by someone
        return []
    return list((spec and spec.submodule_search_locations) or ())


def run_script(script: str, arguments: Sequence[str]) -> None:
    """Run `script` as ``__main__`` with the stand-ins installed; what it raises, SystemExit too, goes through."""
    sys.path.insert(0, str(Path(script).resolve().parent))
    sys.argv = [script, *arguments]
    real = install()
    if real is not None:
        _tell(f"note: using ferrocr in place of the aspose package at {real}")
    runpy.run_path(script, run_name="__main__")


def main(argv: Sequence[str] | None = None) -> int:
    """Run the script named by the first argument; 2 when there is none or it cannot be read."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    if arguments[:1] in (["-h"], ["--help"]):
        print(_USAGE)
        return 0
    if not arguments:
        _tell(f"error: no script given\n{_USAGE}")
        return EXIT_USAGE
    script, *rest = arguments
    if (why := _why_not(Path(script))) is not None:
        _tell(f"error: cannot run {printable(script)}: {why}")
        return EXIT_USAGE
    run_script(script, rest)
    return 0


def _why_not(script: Path) -> str | None:
    """Say why a script cannot be run; None where it can. A folder is run as Python does it, by its ``__main__.py``."""
    try:
        if script.is_dir():
            return None if (script / "__main__.py").is_file() else "it is a folder without __main__.py"
        script.open("rb").close()
    except FileNotFoundError:
        return "no such file"
    except OSError as error:
        return str(error.strerror)
    return None


def _tell(text: str) -> None:
    if sys.stderr is not None:  # `print` would take stdout
        print(text, file=sys.stderr)


def _run_as_program() -> int:
    """Run the script as ``python script.py`` does: its folder leads the path alone, and its tracebacks are its own."""
    if not sys.flags.safe_path:
        del sys.path[0]  # the current directory, put there for ``-m``
    try:
        return main()
    except (Exception, KeyboardInterrupt):
        sys.excepthook = partial(_without_our_frames, sys.excepthook)
        raise


def _without_our_frames(
    hook: Callable[[type[BaseException], BaseException, TracebackType | None], object],
    kind: type[BaseException],
    error: BaseException,
    frames: TracebackType | None,
) -> None:
    """Hand an error on to `hook`, without the frames of this module and of those who run it and the script."""
    while frames is not None and frames.tb_frame.f_code.co_filename in (__file__, runpy.__file__, "<frozen runpy>"):
        frames = frames.tb_next
    hook(kind, error.with_traceback(frames), frames)


if __name__ == "__main__":
    # This file runs as `__main__` here; scripts and callers must see one class, that of the imported module.
    from ferrocr.compat import aspose

    sys.exit(aspose._run_as_program())
