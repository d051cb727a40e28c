"""What exact resume needs: weights, their running mean and the momentum, with the step they belong to."""

import json
import os
import shutil
from contextlib import suppress
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor, nn

from googlenet_rcnn.core.errors import ModelError
from googlenet_rcnn.core.store import atomic_file, storage_error

from .resuming import Resume, refuse_different

__all__ = ["RunState", "load_state", "module_tensors", "read_state", "save_state", "write_state"]


class RunState:
    """A module in training, its optimizer and, if asked for, the running mean of its weights.

    `step` counts the steps taken, `halvings` how often the run went back to go on at half the rate.
    """

    def __init__(self, module: nn.Module, optimizer: torch.optim.Optimizer, use_average: bool) -> None:
        self.module, self.optimizer = module, optimizer
        self.step = self.halvings = 0
        state = module.state_dict()
        self.average = {name: value.detach().clone() for name, value in state.items()} if use_average else {}

    def update_average(self, decay: float, step: int) -> None:
        """Polyak averaging (Szegedy 2014, section 6); early steps count less, so the start is forgotten."""
        if not self.average:
            return
        weight = 1.0 - min(decay, (1.0 + step) / (10.0 + step))
        for name, value in self.module.state_dict().items():
            if value.is_floating_point():
                self.average[name].lerp_(value.detach(), weight)
            else:
                self.average[name].copy_(value)

    def result(self) -> dict[str, Tensor]:
        """The averaged weights, or the last ones where no mean is kept."""
        return self.average or {name: value.detach() for name, value in self.module.state_dict().items()}

    def finite(self) -> bool:
        """Whether every weight is a number, as all that is written must be."""
        return all(bool(torch.isfinite(tensor).all()) for tensor in self.tensors().values())

    def tensors(self) -> dict[str, Tensor]:
        """Everything as named tensors."""
        found = {f"module/{name}": value.detach() for name, value in self.module.state_dict().items()}
        found |= {f"average/{name}": value for name, value in self.average.items()}
        for group in self.optimizer.param_groups:
            momentum = self.optimizer.state[group["params"][0]].get("momentum_buffer")
            if momentum is not None:
                found[f"momentum/{group['name']}"] = momentum
        return found

    def restore(self, about: dict[str, Any], tensors: dict[str, Tensor]) -> None:
        """Takes back what `read_state` gave; a mean that was not kept begins at the weights."""
        self.step, self.halvings = about["step"], about["halvings"]
        module = module_tensors(tensors)
        self.module.load_state_dict(module)
        for name in self.average:
            self.average[name].copy_(tensors.get(f"average/{name}", module[name]))
        for group in self.optimizer.param_groups:
            momentum = tensors.get(f"momentum/{group['name']}")
            if momentum is not None:
                # Same memory layout as the parameter, or channels-last sums would round otherwise.
                self.optimizer.state[group["params"][0]]["momentum_buffer"] = torch.empty_like(
                    group["params"][0]
                ).copy_(momentum)


def module_tensors(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """The weights, not their mean, among the tensors that `read_state` gave."""
    return {name.removeprefix("module/"): value for name, value in tensors.items() if name.startswith("module/")}


def write_state(path: Path, state: RunState, fingerprint: dict[str, Any]) -> None:
    """Writes a state, whole or not at all, with what its run depends on."""
    metadata = {"step": str(state.step), "halvings": str(state.halvings)}
    metadata |= {"fingerprint": json.dumps(fingerprint, sort_keys=True)}
    data = save({name: tensor.contiguous() for name, tensor in state.tensors().items()}, metadata=metadata)
    with atomic_file(path) as stream:
        stream.write(data)


def read_state(path: Path) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """The step, the halvings and the fingerprint of a state, and its tensors; ValueError if it is damaged."""
    try:
        with safe_open(path, framework="pt") as file:
            found = file.metadata() or {}
            about = {"step": int(found["step"]), "halvings": int(found.get("halvings", "0"))}
            about |= {"fingerprint": json.loads(found["fingerprint"])}
            return about, {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118 - not a dict
    except (SafetensorError, KeyError) as error:
        raise ValueError(f"{path} is damaged") from error


def save_state(folder: Path, state: RunState, fingerprint: dict[str, Any]) -> None:
    """Writes last.safetensors; the one before it stays as previous.safetensors."""
    last = folder / "last.safetensors"
    spare = folder / "previous.safetensors"
    if _readable(last):  # a damaged file must not replace the good one before it
        try:
            with suppress(FileNotFoundError):
                spare.unlink()
            try:
                os.link(last, spare)
            except OSError:  # a file system without hard links
                shutil.copyfile(last, spare)
        except OSError as error:
            raise storage_error(error, spare) from error
    write_state(last, state, fingerprint)


def _readable(path: Path) -> bool:
    try:
        with safe_open(path, framework="pt"):
            return True
    except (SafetensorError, OSError):
        return False


def load_state(folder: Path, state: RunState, fingerprint: dict[str, Any], resume: Resume = Resume.SAME) -> None:
    """Restores the last state that can be read; does nothing if none was saved yet.

    UsageError names the settings that differ from those of the run, unless it goes on by force; other parameters
    than those of the network never can.
    """
    damaged = None
    for name in ("last.safetensors", "previous.safetensors"):
        path = folder / name
        try:
            about, tensors = read_state(path)
        except FileNotFoundError:
            continue
        except (ValueError, OSError):
            damaged = path
            continue
        then, now = about["fingerprint"], json.loads(json.dumps(fingerprint))
        forced = resume == Resume.FORCED and then.get("parameters") == now.get("parameters")
        refuse_different(folder, then, now, Resume.FORCED if forced else Resume.SAME)
        state.restore(about, tensors)
        return
    if damaged is not None:
        raise ModelError("STATE_DAMAGED", f"no readable state in {folder}: remove {damaged} to start again")
