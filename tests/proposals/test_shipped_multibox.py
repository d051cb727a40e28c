"""The MultiBox that ships: its file, and what it makes of photographs it has not seen."""

import numpy as np
import pytest
from contracts import check_proposer
from skimage import data

from googlenet_rcnn.api.build import build_multibox, build_proposer, find_multibox
from googlenet_rcnn.api.runtime import Runtime
from googlenet_rcnn.backbone.checkpoint import read_card
from googlenet_rcnn.backbone.weights import read_tensors
from googlenet_rcnn.core.boxes import intersection_over_union


@pytest.fixture(scope="module")
def multibox():
    return build_multibox("multibox-voc07", 200, None, Runtime("torch", 1))


def test_the_file_holds_a_head_and_no_trunk() -> None:
    path = find_multibox("multibox-voc07")
    tensors = read_tensors(path)
    assert path.stat().st_size < 2_000_000
    assert all(name.startswith("head.") for name in tensors)
    priors = tensors["head.priors"]
    assert priors.shape == (200, 4)
    assert bool(((priors >= 0) & (priors <= 1)).all())
    card = read_card(path)
    assert (card.task, card.data) == ("multibox", "VOC2007 trainval")
    assert card.provenance


def test_it_keeps_the_contract_of_a_proposer(multibox) -> None:
    check_proposer(multibox)


# Boxes drawn by eye around the one thing each photograph shows.
@pytest.mark.parametrize(
    ("name", "box"),
    [("chelsea", (40, 0, 451, 300)), ("astronaut", (20, 0, 470, 512)), ("coffee", (70, 10, 490, 400))],
)
def test_the_thing_in_a_photograph_is_among_the_first_boxes(multibox, name, box) -> None:
    image = np.ascontiguousarray(getattr(data, name)())
    found = multibox.propose(image)
    overlap = intersection_over_union(found.boxes.coordinates[:10], np.array([box], np.float32))
    assert overlap.max() > 0.6
    assert found.scores[0] > 10 * found.scores[100]


def test_union_begins_with_multibox_and_goes_on_with_doubled_selective_search(multibox) -> None:
    image = np.ascontiguousarray(data.chelsea())
    union = build_proposer("multibox+ss", runtime=Runtime("torch", 1)).propose(image)
    assert union.source_names == ("multibox", "ss")
    assert np.array_equal(union.boxes.coordinates[:200], multibox.propose(image).boxes.coordinates)
    alone = build_proposer("ss", superpixel_scale=2.0).propose(image)
    assert 0 <= 200 + len(alone) - len(union) < 20
