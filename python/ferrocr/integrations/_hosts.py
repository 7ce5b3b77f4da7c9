"""Imports of the programs that adapters are for."""

from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def importing(program: str, extra: str) -> Iterator[None]:
    """Say what to install where what is imported here is not there; `extra` is ours that brings it.

    Raises:
        ImportError: It cannot be imported.
    """
    try:
        yield
    except ImportError as error:
        message = f'{program} cannot be imported: {error}\nrun: pip install "ferrocr[{extra}]"'
        raise ImportError(message, name=error.name) from error
