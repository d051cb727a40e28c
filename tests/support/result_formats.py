"""The result formats as (writer, reader, name of the output), and data sets and tables to write."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from googlenet_rcnn.core.errors import DataError
from googlenet_rcnn.core.types import Boxes, Dataset, GroundTruth, LabelSet, Sample, Size
from googlenet_rcnn.eval.coco_results import read_coco_results, write_coco_results
from googlenet_rcnn.eval.comp4 import read_comp4, write_comp4
from googlenet_rcnn.eval.csv_results import read_csv, write_csv
from googlenet_rcnn.eval.detection_table import DetectionTable
from googlenet_rcnn.eval.ilsvrc_submission import read_ilsvrc, write_ilsvrc
from googlenet_rcnn.eval.jsonl import read_jsonl, write_jsonl
from googlenet_rcnn.eval.parquet_results import read_parquet, write_parquet
from googlenet_rcnn.eval.yolo_results import read_yolo_results, write_yolo_results

FORMATS: dict[str, tuple[Any, Any, str]] = {
    "jsonl": (write_jsonl, read_jsonl, "found.jsonl"),
    "voc": (write_comp4, read_comp4, "voc"),
    "ilsvrc": (write_ilsvrc, read_ilsvrc, "found.txt"),
    "coco": (write_coco_results, read_coco_results, "found.json"),
    "yolo": (write_yolo_results, read_yolo_results, "yolo"),
    "csv": (write_csv, read_csv, "found.csv"),
    "parquet": (write_parquet, read_parquet, "found.parquet"),
}
SIZE = Size(375, 500)


def needs(kind: str) -> None:
    """Skips a test of Parquet where pyarrow is not installed."""
    if kind == "parquet":
        pytest.importorskip("pyarrow", reason="the extra `tables` is not installed")


def images(ids, numbers=None, names=("cat", "dog", "cow"), class_ids=None) -> Dataset:
    """A data set of images of one size without objects."""
    numbers = numbers or [None] * len(ids)
    nothing = GroundTruth(Boxes.empty(SIZE), np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.bool_))
    samples = [Sample(one, Path(f"{one}.jpg"), nothing, number) for one, number in zip(ids, numbers, strict=True)]
    return Dataset(LabelSet(tuple(names), class_ids), tuple(samples))


def random_table(seed: int, count: int, dataset: Dataset) -> DetectionTable:
    """Detections sorted by image: many equal scores, boxes also outside, turned inside out or without area."""
    generator = np.random.default_rng(seed)
    image = np.sort(generator.integers(len(dataset.samples), size=count))
    boxes = generator.uniform(-50, 550, (count, 4)).astype(np.float32)
    boxes[::3] = boxes[::3].round()
    score = generator.choice(generator.random(7).astype(np.float32), count) * generator.choice(
        [1, -1], count, p=[0.9, 0.1]
    )
    return DetectionTable(image, generator.integers(len(dataset.labels), size=count), score, boxes)


def upright(table: DetectionTable) -> DetectionTable:
    """The table with the corners of each box in order, as COCO needs them."""
    low, high = np.minimum(table.boxes[:, :2], table.boxes[:, 2:]), np.maximum(table.boxes[:, :2], table.boxes[:, 2:])
    return DetectionTable(table.image_index, table.label, table.score, np.hstack([low, high]))


def code_of(call, *parts):
    """The code of the one-line DataError that a call raises, whose message holds the parts."""
    with pytest.raises(DataError) as caught:
        call()
    assert "\n" not in caught.value.message
    for part in parts:
        assert part in caught.value.message
    return caught.value.code
