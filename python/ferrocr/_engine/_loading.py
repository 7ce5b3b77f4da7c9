"""Python's part in loading models: what the core cannot know, and what it says to users."""

import warnings
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from .. import _core
from .._log import logger, logging_downloads
from .._packages import package_folders
from ..exceptions import OcrTimeoutError
from ..models.store import ProgressCallback, sources
from . import _exit
from ._call import Call
from ._cores import Core
from ._options import check_progress

if TYPE_CHECKING:
    from .._core import _Sources


class Loader:
    """Answers the core's questions about the models of one engine, while it loads them.

    The core refers to it weakly: the callback `progress` may well own the engine.

    Args:
        models: The models, for messages.
        download: True if missing models may be fetched.
        progress: Told of downloads.

    Raises:
        InvalidArgumentError: `progress` is no function.
    """

    def __init__(self, models: Iterable[str], *, download: bool, progress: ProgressCallback | None) -> None:
        check_progress(progress)
        self._models, self._download = ", ".join(models), download
        self._arrived = logging_downloads(progress)

    def load(self, core: Core, call: Call) -> None:
        """Load the models into `core`, unless they are there.

        Raises:
            OcrError: As :meth:`ferrocr.OcrEngine.load`, and whatever ends `call`.
        """
        call.check()
        _exit.remember(core, self)
        try:
            core.load(timeout=call.deadline.left(), stop=call.stop)
        except OcrTimeoutError as error:
            # The core knows only what was left of the time.
            raise call.timed_out() from error

    # --- the core's questions ---------------------------------------------------------------------------------------

    def library(self) -> Path:
        """Return ONNX Runtime's library, which may be loaded from then on."""
        # Its imports take longer than all the rest of the package.
        from ._runtime import disable_telemetry, find_runtime

        library = find_runtime().path
        disable_telemetry()
        return library

    def make_ready(self, provider: str) -> list[str]:
        """Open the libraries that the provider needs, right before it is tried; return what is missing of them."""
        from ._nvidia import open_libraries

        library = _core.runtime_path()
        return [] if provider != "cuda" or library is None else open_libraries(Path(library))

    def nvidia_folders(self) -> list[Path]:
        """Return the folders in which packages bring NVIDIA's libraries."""
        return package_folders("nvidia")

    def sources(self) -> "_Sources":
        """Return the places that missing models are fetched from."""
        return sources(offline=not self._download)

    def arrived(
        self, name: str, source: str, done: int, total: int | None, trouble: "tuple[str, bool] | None" = None
    ) -> None:
        """Pass a download's step on."""
        self._arrived(name, source, done, total, trouble)

    def warn(self, message: str) -> None:
        """Tell whoever loads about it."""
        logger().warning("%s", message)
        warnings.warn(message, RuntimeWarning, stacklevel=1)

    def loaded(self, provider: str, seconds: float) -> None:
        """Note a load that has succeeded."""
        logger().info("loaded %s with provider %s in %.2f s", self._models, provider, seconds)
