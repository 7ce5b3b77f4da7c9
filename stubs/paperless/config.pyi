"""Settings of paperless-ngx: those of the environment, and what was changed in the browser."""

class OcrConfig:
    pages: int | None
    language: str
    mode: str
    rotate: bool
    rotate_threshold: float
    max_image_pixel: float | None
    def __init__(self) -> None: ...
