import json

import numpy as np

from googlenet_rcnn.core.types import LabelSet
from googlenet_rcnn.eval.topk_report import classification_metrics, classification_table

LABELS = LabelSet(("cat", "dog", "cup", "sun"))


def figures(ranked, truth, labels=LABELS):
    ranked = np.array(ranked, dtype=np.int64).reshape(len(truth), -1) if truth else np.zeros((0, 4), dtype=np.int64)
    return classification_metrics(ranked, np.array(truth, dtype=np.int64), labels)


def test_a_case_worked_out_by_hand():
    """Two cats, one taken for a dog; a dog taken for a cup; all are among the first five."""
    found = figures([[0, 1, 2, 3], [1, 0, 2, 3], [2, 1, 0, 3]], [0, 0, 1])
    assert found == {
        "images": 3,
        "top1": 1 / 3,
        "top5": 1.0,
        "classes": {
            "cat": {"images": 2, "top1": 0.5, "top5": 1.0},
            "dog": {"images": 1, "top1": 0.0, "top5": 1.0},
        },
        "confusions": [
            {"label": "cat", "taken_for": "dog", "images": 1},
            {"label": "dog", "taken_for": "cup", "images": 1},
        ],
    }


def test_no_images_give_null_and_a_dash():
    found = figures([], [])
    assert (found["top1"], found["top5"], found["classes"], found["confusions"]) == (None, None, {}, [])
    json.dumps(found, allow_nan=False)
    assert "top-1 -   top-5 -   (0 images, 1 crops, 2 models)" in classification_table(
        found | {"crops": 1, "models": 2}
    )


def test_table_shows_the_classes_that_fare_worst_and_counts_the_others():
    labels = LabelSet(tuple(f"class {number:02d}" for number in range(15)))
    truth = list(range(15))
    ranked = [[label] if label > 3 else [(label + 1) % 15] for label in truth]
    lines = classification_table(figures(ranked, truth, labels) | {"crops": 10, "models": 1}).splitlines()
    assert [line.split()[1] for line in lines[1:5]] == ["00", "01", "02", "03"]
    assert lines[11] == "... and 5 classes that fare better or equally"
    assert lines[12] == "class 00 taken for class 01: 1"
    assert lines[-1] == f"top-1 {11 / 15:.4f}   top-5 {11 / 15:.4f}   (15 images, 10 crops, 1 models)"
