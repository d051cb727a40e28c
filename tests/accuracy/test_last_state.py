"""The last weights of a run in the place of their mean."""

from importlib import import_module

import pytest
import torch
from torch import nn

from googlenet_rcnn.backbone.checkpoint import read_card
from googlenet_rcnn.backbone.run_state import RunState, write_state
from googlenet_rcnn.backbone.weights import read_tensors, save_weights
from googlenet_rcnn.core.card import Card

CARD = Card(task="detector", labels=("cat", "dog"), seed=7)


@pytest.fixture
def finished(tmp_path):
    """A run whose layer went from 0 to 1 in one step, so that the mean lies between; its screening head is all 5."""
    layer = nn.Linear(3, 2)
    nn.init.zeros_(layer.weight)
    state = RunState(layer, torch.optim.SGD(layer.parameters(), lr=1.0), use_average=True)
    with torch.no_grad():
        layer.weight.fill_(1.0)
    state.update_average(0.99, 0)
    (tmp_path / "network").mkdir()
    write_state(tmp_path / "network" / "last.safetensors", state, {})
    assert 0 < float(state.average["weight"].max()) < 1
    save_weights(tmp_path / "detector.safetensors", state.average | {"screen.x": torch.full((4,), 5.0)}, CARD)
    return tmp_path


def test_the_last_weights_replace_their_mean_and_nothing_else(finished) -> None:
    out = finished / "last.safetensors"
    assert import_module("last_state").main([str(finished), "--out", str(out)]) == 0
    found, before = read_tensors(out), read_tensors(finished / "detector.safetensors")
    assert found.keys() == before.keys()
    assert found["weight"].eq(1).all()
    assert found["screen.x"].eq(5).all()
    assert found["weight"].dtype == torch.float16
    assert read_card(out) == CARD
    assert not before["weight"].eq(1).any()


@pytest.mark.parametrize(
    "state",
    [{}, {"average/weight": torch.zeros(2)}, {"module/other": torch.zeros(2)}, {"module/weight": torch.zeros(3)}],
)
def test_the_state_of_another_network_is_refused(state) -> None:
    with pytest.raises(ValueError, match="another network"):
        import_module("last_state").last_weights({"weight": torch.zeros(2)}, state)


@pytest.mark.parametrize("stage", ["head", "network"])
def test_a_run_without_the_stage_is_told_in_one_line(finished, stage, capsys) -> None:
    (finished / "network" / "last.safetensors").write_bytes(b"torn")
    out = finished / "last.safetensors"
    with pytest.raises(SystemExit) as caught:
        import_module("last_state").main([str(finished), "--stage", stage, "--out", str(out)])
    assert caught.value.code == 2
    assert str(finished / stage / "last.safetensors") in capsys.readouterr().err.splitlines()[-1]
    assert not out.exists()
