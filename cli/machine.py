"""What this computer is: its processor, what that can compute with, and how much memory this process may take."""

import os
import platform
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Memory", "Processor", "read_memory", "read_processor"]

# What the kernel calls them, on x86 and on ARM: an 8-bit product needs vnni (or dotprod, i8mm) to be fast.
_SETS = {
    "avx2": ("avx2",),
    "avx512": ("avx512f",),
    "vnni": ("avx512_vnni", "avx_vnni"),
    "amx": ("amx_tile",),
    "bf16": ("avx512_bf16", "amx_bf16", "bf16"),
    "neon": ("asimd",),
    "dotprod": ("asimddp",),
    "i8mm": ("i8mm",),
}
_NO_LIMIT = 1 << 60  # cgroup v1 writes a number near 2**63 where there is no limit


@dataclass(frozen=True)
class Processor:
    """Model name, number of processors the system has, and the instruction sets that matter to networks."""

    model: str
    count: int
    instructions: tuple[str, ...]


@dataclass(frozen=True)
class Memory:
    """Bytes of main memory, and the container's limit; None where they are not told."""

    total: int | None
    limit: int | None

    @property
    def usable(self) -> int | None:
        """The lesser of the two."""
        return min((value for value in (self.total, self.limit) if value is not None), default=None)


def read_processor(cpuinfo: Path = Path("/proc/cpuinfo")) -> Processor:
    """The processor as the kernel describes it, or as much as Python knows where there is no such file."""
    fields: dict[str, str] = {}
    try:
        for line in cpuinfo.read_text("utf-8", "replace").splitlines():
            key, _, value = line.partition(":")
            fields.setdefault(key.strip().lower(), value.strip())
    except OSError:
        pass
    flags = set((fields.get("flags") or fields.get("features") or "").split())
    instructions = tuple(name for name, kernel in _SETS.items() if flags.intersection(kernel))
    model = fields.get("model name") or platform.processor() or platform.machine() or "unknown"
    return Processor(model, os.cpu_count() or 1, instructions)


def read_memory(proc: Path = Path("/proc"), cgroup: Path = Path("/sys/fs/cgroup")) -> Memory:
    """Memory of the machine and the least limit of the cgroups (v2 or v1) around this process."""
    total = None
    try:
        for line in (proc / "meminfo").read_text().splitlines():
            if line.startswith("MemTotal:"):
                total = int(line.split()[1]) * 1024
    except (OSError, ValueError, IndexError):
        pass
    found = [limit for path in _limit_files(proc, cgroup) if (limit := _number(path)) is not None]
    return Memory(total, min(found, default=None))


def _limit_files(proc: Path, cgroup: Path) -> list[Path]:
    """The files that may limit this process: its own cgroup's and those of all above it.

    Inside a container the path told may be the host's, of which only the root is to be seen: it is always asked.
    """
    places = [cgroup / "memory.max", cgroup / "memory" / "memory.limit_in_bytes"]
    try:
        lines = (proc / "self" / "cgroup").read_text().splitlines()
    except OSError:
        return places
    for line in lines:
        _, controllers, path = (*line.split(":", 2), "", "")[:3]
        if controllers not in ("", "memory"):
            continue
        root, name = (cgroup, "memory.max") if not controllers else (cgroup / "memory", "memory.limit_in_bytes")
        parts = [part for part in path.split("/") if part not in ("", "..")]
        places += [root.joinpath(*parts[:depth], name) for depth in range(1, len(parts) + 1)]
    return places


def _number(path: Path) -> int | None:
    try:
        value = int(path.read_text())
    except (OSError, ValueError):  # "max" is not a number
        return None
    return value if value < _NO_LIMIT else None
