"""A checkpoint comes back as it was written, or is refused with the reason."""

import json
import os
import subprocess
import sys
from pathlib import Path

import hostile_models
import numpy as np
import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import nn

from googlenet_rcnn.backbone.architectures import build_network, load_network
from googlenet_rcnn.backbone.checkpoint import FORMAT, network_part, read_arrays, read_card
from googlenet_rcnn.backbone.weights import load_weights, read_tensors, save_weights
from googlenet_rcnn.core.card import Card
from googlenet_rcnn.core.errors import Exit, ModelError

pytestmark = pytest.mark.usefixtures("one_thread")

CARD = Card(labels=("cat", "dog"), task="detector", provenance="drawn at random")


def module() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(2, 3, 3), nn.BatchNorm2d(3)).to(memory_format=torch.channels_last)


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    path = tmp_path / "weights.safetensors"
    save_weights(path, module().state_dict(), CARD)
    return path


@pytest.mark.parametrize("half", [False, True])
def test_weights_and_card_come_back(tmp_path: Path, half: bool) -> None:
    path, first = tmp_path / "weights.safetensors", module()
    save_weights(path, first.state_dict(), CARD, half=half)
    assert os.listdir(tmp_path) == [path.name]
    assert read_card(path) == CARD
    with safe_open(path, framework="pt") as file:
        assert json.loads(file.metadata()["card"])["labels"] == ["cat", "dog"]
    second = nn.Sequential(nn.Conv2d(2, 3, 3), nn.BatchNorm2d(3))
    load_weights(second, read_tensors(path), str(path))
    for name, value in first.state_dict().items():
        stored = value.half().float() if half and value.is_floating_point() else value
        assert torch.equal(second.state_dict()[name], stored)
        assert second.state_dict()[name].dtype == value.dtype


def test_a_network_comes_back_with_its_card(tmp_path: Path) -> None:
    path = tmp_path / "network.safetensors"
    network = build_network(CARD)
    save_weights(path, network.state_dict(), CARD)
    loaded = load_network(path)
    assert loaded.card == CARD
    assert not loaded.network.training
    for name, value in network.state_dict().items():
        assert torch.equal(loaded.network.state_dict()[name], value)
    save_weights(path, network.state_dict(), CARD.model_copy(update={"labels": ("cat",)}))
    with pytest.raises(ModelError, match=r"classifier\.weight is \[3, 1024\], expected \[2, 1024\]"):
        load_network(path)


def test_box_regression_comes_back_and_is_asked_for_by_the_card(tmp_path: Path) -> None:
    # FAULTS 75, 77: a tensor that lacks or is too many is named; an older card is read as what it meant.
    card, path = CARD.model_copy(update={"box_regression": True}), tmp_path / "network.safetensors"
    network = build_network(card)
    save_weights(path, network.state_dict(), card)
    loaded = load_network(path)
    assert (loaded.card, loaded.card.regressed) == (card, 2)
    assert torch.equal(loaded.network.regressor.weight, network.regressor.weight)
    assert torch.equal(loaded.network.regressor.bias, network.regressor.bias)
    without = {name: value for name, value in network.state_dict().items() if not name.startswith("regressor.")}
    with pytest.raises(ModelError, match=r"lacks the tensor regressor\.weight"):
        load_weights(network, without, "file")
    # A file from before there was box regression says nothing of it in its card.
    old = {key: value for key, value in json.loads(CARD.model_dump_json()).items() if key != "box_regression"}
    contiguous = {name: value.contiguous() for name, value in without.items()}
    save_file(contiguous, path, metadata={"card": json.dumps(old)})
    loaded = load_network(path)
    assert (loaded.card, loaded.card.regressed, loaded.network.regressor) == (CARD, 0, None)
    assert all(torch.equal(value, without[name]) for name, value in loaded.network.state_dict().items())
    with pytest.raises(ModelError, match=r"a tensor the architecture lacks: regressor\.bias"):
        load_weights(loaded.network, network.state_dict(), "file")


def test_what_is_not_finite_is_never_written(tmp_path: Path) -> None:
    path = tmp_path / "weights.safetensors"
    for value, half in ((float("nan"), False), (float("inf"), False), (1e6, True)):  # half ends at 65504
        with pytest.raises(ModelError, match=r"good\.bad holds values that are not finite"):
            save_weights(path, {"good.bad": torch.tensor([1.0, value])}, CARD, half=half)
    assert os.listdir(tmp_path) == []


READERS = (read_card, read_tensors, read_arrays, load_network)


# FAULTS 75
@pytest.mark.parametrize("name", hostile_models.CONTAINERS)
def test_no_file_of_another_kind_is_opened(tmp_path: Path, name: str) -> None:
    path = tmp_path / "weights.safetensors"
    path.write_bytes(hostile_models.CONTAINERS[name]())
    for read in READERS:
        with pytest.raises(ModelError, match="MODEL_INVALID") as caught:
            read(path)
        assert str(path) in caught.value.message
        assert caught.value.exit == Exit.DATA


# FAULTS 74
def test_a_pickle_is_refused_and_never_run(tmp_path: Path) -> None:
    torch.save({"a": torch.zeros(1)}, tmp_path / "zip.safetensors")
    (tmp_path / "pickle.safetensors").write_bytes(hostile_models.pickle_with_code(tmp_path / "marker"))
    for path in list(tmp_path.iterdir()):
        for read in READERS:
            with pytest.raises(ModelError, match=r"MODEL_INVALID.*pickles are never loaded"):
                read(path)
    assert not (tmp_path / "marker").exists()


def test_a_good_file_that_was_cut_or_grew_is_refused(saved: Path) -> None:
    good = saved.read_bytes()
    for data in (good[:7], good[:40], good[:-5], good + b"x"):
        saved.write_bytes(data)
        with pytest.raises(ModelError, match="MODEL_INVALID"):
            read_arrays(saved)


def test_a_pipe_is_no_file_to_wait_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.safetensors")
    with pytest.raises(ModelError, match="MODEL_MISSING"):
        read_card(tmp_path / "pipe.safetensors")


# FAULTS 75, 76
@pytest.mark.parametrize("name", hostile_models.CARDS)
def test_a_card_that_makes_no_sense_is_refused(tmp_path: Path, name: str) -> None:
    path = tmp_path / "weights.safetensors"
    path.write_bytes(hostile_models.with_card(hostile_models.CARDS[name]))
    with pytest.raises(ModelError, match="MODEL_INVALID") as caught:
        read_card(path)
    assert str(path) in caught.value.message
    assert "\n" not in caught.value.message


def test_the_card_of_the_hostile_files_is_good_but_for_its_fault(tmp_path: Path) -> None:
    path = tmp_path / "weights.safetensors"
    path.write_bytes(hostile_models.with_card(hostile_models.CARD))
    assert read_card(path).labels == ("a", "b")
    assert read_arrays(path)["a"].tolist() == [0]


@pytest.mark.parametrize("path", ["none.safetensors", "."])
def test_a_missing_file_is_said(tmp_path: Path, path: str) -> None:
    with pytest.raises(ModelError, match="MODEL_MISSING"):
        read_card(tmp_path / path)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda t: t.pop("0.bias"), r"lacks the tensor 0\.bias"),
        (lambda t: t.update(extra=torch.zeros(1)), "lacks: extra"),
        (lambda t: t.update({"0.bias": torch.zeros(4)}), r"0\.bias is \[4\], expected \[3\]"),
        (lambda t: t.update({"0.bias": torch.zeros(3, dtype=torch.int32)}), r"0\.bias is torch\.int32"),
        (lambda t: t["0.bias"].fill_(float("nan")), r"0\.bias holds values that are not finite"),
        (lambda t: t["1.running_var"].fill_(float("inf")), r"1\.running_var holds"),
    ],
)
def test_the_wrong_tensor_is_named_and_nothing_is_loaded(change, message: str) -> None:
    tensors = {name: value.clone() for name, value in module().state_dict().items()}
    change(tensors)
    target = nn.Sequential(nn.Conv2d(2, 3, 3), nn.BatchNorm2d(3))
    before = {name: value.clone() for name, value in target.state_dict().items()}
    with pytest.raises(ModelError, match=f"MODEL_INVALID: file.*{message}"):
        load_weights(target, tensors, "file")
    assert all(torch.equal(value, before[name]) for name, value in target.state_dict().items())


@pytest.mark.parametrize(
    ("card", "code"),
    [
        (None, "MODEL_NO_CARD"),
        (CARD.model_copy(update={"format": FORMAT + 1}).model_dump_json(), "MODEL_NEWER"),
        (f'{{"format":{FORMAT + 1},"key of the future":1}}', "MODEL_NEWER"),
        ("{", "MODEL_INVALID"),
        ("[]", "MODEL_INVALID"),
        ("{}", "MODEL_INVALID"),
        ('{"format":"2"}', "MODEL_INVALID"),
        ('{"labels":["a"],"arch":"resnet"}', "MODEL_INVALID"),
    ],
)
def test_a_card_that_cannot_be_used_is_refused(tmp_path: Path, card: str | None, code: str) -> None:
    path = tmp_path / "weights.safetensors"
    save_file({"a": torch.zeros(1)}, path, metadata=None if card is None else {"card": card})
    with pytest.raises(ModelError, match=str(path)) as caught:
        read_card(path)
    assert caught.value.code == code
    assert "a" in read_tensors(path)
    assert "a" in read_arrays(path)


@pytest.mark.parametrize("half", [False, True])
def test_arrays_are_the_tensors_widened(tmp_path: Path, half: bool) -> None:
    path, first = tmp_path / "weights.safetensors", module()
    save_weights(path, first.state_dict(), CARD, half=half)
    arrays = read_arrays(path)
    assert arrays.keys() == first.state_dict().keys()
    for name, tensor in read_tensors(path).items():
        expected = tensor.float() if tensor.is_floating_point() else tensor
        assert np.array_equal(arrays[name], expected.numpy())
        assert arrays[name].dtype == (np.float32 if tensor.is_floating_point() else np.int64)
        assert arrays[name].shape == tuple(tensor.shape)


def test_arrays_can_be_asked_for_by_their_names(saved: Path) -> None:
    assert set(read_arrays(saved, "0.")) == {"0.weight", "0.bias"}
    assert read_arrays(saved, "none") == {}


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
def test_arrays_that_are_not_finite_are_named(tmp_path: Path, value: float) -> None:
    path = tmp_path / "weights.safetensors"
    save_file({"good": torch.zeros(3), "bad": torch.tensor([0, value]).half()}, path)
    with pytest.raises(ModelError, match=r"MODEL_INVALID.*bad holds values that are not finite"):
        read_arrays(path)
    assert read_arrays(path, "good").keys() == {"good"}


def test_numbers_that_numpy_lacks_are_refused_or_read(tmp_path: Path) -> None:
    path = tmp_path / "weights.safetensors"
    save_file({"a": torch.ones(3, dtype=torch.bfloat16)}, path)
    try:
        read = read_arrays(path)
    except ModelError as error:
        refused = error.code, str(path) in error.message
    else:
        refused = "MODEL_INVALID", read["a"].tolist() == [1, 1, 1]
    assert refused == ("MODEL_INVALID", True)


@pytest.mark.parametrize(
    ("task", "own"),
    [
        ("detector", {"conv1.0.bias": 1, "trunk.conv1.0.bias": 2, "head.bias": 3}),
        ("classifier", {"conv1.0.bias": 1, "trunk.conv1.0.bias": 2, "head.bias": 3}),
        ("multibox", {"conv1.0.bias": 2}),
    ],
)
def test_the_network_is_what_is_no_head_beside_it(task, own) -> None:
    tensors = {"conv1.0.bias": 1, "trunk.conv1.0.bias": 2, "head.bias": 3, "screen.hidden.bias": 4}
    assert network_part(tensors, CARD.model_copy(update={"task": task})) == own


def test_a_screening_head_is_no_part_of_the_network(tmp_path: Path) -> None:
    path, network = tmp_path / "network.safetensors", build_network(CARD)
    save_weights(path, network.state_dict() | {"screen.hidden.bias": torch.zeros(3)}, CARD)
    loaded = load_network(path).network
    assert loaded.state_dict().keys() == network.state_dict().keys()


def test_reading_needs_no_torch(saved: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from googlenet_rcnn.backbone.checkpoint import read_arrays, read_card\n"
    )
    code += "print(read_card(Path(sys.argv[1])).task, len(read_arrays(Path(sys.argv[1]))), 'torch' in sys.modules)"
    result = subprocess.run([sys.executable, "-c", code, str(saved)], capture_output=True, text=True, check=True)
    assert result.stdout.split() == ["detector", "7", "False"]
