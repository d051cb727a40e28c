"""How many threads this process may really use."""

import os
from pathlib import Path

__all__ = ["available_threads"]


def available_threads(cgroup: Path = Path("/sys/fs/cgroup/cpu.max")) -> int:
    """Processors this process may run on, limited by the container's quota."""
    count = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    try:
        quota, period = cgroup.read_text().split()
        return max(1, min(count, int(int(quota) / int(period)))) if quota != "max" else count
    except (OSError, ValueError):
        return count
