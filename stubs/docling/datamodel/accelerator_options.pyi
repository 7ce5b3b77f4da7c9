"""Docling's choice of devices."""

class AcceleratorOptions:
    num_threads: int
    def __init__(self, *, num_threads: int = ...) -> None: ...
