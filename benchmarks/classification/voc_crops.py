"""The objects of VOC as pictures of their own, in a folder for each class: what the classifier's figures are about.

Objects marked difficult and those with a side below 32 pixels are left out. Around each is what the detector's warp
puts there: 16 pixels of surroundings in a crop of 224, as far as the image reaches.
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


_SIDE = 224


def write_crops(dataset: Dataset, folder: Path, least: int = 32, context: int = 16, longest: int | None = None) -> int:
    """Writes <class>/<image>-<object>.jpg for each object with sides of at least `least` pixels; how many there are.

    `context` are the pixels of surroundings that a crop of 224 would have at each side; pictures with a side above
    `longest` are shrunk to it.
    """
    written = 0
    for sample in dataset.samples:
        truth = sample_truth(sample)
        boxes = truth.boxes.coordinates
        sides = boxes[:, 2:] - boxes[:, :2]
        around = sides * context / (_SIDE - 2 * context)
        size = (truth.size.width, truth.size.height)
        low = np.maximum(0, boxes[:, :2] - around).round().astype(np.int64)
        high = np.minimum(size, boxes[:, 2:] + around).round().astype(np.int64)
        for number, ((x1, y1), (x2, y2), label) in enumerate(zip(low, high, truth.labels, strict=True)):
            if truth.ignore[number] or sides[number].min() < least:
                continue
            path = folder / dataset.labels.names[label] / f"{sample.image_id}-{number}.jpg"
            path.parent.mkdir(parents=True, exist_ok=True)
            crop = sample_pixels(sample)[y1:y2, x1:x2, ::-1]
            if longest is not None and max(crop.shape) > longest:
                share = longest / max(crop.shape)
                crop = cv2.resize(crop, None, fx=share, fy=share, interpolation=cv2.INTER_AREA)
            path.write_bytes(cv2.imencode(".jpg", crop, [cv2.IMWRITE_JPEG_QUALITY, 95])[1].tobytes())
            written += 1
    return written


def main() -> int:
    """Writes the crops of some splits."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="VOC devkit folder")
    parser.add_argument("--splits", nargs="+", default=["train", "val"])
    parser.add_argument("--context", type=int, default=16, help="pixels of surroundings in a crop of 224 [%(default)s]")
    parser.add_argument("--longest", type=int, help="shrink pictures to this side [default: leave them as they are]")
    parser.add_argument("--out", type=Path, required=True, help="gets a folder for each split")
    flags = parser.parse_args()
    try:
        for split in flags.splits:
            dataset = read_voc(flags.data, split)
            count = write_crops(dataset, flags.out / split, context=flags.context, longest=flags.longest)
            print(f"{split}: {count} objects")
    except ProjectError as error:
        print(f"error: {error}", file=sys.stderr)
        return int(error.exit)
    return 0


if __name__ == "__main__":
    sys.exit(main())
