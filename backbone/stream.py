"""The endless stream of examples a run learns from: a function of the seed, whatever loads it."""

import math
import signal
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Generic, NamedTuple, Protocol, TypeVar

import numpy as np
from torch import Tensor, nn
from torch.utils.data import Dataset as TorchDataset
from torch.utils.data import Sampler

from .processes import Processes

__all__ = ["BatchStream", "Collate", "Loaded", "SeededExamples", "Task", "ignore_interrupt"]

E = TypeVar("E")


class Task(Protocol[E]):
    """What is learned: examples by number, and the loss of a batch of them."""

    def __len__(self) -> int:
        """Number of examples in an epoch."""
        ...

    def example(self, index: int, random: np.random.Generator) -> E:
        """One example; all its randomness comes from the generator."""
        ...

    def batch(self, examples: list[E]) -> Any:
        """The examples as tensors (in named tuples, lists or dicts); made where they are loaded."""
        ...

    def losses(self, module: nn.Module, batch: Any) -> dict[str, Tensor]:
        """Named losses summed over the examples of a batch; their total is minimised."""
        ...

    def identity(self, index: int) -> str:
        """What an example is called in an error message."""
        ...


class BatchStream(Sampler[list[tuple[int, int]]]):
    """Batches of (example, position in the stream) from a given step on, this process's share of each."""

    def __init__(self, size: int, batch: int, seed: int, steps: range, processes: Processes) -> None:
        self.size, self.batch, self.seed, self.steps, self.processes = size, batch, seed, steps, processes

    def __len__(self) -> int:
        return len(self.steps)

    def __iter__(self) -> Iterator[list[tuple[int, int]]]:
        epoch, order = -1, np.zeros(0, dtype=np.int64)
        for step in self.steps:
            rows = []
            for position in range(step * self.batch, (step + 1) * self.batch):
                if position // self.size != epoch:
                    epoch = position // self.size
                    order = np.random.default_rng([self.seed, 0, epoch]).permutation(self.size)
                rows.append((int(order[position % self.size]), position))
            yield rows[self.processes.rank :: self.processes.count]


class SeededExamples(TorchDataset[Any], Generic[E]):
    """Examples of a task, each drawn with the seed of its position in the stream."""

    def __init__(self, task: Task[E], seed: int) -> None:
        self.task, self.seed = task, seed

    def __getitem__(self, key: tuple[int, int]) -> tuple[int, E]:
        index, position = key
        return index, self.task.example(index, np.random.default_rng([self.seed, 1, position]))


class Loaded(NamedTuple):
    """The numbers of a step's examples and their tensors, in one or more parts."""

    indices: list[int]
    parts: list[Any]


@dataclass(frozen=True)
class Collate(Generic[E]):
    """Turns the examples of a step into tensors, in `count` parts."""

    task: Task[E]
    count: int

    def __call__(self, rows: list[tuple[int, E]]) -> Loaded:
        """The numbered examples of a step as the task's batches."""
        size = max(1, math.ceil(len(rows) / self.count))
        examples = [example for _, example in rows]
        parts = [self.task.batch(examples[first : first + size]) for first in range(0, len(rows), size)]
        return Loaded([index for index, _ in rows], parts)


def ignore_interrupt(worker: int) -> None:
    """Leaves Ctrl-C, which a terminal sends to every process, to the process that trains."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
