"""Numbers about a service, as Prometheus reads them. They hold nothing of any document."""

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field

from ..stats import EngineStats

MEDIA_TYPE = "text/plain; version=0.0.4; charset=utf-8"

_BOUNDS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0)

Labels = tuple[tuple[str, str], ...]
Gauges = dict[str, dict[Labels, float]]
"""Values by name and labels."""

_HELP = {
    "requests_total": ("counter", "Answers by route and status; 499 for clients that left."),
    "pages_total": ("counter", "Pages by the origin of their text."),
    "errors_total": ("counter", "Errors of requests and of pages by kind."),
    "received_bytes_total": ("counter", "Bytes of bodies."),
    "engine_crashes_total": ("counter", "Crashes of the engine's processes that a request met."),
    "receiving": ("gauge", "Bodies that are on their way."),
    "queue_length": ("gauge", "Requests that wait."),
    "queue_limit": ("gauge", "Requests that may wait."),
    "in_flight": ("gauge", "Requests that are being read."),
    "in_flight_limit": ("gauge", "Requests that may be read at once."),
    "engine_loaded": ("gauge", "1 while models are in memory."),
    "resident_bytes": ("gauge", "Resident memory of the service and of the engine's processes."),
    "engine_processes_crashed_total": ("counter", "Processes of the engine that ended unasked."),
    "engine_loads_total": ("counter", "Times that a process has loaded the models."),
    "engine_load_seconds_total": ("counter", "Seconds of these loads."),
    "engine_pages_total": ("counter", "Pictures that the engine has read."),
    "engine_errors_total": ("counter", "Pictures that the engine has not read, by kind."),
    "engine_seconds_total": ("counter", "Seconds of the pictures that the engine has read, by stage."),
    "engine_queue_length": ("gauge", "Pictures that wait in the engine."),
    "engine_in_flight": ("gauge", "Pictures that the engine has begun, or that wait in it."),
    "info": ("gauge", "The version."),
}


@dataclass(slots=True)
class Histogram:
    """Counts of seconds by upper bounds."""

    counts: list[int] = field(default_factory=lambda: [0] * len(_BOUNDS))
    total: int = 0
    seconds: float = 0.0

    def add(self, seconds: float) -> None:
        """Count one more."""
        self.total += 1
        self.seconds += seconds
        for index, bound in enumerate(_BOUNDS):
            self.counts[index] += seconds <= bound


class Metrics:
    """Counters of a service. For the thread of its event loop."""

    def __init__(self) -> None:
        self._counters: defaultdict[str, Counter[Labels]] = defaultdict(Counter)
        self._stages: defaultdict[str, Histogram] = defaultdict(Histogram)

    def count(self, name: str, amount: int = 1, **labels: str) -> None:
        """Add to a counter."""
        self._counters[name][tuple(sorted(labels.items()))] += amount

    def value(self, name: str, **labels: str) -> int:
        """Return a counter."""
        return self._counters[name][tuple(sorted(labels.items()))]

    def took(self, stage: str, seconds: float) -> None:
        """Count the seconds of a stage of one request."""
        self._stages[stage].add(seconds)

    def text(self, gauges: Gauges) -> str:
        """Return all of it, with what others count, by name and labels."""
        lines: list[str] = []
        for name, (kind, description) in _HELP.items():
            values = gauges.get(name) or ({} if kind == "gauge" else self._counters[name] or {(): 0})
            if values:
                lines += [f"# HELP ferrocr_{name} {description}", f"# TYPE ferrocr_{name} {kind}"]
                lines += [f"ferrocr_{name}{_labels(labels)} {value!r}" for labels, value in values.items()]
        lines += [
            "# HELP ferrocr_stage_seconds Seconds of requests by stage.",
            "# TYPE ferrocr_stage_seconds histogram",
        ]
        for stage, histogram in self._stages.items():
            lines += _histogram(stage, histogram)
        return "\n".join(lines) + "\n"


def of_engine(stats: EngineStats) -> Gauges:
    """Return what an engine counts."""
    values = {
        "engine_processes_crashed_total": stats.crashes,
        "engine_loads_total": stats.loads,
        "engine_load_seconds_total": stats.load_seconds,
        "engine_pages_total": stats.pages,
        "engine_queue_length": stats.queued,
        "engine_in_flight": stats.in_flight,
    }
    gauges: Gauges = {name: {(): value} for name, value in values.items()}
    gauges["engine_errors_total"] = {(("kind", kind),): count for kind, count in stats.errors.items()}
    seconds = asdict(stats.seconds)
    del seconds["total"]  # else sums over stages would have all twice
    gauges["engine_seconds_total"] = {(("stage", stage),): round(spent, 6) for stage, spent in seconds.items()}
    return gauges


def _histogram(stage: str, histogram: Histogram) -> Iterator[str]:
    for bound, count in zip(_BOUNDS, histogram.counts, strict=True):
        yield f'ferrocr_stage_seconds_bucket{{stage="{stage}",le="{bound:g}"}} {count}'
    yield f'ferrocr_stage_seconds_bucket{{stage="{stage}",le="+Inf"}} {histogram.total}'
    yield f'ferrocr_stage_seconds_sum{{stage="{stage}"}} {histogram.seconds:.6f}'
    yield f'ferrocr_stage_seconds_count{{stage="{stage}"}} {histogram.total}'


def _labels(labels: Labels) -> str:
    if not labels:
        return ""
    return "{" + ",".join(f'{name}="{_escaped(value)}"' for name, value in labels) + "}"


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
