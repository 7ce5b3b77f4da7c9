"""The memory that this process may still take."""

from pathlib import Path


def available_mb() -> float | None:
    """Return megabytes (2**20 bytes) that can be had without swapping, on Linux; None elsewhere."""
    try:
        fields = dict(line.split(":", 1) for line in Path("/proc/meminfo").read_text().splitlines())
        free = int(fields["MemAvailable"].split()[0]) / 1024
    except (OSError, KeyError, ValueError):
        return None
    limit = _left_in_container_mb()
    return free if limit is None else min(free, limit)


def _left_in_container_mb() -> float | None:
    """Return the memory that the limit of a container (cgroup v2) leaves; None where there is none."""
    group = Path("/sys/fs/cgroup")
    try:
        limit, used = (int((group / name).read_text()) for name in ("memory.max", "memory.current"))
        statistics = dict(line.split() for line in (group / "memory.stat").read_text().splitlines())
        cache = int(statistics["inactive_file"])  # counted as used, but given up as soon as memory is wanted
    except (OSError, KeyError, ValueError):  # no such group, or the limit is the word "max"
        return None
    return (limit - used + cache) / 2**20
