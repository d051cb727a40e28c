"""How many threads this process may really use."""

import os
from collections.abc import Iterator
from pathlib import Path

__all__ = ["available_threads"]


def available_threads(proc: Path = Path("/proc")) -> int:
    """Processors this process may run on, at least 1, limited by the quotas of its cgroups (v1 and v2).

    A quota of a part of a processor is rounded down: one thread too many would be stopped in every period.
    """
    count = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, min([count, *map(int, _quotas(proc))]))


def _quotas(proc: Path) -> Iterator[float]:
    """Processors granted by each cgroup with a quota, from the process's own up to the outermost to be seen."""
    for top, own in _cgroups(proc):
        for folder in (own, *own.parents):
            if (quota := _quota(folder)) is not None:
                yield quota
            if folder == top:
                break


def _quota(folder: Path) -> float | None:
    try:
        if (folder / "cpu.max").is_file():  # cgroup v2: "max 100000" or "150000 100000"
            quota, period = map(int, (folder / "cpu.max").read_text().split())
        else:  # cgroup v1: -1 is no limit
            quota = int((folder / "cpu.cfs_quota_us").read_text())
            period = int((folder / "cpu.cfs_period_us").read_text())
    except (OSError, ValueError):
        return None
    return quota / period if quota > 0 and period > 0 else None


def _cgroups(proc: Path) -> Iterator[tuple[Path, Path]]:
    """For each mounted hierarchy that shares out processors: where it is mounted, and this process's folder in it.

    See cgroups(7) and proc_pid_mountinfo(5). A container often sees only its own part of a hierarchy, whose path
    is the mount's root, while the kernel tells the process's path from the host's point of view.
    """
    try:
        members = (proc / "self" / "cgroup").read_text("utf-8", "surrogateescape").splitlines()
        mounts = (proc / "self" / "mountinfo").read_text("utf-8", "surrogateescape").splitlines()
    except OSError:
        return
    paths = {}
    for number, controllers, path in (line.split(":", 2) for line in members if line.count(":") >= 2):
        if number == "0" or "cpu" in controllers.split(","):
            paths["cgroup2" if number == "0" else "cgroup"] = path
    for mount in mounts:
        before, _, after = mount.partition(" - ")
        kind, _, options = (*after.split(), "", "", "")[:3]
        root, place = map(_unescaped, (*before.split(), "", "", "", "", "")[3:5])
        if kind in paths and (kind == "cgroup2" or "cpu" in options.split(",")):
            path = paths[kind]
            yield Path(place), Path(place, os.path.relpath(path, root) if Path(path).is_relative_to(root) else "")


def _unescaped(path: str) -> str:
    """The kernel writes blanks in paths as octal numbers."""
    for letter in " \t\n\\":
        path = path.replace(f"\\{ord(letter):03o}", letter)
    return path
