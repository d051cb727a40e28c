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

from googlenet_rcnn.core.errors import ModelError, UsageError
from googlenet_rcnn.core.store import atomic_file, storage_error

__all__ = ["RunState", "load_state", "save_state"]


class RunState:
    """A module in training, its optimizer and, if asked for, the running mean of its weights."""

    def __init__(self, module: nn.Module, optimizer: torch.optim.Optimizer, use_average: bool) -> None:
        self.module, self.optimizer = module, optimizer
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

    def restore(self, tensors: dict[str, Tensor]) -> None:
        """Takes back what `tensors` gave."""
        module = {n.removeprefix("module/"): t for n, t in tensors.items() if n.startswith("module/")}
        self.module.load_state_dict(module)
        for name in self.average:
            self.average[name].copy_(tensors[f"average/{name}"])
        for group in self.optimizer.param_groups:
            momentum = tensors.get(f"momentum/{group['name']}")
            if momentum is not None:
                # Same memory layout as the parameter, or channels-last sums would round otherwise.
                self.optimizer.state[group["params"][0]]["momentum_buffer"] = torch.empty_like(
                    group["params"][0]
                ).copy_(momentum)


def save_state(folder: Path, state: RunState, fingerprint: dict[str, Any], step: int) -> None:
    """Writes last.safetensors; the one before it stays as previous.safetensors."""
    last = folder / "last.safetensors"
    metadata = {"step": str(step), "fingerprint": json.dumps(fingerprint, sort_keys=True)}
    data = save({name: tensor.contiguous() for name, tensor in state.tensors().items()}, metadata=metadata)
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
    with atomic_file(last) as stream:
        stream.write(data)


def _readable(path: Path) -> bool:
    try:
        with safe_open(path, framework="pt"):
            return True
    except (SafetensorError, OSError):
        return False


def load_state(folder: Path, state: RunState, fingerprint: dict[str, Any]) -> int:
    """Restores the last state that can be read and returns its step; 0 if nothing was saved yet.

    UsageError names the settings that differ from those of the run.
    """
    damaged = None
    for name in ("last.safetensors", "previous.safetensors"):
        path = folder / name
        try:
            with safe_open(path, framework="pt") as file:
                metadata = file.metadata() or {}
                saved, step = json.loads(metadata["fingerprint"]), int(metadata["step"])
                tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118 - not a dict
        except FileNotFoundError:
            continue
        except (SafetensorError, OSError, KeyError, ValueError):
            damaged = path
            continue
        _compare(saved, fingerprint, folder)
        state.restore(tensors)
        return step
    if damaged is not None:
        raise ModelError("STATE_DAMAGED", f"no readable state in {folder}: remove {damaged} to start again")
    return 0


def _compare(saved: dict[str, Any], now: dict[str, Any], folder: Path) -> None:
    now = json.loads(json.dumps(now))
    different = [key for key in now if key != "settings" and saved.get(key) != now[key]]
    settings = saved.get("settings", {})
    different += [
        f"{key} ({settings.get(key)} then, {value} now)"
        for key, value in now["settings"].items()
        if settings.get(key) != value
    ]
    if different:
        raise UsageError(
            "RESUME_DIFFERS",
            f"{folder} was begun with other {', '.join(different)}: use its settings or a new --out",
        )
