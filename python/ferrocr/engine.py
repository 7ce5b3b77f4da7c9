"""The engine that users make."""

import os
import sys
import threading
import warnings
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Literal, Self, overload

from . import _core
from ._defaults import DEFAULT_SET
from ._inputs import ImageInput, Pixels, normalise
from .exceptions import ImageError, InferenceError, InvalidArgumentError, OcrError, StorageError
from .results import Line, Page, ReleaseReport, Word
from .store import ModelStore, ProgressCallback, model_sets

ModelChoice = str | os.PathLike[str]
"""A catalog name, the name of a file in the model directory, or a path to a file anywhere."""

_MEGABYTE = 2**20
_MOST_THREADS = 1024
_MOST_PIXELS = 2**63 - 1
_MOST_SIDE = 2**32 - 1
"""The core counts sides in 32 bits."""


class OcrEngine:
    """Reads text from pictures.

    Making one is cheap: models load at the first :meth:`recognize` or at :meth:`load`. All methods may be called from
    any thread; use it in a ``with`` statement, or call :meth:`free_resources`, to give its memory and threads back.

    Args:
        models: Name of a model set; :func:`ferrocr.model_sets` lists them.
        detector: Another model that finds text, instead of the set's.
        recognizer: Another model that reads lines, instead of the set's. Its characters come from the file's metadata,
            or from a file beside it with suffix ``.txt``.
        orienter: Another model that tells lines that are upside down, instead of the set's; False for none.
        model_dir: The model directory; by default ``FERROCR_MODEL_DIR`` or the user's data directory.
        provider: Where models run: ``"cpu"``, ``"cuda"``, ``"openvino"``, or ``"auto"`` for what the installed ONNX
            Runtime is made for. A provider that is named and does not work is an error, never silently another one.
        threads: Threads that one call may use, 1 to 1024; by default as many as the process may run on.
        min_score: Lines with a lower mean character probability are left out, 0 to 1.
        max_pixels: Pictures with more pixels are refused before they are decoded.
        max_side: Pictures with a longer side are refused.
        download: Whether missing models of the catalog may be downloaded at load. ``FERROCR_OFFLINE=1`` forbids it too.
        progress: Called with (name, source, bytes done, bytes in all or None) during a download. It may call
            :meth:`free_resources`, which ends the download, but neither :meth:`load` nor :meth:`recognize`.

    Raises:
        InvalidArgumentError: An unknown set or provider, an empty name, or a number out of range.
    """

    def __init__(
        self,
        models: str = DEFAULT_SET,
        *,
        detector: ModelChoice | None = None,
        recognizer: ModelChoice | None = None,
        orienter: ModelChoice | Literal[False] | None = None,
        model_dir: str | os.PathLike[str] | None = None,
        provider: Literal["auto", "cpu", "cuda", "openvino"] = "auto",
        threads: int | None = None,
        min_score: float = 0.5,
        max_pixels: int = 150_000_000,
        max_side: int = 65_535,
        download: bool = True,
        progress: ProgressCallback | None = None,
    ) -> None:
        # First, so that __del__ finds it whatever fails below.
        self._core: _core.Engine | None = None
        _check_arguments(provider, min_score)
        _check_range("threads", threads, _MOST_THREADS)
        _check_range("max_pixels", max_pixels, _MOST_PIXELS)
        _check_range("max_side", max_side, _MOST_SIDE)
        defaults = _set_members(models)
        self._choices: tuple[ModelChoice, ModelChoice, ModelChoice | None] = (
            _choice("detector", detector, defaults[0]),
            _choice("recognizer", recognizer, defaults[1]),
            None if orienter is False else _choice("orienter", orienter, defaults[2]),
        )
        self._min_score = min_score
        self._wanted_provider = provider
        self._provider: str | None = None
        self._download = download
        self._progress = progress
        self._store = ModelStore(model_dir)
        # Held by whoever loads or downloads. The callback `progress` runs within, so its thread must get past it.
        self._lock = threading.RLock()
        self._is_loading = False
        self._core = _core.Engine(
            threads=threads,
            max_pixels=max_pixels,
            max_side=max_side,
            max_bytes=512 * _MEGABYTE,
            max_regions=4000,
            max_strip_width=4800,
            low_memory=False,
            idle_unload=None,
        )

    @property
    def closed(self) -> bool:
        """Whether :meth:`free_resources` has begun."""
        return self._core is None or self._core.closed

    @property
    def loaded(self) -> bool:
        """Whether models are in memory now."""
        return self._core is not None and self._core.loaded

    @property
    def provider(self) -> str | None:
        """Where the loaded models run; None before they are loaded."""
        return self._provider

    def list_local(self) -> list[str]:
        """Names of the model files in the model directory, sorted; empty for a directory that is not there.

        Raises:
            ResourcesFreedError: The engine was freed.
        """
        self._open()
        return self._store.list_local()

    def get_local_path(self, name: str | None = None) -> str:
        """Absolute path of the model directory, or of a file in it.

        Raises:
            InvalidArgumentError: The name is no plain file name.
            ModelNotFoundError: There is no such file.
            ResourcesFreedError: The engine was freed.
        """
        self._open()
        return self._store.get_local_path(name)

    def load(self) -> None:
        """Load the models now instead of at the first :meth:`recognize`; download missing ones where that is allowed.

        Raises:
            ModelNotFoundError: A model is missing and may not be downloaded.
            DownloadError: No source could deliver a model.
            ModelCorruptError: A file is no readable model.
            ModelMismatchError: A model does not fit its role.
            RuntimeUnavailableError: ONNX Runtime is missing, too old or ambiguous.
            InvalidArgumentError: This is the callback `progress`, which the load is waiting for.
            ResourcesFreedError: The engine was freed, also during a download.
        """
        core = self._open()
        with self._lock:
            # Again, because a release that came first has waited for this lock: nothing may begin after it.
            core.check_open()
            if core.loaded:
                return
            if self._is_loading:
                message = "this engine is loading its models: `progress` can call neither load nor recognize"
                raise InvalidArgumentError(message)
            self._is_loading = True
            try:
                self._load(core)
            finally:
                self._is_loading = False

    def recognize(self, image: ImageInput, *, min_score: float | None = None) -> Page:
        """Read one picture.

        Args:
            image: A path, an encoded file's bytes, a Pillow image, or an array (HxW grey, HxWx3 RGB, HxWx4 RGB with
                alpha; uint8, bool or uint16).
            min_score: Another bound for this call alone.

        Raises:
            InvalidArgumentError: The bound is out of its range.
            ImageError: The picture cannot be decoded or is larger than the limits allow.
            InferenceError: ONNX Runtime refused the run.
            ResourcesFreedError: The engine was freed.
            OcrError: What :meth:`load` raises, at the first call.
        """
        core = self._open()
        bound = self._min_score if min_score is None else _checked_score(min_score)
        form = normalise(image, self._check_size)
        if not core.loaded:
            self.load()
        if isinstance(form, Path):
            return _page(core.recognize_file(form, bound, None, None))
        if isinstance(form, Pixels):
            size = (form.width, form.height)
            return _page(core.recognize_pixels(form.data, size, form.channels, bound, None, None))
        return _page(core.recognize_encoded(form, bound, None, None))

    @overload
    def recognize_many(
        self, images: Iterable[ImageInput], *, min_score: float | None = None, on_error: Literal["return"] = "return"
    ) -> Iterator[Page | OcrError]: ...
    @overload
    def recognize_many(
        self, images: Iterable[ImageInput], *, min_score: float | None = None, on_error: Literal["raise"]
    ) -> Iterator[Page]: ...

    def recognize_many(
        self,
        images: Iterable[ImageInput],
        *,
        min_score: float | None = None,
        on_error: Literal["return", "raise"] = "return",
    ) -> Iterator[Page | OcrError]:
        """Read many pictures, in order, taking from `images` only what is asked for.

        Args:
            images: Any iterable of what :meth:`recognize` takes, however long.
            min_score: As for :meth:`recognize`.
            on_error: ``"return"`` yields a picture's error (ImageError, StorageError or InferenceError) in its place
                and goes on; ``"raise"`` ends there. Every other error ends it in any case.

        Raises:
            InvalidArgumentError: The bound is out of its range, or there is no such `on_error`.
            ResourcesFreedError: The engine was freed, also between two pictures.
            OcrError: What :meth:`load` raises.
        """
        if on_error not in ("return", "raise"):
            message = f"on_error is 'return' or 'raise', not {on_error!r}"
            raise InvalidArgumentError(message)
        if min_score is not None:
            _checked_score(min_score)
        self.load()
        return self._each(images, min_score, keep_going=on_error == "return")

    def _each(
        self, images: Iterable[ImageInput], min_score: float | None, *, keep_going: bool
    ) -> Iterator[Page | OcrError]:
        for image in images:
            try:
                yield self.recognize(image, min_score=min_score)
            except (ImageError, StorageError, InferenceError) as error:
                if not keep_going:
                    raise
                yield error

    def free_resources(self) -> ReleaseReport:
        """Give everything back: sessions, their threads, their memory. The engine never reopens.

        Calls in flight finish first, and a download ends: nothing is written to the model directory afterwards. May be
        called again, and from any thread: all get the same report. Every other method raises ResourcesFreedError from
        its start on.

        Raises:
            ForkedError: This is a forked child; the engine is its parent's.
        """
        if self._core is None:  # the constructor failed
            return ReleaseReport(0, None, None, None, 0.0)
        _, _, sessions, threads, _, before, after, waited = self._core.free(cancel=False, timeout=None)
        with self._lock:
            pass  # a download notices at its next step that the engine is closed
        return ReleaseReport(sessions, threads, _megabytes(before), _megabytes(after), waited)

    def close(self) -> ReleaseReport:
        """The same as :meth:`free_resources`."""
        return self.free_resources()

    def __enter__(self) -> Self:
        self._open()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.free_resources()

    def __del__(self) -> None:
        core = getattr(self, "_core", None)
        # At interpreter exit the system takes everything back anyway, and warnings may be gone already.
        if core is None or sys.is_finalizing() or core.closed or not core.loaded:
            return
        message = f"unreleased {self!r}; call free_resources() or use `with`"
        try:
            self.free_resources()
        except OcrError:
            return  # a forked child: nothing of it is its own
        # Last, because a warning may be an error.
        warnings.warn(message, ResourceWarning, stacklevel=1, source=self)

    def __repr__(self) -> str:
        state = "closed" if self.closed else "loaded" if self.loaded else "not loaded"
        return f"<{type(self).__name__} {Path(self._choices[1]).name}, {state}>"

    def _open(self) -> _core.Engine:
        if self._core is None:
            message = "this engine was never made: its constructor failed"
            raise InvalidArgumentError(message)
        self._core.check_open()
        return self._core

    def _check_size(self, width: int, height: int) -> None:
        self._open().check_size(min(width, _MOST_SIDE), min(height, _MOST_SIDE))

    def _load(self, core: _core.Engine) -> None:
        from ._runtime import disable_telemetry, find_runtime

        runtime = find_runtime()
        chosen = [choice for choice in self._choices if choice is not None]
        detector, recognizer, *orienter = self._store.resolve(chosen, download=self._download, progress=self._tell)
        disable_telemetry()
        _core.load_runtime(runtime.path)
        for provider in self._providers():
            try:
                core.load(
                    detector=detector,
                    recognizer=recognizer,
                    orienter=orienter[0] if orienter else None,
                    provider=provider,
                    store=self._store._core,
                )
            except InferenceError:
                if self._wanted_provider != "auto" or provider == "cpu":
                    raise
            else:
                self._provider = provider
                return

    def _tell(self, name: str, source: str, done: int, total: int | None) -> None:
        """Pass a download's step on. Raises once the engine is closed, because the release waits for that."""
        self._open()
        if self._progress is not None:
            self._progress(name, source, done, total)
            self._open()

    def _providers(self) -> list[str]:
        """What to try in order: for ``"auto"`` the accelerators that the library was built for, then the processor."""
        if self._wanted_provider != "auto":
            return [self._wanted_provider]
        return [name for name in ("cuda", "openvino", "cpu") if name in _core.built_in_providers()]


def _check_arguments(provider: str, min_score: float) -> None:
    if provider not in ("auto", "cpu", "cuda", "openvino"):
        message = f"there is no provider {provider!r}; the providers are auto, cpu, cuda and openvino"
        raise InvalidArgumentError(message)
    _checked_score(min_score)


def _check_range(name: str, value: int | None, most: int) -> None:
    if value is None or 1 <= value <= most:
        return
    message = f"{name} is a number from 1 to {most}, not {value}"
    raise InvalidArgumentError(message)


def _checked_score(score: float) -> float:
    if 0.0 <= score <= 1.0:
        return score
    message = f"min_score is a probability from 0 to 1, not {score}"
    raise InvalidArgumentError(message)


def _set_members(name: str) -> tuple[str, str, str]:
    sets = model_sets()
    if name not in sets:
        message = f"there is no model set {name!r}; the sets are {', '.join(sorted(sets))}"
        raise InvalidArgumentError(message)
    return sets[name]


def _choice(role: str, choice: ModelChoice | None, default: str) -> ModelChoice:
    if choice == "":
        message = f"the {role}'s name is empty"
        raise InvalidArgumentError(message, "leave it out for that of the model set")
    return default if choice is None else choice


def _page(raw: "_core._RawPage") -> Page:
    width, height, lines = raw
    return Page(width, height, tuple(Line(*line[:3], tuple(Word(*word) for word in line[3])) for line in lines))


def _megabytes(size: int | None) -> float | None:
    return None if size is None else size / _MEGABYTE
