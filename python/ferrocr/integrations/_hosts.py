"""Imports of the programs that adapters are for."""

from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def importing(program: str, extra: str, *, plugin: bool = False) -> Iterator[None]:
    """Say what to install where what is imported here is not there.

    Args:
        program: The program's name.
        extra: The extra of ours that brings it, or what is needed inside of it.
        plugin: True if this runs in the program's own environment alone.

    Raises:
        ImportError: It cannot be imported.
    """
    try:
        yield
    except ImportError as error:
        place = f" in the environment of {program}" if plugin else ""
        message = f'{program} cannot be imported: {error}\nrun{place}: pip install "ferrocr[{extra}]"'
        raise ImportError(message, name=error.name) from error
