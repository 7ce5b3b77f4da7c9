"""The options of a batch: what is read in which way, and how many processes and how much memory that may take."""

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import ferrocr

from .._core import __version__
from .._engine._call_options import checked_rules
from .._engine._options import model_choices
from .._memory import available_mb
from ..documents._request import DocumentKeywords, checked_request
from ..exceptions import InvalidArgumentError
from ..models._catalog import DEFAULT_SET

OF_READING = DocumentKeywords.__annotations__.keys() - {"timeout", "characters"}
"""Options of :meth:`ferrocr.OcrEngine.recognize_document` that a batch takes; its rows have no characters."""

_CHOICES = ("models", "detector", "recognizer", "orienter", "page_orienter")

_DECIDING = (*_CHOICES, "languages", "provider", "preset", "max_pixels", "max_side", "max_regions", "max_strip_width")
"""Options of an engine that decide about its pages. Threads, processes and memory do not."""

_TAKEN = {"isolated": "", "max_memory": "memory=", "idle_unload": "", "progress": "download_progress="}
"""Options of an engine that a batch chooses itself, with what to say instead."""

LEAST_MEMORY = 400 * 2**20
"""Bytes that a process needs for pages up to A4; docs/isolation.md has the figure."""

TIMEOUT = 300.0
"""Seconds for one page, after which it is an error: a batch that runs for days waits for no page for ever."""

IDLE = 60.0
"""Seconds without a page after which a machine's models are given back: a cluster outlives a batch."""


@dataclass(frozen=True)
class Settings:
    """The options of a batch. They can be pickled.

    Attributes:
        engine: Options of :class:`ferrocr.OcrEngine`.
        reading: Options of :meth:`ferrocr.OcrEngine.recognize_document`, without the timeout.
        workers: Processes with models on each machine; None for one a core, or for as many as there is memory.
        memory: Bytes that these processes may take together on each machine; None for no bound.
        timeout: Seconds for each page.
        io_config: Daft's options for object stores; None for its defaults.
    """

    engine: Mapping[str, Any] = field(default_factory=dict)
    reading: Mapping[str, Any] = field(default_factory=dict)
    workers: int | None = None
    memory: int | None = None
    timeout: float = TIMEOUT
    io_config: Any = None

    @classmethod
    def of(
        cls,
        *,
        workers: int | None = None,
        memory: int | None = None,
        timeout: float = TIMEOUT,
        io_config: object = None,
        **options: Any,  # noqa: ANN401
    ) -> "Settings":
        """Return settings with the options of an engine and of reading told apart, all of them checked.

        Raises:
            InvalidArgumentError: One is out of its range.
            TypeError: There is no such option.
        """
        reading = {name: value for name, value in options.items() if name in OF_READING}
        engine = {name: value for name, value in options.items() if name not in OF_READING}
        if reading.get("words") is not None:
            reading["words"] = list(reading["words"])
        settings = cls(engine, reading, workers, memory, timeout, io_config)
        settings.check()
        return settings

    def check(self) -> None:
        """Refuse what no engine takes, before anything is listed or loaded.

        Raises:
            InvalidArgumentError: An option is out of its range.
        """
        reading = self.reading
        checked_request(reading.get("pages"), reading.get("dpi", 200), reading.get("text_layer", "ignore"), None)
        checked_rules(reading.get("allow"), reading.get("pattern"), reading.get("words"))
        if self.memory is not None and self.memory < 2 * LEAST_MEMORY:
            message = f"memory is at least {2 * LEAST_MEMORY} bytes, for a process with models and one for what fails"
            raise InvalidArgumentError(message, shell_hint=f"say --memory {2 * LEAST_MEMORY // 2**20} or more")
        for name, instead in _TAKEN.items():
            if name in self.engine:
                message = f"{name} is not for batches, whose engines are isolated"
                raise InvalidArgumentError(message, f"say {instead}" if instead else None)
        workers = 1 if self.workers is None else self.workers
        self.make_engine(workers, max_memory=self.memory).free_resources()

    def make_engine(self, workers: int, **others: Any) -> "ferrocr.OcrEngine":  # noqa: ANN401
        """Return an engine whose models are in `workers` processes of their own."""
        return ferrocr.OcrEngine(**{**self.engine, "isolated": True, "workers": workers, **others})

    def shares(self) -> dict[str, Any]:
        """Return the threads and the memory of each of this machine's processes, as an engine's options."""
        workers = self.workers or 1
        threads = self.engine.get("threads") or max(1, cores() // workers)
        # One more process takes what failed in the others.
        return {"threads": threads, "max_memory": None if self.memory is None else self.memory // (workers + 1)}

    def on_this_machine(self) -> "Settings":
        """Return the same with the number of workers that suits this machine."""
        if self.workers is not None:
            return self
        # Each process would have a context of its own on the GPU, and would wait for it.
        on_gpu = self.engine.get("provider") == "cuda"
        workers = 1 if on_gpu else cores() // max(1, self.engine.get("threads") or 1)
        free = available_mb() if self.memory is None else self.memory / 2**20
        if free is not None:
            workers = min(workers, int(free * 2**20) // LEAST_MEMORY - 1)
        return replace(self, workers=max(1, min(workers, 256)))

    def models(self) -> str:
        """Return the names of the models, as rows have them."""
        chosen = {name: self.engine.get(name) for name in _CHOICES[1:]}
        choices = model_choices(self.engine.get("models", DEFAULT_SET), chosen, self.engine.get("languages"))
        return ", ".join(os.fspath(choice) for choice in choices.values())

    def id(self) -> str:
        """Return a short text that is another one for other options, models or versions of ferrocr."""
        deciding: dict[str, Any] = {name: self.engine.get(name) for name in _DECIDING}
        deciding |= {name: self.reading.get(name) for name in sorted(OF_READING - {"password"})}
        pages = deciding["pages"]
        deciding["pages"] = pages if pages is None or isinstance(pages, str) else list(pages)
        deciding |= {"ferrocr": __version__, "models": self.models(), "min_score": self._min_score()}
        return hashlib.sha256(json.dumps(deciding, sort_keys=True, default=os.fspath).encode()).hexdigest()[:32]

    def _min_score(self) -> float | None:
        own: float | None = self.reading.get("min_score")
        return self.engine.get("min_score") if own is None else own


def cores() -> int:
    """Return the number of processors that this process may run on."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
