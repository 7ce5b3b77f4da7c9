"""A service that reads pictures and documents over HTTP: the command ``ferrocr serve``, and its application for others.

Needs what ``pip install "ferrocr[serve]"`` brings: Starlette, uvicorn and python-multipart. docs/serve.md describes it.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING

from ..exceptions import RuntimeUnavailableError
from ._settings import Settings

if TYPE_CHECKING:
    from ..engine import OcrEngine
    from ._app import App

__all__ = ["Settings", "check_packages", "make_app"]


def make_app(make_engine: "Callable[[], OcrEngine]", settings: Settings | None = None) -> "App":
    """Return an ASGI application, for any server of such.

    Args:
        make_engine: Makes the engine. It is called when the application starts, so in each process of a server that
            forks, and the engine is freed when the application ends.
        settings: Its limits.

    Raises:
        RuntimeUnavailableError: A package of the extra is not installed.
    """
    check_packages()
    from ._app import App

    return App(make_engine, Settings() if settings is None else settings)


def check_packages() -> None:
    """Find out whether the packages of the extra are there.

    Raises:
        RuntimeUnavailableError: One of them is not installed.
    """
    from .._packages import package_folders

    for package in ("starlette", "uvicorn", "python_multipart"):
        if not package_folders(package):
            message = f"the service is made with Starlette, uvicorn and python-multipart; {package} is not installed"
            raise RuntimeUnavailableError(message, 'run: pip install "ferrocr[serve]"')
