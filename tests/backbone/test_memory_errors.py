"""Where memory runs out a run says how to go on, and goes on to the same weights."""

import os
import signal
from pathlib import Path

import pytest
import torch
from tiny_task import SETTINGS, Points, network

from googlenet_rcnn.backbone.training import train
from googlenet_rcnn.core.errors import ResourceError


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
def test_too_large_a_batch_is_told_and_goes_on_in_parts(tmp_path: Path, error: Exception) -> None:
    settings = SETTINGS.model_copy(update={"average": 0.0})
    wanted = train(network(0.0), Points(), settings, tmp_path / "whole")
    task = Hungry(4, error)
    with pytest.raises(ResourceError, match="`accumulate` = 2") as caught:
        train(network(0.0), task, settings, tmp_path / "run")
    assert (caught.value.code, int(caught.value.exit)) == ("OUT_OF_MEMORY", 5)
    parts = settings.model_copy(update={"accumulate": 2})
    found = train(network(0.0), task, parts, tmp_path / "run", resume=True)
    for name, value in wanted.items():
        torch.testing.assert_close(found[name], value, rtol=1e-5, atol=1e-6)


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
