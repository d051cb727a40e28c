"""A run that goes back is a function of its settings and seed too: at half the rate, from a state that is whole."""

import json
import os
import signal
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from tiny_task import SETTINGS, Points, network
from torch import nn

from googlenet_rcnn.backbone import rollback
from googlenet_rcnn.backbone.resuming import Resume
from googlenet_rcnn.backbone.rollback import Rollback
from googlenet_rcnn.backbone.run_state import RunState
from googlenet_rcnn.backbone.training import Interrupted, NotFinite, TrainSettings, train
from googlenet_rcnn.core.store import read_json_lines

STEEP = TrainSettings(
    epochs=90, batch=1, rate=3.0, schedule="steps", decay=1.0, momentum=0.0, weight_decay=0.0, nan="rollback",
    checkpoint_minutes=9,
)  # fmt: skip
STEPS = 90


class Valley(Points):
    """One weight w in a valley w^2/2: at a rate above 2 each step leads higher up, below it down."""

    def __init__(self) -> None:
        super().__init__(count=1)

    def losses(self, module, batch):
        return {"height": 0.5 * module.weight.square().sum()}


def valley() -> nn.Module:
    module = nn.Linear(1, 1, bias=False)
    with torch.no_grad():
        module.weight.fill_(1.0)
    return module


@pytest.fixture(autouse=True)
def _often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rollback, "_SPACING", 10)


def run(folder: Path, settings: TrainSettings = STEEP, **options) -> torch.Tensor:
    return train(valley(), Valley(), settings, folder, **options)["weight"]


@pytest.fixture
def whole(tmp_path: Path) -> torch.Tensor:
    """The weight at the end of a run that nothing disturbed."""
    return run(tmp_path / "whole")


def test_too_high_a_rate_is_halved_some_steps_before_it_showed(tmp_path: Path, whole) -> None:
    """The weight doubles at each step, so its square is infinite after 64; at half the rate it halves."""
    said: list[str] = []
    assert torch.equal(run(tmp_path / "again", say=said.append), whole)
    assert len(said) == 1
    assert "step 65: " in said[0]
    assert "going back to step 50" in said[0]
    rows = list(read_json_lines(tmp_path / "again" / "log.jsonl"))
    assert [row["step"] for row in rows] == list(range(1, STEPS + 1))
    assert [row["rate"] for row in rows] == [3.0] * 50 + [1.5] * 40
    assert whole.abs() == 2.0 ** (50 - 40)
    assert json.loads((tmp_path / "again" / "not-finite.json").read_text())["batch"] == ["point-0"]
    assert not list((tmp_path / "again").glob("good-*"))


@pytest.mark.parametrize("minutes", [0.0, 9.0])
@pytest.mark.parametrize("stop", [5, 12, 58, 64, 71])
def test_a_run_that_is_stopped_before_or_after_goes_on_exactly(tmp_path: Path, whole, stop: int, minutes: float):
    """Whenever states are saved: steps 58 and 64 are taken at both rates, so the second stop is the other one."""

    def interrupt(progress) -> None:
        if progress.step == stop:
            os.kill(os.getpid(), signal.SIGTERM)

    settings = STEEP.model_copy(update={"checkpoint_minutes": minutes})
    with pytest.raises(Interrupted):
        run(tmp_path / "run", settings, report=interrupt)
    if stop in (58, 64):
        with pytest.raises(Interrupted):
            run(tmp_path / "run", settings, report=interrupt, resume=Resume.SAME)
    assert torch.equal(run(tmp_path / "run", settings, resume=Resume.SAME), whole)
    rows = list(read_json_lines(tmp_path / "run" / "log.jsonl"))
    assert [row["rate"] for row in rows] == [3.0] * 50 + [1.5] * 40


def test_a_run_that_ended_there_can_be_told_to_go_back(tmp_path: Path, whole) -> None:
    with pytest.raises(NotFinite, match=r"step 65: .*--nan rollback"):
        run(tmp_path / "run", STEEP.model_copy(update={"nan": "stop"}))
    assert torch.equal(run(tmp_path / "run", resume=Resume.SAME), whole)


def test_it_goes_back_three_times_and_no_more(tmp_path: Path) -> None:
    said: list[str] = []
    with pytest.raises(NotFinite):
        run(tmp_path, STEEP.model_copy(update={"rate": 1e30}), say=said.append)
    assert len(said) == 3
    states = list(tmp_path.glob("*.safetensors"))
    assert states
    assert all(value.isfinite().all() for path in states for value in load_file(path).values())
    with pytest.raises(NotFinite):  # nor does a resumed run begin to count anew
        run(tmp_path, STEEP.model_copy(update={"rate": 1e30}), resume=Resume.SAME, say=said.append)
    assert len(said) == 3


def test_a_bad_example_is_named_after_all(tmp_path: Path) -> None:
    said: list[str] = []
    with pytest.raises(NotFinite):
        train(network(), Points(bad=7), SETTINGS.model_copy(update={"nan": "rollback"}), tmp_path, say=said.append)
    assert len(said) == 3
    assert "point-7" in json.loads((tmp_path / "not-finite.json").read_text())["batch"]


@pytest.fixture
def states(tmp_path: Path):
    """A state and what keeps it, in a folder."""
    module = valley()
    state = RunState(module, torch.optim.SGD([{"params": [module.weight], "name": "weight"}]), use_average=False)
    return state, Rollback(tmp_path, state, {"settings": {}}, first=True), tmp_path


@pytest.mark.parametrize(("step", "back"), [(3, 0), (10, 0), (19, 0), (20, 10), (29, 10), (35, 20)])
def test_two_states_are_kept_and_the_later_is_taken_once_it_has_proved_itself(states, step: int, back: int) -> None:
    state, kept, folder = states
    kept.begin()
    for number in range(1, step + 1):
        state.step = number
        with torch.no_grad():
            state.module.weight.fill_(number)
        if kept.due():
            kept.keep()
    assert len(list(folder.iterdir())) == min(2, 1 + step // 10)
    assert kept.go_back()
    assert (state.step, state.halvings) == (back, 1)
    assert state.module.weight.item() == (back or 1)


def test_states_of_another_run_are_not_gone_back_to(states) -> None:
    state, kept, folder = states
    for step in (0, 10, 20):
        state.step = step
        kept.keep()
    state.step = 15  # this is where a run goes on
    kept.begin()
    assert sorted(path.name for path in folder.iterdir()) == ["good-10.safetensors"]
    state.step = 0  # this one is new
    kept.begin()
    assert sorted(path.name for path in folder.iterdir()) == ["good-0.safetensors"]
    kept.end()
    assert not list(folder.iterdir())
