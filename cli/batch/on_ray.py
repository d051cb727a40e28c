"""Parts made by workers of Ray Data: on this machine, or on a cluster that is there already.

Only part numbers and summaries travel through Ray's object store; images are read, and parts published, by the
workers themselves. Ray reports nothing to anybody, and on one machine listens on the loopback device only.
"""

import logging
import os
import pickle
import secrets
import socket
import sys
import tempfile
from collections.abc import Generator, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

from googlenet_rcnn.core.errors import ProjectError, ResourceError, UsageError

from .parts import PartSummary
from .worker import Job, PartWorker

__all__ = ["Cluster", "load_ray", "make_parts"]

_QUIET = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_DATA_DISABLE_PROGRESS_BARS": "1",
    "RAY_BACKEND_LOG_LEVEL": "fatal",
}
_ALONE = {
    "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0",  # Ray's way to say: the loopback device is this machine's address
    "RAY_AUTH_MODE": "token",  # Ray's ports run any code that they are given, so other users must not reach them
    "RAY_gcs_rpc_server_reconnect_timeout_s": "3",  # after a kill -9 Ray's own processes go within seconds
}


@dataclass(frozen=True)
class Cluster:
    """How many workers, what each may use, and where: `address` None starts Ray on this machine."""

    workers: int
    cpus: int
    gpus: float = 0.0
    address: str | None = None
    object_store_mb: int = 128


def load_ray(address: str | None) -> Any:
    """The module ray with ray.data, quiet; UsageError (EXTRA_MISSING) says how to install them.

    Ray reads its settings when it is imported, so whoever has imported it has made the choice of `_ALONE`.
    """
    os.environ.update(_QUIET)
    if address is None and "ray" not in sys.modules:
        os.environ.update(_ALONE)
        os.environ.setdefault("RAY_AUTH_TOKEN", secrets.token_hex(32))
    try:
        import ray
        import ray.data
    except ImportError:
        reason = "batch needs Ray Data, which is not installed: pip install 'googlenet-rcnn[ray]'"
        raise UsageError("EXTRA_MISSING", f"{reason}, or use detect") from None
    return ray


def make_parts(job: Job, parts: Sequence[int], cluster: Cluster) -> Generator[tuple[int, PartSummary], None, None]:
    """Yields each part as it is finished, in no particular order; raises the first fault that a worker meets."""
    ray = load_ray(cluster.address)
    with _running(ray, cluster):
        context = ray.data.DataContext.get_current()
        context.enable_progress_bars = False
        context.execution_no_progress_timeout_s = -1  # a part may take long
        numbers = ray.data.from_items([{"part": part} for part in parts], override_num_blocks=len(parts))
        made = numbers.map_batches(
            PartWorker,
            fn_constructor_args=(job,),
            batch_size=1,
            compute=ray.data.ActorPoolStrategy(size=min(cluster.workers, len(parts))),
            num_cpus=cluster.cpus,
            num_gpus=cluster.gpus,
        )
        for row in made.iter_rows():
            part, outcome = pickle.loads(row["outcome"])
            if isinstance(outcome, ProjectError):
                raise outcome
            yield part, outcome


@contextmanager
def _running(ray: Any, cluster: Cluster) -> Iterator[None]:
    """Ray while it is needed; one that the caller has started is used and left alone."""
    for name in ("ray", "ray.data"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
    if ray.is_initialized():
        yield
        return
    options: dict[str, Any] = {"log_to_driver": False, "logging_level": logging.ERROR}
    with ExitStack() as stack:
        if cluster.address is None:
            place = "/tmp" if os.path.isdir("/tmp") else None  # a socket's path is at most 107 bytes long
            folder = tempfile.TemporaryDirectory(prefix="ray-", dir=place, ignore_cleanup_errors=True)
            options |= {
                "address": "local",
                "num_cpus": cluster.workers * cluster.cpus,
                "include_dashboard": False,
                "object_store_memory": cluster.object_store_mb * 2**20,
                "_temp_dir": stack.enter_context(folder),
            }
        else:
            options["address"] = cluster.address
        try:
            with _silence():
                _knock(cluster.address)
                ray.init(**options)
        except (OSError, RuntimeError, ValueError) as error:
            shown = " ".join(str(error).split())[:200]
            what = f"no Ray at {cluster.address}" if cluster.address else "Ray does not start"
            raise ResourceError("RAY_UNREACHABLE", f"{what}: {shown}") from error
        stack.callback(ray.shutdown)
        yield


def _knock(address: str | None) -> None:
    """ConnectionError, and so on, if nothing listens at HOST:PORT; Ray itself would go on trying for minutes."""
    host, _, port = (address or "").rpartition(":")
    if host:
        socket.create_connection((host, int(port)), timeout=20).close()


@contextmanager
def _silence() -> Iterator[None]:
    """Ray's C++ part says on standard error how it logs; what it raises is told all the same."""
    kept = os.dup(2)
    try:
        with open(os.devnull, "wb") as nothing:
            os.dup2(nothing.fileno(), 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
