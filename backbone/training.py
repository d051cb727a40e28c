"""The one training loop: it knows no task, loses nothing when it is stopped, and repeats itself exactly.

A run is a function of its settings and seed alone. Step s takes examples s*batch .. (s+1)*batch of an
endless stream of permutations, each example drawn with a seed of its own, and dropout is reseeded each
step; so neither the number of loading workers nor an interruption changes the result.
"""

import json
import math
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any, Literal, NamedTuple

import numpy as np
import torch
from pydantic import Field
from torch import Tensor, nn
from torch.utils.data import DataLoader

from googlenet_rcnn.core.errors import DataError, ProjectError, UsageError
from googlenet_rcnn.core.errors import Exit as ExitStatus
from googlenet_rcnn.core.recipe import Settings
from googlenet_rcnn.core.store import JsonLines, atomic_file, read_json_lines, write_json

from .architectures import identity
from .memory_errors import memory_errors
from .precision import Precision, autocast
from .processes import Processes
from .run_state import RunState, load_state, save_state
from .stream import BatchStream, Collate, Loaded, SeededExamples, Task, ignore_interrupt

__all__ = ["Interrupted", "NotFinite", "Task", "TrainSettings", "train"]


class TrainSettings(Settings):
    """SGD with momentum, a falling rate and averaged weights (Szegedy 2014, section 6)."""

    epochs: float = Field(default=1.0, ge=0)
    batch: int = Field(default=64, gt=0)
    accumulate: int = Field(default=1, gt=0)  # parts a batch is cut into to save memory; the result is the same
    rate: float = Field(default=0.01, gt=0)
    schedule: Literal["cosine", "steps"] = "cosine"
    decay: float = Field(default=0.96, gt=0, le=1)  # "steps": the rate falls by 4 % ...
    decay_epochs: float = Field(default=8.0, gt=0)  # ... every 8 epochs
    bias_rate: float = Field(default=2.0, gt=0)  # biases learn twice as fast as weights, as in Caffe
    warmup: int = Field(default=0, ge=0)  # steps
    momentum: float = Field(default=0.9, ge=0, lt=1)
    weight_decay: float = Field(5e-4, ge=0)
    average: float = Field(default=0.0, ge=0, lt=1)  # decay of the running mean of weights (Polyak); 0: none
    clip: float = Field(default=0.0, ge=0)  # largest norm of the gradient; 0: no limit
    precision: Precision = "fp32"
    workers: int = Field(default=0, ge=0)
    checkpoint_minutes: float = Field(default=5.0, ge=0)


class Interrupted(ProjectError):
    """The run was asked to stop and has saved its state."""

    exit = ExitStatus.INTERRUPTED


class NotFinite(DataError):
    """Loss or gradient stopped being a number; nothing of that step was kept."""


class _Stop:
    """Notes SIGINT and SIGTERM; the second one ends the process at once."""

    def __init__(self) -> None:
        self.asked = False

    def _note(self, number: int, frame: FrameType | None) -> None:
        if self.asked:
            raise KeyboardInterrupt
        self.asked = True

    @contextmanager
    def listening(self) -> Iterator["_Stop"]:
        signals = (signal.SIGINT, signal.SIGTERM)
        try:
            before = [signal.signal(number, self._note) for number in signals]
        except ValueError:  # not the main thread: its owner handles signals
            yield self
            return
        try:
            yield self
        finally:
            for number, handler in zip(signals, before, strict=True):
                signal.signal(number, handler)


class Progress(NamedTuple):
    """Where a run stands: what the log holds and a console shows."""

    step: int
    steps: int
    losses: dict[str, float]
    rate: float
    seconds_left: float


def rate_at(step: int, steps: int, per_epoch: float, settings: TrainSettings) -> float:
    """Learning rate of a step; "steps" lowers it by 4 % every 8 epochs as the paper does."""
    if step < settings.warmup:
        return settings.rate * (step + 1) / settings.warmup
    if settings.schedule == "steps":
        return settings.rate * settings.decay ** math.floor(step / per_epoch / settings.decay_epochs)
    return settings.rate * 0.5 * (1 + math.cos(math.pi * step / steps))


def _groups(module: nn.Module, rates: Callable[[str], float], settings: TrainSettings) -> list[dict[str, Any]]:
    """One group a parameter: biases have a rate of their own and do not decay, as in Caffe."""
    groups = []
    for name, parameter in module.named_parameters():
        if not parameter.requires_grad:
            continue
        bias = parameter.ndim == 1
        decay = 0.0 if bias else settings.weight_decay
        factor = rates(name) * (settings.bias_rate if bias else 1.0)
        groups.append({"params": [parameter], "name": name, "factor": factor, "weight_decay": decay})
    return groups


def train(
    module: nn.Module,
    task: Task[Any],
    settings: TrainSettings,
    folder: Path,
    *,
    seed: int = 0,
    resume: bool = False,
    rates: Callable[[str], float] = lambda name: 1.0,
    processes: Processes | None = None,
    report: Callable[[Progress], None] = lambda progress: None,
    data: str = "",
    device: str = "cpu",
) -> dict[str, Tensor]:
    """Trains the parameters that require gradients and returns the averaged (or last) state of the module.

    `folder` receives log.jsonl, last.safetensors and previous.safetensors; with `resume` a run continues
    from there and ends with the same weights, bit for bit on a CPU, as one that was never stopped; with more epochs
    than before it goes on for longer, by the rates of the longer run.
    `rates` gives each parameter name a factor on the learning rate; `data` names what is trained on, and
    resuming with another is refused. Raises Interrupted after saving, and
    NotFinite, naming the batch, before a bad step touches the weights.
    """
    processes = processes or Processes()
    steps = max(1, math.ceil(settings.epochs * len(task) / settings.batch))
    if len(task) == 0:
        raise DataError("NO_EXAMPLES", "there is nothing to train on: the data has no usable example")
    if settings.batch < processes.count:
        raise UsageError("BATCH", f"a batch of {settings.batch} cannot be shared by {processes.count} processes")
    optimizer = torch.optim.SGD(
        _groups(module, rates, settings), lr=settings.rate, momentum=settings.momentum, foreach=device != "cpu"
    )
    fingerprint = {
        "settings": settings.model_dump(exclude={"workers", "checkpoint_minutes", "accumulate", "epochs"}),
        "start": identity(module),
        "seed": seed,
        "examples": len(task),
        "data": data,
        "parameters": [[name, list(value.shape)] for name, value in module.named_parameters()],
    }
    state = RunState(module, optimizer, use_average=settings.average > 0)
    folder.mkdir(parents=True, exist_ok=True)
    start = load_state(folder, state, fingerprint) if resume else 0
    # fp16 has so little range that gradients need scaling; a fixed factor keeps a resumed run exact.
    loss_scale = 1024.0 if settings.precision == "fp16" else 1.0

    loader = DataLoader(
        SeededExamples(task, seed),
        batch_sampler=BatchStream(len(task), settings.batch, seed, range(start, steps), processes),
        num_workers=settings.workers,
        collate_fn=Collate(task, settings.accumulate),
        pin_memory=device != "cpu",
        worker_init_fn=ignore_interrupt,
        persistent_workers=False,
    )
    module.train()
    began = saved = time.monotonic()
    with (
        _Stop().listening() as stop,
        _log(folder, processes, start) as log,
        memory_errors(folder, settings.batch, settings.accumulate, settings.workers),
    ):
        for step, loaded in enumerate(loader, start=start):
            torch.manual_seed(_step_seed(seed, step, processes.rank))
            rate = rate_at(step, steps, len(task) / settings.batch, settings)
            for group in optimizer.param_groups:
                group["lr"] = rate * group["factor"]
            optimizer.zero_grad(set_to_none=True)
            sums: dict[str, float] = {}
            for part in loaded.parts:
                with autocast(settings.precision, device):
                    losses = task.losses(module, part)
                total = torch.stack(list(losses.values())).sum()
                (total * (loss_scale / settings.batch)).backward()  # type: ignore[no-untyped-call]
                for name, value in losses.items():
                    sums[name] = sums.get(name, 0.0) + float(value.detach())
            norm = _reduce(optimizer, processes, loss_scale, settings.clip)
            broken = not (math.isfinite(norm) and all(map(math.isfinite, sums.values())))
            if processes.any(broken):
                _refuse(folder, task, loaded, step, rate, norm, sums)
            optimizer.step()
            state.update_average(settings.average, step)
            done = step + 1
            if processes.first:
                left = (time.monotonic() - began) / (done - start) * (steps - done)
                means = {name: value * processes.count / settings.batch for name, value in sums.items()}
                report(Progress(done, steps, means, rate, left))
                log({"step": done, "steps": steps, "loss": means, "rate": rate, "norm": norm})
            asked = processes.any(stop.asked)
            due = time.monotonic() - saved > settings.checkpoint_minutes * 60
            if processes.first and (asked or due or done == steps):
                if not state.finite():
                    _refuse(folder, task, loaded, step, rate, norm, sums)
                save_state(folder, state, fingerprint, done)
                saved = time.monotonic()
            if asked and done < steps:
                raise Interrupted("INTERRUPTED", f"stopped after step {done} of {steps}; --resume continues {folder}")
    processes.wait()
    module.eval()
    return state.result()


def _step_seed(seed: int, step: int, rank: int) -> int:
    return int(np.random.SeedSequence([seed, 2, step, rank]).generate_state(1, np.uint64)[0] >> 1)


@contextmanager
def _log(folder: Path, processes: Processes, start: int) -> Iterator[Callable[[dict[str, Any]], None]]:
    if not processes.first:
        yield lambda row: None
        return
    path = folder / "log.jsonl"
    JsonLines(path).close()  # cuts off a torn tail
    # Steps after the state that the run goes on from will be taken, and logged, again.
    kept = [row for row in read_json_lines(path) if row["step"] <= start]
    with atomic_file(path, "w") as stream:
        stream.writelines(json.dumps(row, separators=(",", ":")) + "\n" for row in kept)
    with JsonLines(path) as lines:
        yield lines.append


def _reduce(optimizer: torch.optim.Optimizer, processes: Processes, loss_scale: float, clip: float) -> float:
    """Sums gradients over processes, undoes the loss scale, limits their norm, and returns it."""
    parameters = [p for group in optimizer.param_groups for p in group["params"]]
    if processes.count > 1:  # a share without examples of a kind must still send what the others wait for
        for p in parameters:
            p.grad = torch.zeros_like(p) if p.grad is None else p.grad
    gradients = [p.grad for p in parameters if p.grad is not None]
    processes.sum_(gradients)
    if loss_scale != 1.0:
        for gradient in gradients:
            gradient.div_(loss_scale)
    norm = float(torch.linalg.vector_norm(torch.stack([torch.linalg.vector_norm(g) for g in gradients])))
    if clip and math.isfinite(norm) and norm > clip:
        for gradient in gradients:
            gradient.mul_(clip / norm)
    return norm


def _refuse(
    folder: Path,
    task: Task[Any],
    loaded: Loaded,
    step: int,
    rate: float,
    norm: float,
    sums: dict[str, float],
) -> None:
    names = [task.identity(index) for index in loaded.indices]
    facts = {
        "step": step + 1,
        "rate": rate,
        "norm": repr(norm),
        "loss": {k: repr(v) for k, v in sums.items()},
    }
    write_json(folder / "not-finite.json", facts | {"batch": names})
    shown = ", ".join(names[:4]) + (", ..." if len(names) > 4 else "")
    raise NotFinite(
        "NOT_FINITE",
        f"step {step + 1}: loss or gradient is not finite at rate {rate:.3g} (batch: {shown}; all in "
        f"{folder / 'not-finite.json'}); lower the rate or look at those images",
    )
