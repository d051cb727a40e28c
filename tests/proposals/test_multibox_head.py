"""The head: its pooling against interpolation by others, its output against priors, and what it must not depend on."""

import numpy as np
import pytest
import torch
from torch.nn.functional import grid_sample

from googlenet_rcnn.proposals.multibox_arrays import HeadSettings
from googlenet_rcnn.proposals.multibox_head import MultiBoxHead

pytestmark = pytest.mark.usefixtures("one_thread")

PRIORS = torch.tensor([(0.1, 0.2, 0.4, 0.9), (0.5, 0.5, 0.6, 0.55), (0.0, 0.0, 1.0, 1.0), (0.7, 0.05, 0.95, 0.3)])
SMALL = HeadSettings(channels=6, hidden=10, grid=2, context=1.5, dropout=0.4)
INPUTS, CELLS = 5, 8


def build(settings: HeadSettings = SMALL, priors: torch.Tensor = PRIORS, seed: int = 0) -> MultiBoxHead:
    """A head in evaluation mode whose biases and slots have been learned, so to speak."""
    torch.manual_seed(seed)
    head = MultiBoxHead(priors, settings, INPUTS, CELLS).eval()
    with torch.no_grad():
        head.slot.normal_()
        head.bias.normal_()
        head.output.weight.normal_()
    return head


def maps(count: int = 2, seed: int = 1) -> torch.Tensor:
    return torch.rand((count, INPUTS, CELLS, CELLS), generator=torch.Generator().manual_seed(seed))


def test_pooling_is_torchs_bilinear_sampling_around_each_prior() -> None:
    head, image = build(), maps(1)
    pooled = (head.pooling @ image.flatten(2).transpose(1, 2)).view(len(PRIORS), 2, 2, INPUTS)
    for prior, bins in zip(PRIORS.double().numpy(), pooled, strict=True):
        centre, half = (prior[:2] + prior[2:]) / 2, (prior[2:] - prior[:2]) / 2 * SMALL.context
        xs, ys = (centre[a] - half[a] + 2 * half[a] * (np.arange(8) + 0.5) / 8 for a in (0, 1))
        points = torch.from_numpy(np.stack(np.meshgrid(xs, ys), axis=-1)).float()[None] * 2 - 1  # x before y
        samples = grid_sample(image, points, padding_mode="border", align_corners=False)
        expected = samples.view(INPUTS, 2, 4, 2, 4).mean(dim=(2, 4)).permute(1, 2, 0)
        torch.testing.assert_close(bins, expected, atol=1e-5, rtol=1e-5)


def test_shapes_and_types() -> None:
    for settings in (SMALL, HeadSettings(channels=3, hidden=4, grid=1), HeadSettings(channels=3, hidden=4, grid=4)):
        output = build(settings)(maps(3))
        assert output.locations.shape == (3, 4, 4)
        assert output.logits.shape == (3, 4)
    halves = build()(maps(3).half())
    assert halves.locations.dtype == halves.logits.dtype == torch.float32
    assert build()(maps(0)).locations.shape == (0, 4, 4)


def test_a_new_head_proposes_little_beside_its_priors_and_believes_in_none() -> None:
    torch.manual_seed(0)
    priors = torch.rand(50, 4)
    output = MultiBoxHead(priors, HeadSettings())(torch.rand(1, 832, 14, 14))
    assert output.locations.shape == (1, 50, 4)
    torch.testing.assert_close(output.locations[0], priors, atol=0.05, rtol=0)
    assert (torch.sigmoid(output.logits) < 0.05).all()


def test_without_output_weights_the_boxes_are_the_priors() -> None:
    head = build()
    with torch.no_grad():
        head.output.weight.zero_()
        head.bias.zero_()
    output = head(maps())
    assert torch.equal(output.locations, PRIORS.expand(2, 4, 4))
    assert torch.equal(output.logits, torch.zeros(2, 4))


@pytest.mark.parametrize("scale", [0.1, 0.5])
def test_a_residual_moves_a_corner_by_the_scale(scale) -> None:
    head = build(SMALL.model_copy(update={"scale": scale}))
    with torch.no_grad():
        head.output.weight.zero_()
        head.bias.copy_(torch.arange(20).view(4, 5))
    output = head(maps(1))
    torch.testing.assert_close(output.locations[0], PRIORS + scale * head.bias[:, :4])
    assert output.logits[0].tolist() == [4, 9, 14, 19]


def test_the_brightness_of_a_map_does_not_matter() -> None:
    head, image = build(), maps() + 5
    for factor in (0.1, 300.0):
        torch.testing.assert_close(head(image * factor), head(image), atol=2e-4, rtol=1e-3)
    dark = head(torch.zeros_like(image))
    assert dark.locations.isfinite().all()
    assert dark.logits.isfinite().all()


def test_each_image_is_looked_at_alone() -> None:
    head, image = build(), maps(5)
    alone = head(image[3:4])
    torch.testing.assert_close(head(image).locations[3:4], alone.locations)
    torch.testing.assert_close(head(image).logits[3:4], alone.logits)


def test_on_a_flat_map_priors_differ_by_their_slots_only() -> None:
    head = build()
    with torch.no_grad():
        head.bias.zero_()
        head.slot.zero_()
    flat = torch.rand(1, INPUTS, 1, 1).expand(1, INPUTS, CELLS, CELLS)
    output = head(flat)
    residuals = output.locations[0] - PRIORS
    torch.testing.assert_close(residuals, residuals[:1].expand(4, 4), atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(output.logits[0], output.logits[0, :1].expand(4), atol=1e-5, rtol=1e-5)
    assert output.logits.std() < 1e-4 < build()(flat).logits.std()


def test_what_is_learned_at_one_place_serves_at_all_others() -> None:
    shift = torch.tensor([3.0, 2.0, 3.0, 2.0]) / CELLS  # three cells to the right, two down
    here = torch.tensor([0.2, 0.2, 0.45, 0.55])
    head = build(priors=torch.stack([here, here + shift]))
    with torch.no_grad():
        head.bias.zero_()
        head.slot.zero_()
    image = torch.zeros(1, INPUTS, CELLS, CELLS)
    image[:, :, 1:5, 1:4] = maps(1)[:, :, 1:5, 1:4]
    before, after = head(image), head(torch.roll(image, (2, 3), dims=(2, 3)))
    torch.testing.assert_close(after.logits[0, 1], before.logits[0, 0])
    torch.testing.assert_close(after.locations[0, 1] - shift, before.locations[0, 0])
    assert not torch.allclose(after.logits[0, 0], before.logits[0, 0], atol=0.01)


def test_every_parameter_learns() -> None:
    head = build().train()
    output = head(maps(4))
    (output.locations.square().sum() + output.logits.square().sum()).backward()
    silent = [name for name, value in head.named_parameters() if value.grad is None or not value.grad.any()]
    assert silent == []
    assert not {"priors", "pooling"} & {name for name, _ in head.named_parameters()}


def test_dropout_is_for_training_only() -> None:
    head, image = build(), maps()
    assert torch.equal(head(image).logits, head(image).logits)
    head.train()
    assert not torch.equal(head(image).logits, head(image).logits)


def test_a_state_makes_an_equal_head_and_leaves_out_what_follows_from_the_priors() -> None:
    head, other = build(seed=0), build(seed=5)
    assert not torch.equal(head(maps()).logits, other(maps()).logits)
    other.load_state_dict(head.state_dict())
    assert torch.equal(head(maps()).logits, other(maps()).logits)
    assert torch.equal(head(maps()).locations, other(maps()).locations)
    assert "priors" in head.state_dict()
    assert "pooling" not in head.state_dict()
