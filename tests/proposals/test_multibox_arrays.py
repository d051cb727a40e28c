"""The head in use gives what the head in training gives, and is read from a file as strictly."""

import numpy as np
import pytest
import torch
from tiny_multibox import head_arrays

from googlenet_rcnn.core.errors import ModelError
from googlenet_rcnn.proposals.multibox_arrays import HeadArrays, HeadSettings
from googlenet_rcnn.proposals.multibox_head import MultiBoxHead

pytestmark = pytest.mark.usefixtures("one_thread")

SIZES = {
    "small": (HeadSettings(channels=6, hidden=10, grid=2, context=1.5), 5, 5, 8),
    "one bin": (HeadSettings(channels=3, hidden=4, grid=1, scale=0.5), 1, 7, 14),
    "as shipped": (HeadSettings(), 200, 832, 14),
}


def heads(settings, count, inputs, cells, seed=0) -> tuple[MultiBoxHead, HeadArrays]:
    """A head in which everything counts, as torch's and as arrays."""
    corners = np.sort(np.random.default_rng(seed).random((count, 2, 2)), axis=1).reshape(count, 4)
    torch.manual_seed(seed)
    head = MultiBoxHead(torch.from_numpy(corners.astype(np.float32)), settings, inputs, cells).eval()
    with torch.no_grad():
        head.slot.normal_()
        head.bias.normal_()
        head.output.weight.normal_(std=0.3)
    return head, head_arrays(head, settings, inputs, cells)


@pytest.mark.parametrize("size", SIZES.values(), ids=SIZES)
@pytest.mark.parametrize("brightness", [0.0, 0.01, 1.0, 300.0])
def test_numbers_are_those_of_torch(size, brightness) -> None:
    head, arrays = heads(*size)
    map_ = torch.relu(torch.randn(size[2], size[3], size[3], generator=torch.Generator().manual_seed(1))) * brightness
    with torch.inference_mode():
        expected = head(map_[None])
    locations, logits = arrays.look(map_.numpy())
    np.testing.assert_allclose(locations, expected.locations[0], rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(logits, expected.logits[0], rtol=1e-5, atol=1e-5)
    assert locations.dtype == logits.dtype == np.float32


def test_a_look_leaves_the_map_as_it_was() -> None:
    _, arrays = heads(*SIZES["small"])
    map_ = np.random.default_rng(0).random((5, 8, 8)).astype(np.float32)
    before = map_.copy()
    first, second = arrays.look(map_), arrays.look(map_)
    assert np.array_equal(map_, before)
    assert np.array_equal(first[0], second[0])
    assert np.array_equal(first[1], second[1])


def test_every_tensor_is_asked_for_in_its_shape() -> None:
    settings, _, inputs, _ = SIZES["small"]
    _, arrays = heads(*SIZES["small"])
    for name, array in arrays.tensors.items():
        without = {key: value for key, value in arrays.tensors.items() if key != name}
        for changed in (without, without | {name: array[..., None]}, without | {name: np.zeros((3, 3), np.float32)}):
            with pytest.raises(ModelError, match=rf"file.*head\.{name}") as caught:
                HeadArrays.of(changed, settings, "file", inputs)
            assert caught.value.code == "MODEL_INVALID"
    with pytest.raises(ModelError, match=r"head\.more"):
        HeadArrays.of({**arrays.tensors, "more": np.zeros(1, np.float32)}, settings, "file", inputs)
    with pytest.raises(ModelError, match="expected"):
        HeadArrays.of(arrays.tensors, HeadSettings(), "file", inputs)


def test_a_state_of_torch_has_just_these_tensors() -> None:
    head, arrays = heads(*SIZES["as shipped"])
    assert set(head.state_dict()) == set(arrays.tensors)
