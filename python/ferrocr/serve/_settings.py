"""The limits of a service."""

import math
from dataclasses import dataclass, fields

from ..exceptions import InvalidArgumentError

_NUMBERS = ("port", "queue")
"""Whole numbers from 0 on; all others begin with 1."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Limits and addresses of a service.

    Attributes:
        host: The address that it listens at.
        port: The port; 0 for any that is free.
        at_once: Requests that are read at the same time.
        queue: Requests that may wait for that; of more, each is refused with 503.
        uploads: Requests whose bodies may be on their way; of more, each is refused with 503.
        seconds: Seconds that a request may wait and be read.
        page_seconds: Seconds that one page of it may take.
        body_seconds: Seconds that a body may take to arrive.
        stall_seconds: Seconds that a body may bring nothing.
        drain_seconds: Seconds that requests have when the service is to end.
        max_body: Most bytes of a body.
        in_memory: Bytes of a body that are held in memory; a longer one lies on the disk.
        max_pages: Most pages of a request.
        keys: Keys of which a client has to know one; none lets everybody in.
        origins: Origins of pages in browsers, besides its own, that may send requests, such as "https://a.example".
    """

    host: str = "127.0.0.1"
    port: int = 8000
    at_once: int = 2
    queue: int = 32
    uploads: int = 64
    seconds: float = 300.0
    page_seconds: float = 60.0
    body_seconds: float = 120.0
    stall_seconds: float = 10.0
    drain_seconds: float = 30.0
    max_body: int = 50 * 2**20
    in_memory: int = 2**18
    max_pages: int = 500
    keys: tuple[str, ...] = ()
    origins: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if field.type == "int" or field.type is int:
                least = 0 if field.name in _NUMBERS else 1
                if isinstance(value, bool) or not isinstance(value, int) or value < least:
                    message = f"{field.name} is a whole number from {least} on, not {value!r}"
                    raise InvalidArgumentError(message)
            elif (field.type == "float" or field.type is float) and not (0 < value < math.inf):
                message = f"{field.name} is a number of seconds above 0, not {value!r}"
                raise InvalidArgumentError(message)
        if not all(key.strip() for key in self.keys):
            message = "an API key is empty"
            raise InvalidArgumentError(message)

    @property
    def is_local(self) -> bool:
        """True if only programs of this machine reach it."""
        return self.host == "localhost" or self.host == "::1" or self.host.startswith("127.")
