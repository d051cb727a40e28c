"""A classifier's accuracy on drawn pictures, measured by as many processes as were started; the first one tells it."""

import json
import sys
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from googlenet_rcnn.backbone import classifier_training
from googlenet_rcnn.backbone.architectures import build_network
from googlenet_rcnn.backbone.classifier_training import ClassifierRecipe, ClassifierTraining
from googlenet_rcnn.backbone.labelled_images import LabelledImages
from googlenet_rcnn.backbone.processes import Processes, join_processes
from googlenet_rcnn.core.card import Card
from googlenet_rcnn.core.types import LabelSet

LABELS = LabelSet(tuple("abcdefgh"))


def drawn(folder: Path, count: int) -> LabelledImages:
    """Noisy pictures, numbered, and some class for each."""
    random = np.random.default_rng(0)
    paths = [folder / f"{number}.png" for number in range(count)]
    for path in paths:
        if not path.exists():
            Image.fromarray(random.integers(0, 256, (40, 50, 3), dtype=np.uint8)).save(path)
    return LabelledImages(LABELS, paths, np.arange(count) * 3 % len(LABELS))


def measured(images: LabelledImages, processes: Processes) -> dict[str, float]:
    """What the processes say together, each of the batches of two images that are its own."""
    classifier_training._TOGETHER = 2
    torch.set_num_threads(1)
    torch.manual_seed(0)
    card = Card(labels=LABELS.names)
    run = ClassifierTraining(
        ClassifierRecipe(), None, Path(), processes, say=lambda text: None, report=lambda progress: None
    )
    return run._accuracy(build_network(card).eval(), card, images)


if __name__ == "__main__":
    found = measured(drawn(Path(sys.argv[1]), int(sys.argv[2])), joined := join_processes())
    if joined.first:
        print(json.dumps(found))
