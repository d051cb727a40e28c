"""A task that a two-layer network learns in moments; run as a program it trains in a process of its own."""

import argparse
import json
import os
import signal
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.nn import functional

from googlenet_rcnn.backbone import heartbeats
from googlenet_rcnn.backbone import processes as processes_module
from googlenet_rcnn.backbone.processes import join_processes
from googlenet_rcnn.backbone.training import Progress, TrainSettings, train
from googlenet_rcnn.cli.boundary import run_command

SETTINGS = TrainSettings(epochs=3, batch=8, rate=0.05, average=0.9, checkpoint_minutes=0)


class Points:
    """Noisy points in a plane, to be told apart by the sign of their product."""

    def __init__(self, count: int = 22, bad: int | None = None) -> None:
        self.points = np.random.default_rng(0).normal(size=(count, 2)).astype(np.float32)
        self.bad = bad

    def __len__(self) -> int:
        return len(self.points)

    def example(self, index: int, random: np.random.Generator) -> tuple[np.ndarray, int]:
        """A point with noise; the bad one is no number."""
        point = self.points[index]
        noisy = point + random.normal(scale=0.05, size=2).astype(np.float32)
        return (noisy * np.nan if index == self.bad else noisy), int(point[0] * point[1] > 0)

    def batch(self, examples: list[Any]) -> tuple[Tensor, Tensor]:
        """Points and labels."""
        points = torch.from_numpy(np.stack([point for point, _ in examples]))
        return points, torch.tensor([label for _, label in examples])

    def losses(self, module: nn.Module, batch: tuple[Tensor, Tensor]) -> dict[str, Tensor]:
        """Cross entropy, and a second loss beside it."""
        points, truth = batch
        logits = module(points)
        return {
            "main": functional.cross_entropy(logits, truth, reduction="sum"),
            "size": 1e-3 * logits.square().sum(),
        }

    def identity(self, index: int) -> str:
        """A point's name."""
        return f"point-{index}"


def network(dropout: float = 0.3) -> nn.Module:
    """Always the same first weights."""
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(2, 16), nn.ReLU(), nn.Dropout(dropout), nn.Linear(16, 2))


def kill_at(step: int, where: str) -> Any:
    """A report that ends the process without warning after a step, or while its state is written."""

    def die(*_: object) -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    def report(progress: Progress) -> None:
        if progress.step == step:
            if where == "write":
                os.replace = die  # type: ignore[assignment]
            else:
                die()

    return report


class Faulty(Points):
    """Points in one process of several: in the place of a step's losses it dies, freezes, sleeps or lacks memory."""

    def __init__(self, fault: str, step: int) -> None:
        super().__init__()
        self.fault, self.left = fault, step

    def losses(self, module: nn.Module, batch: tuple[Tensor, Tensor]) -> dict[str, Tensor]:
        """The losses, but for the step of the fault; for want of memory those of two examples only, ever after."""
        self.left -= 1
        if self.left < 0 and self.fault == "memory" and len(batch[1]) > 2:
            raise MemoryError
        if self.left == 0:
            if self.fault == "die":
                os.kill(os.getpid(), signal.SIGKILL)
            elif self.fault == "freeze":
                os.kill(os.getpid(), signal.SIGSTOP)
            elif self.fault == "sleep":
                time.sleep(1000)
        return super().losses(module, batch)


def main() -> None:
    """Trains and writes the result; ends with the exit status of an error, told in one line."""
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--kill-at", type=int, default=0)
    parser.add_argument("--where", default="step")
    parser.add_argument("--dropout", type=float, default=0.3)
    parser.add_argument("--settings", type=json.loads, default={})
    parser.add_argument("--fault", nargs=3, metavar=("RANK", "WHAT", "STEP"))
    parser.add_argument("--patience", type=float)
    options = parser.parse_args()
    torch.set_num_threads(1)
    if options.patience is not None:
        processes_module.PATIENCE = heartbeats.PATIENCE = timedelta(seconds=options.patience)
    run_command(lambda: trained(options))


def trained(options: argparse.Namespace) -> None:
    """The run that the command line describes."""
    processes = join_processes()
    task = Points()
    if options.fault is not None and int(options.fault[0]) == processes.rank:
        task = Faulty(options.fault[1], int(options.fault[2]))
    settings = TrainSettings.model_validate(SETTINGS.model_dump() | options.settings)
    report = kill_at(options.kill_at, options.where)
    result = train(network(options.dropout), task, settings, options.folder, processes=processes, report=report)
    if processes.first:
        save_file({name: value.contiguous() for name, value in result.items()}, options.folder / "result")


if __name__ == "__main__":
    main()
