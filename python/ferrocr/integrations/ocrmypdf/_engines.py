"""The engines that OCRmyPDF's workers share: one a process and a choice of options, made when a page comes."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import NamedTuple, Protocol

from ocrmypdf.exceptions import BadArgsError, ExitCodeException, MissingDependencyError

from ..._languages import EVERYTHING, KNOWN, languages_of
from ..._sharing import SharedEngines
from ...engine import OcrEngine
from ...exceptions import DownloadError, InvalidArgumentError, ModelNotFoundError, OcrError, RuntimeUnavailableError
from ...models._catalog import DEFAULT_SET
from ...models.store import ModelStore, model_sets

_IDLE = 60.0
"""Seconds after which memory is given back in a program that goes on when its files are done."""


class Options(Protocol):
    """The part of OCRmyPDF's options that is used; those of ferrocr's own are looked up by name."""

    languages: list[str]
    jobs: int | None
    use_threads: bool
    extra_attrs: dict[str, object]


class Settings(NamedTuple):
    """The options that an engine is made with."""

    models: str
    model_dir: str | None
    preset: str
    languages: tuple[str, ...] | None
    threads: int | None


def settings_of(options: Options) -> Settings:
    """Return the settings that OCRmyPDF's options name.

    Raises:
        BadArgsError: A language is unknown.
    """
    unknown = sorted(set(options.languages) - KNOWN.keys() - {EVERYTHING})
    if unknown:
        message = (
            f"ferrocr does not know the language {', '.join(unknown)}. It knows, by Tesseract's names: "
            f"{', '.join(sorted(KNOWN))}; and {EVERYTHING} for all that its models can read."
        )
        raise BadArgsError(message)
    return Settings(
        getattr(options, "ferrocr_models", None) or DEFAULT_SET,
        getattr(options, "ferrocr_model_dir", None),
        getattr(options, "ferrocr_preset", None) or "default",
        languages_of(options.languages),
        getattr(options, "ferrocr_threads", None),
    )


def engine_of(settings: Settings) -> OcrEngine:
    """Return the engine of this process. It is released when the process ends."""
    return _shared.engine(settings)


def check_models(settings: Settings) -> None:
    """See to it that the models are there before any page is worked on; fetch them where that is allowed.

    Raises:
        MissingDependencyError: They are not, and cannot be fetched.
        BadArgsError: There is no such set of models, or it cannot read a language.
    """
    with translated(), _made(settings) as engine:  # refuses what is out of its range
        if settings.languages in (None, ("en",)):
            ModelStore(settings.model_dir).resolve(list(model_sets()[settings.models]), download=True)
        else:
            # All models know English, the default. Other languages choose the model, and it is asked whether it has
            # their letters, which takes a tenth of a second or two.
            engine.load()


def share_of_threads(options: Options, pages: int) -> int:
    """Return threads for the engine of each worker process: all workers together have OCRmyPDF's number of jobs."""
    limit = os.environ.get("OMP_THREAD_LIMIT", "")
    if limit.isdecimal() and int(limit) > 0:
        return int(limit)
    jobs = options.jobs or _processors()
    # Threads share one engine, whose threads read the lines of all pages in work.
    return jobs if options.use_threads else max(1, jobs // max(1, min(jobs, pages)))


@cache
def has_tesseract() -> bool:
    """Return True if there is a Tesseract."""
    return shutil.which("tesseract") is not None


@contextmanager
def translated() -> Iterator[None]:
    """Translate errors into the form in which OCRmyPDF shows them: as a message, and by its exit code."""
    try:
        yield
    except (ModelNotFoundError, DownloadError, RuntimeUnavailableError) as error:
        message, hint = error.for_shell()
        if not hint and not isinstance(error, RuntimeUnavailableError):
            hint = "fetch the models with: ferrocr models pull"
        raise MissingDependencyError(_lines(message, hint)) from error
    except InvalidArgumentError as error:
        raise BadArgsError(_lines(*error.for_shell())) from error
    except OcrError as error:
        message = f"ferrocr: {_lines(*error.for_shell())}"
        raise ExitCodeException(message) from error


def _lines(message: str, hint: str) -> str:
    return f"{message}\n{hint}" if hint else message


def _made(settings: Settings) -> OcrEngine:
    return OcrEngine(
        settings.models,
        model_dir=settings.model_dir,
        preset=settings.preset,  # type: ignore[arg-type]  # the engine refuses others
        languages=settings.languages,
        threads=settings.threads and min(settings.threads, 1024),
        idle_unload=_IDLE,
    )


def _processors() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


_shared = SharedEngines(_made)
