"""Counts of what an engine does, and the time of its work by stage. docs/observability.md says more."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Timings:
    """Seconds of a call, or of several calls together, by stage. Stages follow each other and add up to the total.

    Where several threads read lines at the same time, the seconds that pass are divided as theirs are.

    Attributes:
        total: From the call's begin to its page.
        wait: Waiting for a load, for an unload, or for sessions that other calls have.
        decode: Reading and decoding the file.
        detect: Finding regions with text.
        orient: Telling which way up page and lines are.
        cut: Cutting lines out.
        recognize: Reading lines.
        order: Putting lines in order.
    """

    total: float = 0.0
    wait: float = 0.0
    decode: float = 0.0
    detect: float = 0.0
    orient: float = 0.0
    cut: float = 0.0
    recognize: float = 0.0
    order: float = 0.0


@dataclass(frozen=True, slots=True)
class EngineStats:
    """The work of an engine in this process since it was made, and what it does now, all at one moment.

    Each call has ended with a page or an error, or is in flight: ``calls == pages + sum(errors.values()) + in_flight``.
    A call is the reading of one picture, or of one page of a document that is read as a picture. What is refused before
    it begins, such as a wrong argument or a freed engine, is none.

    Attributes:
        calls: Pictures that were begun.
        pages: Pictures that were read.
        bytes: Bytes of these pictures: of files as they came, three for each pixel of others, none for TIFF documents.
        errors: Pictures that were not read, by the name of the exception.
        in_flight: Calls that have begun and not ended.
        queued: Those of them that wait: for a load, for an unload, for a detector that others have, or for a process.
        loads: Times that models were loaded, by each process of an isolated engine.
        load_errors: Loads that failed, by the name of the exception.
        load_seconds: Seconds of the loads that succeeded.
        crashes: Processes of an isolated engine that ended unasked, or gave answers that make no sense.
        seconds: Seconds of the pages that were read, by stage.
    """

    calls: int
    pages: int
    bytes: int
    errors: dict[str, int]
    in_flight: int
    queued: int
    loads: int
    load_errors: dict[str, int]
    load_seconds: float
    crashes: int
    seconds: Timings
