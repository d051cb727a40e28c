"""A task that a two-layer network learns in moments; run as a program it trains in a process of its own."""

import argparse
import os
import signal
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.nn import functional

from googlenet_rcnn.backbone.processes import join_processes
from googlenet_rcnn.backbone.training import Progress, TrainSettings, train

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


def main() -> None:
    """Trains and writes the result."""
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--kill-at", type=int, default=0)
    parser.add_argument("--where", default="step")
    parser.add_argument("--dropout", type=float, default=0.3)
    options = parser.parse_args()
    torch.set_num_threads(1)
    processes = join_processes()
    report = kill_at(options.kill_at, options.where)
    module = network(options.dropout)
    result = train(module, Points(), SETTINGS, options.folder, processes=processes, report=report)
    if processes.first:
        save_file({name: value.contiguous() for name, value in result.items()}, options.folder / "result")


if __name__ == "__main__":
    main()
