"""A made-up data set and what a detector might have found in it: seeded, of any size, with ties, crowds and misses."""

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray


class Extent(NamedTuple):
    """How many images, classes and detections a load has."""

    images: int
    classes: int
    detections: int


EXTENTS = {
    "tiny": Extent(40, 5, 2_000),
    "voc": Extent(4_952, 20, 500_000),
    "ilsvrc": Extent(20_000, 200, 2_000_000),
}
SIDE = 500


@dataclass(frozen=True)
class Load:
    """Objects [K] and detections [N] as columns; boxes x1 y1 x2 y2 on quarters of a pixel, exact in float32."""

    extent: Extent
    truth_image: NDArray[np.int64]
    truth_label: NDArray[np.int64]
    truth_boxes: NDArray[np.float64]
    crowd: NDArray[np.bool_]
    image: NDArray[np.int64]
    label: NDArray[np.int64]
    score: NDArray[np.float64]
    boxes: NDArray[np.float64]


def make_load(extent: Extent, seed: int = 0) -> Load:
    """About three objects an image, up to eight detections around each, and false ones for the rest."""
    generator = np.random.default_rng(seed)
    per_image = generator.poisson(3, extent.images)
    truth_image = np.repeat(np.arange(extent.images), per_image)
    # An image shows few classes: half its objects are of the class of the one before.
    truth_label = generator.integers(extent.classes, size=len(truth_image))
    again = np.flatnonzero((np.diff(truth_image, prepend=-1) == 0) & (generator.random(len(truth_image)) < 0.5))
    truth_label[again] = truth_label[again - 1]
    truth_boxes = _random_boxes(generator, len(truth_image))
    near = np.repeat(np.arange(len(truth_image)), generator.integers(0, 9, len(truth_image)))
    near = generator.permutation(near)[: extent.detections]
    sides = np.tile(truth_boxes[near, 2:] - truth_boxes[near, :2], 2)
    jittered = _valid(truth_boxes[near] + generator.normal(0, 0.1, (len(near), 4)) * sides)
    wrong = extent.detections - len(near)
    image = np.concatenate([truth_image[near], generator.integers(extent.images, size=wrong)])
    label = np.concatenate([truth_label[near], generator.integers(extent.classes, size=wrong)])
    boxes = np.concatenate([jittered, _random_boxes(generator, wrong)])
    score = np.concatenate([generator.beta(4, 2, len(near)), generator.beta(1, 4, wrong)])
    order = np.argsort(image, kind="stable")
    return Load(
        extent, truth_image, truth_label, truth_boxes, generator.random(len(truth_image)) < 0.02,
        image[order], label[order], score[order].round(3), boxes[order],
    )  # fmt: skip


def _random_boxes(generator: np.random.Generator, count: int) -> NDArray[np.float64]:
    centre, side = generator.uniform(0, SIDE, (count, 2)), np.exp(generator.uniform(2, 5.5, (count, 2)))
    return _valid(np.concatenate([centre - side / 2, centre + side / 2], axis=1))


def _valid(boxes: NDArray[np.float64]) -> NDArray[np.float64]:
    """Boxes inside the image, at least 2 pixels wide and high."""
    low = np.clip(np.round(boxes[:, :2] * 4) / 4, 0, SIDE - 2)
    high = np.clip(np.round(boxes[:, 2:] * 4) / 4, low + 2, SIDE)
    return np.concatenate([low, high], axis=1)


def coco_truth(load: Load) -> dict[str, Any]:
    """The objects as the content of a COCO instances file, all ids from 1."""
    boxes = _xywh(load.truth_boxes)
    columns = zip(load.truth_image.tolist(), load.truth_label.tolist(), boxes, load.crowd.tolist(), strict=True)
    return {
        "images": [
            {"id": index + 1, "file_name": f"{index + 1:06d}.jpg", "width": SIDE, "height": SIDE}
            for index in range(load.extent.images)
        ],
        "categories": [{"id": label + 1, "name": f"class {label + 1}"} for label in range(load.extent.classes)],
        "annotations": [
            {
                "id": number,
                "image_id": image + 1,
                "category_id": label + 1,
                "bbox": box,
                "area": box[2] * box[3],
                "iscrowd": int(crowd),
            }
            for number, (image, label, box, crowd) in enumerate(columns, start=1)
        ],
    }


def coco_results(load: Load) -> list[dict[str, Any]]:
    """The detections as the content of a COCO results file."""
    columns = zip(load.image.tolist(), load.label.tolist(), _xywh(load.boxes), load.score.tolist(), strict=True)
    return [
        {"image_id": image + 1, "category_id": label + 1, "bbox": box, "score": score}
        for image, label, box, score in columns
    ]


def _xywh(boxes: NDArray[np.float64]) -> list[list[float]]:
    rows: list[list[float]] = np.concatenate([boxes[:, :2], boxes[:, 2:] - boxes[:, :2]], axis=1).tolist()
    return rows
