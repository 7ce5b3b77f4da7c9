"""Settings."""

from pathlib import Path

class _Settings:
    OCR_USER_ARGS: str | None
    SCRATCH_DIR: Path
    THREADS_PER_WORKER: int | str

settings: _Settings
