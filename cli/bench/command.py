"""A command as a user starts it: wall and processor time and peak memory of a process of its own."""

import json
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass

from googlenet_rcnn.core.errors import ResourceError

__all__ = ["Spent", "measure_command"]

# A process begins with the peak of the one that starts it, so a small one stands in between. Linux counts in KiB,
# macOS in bytes.
_LAUNCH = """
import json, os, sys, time
begin = time.perf_counter()
quiet = [(os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0)]
process = os.posix_spawn(sys.argv[1], sys.argv[1:], os.environ, file_actions=quiet)
_, status, used = os.wait4(process, 0)
seconds = time.perf_counter() - begin
peak = used.ru_maxrss * (1 if sys.platform == "darwin" else 1024)
print(json.dumps([os.waitstatus_to_exitcode(status), seconds, used.ru_utime + used.ru_stime, peak]))
"""


@dataclass(frozen=True)
class Spent:
    """Wall seconds from start to end, seconds of all processors together, and bytes of memory at the peak."""

    seconds: float
    processor_seconds: float
    peak: int


def measure_command(arguments: Sequence[str]) -> Spent:
    """Runs `googlenet-rcnn` with the arguments, without its output; ResourceError with its last line if it fails."""
    command = [sys.executable, "-S", "-c", _LAUNCH, sys.executable, "-m", "googlenet_rcnn.cli.main", *arguments]
    finished = subprocess.run(command, capture_output=True, text=True, check=False)
    try:
        status, seconds, processor, peak = json.loads(finished.stdout)
    except ValueError:
        status = finished.returncode or 1
    if status:
        last = (finished.stderr.strip().splitlines() or ["it said nothing"])[-1]
        raise ResourceError("BENCH_FAILED", f"`googlenet-rcnn {' '.join(arguments)}` ended with {status}: {last}")
    return Spent(seconds, processor, peak)
