"""How many processes train together: one, or those that torchrun started."""

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

import torch
from torch import Tensor, distributed

from .heartbeats import PATIENCE, Heartbeats, lost_if_silent

__all__ = ["Processes", "join_processes"]

In = TypeVar("In")
Out = TypeVar("Out")


@dataclass(frozen=True)
class Processes:
    """This process's rank among `count`; ResourceError (RANK_LOST) wherever another one has died or hangs.

    In what all do at the same pace that is one which does not answer for 20 seconds; where they `wait`, one whose
    heart has stopped.
    """

    rank: int = 0
    count: int = 1
    heartbeats: Heartbeats | None = None

    @property
    def device(self) -> str:
        """Where this process computes: a GPU of its own if the machine has them, else the processor."""
        gpus = torch.cuda.device_count()
        return f"cuda:{int(os.environ.get('LOCAL_RANK', '0')) % gpus}" if gpus else "cpu"

    @property
    def first(self) -> bool:
        """Whether this process writes logs and checkpoints."""
        return self.rank == 0

    def sum_(self, tensors: Iterable[Tensor]) -> None:
        """Replaces each tensor by its sum over all processes, in one message."""
        tensors = list(tensors)
        if self.count == 1 or not tensors:
            return
        flat = torch.cat([tensor.reshape(-1) for tensor in tensors])
        with lost_if_silent():
            distributed.all_reduce(flat)
        for tensor, part in zip(tensors, torch.split(flat, [tensor.numel() for tensor in tensors]), strict=True):
            tensor.copy_(part.view_as(tensor))

    def any(self, flag: bool) -> bool:
        """Whether the flag is set in at least one process."""
        if self.count == 1:
            return flag
        total = torch.tensor([float(flag)])
        with lost_if_silent():
            distributed.all_reduce(total)
        return bool(total.item() > 0)

    def share(
        self,
        what: str,
        items: Sequence[In],
        build: Callable[[Sequence[In]], Iterator[Out]],
        say: Callable[[str], None],
    ) -> list[Out]:
        """Each process makes its share of what is missing in a cache, then all read all of it."""
        mine = items[self.rank :: self.count]
        for done, _ in enumerate(build(mine), start=1):
            if done % 100 == 0 or done == len(mine):
                say(f"{what} of {done} of {len(mine)} images")
        self.wait()
        return list(build(items))

    def wait(self) -> None:
        """Returns once every process is here, however long that takes."""
        if self.heartbeats is not None:
            self.heartbeats.wait()


def join_processes() -> Processes:
    """Joins the group that torchrun announces in the environment; alone without it.

    The gloo back end is used: gradients are seven million numbers, and it runs everywhere.
    """
    if int(os.environ.get("WORLD_SIZE", "1")) == 1:
        return Processes()
    store, rank, count = next(distributed.rendezvous("env://", timeout=PATIENCE))  # type: ignore[attr-defined]
    distributed.init_process_group("gloo", store=store, rank=rank, world_size=count, timeout=PATIENCE)
    beats = distributed.PrefixStore("heartbeats", store)  # type: ignore[attr-defined]
    return Processes(rank, count, Heartbeats(beats, rank, count))
