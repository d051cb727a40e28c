"""The Card goes through JSON unchanged and knows what follows from it."""

import pytest
from pydantic import ValidationError

from googlenet_rcnn.core.card import Card, Preprocessing
from googlenet_rcnn.core.types import LabelSet


def test_json_brings_back_the_same_card() -> None:
    card = Card(
        arch="googlenet-bn",
        task="detector",
        labels=("Katze", "犬"),
        heads=True,
        preprocessing=Preprocessing(order="RGB", scale=1 / 255, mean=(0.485, 0.456, 0.406)),
        recipe={"train": {"rate": 0.01}},
        metrics={"map": 0.5, "ap": {"Katze": None}},
        seed=3,
    )
    assert Card.model_validate_json(card.model_dump_json()) == card


@pytest.mark.parametrize(("task", "classes"), [("classifier", 20), ("detector", 21)])
def test_a_detector_has_one_class_more(task: str, classes: int) -> None:
    card = Card(labels=tuple(f"label {i}" for i in range(20)), task=task)
    assert card.classes == classes
    assert card.model_copy(update={"warp_side": 64}).crop_side == (64 if task == "detector" else 224)
    assert card.label_set == LabelSet(card.labels)


@pytest.mark.parametrize(
    ("preprocessing", "fill"),
    [
        (Preprocessing(), (123, 117, 104)),  # the published Caffe model: BGR, mean subtraction only
        (Preprocessing(order="RGB", scale=1 / 255, mean=(0.485, 0.456, 0.406)), (124, 116, 104)),
        (Preprocessing(order="RGB", scale=1 / 127.5, mean=(1.0, 1.0, 1.0)), (128, 128, 128)),
    ],
)
def test_the_fill_colour_becomes_nearly_zero(preprocessing: Preprocessing, fill: tuple[int, ...]) -> None:
    assert preprocessing.fill == fill
    in_order = preprocessing.fill if preprocessing.order == "RGB" else preprocessing.fill[::-1]
    for value, mean in zip(in_order, preprocessing.mean, strict=True):
        assert abs(value * preprocessing.scale - mean) <= 0.5 * preprocessing.scale + 1e-9


@pytest.mark.parametrize(
    "text",
    [
        "{}",
        '{"labels":["a"],"colour":1}',
        '{"labels":["a"],"arch":"resnet"}',
        '{"labels":["a"],"heads":"yes"}',
        '{"labels":"abc"}',
        '{"labels":["a"],"preprocessing":{"mean":[1,2]}}',
    ],
)
def test_a_card_of_another_shape_is_refused(text: str) -> None:
    with pytest.raises(ValidationError):
        Card.model_validate_json(text)
