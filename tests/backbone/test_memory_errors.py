"""Where memory runs out a run goes on in smaller parts to the same weights, or says how to go on."""

import os
import signal
from pathlib import Path

import pytest
import torch
from tiny_task import SETTINGS, Points, network

from googlenet_rcnn.backbone.training import Progress, train
from googlenet_rcnn.core.errors import ResourceError
from googlenet_rcnn.core.store import read_json_lines


class Hungry(Points):
    """Needs more memory than there is for more than so many examples at a time."""

    def __init__(self, most: int, error: Exception) -> None:
        super().__init__()
        self.most, self.error = most, error

    def losses(self, module, batch):
        if len(batch[1]) > self.most:
            raise self.error
        return super().losses(module, batch)


class Deadly(Points):
    """Ends the process that loads its tenth example, as the kernel does where memory is short."""

    def example(self, index, random):
        if index == 10 and torch.utils.data.get_worker_info() is not None:
            os.kill(os.getpid(), signal.SIGKILL)
        return super().example(index, random)


@pytest.mark.parametrize(
    "error",
    [torch.OutOfMemoryError("CUDA out of memory"), RuntimeError("DefaultCPUAllocator: can't allocate memory: 1 byte")],
    ids=["gpu", "cpu"],
)
def test_too_large_a_batch_is_worked_on_in_parts_from_then_on(tmp_path: Path, error: Exception) -> None:
    settings = SETTINGS.model_copy(update={"average": 0.0})
    wanted = train(network(0.0), Points(), settings, tmp_path / "whole")
    said: list[str] = []
    found = train(network(0.0), Hungry(3, error), settings, tmp_path / "run", say=said.append)
    assert [line.split(" parts")[0][-1] for line in said] == ["2", "4"]
    rows = list(read_json_lines(tmp_path / "run" / "log.jsonl"))
    assert [(row["step"], row["parts"]) for row in rows] == [(step, 4) for step in range(1, 10)]
    for name, value in wanted.items():
        torch.testing.assert_close(found[name], value, rtol=1e-5, atol=1e-6)


def test_memory_that_runs_out_later_costs_no_step(tmp_path: Path) -> None:
    def eat(progress: Progress) -> None:
        task.most = 4 if progress.step >= 5 else task.most

    task = Hungry(8, MemoryError())
    found = train(network(0.0), task, SETTINGS, tmp_path / "run", report=eat)
    rows = list(read_json_lines(tmp_path / "run" / "log.jsonl"))
    assert [(row["step"], row.get("parts")) for row in rows] == [(n, 2 if n > 5 else None) for n in range(1, 10)]
    wanted = train(network(0.0), Points(), SETTINGS, tmp_path / "whole")
    for name, value in wanted.items():
        torch.testing.assert_close(found[name], value, rtol=1e-5, atol=1e-6)


def test_one_example_that_is_too_large_is_told_and_changes_nothing(tmp_path: Path) -> None:
    module = network(0.0)
    before = {name: value.clone() for name, value in module.state_dict().items()}
    with pytest.raises(ResourceError, match="one example at a time") as caught:
        train(module, Hungry(0, MemoryError()), SETTINGS, tmp_path)
    assert (caught.value.code, int(caught.value.exit)) == ("OUT_OF_MEMORY", 5)
    assert all(torch.equal(value, before[name]) for name, value in module.state_dict().items())
    assert list(read_json_lines(tmp_path / "log.jsonl")) == []


def test_a_loader_that_is_killed_is_told_and_the_run_goes_on_without_it(tmp_path: Path) -> None:
    wanted = train(network(), Points(), SETTINGS, tmp_path / "whole")
    with pytest.raises(ResourceError, match=r"shared memory.*lower `workers` than 1") as caught:
        train(network(), Deadly(), SETTINGS.model_copy(update={"workers": 1}), tmp_path / "run")
    assert (caught.value.code, int(caught.value.exit)) == ("WORKER_DIED", 5)
    found = train(network(), Deadly(), SETTINGS, tmp_path / "run", resume=True)
    assert all(torch.equal(found[name], wanted[name]) for name in wanted)


def test_other_errors_stay_what_they_are(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="something else"):
        train(network(), Hungry(0, RuntimeError("something else")), SETTINGS, tmp_path)
