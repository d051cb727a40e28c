"""The one training loop: it knows no task, loses nothing when it is stopped, and repeats itself exactly.

A run is a function of its settings and seed alone. Step s takes examples s*batch .. (s+1)*batch of an
endless stream of permutations, each example drawn with a seed of its own, and dropout is reseeded each
step; so neither the number of loading workers nor an interruption changes the result.
"""

import json
import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader

from googlenet_rcnn.core.errors import DataError, ProjectError, UsageError, lacks_memory
from googlenet_rcnn.core.errors import Exit as ExitStatus
from googlenet_rcnn.core.store import JsonLines, atomic_file, read_json_lines

from .architectures import identity
from .memory_errors import memory_errors, more_parts
from .not_finite import NotFinite, all_finite, not_finite
from .precision import autocast
from .processes import Processes
from .resuming import Resume
from .rollback import Rollback
from .run_state import RunState, load_state, save_state
from .stop_signals import StopSignals
from .stream import BatchStream, Collate, Loaded, SeededExamples, Task, ignore_interrupt
from .train_settings import FREE, TrainSettings, rate_at

__all__ = ["Interrupted", "NotFinite", "Progress", "Task", "TrainSettings", "train"]


class Interrupted(ProjectError):
    """The run was asked to stop and has saved its state."""

    exit = ExitStatus.INTERRUPTED


class Progress(NamedTuple):
    """Where a run stands: what the log holds and a console shows."""

    step: int
    steps: int
    losses: dict[str, float]
    rate: float
    seconds_left: float


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
    resume: Resume = Resume.NO,
    rates: Callable[[str], float] = lambda name: 1.0,
    processes: Processes | None = None,
    report: Callable[[Progress], None] = lambda progress: None,
    say: Callable[[str], None] = lambda message: None,
    data: str = "",
    device: str = "cpu",
) -> dict[str, Tensor]:
    """Trains the parameters that require gradients and returns the averaged (or last) state of the module.

    `folder` receives log.jsonl, last.safetensors and previous.safetensors; with `resume` a run continues
    from there and ends with the same weights, bit for bit on a CPU, as one that was never stopped; with more epochs
    than before it goes on for longer, by the rates of the longer run.
    `rates` gives each parameter name a factor on the learning rate; `data` names what is trained on, and
    resuming with another is refused. A batch that memory does not suffice for is cut into parts.
    Raises Interrupted after saving, and NotFinite, naming the batch, before a bad step touches the weights, unless
    the settings say that the run goes back then.
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
        "settings": settings.model_dump(exclude=set(FREE)),
        "start": identity(module),
        "seed": seed,
        "examples": len(task),
        "data": data,
        "parameters": [[name, list(value.shape)] for name, value in module.named_parameters()],
    }
    state = RunState(module, optimizer, use_average=settings.average > 0)
    folder.mkdir(parents=True, exist_ok=True)
    if resume:
        load_state(folder, state, fingerprint, resume)
    rollback = Rollback(folder, state, fingerprint, processes.first) if settings.nan == "rollback" else None
    run = _Run(task, settings, folder, seed, processes, report, device, steps, fingerprint, state, rollback)
    module.train()
    if rollback is not None:
        rollback.begin()
    processes.wait()
    parts = settings.accumulate
    with StopSignals().listening() as stop, memory_errors(folder, settings.workers):
        while state.step < steps:
            try:
                run.go_on(parts, stop)
            except _TooLarge:
                parts = more_parts(parts, math.ceil(settings.batch / processes.count), folder)
                say(f"note: memory does not suffice for a batch: it is worked on in {parts} parts from here on")
            except NotFinite as error:
                processes.wait()  # until all have written what they know
                if rollback is None or not rollback.go_back():
                    raise
                say(f"note: {error.message}; going back to step {state.step}, to go on at half the rate")
                run.save()
    processes.wait()
    if rollback is not None:
        rollback.end()
    module.eval()
    return state.result()


class _TooLarge(Exception):
    """Memory did not suffice for a batch, in one process at least."""


@dataclass
class _Run:
    """A run in its folder: `go_on` takes the steps that are left, from wherever its state is."""

    task: Task[Any]
    settings: TrainSettings
    folder: Path
    seed: int
    processes: Processes
    report: Callable[[Progress], None]
    device: str
    steps: int
    fingerprint: dict[str, Any]
    state: RunState
    rollback: Rollback | None

    def go_on(self, parts: int, stop: StopSignals) -> None:
        """Takes steps to the end, each batch in so many parts; leaves the state of the last whole step if it fails."""
        settings, processes, state = self.settings, self.processes, self.state
        began, first = time.monotonic(), state.step
        saved = began
        with _log(self.folder, processes, first) as log:
            for loaded in self._loader(parts):
                rate = rate_at(state.step, self.steps, len(self.task) / settings.batch, settings) / 2**state.halvings
                means, norm = self._step(loaded, rate)
                if processes.first:
                    left = (time.monotonic() - began) / (state.step - first) * (self.steps - state.step)
                    self.report(Progress(state.step, self.steps, means, rate, left))
                    row = {"step": state.step, "steps": self.steps, "loss": means, "rate": rate, "norm": norm}
                    log(row | ({"parts": parts} if parts != settings.accumulate else {}))
                if self.rollback is not None and self.rollback.due():
                    self._check(loaded, rate, norm, means)
                    self.rollback.keep()
                asked = processes.any(stop.asked)
                due = processes.any(time.monotonic() - saved > settings.checkpoint_minutes * 60)
                if asked or due or state.step == self.steps:
                    self._check(loaded, rate, norm, means)
                    self.save()
                    saved = time.monotonic()
                if asked and state.step < self.steps:
                    where = f"after step {state.step} of {self.steps}"
                    raise Interrupted("INTERRUPTED", f"stopped {where}; --resume continues {self.folder}")

    def save(self) -> None:
        """Writes the state; all processes go on once it is on disk."""
        if self.processes.first:
            save_state(self.folder, self.state, self.fingerprint)
        self.processes.wait()

    def _loader(self, parts: int) -> DataLoader[Any]:
        left = range(self.state.step, self.steps)
        return DataLoader(
            SeededExamples(self.task, self.seed),
            batch_sampler=BatchStream(len(self.task), self.settings.batch, self.seed, left, self.processes),
            num_workers=self.settings.workers,
            collate_fn=Collate(self.task, parts),
            pin_memory=self.device != "cpu",
            worker_init_fn=ignore_interrupt,
            persistent_workers=False,
        )

    def _step(self, loaded: Loaded, rate: float) -> tuple[dict[str, float], float]:
        """Takes a step at a rate; gives the mean losses of the batch and the norm of the gradient."""
        settings, processes, state = self.settings, self.processes, self.state
        optimizer = state.optimizer
        torch.manual_seed(_step_seed(self.seed, state.step, processes.rank))
        for group in optimizer.param_groups:
            group["lr"] = rate * group["factor"]
        optimizer.zero_grad(set_to_none=True)
        # fp16 has so little range that gradients need scaling; a fixed factor keeps a resumed run exact.
        loss_scale = 1024.0 if settings.precision == "fp16" else 1.0
        sums = self._losses(loaded, loss_scale)
        if processes.any(sums is None) or sums is None:
            optimizer.zero_grad(set_to_none=True)
            raise _TooLarge
        norm = _reduce(optimizer, processes, loss_scale, settings.clip)
        means = {name: value * processes.count / settings.batch for name, value in sums.items()}
        if processes.any(not all_finite(norm, sums)):
            raise self._broken(loaded, rate, norm, means)
        optimizer.step()
        state.update_average(settings.average, state.step)
        state.step += 1
        return means, norm

    def _losses(self, loaded: Loaded, loss_scale: float) -> dict[str, float] | None:
        """The summed losses of a batch, with its gradient in the parameters; None if memory does not suffice."""
        sums: dict[str, float] = {}
        try:
            for part in loaded.parts:
                with autocast(self.settings.precision, self.device):
                    losses = self.task.losses(self.state.module, part)
                total = torch.stack(list(losses.values())).sum()
                (total * (loss_scale / self.settings.batch)).backward()  # type: ignore[no-untyped-call]
                for name, value in losses.items():
                    sums[name] = sums.get(name, 0.0) + float(value.detach())
        except Exception as error:
            if not lacks_memory(error):
                raise
            return None
        return sums

    def _check(self, loaded: Loaded, rate: float, norm: float, losses: dict[str, float]) -> None:
        """Raises NotFinite before a state that is no number is written; all processes have the same."""
        if not self.state.finite():
            self.state.step -= 1
            raise self._broken(loaded, rate, norm, losses)

    def _broken(self, loaded: Loaded, rate: float, norm: float, losses: dict[str, float]) -> NotFinite:
        names = [self.task.identity(index) for index in loaded.indices]
        hint = "lower the rate" + (" (--resume --nan rollback does)" if self.rollback is None else "")
        return not_finite(self.folder, self.processes, self.state.step + 1, rate, norm, losses, names, hint)


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
