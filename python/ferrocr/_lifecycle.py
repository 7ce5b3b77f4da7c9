"""The life of an engine: made, loaded, unloaded, freed."""

import dataclasses
import sys
import warnings
from collections.abc import Callable
from types import FrameType, TracebackType
from typing import NoReturn, Self, SupportsIndex

from . import _core
from ._engine import _exit, _gpu, _raw
from ._engine._call import Call, Deadline
from ._engine._cores import Core
from ._engine._loading import Loader
from ._log import logger
from ._workers._lender import Workers
from .documents._pages import OpenDocument
from .exceptions import InvalidArgumentError, ResourcesFreedError
from .models.store import ModelStore
from .results import ReleaseReport
from .stats import EngineStats


class EngineLifecycle:
    """Everything that an engine owns, from its making to its release; :class:`ferrocr.OcrEngine` adds the reading.

    Args:
        core: The engine in the core.
        store: The model directory.
        loader: Helps the core to load the models.
        recognizer: The recogniser's name, for people.
        workers: Processes for documents.
    """

    # Also where a constructor fails before it is made.
    _core: Core | None = None

    def __init__(self, core: Core, store: ModelStore, loader: Loader, workers: Workers, recognizer: str) -> None:
        self._store, self._loader, self._workers, self._recognizer = store, loader, workers, recognizer
        # Those that are open: a release closes them, whoever still holds their pages.
        self._documents: set[OpenDocument] = set()
        self._processes = 0
        self._made_at = _place_of_creation(self)
        logger()
        self._core = core

    @property
    def closed(self) -> bool:
        """True once :meth:`free_resources` has begun."""
        return self._core is None or self._core.closed

    @property
    def loaded(self) -> bool:
        """True while models are in memory."""
        return self._core is not None and self._core.loaded

    @property
    def provider(self) -> str | None:
        """The provider of the loaded models, or of those that were given back; None before the first load."""
        return None if self._core is None else self._core.provider

    def stats(self) -> EngineStats:
        """Return what the engine has done in this process since it was made, and does now.

        That of an isolated engine is about all of its processes together, those that have ended included. It waits for
        nobody, and works after a release too.
        """
        return _raw.stats((_core.Counters() if self._core is None else self._core).stats())

    def list_local(self) -> list[str]:
        """Return names of the model files in the model directory, sorted; empty for a directory that is not there.

        Raises:
            ResourcesFreedError: The engine was freed.
        """
        self._open()
        return self._store.list_local()

    def get_local_path(self, name: str | None = None) -> str:
        """Return the absolute path of the model directory, or of a file in it.

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
        self._loader.load(self._open(), Call())

    def unload(self) -> ReleaseReport:
        """Give sessions and memory back, and stay open: the next call loads the models again.

        Calls in flight finish first, and calls that begin meanwhile wait. Ctrl-C ends the wait; the unload is done
        nevertheless. Models that were removed meanwhile are downloaded again where that is allowed.

        Raises:
            ResourcesFreedError: The engine was freed, also during the wait.
            ForkedError: This is a forked child, and its parent had loaded the engine.
        """
        core, gpu = self._open(), self._gpu_mb()
        report = _raw.release_report(core.unload())
        processes = self._workers.end_idle() + _processes_of(core)
        report = dataclasses.replace(report, processes=processes, gpu_before_mb=gpu, gpu_after_mb=self._gpu_mb())
        logger().info("unloaded %s: %s", self._recognizer, report)
        return report

    def free_resources(self, *, cancel: bool = False, timeout: float | None = None, trim: bool = True) -> ReleaseReport:
        """Give everything back: sessions, their threads, their memory, the lease of the files. It never reopens.

        Calls in flight finish first; a download and the rendering of a PDF's pages end. Nothing is written to the model
        directory afterwards. May be called again, and from any thread: all get the same report. Every other method
        raises ResourcesFreedError from its start on.

        Args:
            cancel: End calls in flight early; they raise OcrCancelledError.
            timeout: Seconds to wait; the report says then that it is not complete. That, and Ctrl-C, ends the wait
                alone: the last call out does the release, and calling this again waits for it.
            trim: Give memory that is free in the C library back to the system at the end. It looks through all that
                the process has allocated, a matter of milliseconds for most. The first call decides.

        Within the callback `progress` it does not wait: the release is done when the load that called it has ended, and
        the report says that it is not complete. In a forked child it does nothing to what the parent had loaded, and
        the report is marked as `inherited`.

        Raises:
            InvalidArgumentError: The timeout is negative or no number.
        """
        deadline = Deadline(timeout)
        if self._core is None:  # the constructor failed
            return ReleaseReport(0, None, None, None, 0.0)
        # First, since nothing bounds what they do, and what they give could not be read any more.
        self._processes += self._workers.close(cancel=cancel)
        gpu = None if "_report" in vars(self) else self._gpu_mb()
        report = _raw.release_report(self._core.free(cancel=cancel, timeout=deadline.left(), trim=trim))
        if self._core.inherited:  # what else there is belongs to the parent too
            return dataclasses.replace(report, inherited=True)
        if not report.complete:
            return report
        for document in list(self._documents):
            document.close()
        _exit.forget(self._core)
        if "_report" not in vars(self):
            after, processes = self._gpu_mb(), self._processes + _processes_of(self._core)
            report = dataclasses.replace(report, processes=processes, gpu_before_mb=gpu, gpu_after_mb=after)
        # One for all who ask, at the same time too.
        first: ReleaseReport = vars(self).setdefault("_report", report)
        if first is report:
            logger().info("freed %s: %s", self._recognizer, first)
        return first

    def close(self, *, cancel: bool = False, timeout: float | None = None, trim: bool = True) -> ReleaseReport:
        """Do the same as :meth:`free_resources`."""
        return self.free_resources(cancel=cancel, timeout=timeout, trim=trim)

    def __enter__(self) -> Self:
        self._open()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.free_resources()

    async def __aenter__(self) -> Self:
        self._open()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        from concurrent.futures import ThreadPoolExecutor

        from ._engine._asyncio import to_the_end

        # A thread of its own: those of the loop may all wait for what is released here.
        executor = ThreadPoolExecutor(1, "ferrocr-release")
        try:
            await to_the_end(self.free_resources, executor)
        finally:
            executor.shutdown(wait=False)

    # The default keeps the function where the module's names are gone already.
    def __del__(self, _is_finalizing: Callable[[], bool] = sys.is_finalizing) -> None:
        core = self._core
        # At interpreter exit the engine was released already, and what this needs may be gone.
        if core is None or _is_finalizing():
            return
        _exit.forget(core)
        self._workers.close()
        if core.closed or not core.loaded:
            return
        message = f"unreleased {self!r}{self._made_at}; call free_resources() or use `with`"
        # Nobody can be in a call, so there is nothing to wait for.
        core.free(cancel=False, timeout=0.0, trim=True)
        # Last, because a warning may be an error.
        warnings.warn(message, ResourceWarning, stacklevel=1, source=self)

    def __reduce_ex__(self, protocol: SupportsIndex) -> NoReturn:
        # A copy would be a second owner, and the first of both to be collected would release what the other one uses.
        message = (
            f"{type(self).__name__} cannot be copied or pickled, because it owns models in memory: share it between "
            "threads as it is, and make a new one in another process"
        )
        raise TypeError(message)

    def __repr__(self) -> str:
        if self._core is None:
            return f"<{type(self).__name__}, never made>"
        state = "closed" if self.closed else "loaded" if self.loaded else "not loaded"
        return f"<{type(self).__name__} {self._recognizer}, {state}>"

    def _gpu_mb(self) -> float | None:
        """Return the memory in use on GPUs, if the models run or ran on one."""
        if self.provider != "cuda" or (self._core is not None and self._core.inherited):
            return None
        return _gpu.used_mb()

    def _open(self) -> Core:
        if self._core is None:
            message = "this engine was never made: its constructor failed"
            raise InvalidArgumentError(message)
        try:
            self._core.check_open()
        except ResourcesFreedError:
            _exit.pause()
            raise
        return self._core


def _processes_of(core: Core) -> int:
    """Return how many processes a release of the core's engine, or its unload, has ended."""
    processes: int = getattr(core, "processes", 0)  # the core's own has none
    return processes


def _place_of_creation(engine: EngineLifecycle) -> str:
    """Return the place that made the engine, for the warning about a forgotten one; empty unless tracemalloc traces.

    tracemalloc itself does not find objects of ordinary classes in Python 3.11, and an error shows no trace of it.
    """
    import tracemalloc  # which brings pickle with it

    if not tracemalloc.is_tracing():
        return ""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None and frame.f_locals.get("self") is engine:  # also constructors of classes made from this one
        frame = frame.f_back
    return "" if frame is None else f", made in {frame.f_code.co_filename}, line {frame.f_lineno}"
