"""Settings."""

from pathlib import Path

class _Settings:
    SCRATCH_DIR: Path
    THREADS_PER_WORKER: int | str

settings: _Settings
