"""The objects of VOC as pictures of their own, in a folder for each class: what the classifier's figures are about.

Objects marked difficult and those with a side below 32 pixels are left out.
"""

import argparse
import sys
from pathlib import Path

import cv2
import numpy as np

from googlenet_rcnn.core.errors import ProjectError
from googlenet_rcnn.core.samples import sample_pixels, sample_truth
from googlenet_rcnn.core.types import Dataset
from googlenet_rcnn.datasets.voc import read_voc

__all__ = ["write_crops"]


def write_crops(dataset: Dataset, folder: Path, least: int = 32) -> int:
    """Writes <class>/<image>-<object>.jpg for each object with sides of at least `least` pixels; how many there are."""
    written = 0
    for sample in dataset.samples:
        truth = sample_truth(sample)
        corners = truth.boxes.coordinates.round().astype(np.int64)
        for number, ((x1, y1, x2, y2), label) in enumerate(zip(corners, truth.labels, strict=True)):
            if truth.ignore[number] or min(x2 - x1, y2 - y1) < least:
                continue
            path = folder / dataset.labels.names[label] / f"{sample.image_id}-{number}.jpg"
            path.parent.mkdir(parents=True, exist_ok=True)
            crop = sample_pixels(sample)[y1:y2, x1:x2, ::-1]
            path.write_bytes(cv2.imencode(".jpg", crop, [cv2.IMWRITE_JPEG_QUALITY, 95])[1].tobytes())
            written += 1
    return written


def main() -> int:
    """Writes the crops of some splits."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="VOC devkit folder")
    parser.add_argument("--splits", nargs="+", default=["train", "val"])
    parser.add_argument("--out", type=Path, required=True, help="gets a folder for each split")
    flags = parser.parse_args()
    try:
        for split in flags.splits:
            print(f"{split}: {write_crops(read_voc(flags.data, split), flags.out / split)} objects")
    except ProjectError as error:
        print(f"error: {error}", file=sys.stderr)
        return int(error.exit)
    return 0


if __name__ == "__main__":
    sys.exit(main())
