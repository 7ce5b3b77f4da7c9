"""Memory that a process shares with one that it has started, for pictures."""

import os
import sys
import threading
from contextlib import suppress
from typing import NamedTuple

LEAST = 2**16
"""Bytes from which on data is better shared than sent through a pipe, which holds so many at a time."""

KEPT = 2**24
"""Bytes that stay with the two processes from picture to picture. To write, map, copy and give back the pixels of a
picture of 2 megapixels took 4.3 ms of processor time in fresh pages of memory, and 1.6 in those that were there."""

_PAGE = 2**16
"""Places are multiples of this, which is one of the system's pages everywhere."""


class Place(NamedTuple):
    """A part of an arena."""

    start: int
    length: int


class Arena:
    """A file without a name, in memory: its maker writes pictures into it, and another process maps them.

    Between two pictures it has no more than `kept` bytes. The maker never maps it, since whoever else has the file
    could shorten it under the maker's feet.
    """

    def __init__(self, kept: int = KEPT) -> None:
        self.kept = kept
        self._file = self._for_reading = -1
        # One that a signal's handler may take once more.
        self._lock = threading.RLock()
        self._places: list[Place] = []
        if sys.platform == "linux":
            with suppress(OSError):  # where it is forbidden, pictures go through the pipe
                self._file = os.memfd_create("ferrocr", os.MFD_CLOEXEC)
                os.ftruncate(self._file, kept)
                self._for_reading = os.open(f"/proc/self/fd/{self._file}", os.O_RDONLY | os.O_CLOEXEC)

    @property
    def descriptors(self) -> list[int]:
        """The descriptor that the other process needs; none where there is no such memory on this system."""
        return [] if self._for_reading < 0 else [self._for_reading]

    def put(self, data: memoryview) -> Place | None:
        """Copy bytes into it; None where they are few, or there is no memory for them."""
        if self._for_reading < 0 or data.nbytes < LEAST:
            return None
        place = self._taken(data.nbytes)
        written = 0
        try:
            while written < place.length:
                written += os.pwrite(self._file, data[written:], place.start + written)
        except OSError:
            self.free(place)
            return None
        return place

    def free(self, place: Place) -> None:
        """Give a place back. May be called again."""
        with self._lock:
            if place in self._places:
                self._places.remove(place)
            if self._file >= 0:
                with suppress(OSError):
                    os.ftruncate(self._file, max(self.kept, *(used.start + used.length for used in self._places), 0))

    def close(self) -> None:
        """Give it back; what is in it goes when the other process is gone too."""
        files, self._file, self._for_reading = (self._file, self._for_reading), -1, -1
        for file in files:
            if file >= 0:
                os.close(file)

    def _taken(self, length: int) -> Place:
        """Return the first gap that is wide enough."""
        with self._lock:
            start = 0
            for used in sorted(self._places):
                if used.start - start >= length:
                    break
                start = (used.start + used.length + _PAGE - 1) // _PAGE * _PAGE
            place = Place(start, length)
            self._places.append(place)
            return place
