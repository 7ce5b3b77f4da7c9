"""Loading models: finding or fetching their files, ONNX Runtime's library, and the provider that works."""

import os
import time
import warnings
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from .. import _core
from ..exceptions import InferenceError, InvalidArgumentError, OcrError, OcrTimeoutError, OutOfMemoryError
from ..models.store import ModelStore, ProgressCallback
from . import _exit
from ._call import Call, Claim, Gate
from ._forks import in_one_piece
from ._options import PROVIDERS, ModelChoices, Provider, check_choice, check_progress


class Loader:
    """Loads the models of one engine, as often as they are gone.

    Args:
        store: The model directory.
        choices: The models by role.
        provider: The provider that was asked for.
        download: True if missing models may be fetched.
        progress: Told of downloads.

    Attributes:
        gate: Inside is whoever loads or downloads. The callback `progress` runs within, so its thread must get past it.
        provider: The provider of the loaded models, or of those that were given back; None before the first load.
        ended: When the last load ended, by the monotonic clock; 0 before the first.

    Raises:
        InvalidArgumentError: There is no such provider, or `progress` is no function.
    """

    def __init__(
        self,
        store: ModelStore,
        choices: ModelChoices,
        provider: Provider,
        *,
        download: bool,
        progress: ProgressCallback | None,
    ) -> None:
        check_choice("provider", provider, PROVIDERS)
        check_progress(progress)
        self._store, self._choices, self._wanted_provider = store, choices, provider
        self._download, self._progress = download, progress
        self.gate = Gate()
        self.provider: str | None = None
        self.ended = 0.0

    @property
    def recognizer(self) -> str:
        """The recogniser's name, for people."""
        return Path(os.fspath(self._choices["recognizer"])).name

    def load(self, core: _core.Engine, call: Call) -> None:
        """Load the models into `core`, unless they are there.

        Raises:
            OcrError: As :meth:`ferrocr.OcrEngine.load`, and whatever ends `call`.
        """
        claim = Claim()
        try:
            if not self.gate.enter(claim, call.deadline, partial(_look_around, core, call)):
                raise call.timed_out()
            # Again, because a release that came first has waited for this gate: nothing may begin after it.
            core.check_open()
            if core.loaded:
                return
            if self.gate.owner is not claim:  # this thread is inside already
                message = "this engine is loading its models: `progress` can call neither load nor recognize"
                raise InvalidArgumentError(message)
            self._load_for(core, call)
        finally:
            if self.gate.owner is claim:
                del self.gate.owner

    def _load_for(self, core: _core.Engine, call: Call) -> None:
        try:
            self._load(core, call)
        except OcrTimeoutError as error:
            core.check_open()
            # The core knows only what was left of the time.
            raise call.timed_out() from error
        except OcrError:
            # A release that began meanwhile has given back what the load stood on, and is the better reason.
            core.check_open()
            raise
        finally:
            self.ended = time.monotonic()

    def _load(self, core: _core.Engine, call: Call) -> None:
        library = in_one_piece(_library)
        tell = partial(self._tell, core, call)
        paths = self._store.resolve(self._choices.values(), download=self._download, progress=tell)
        _exit.remember(core, self)
        in_one_piece(lambda: _core.load_runtime(library))
        files = dict(zip(self._choices, paths, strict=True))
        # Outside of what forks wait for: another process may hold the directory's lock for a while.
        protection = self._store._core.protect(files, look_around=partial(_look_around, core, call))
        try:
            if protection.fault is not None:
                warnings.warn(_unprotected(protection.fault), RuntimeWarning, stacklevel=1)
            self._load_somewhere(core, files, protection, call)
        finally:
            protection.release()

    def _load_somewhere(
        self, core: _core.Engine, files: dict[str, Path], protection: _core.Protection, call: Call
    ) -> None:
        def load(provider: str) -> None:
            timeout = call.deadline.left()
            core.load(files, provider=provider, protection=protection, timeout=timeout, stop=call.stop)

        for provider in self._providers():
            try:
                in_one_piece(partial(load, provider), first=provider)
            except (InferenceError, OutOfMemoryError) as error:
                if self._wanted_provider != "auto" or provider == "cpu":
                    raise
                warnings.warn(_passed_over(provider, error), RuntimeWarning, stacklevel=1)
            else:
                self.provider = provider
                return

    def _tell(self, core: _core.Engine, call: Call, name: str, source: str, done: int, total: int | None) -> None:
        """Pass a download's step on.

        Raises once the engine is closed, because the release waits for that, and once the call that loads is to end.
        """
        _look_around(core, call)
        if self._progress is not None:
            self._progress(name, source, done, total)
            _look_around(core, call)

    def _providers(self) -> Sequence[Provider]:
        """Return the providers to try, in order: for ``"auto"`` those that are worth it, the processor last."""
        if self._wanted_provider != "auto":
            return [self._wanted_provider]
        return _core.automatic_providers()


def _look_around(core: _core.Engine, call: Call) -> None:
    """Refuse to go on once the engine is closed or the call that loads is to end."""
    core.check_open()
    call.check()


def _passed_over(provider: str, error: OcrError) -> str:
    """Return the warning that a provider of the installed ONNX Runtime does not work here."""
    why = str(error).split("\n")[0]
    what = f"ONNX Runtime has the provider {provider}, and it does not work here, so another one is used: {why}"
    return f'{what}; `ferrocr doctor` shows the providers, and provider="cpu" does without this one'


def _unprotected(fault: str) -> str:
    what, *hint = fault.split("\n")
    return "; ".join((f"the models are loaded, and any process may remove them: {what}", *hint))


def _library() -> Path:
    """Return ONNX Runtime's library, which may be loaded from then on."""
    # Its imports take longer than all the rest of the package.
    from ._runtime import disable_telemetry, find_runtime

    library = find_runtime().path
    disable_telemetry()
    return library
