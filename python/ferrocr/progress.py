"""Shows to a person how far something is: pass a :class:`DownloadProgress` wherever ferrocr takes a ``progress``."""

from .models.progress import ANOTHER_PROCESS, ArchiveProgress, DownloadProgress, megabytes

__all__ = ["ANOTHER_PROCESS", "ArchiveProgress", "DownloadProgress", "megabytes"]
