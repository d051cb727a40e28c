"""Processes that train together, as torchrun would start them on one machine, each with an exit status of its own."""

import os
import socket
import subprocess
import sys
from collections.abc import Sequence
from contextlib import contextmanager


@contextmanager
def together(command: Sequence[str], count: int = 2):
    """`count` processes of a Python script and its arguments; what is left of them at the end is killed."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    shared = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port), "WORLD_SIZE": str(count), "OMP_NUM_THREADS": "1"}
    started = [
        subprocess.Popen(
            [sys.executable, *map(str, command)],
            env=os.environ | shared | {"RANK": str(rank), "LOCAL_RANK": str(rank)},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for rank in range(count)
    ]
    try:
        yield started
    finally:
        for process in started:
            process.kill()
            process.communicate()


def ended(process: subprocess.Popen) -> tuple[int, str]:
    """The exit status of a process and what it said on standard error."""
    said = process.communicate(timeout=240)[1]
    return process.returncode, said
