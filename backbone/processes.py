"""How many processes train together: one, or those that torchrun started."""

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

import torch
import torch.distributed as distributed
from torch import Tensor

__all__ = ["Processes", "join_processes"]

In = TypeVar("In")
Out = TypeVar("Out")


@dataclass(frozen=True)
class Processes:
    """This process's rank among `count`."""

    rank: int = 0
    count: int = 1

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
        distributed.all_reduce(flat)
        for tensor, part in zip(tensors, torch.split(flat, [tensor.numel() for tensor in tensors]), strict=True):
            tensor.copy_(part.view_as(tensor))

    def any(self, flag: bool) -> bool:
        """Whether the flag is set in at least one process."""
        if self.count == 1:
            return flag
        total = torch.tensor([float(flag)])
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
        """Returns once every process is here."""
        if self.count > 1:
            distributed.barrier()


def join_processes() -> Processes:
    """Joins the group that torchrun announces in the environment; alone without it.

    The gloo back end is used: gradients are seven million numbers, and it runs everywhere.
    """
    count = int(os.environ.get("WORLD_SIZE", "1"))
    if count > 1 and not distributed.is_initialized():
        distributed.init_process_group("gloo")
    return Processes(int(os.environ.get("RANK", "0")), count)
