"""Screening scores: the same in numpy as where they are trained, for any boxes in any company."""

import numpy as np
import pytest
import torch
from hostile import photo
from tiny_screen import HEAD, StubEngine, head_arrays, random_boxes, random_head, random_map, random_screen, screen_card

from googlenet_rcnn.backbone.whole_image import squash
from googlenet_rcnn.core.card import Card
from googlenet_rcnn.core.errors import ModelError
from googlenet_rcnn.core.types import Boxes, Size
from googlenet_rcnn.detector import screening
from googlenet_rcnn.detector.screening import Screen, ScreenHeadSettings
from googlenet_rcnn.detector.screening_head import ScreenHead

pytestmark = pytest.mark.usefixtures("one_thread")

SIZE = Size(60, 80)
SHAPES = (
    HEAD,
    ScreenHeadSettings(side=32, channels=2, hidden=8, grid=1, context=0.5),
    ScreenHeadSettings(side=96, channels=5, hidden=7, grid=3, context=2.0),
    ScreenHeadSettings(side=224, channels=16, hidden=8, grid=4, context=1.0),
)


def by_torch(head: ScreenHead, map_, boxes, settings):
    looks = [torch.from_numpy(part)[None] for part in settings.looks(boxes)]
    with torch.inference_mode():
        return torch.softmax(head(torch.from_numpy(map_)[None], *looks)[0], dim=1).numpy()


@pytest.mark.parametrize("settings", SHAPES, ids=lambda settings: f"{settings.side}-{settings.grid}")
@pytest.mark.parametrize("seed", range(3))
def test_scores_are_those_of_the_head_that_was_trained(settings, seed) -> None:
    boxes, head, map_ = random_boxes(30, seed, SIZE), random_head(settings, seed=seed), random_map(settings, seed)
    screen = Screen.of(screen_card(settings), head_arrays(head), StubEngine(map_), "x")
    found = screen.probabilities(photo(), boxes)
    assert found.dtype == np.float32
    assert found.shape == (30, 3)
    np.testing.assert_allclose(found.sum(axis=1), 1, atol=1e-6)
    assert np.ptp(found, axis=0).max() > 0.1  # the boxes are told apart
    np.testing.assert_allclose(found, by_torch(head, map_, boxes, settings), atol=1e-5)


def test_the_head_scores_images_of_a_batch_as_it_scores_each_alone() -> None:
    head, maps = random_head(), [random_map(seed=seed) for seed in range(3)]
    looks = [HEAD.looks(random_boxes(4, seed, SIZE)) for seed in range(3)]
    columns, rows, geometry = (torch.from_numpy(np.stack(part)) for part in zip(*looks, strict=True))
    with torch.inference_mode():
        together = head(torch.from_numpy(np.stack(maps)), columns, rows, geometry)
        for number, map_ in enumerate(maps):
            one = slice(number, number + 1)
            alone = head(torch.from_numpy(map_)[None], columns[one], rows[one], geometry[one])
            np.testing.assert_allclose(alone[0], together[number], atol=1e-4)
    assert together.shape == (3, 4, 3)


def test_a_box_is_scored_alike_in_any_company() -> None:
    boxes, screen = random_boxes(40, size=SIZE), random_screen()
    together = screen.probabilities(photo(), boxes)
    for row in (0, 7, 39):
        np.testing.assert_allclose(screen.probabilities(photo(), boxes[row : row + 1])[0], together[row], atol=1e-6)
    order = np.random.default_rng(0).permutation(40)
    np.testing.assert_allclose(screen.probabilities(photo(), boxes[order]), together[order], atol=1e-6)


@pytest.mark.parametrize("chunk", [1, 7, 39, 40])
def test_boxes_are_pooled_a_chunk_at_a_time(monkeypatch, chunk) -> None:
    boxes, screen = random_boxes(40, size=SIZE), random_screen()
    whole = screen.probabilities(photo(), boxes)
    looked, look = [], ScreenHeadSettings.looks

    def counting(settings, part):
        looked.append(len(part))
        return look(settings, part)

    monkeypatch.setattr(screening, "_CHUNK", chunk)
    monkeypatch.setattr(ScreenHeadSettings, "looks", counting)
    np.testing.assert_allclose(screen.probabilities(photo(), boxes), whole, atol=1e-6)
    assert max(looked) <= chunk
    assert sum(looked) == 40


def test_more_boxes_than_one_chunk_holds() -> None:
    screen, count = random_screen(), screening._CHUNK + 5
    boxes = random_boxes(count, size=SIZE)
    found = screen.probabilities(photo(), boxes)
    np.testing.assert_allclose(found[-5:], screen.probabilities(photo(), boxes[count - 5 :]), atol=1e-6)


@pytest.mark.parametrize("count", [1, 2000])
def test_one_look_at_the_squashed_image_serves_all_boxes(count) -> None:
    screen = random_screen()
    screen.probabilities(photo(), random_boxes(count, size=SIZE))
    (seen,) = screen.trunk.seen
    assert (seen == squash(photo(), HEAD.side)).all()


def test_nothing_proposed_needs_no_look() -> None:
    screen = random_screen()
    assert screen.probabilities(photo(), Boxes.empty(SIZE)).shape == (0, 3)
    assert screen.trunk.seen == []


def test_scores_do_not_depend_on_the_contrast_of_the_map() -> None:
    screen, boxes = random_screen(), random_boxes(10, size=SIZE)
    before = screen.probabilities(photo(), boxes)
    screen.trunk.map = screen.trunk.map * np.float32(50)
    np.testing.assert_allclose(screen.probabilities(photo(), boxes), before, atol=1e-4)


def test_the_engines_map_is_left_as_it_was() -> None:
    screen = random_screen()
    before = screen.trunk.map.copy()
    screen.probabilities(photo(), random_boxes(10, size=SIZE))
    assert (screen.trunk.map == before).all()


def test_scores_too_far_apart_for_exponents_stay_numbers() -> None:
    arrays = head_arrays(random_head())
    arrays["screen.output.bias"] = np.array([0, 500, -500], np.float32)
    found = Screen.of(screen_card(), arrays, StubEngine(random_map()), "x").probabilities(photo(), random_boxes(5))
    np.testing.assert_allclose(found, np.tile([0, 1, 0], (5, 1)), atol=1e-6)


def test_what_else_the_checkpoint_holds_is_left_alone() -> None:
    arrays = head_arrays(random_head()) | {"conv1.0.weight": np.zeros((1, 1), np.float32)}
    screen = Screen.of(screen_card(), arrays, StubEngine(random_map()), "x")
    assert set(screen.tensors) == set(random_head().state_dict())


@pytest.mark.parametrize("name", [f"screen.{name}" for name in random_head().state_dict()])
def test_a_tensor_that_is_missing_or_misshapen_is_named(name) -> None:
    whole = head_arrays(random_head())
    wrong = [{key: value for key, value in whole.items() if key != name}]
    wrong.append(whole | {name: np.concatenate([whole[name], whole[name]])})
    for arrays in wrong:
        with pytest.raises(ModelError, match=rf": x\.safetensors: {name} is missing") as caught:
            Screen.of(screen_card(), arrays, StubEngine(random_map()), "x.safetensors")
        assert caught.value.code == "MODEL_INVALID"


def test_a_head_for_other_labels_is_refused() -> None:
    card = screen_card(labels=("cat", "dog", "cow"))
    with pytest.raises(ModelError, match=r"screen\.output\.weight"):
        Screen.of(card, head_arrays(random_head()), StubEngine(random_map()), "x")


@pytest.mark.parametrize("head", [None, [], {"side": 100}, {"side": 64, "colour": 1}, {"grid": "3"}])
def test_a_card_that_does_not_describe_the_head_is_refused(head) -> None:
    card = Card(task="detector", labels=("cat", "dog"), screen={"head": head})
    with pytest.raises(ModelError, match="the screening head in the card of x") as caught:
        Screen.of(card, head_arrays(random_head()), StubEngine(random_map()), "x")
    assert caught.value.code == "MODEL_INVALID"


def test_a_detector_without_a_head_says_how_to_add_one() -> None:
    with pytest.raises(ModelError, match="train-screen") as caught:
        Screen.of(Card(task="detector", labels=("cat", "dog")), {}, StubEngine(random_map()), "x")
    assert caught.value.code == "MODEL_NO_SCREEN"


@pytest.mark.parametrize("change", [{"side": 100}, {"side": 0}, {"grid": 0}, {"dropout": 1.0}, {"context": 0.0}])
def test_settings_without_meaning_are_refused(change) -> None:
    with pytest.raises(ValueError):
        ScreenHeadSettings(**change)


def test_dropout_is_for_training_only() -> None:
    head, map_, boxes = random_head(), random_map(), random_boxes(6, size=SIZE)
    still = by_torch(head, map_, boxes, HEAD)
    assert (by_torch(head, map_, boxes, HEAD) == still).all()
    assert not np.allclose(by_torch(head.train(), map_, boxes, HEAD), still)
