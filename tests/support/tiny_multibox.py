"""What MultiBox learns from in moments: a network that sees the colour of each cell, and pictures of rectangles."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from tiny_voc import truth
from torch import Tensor, nn
from torch.nn.functional import adaptive_avg_pool2d

from googlenet_rcnn.core.card import Card
from googlenet_rcnn.core.types import Dataset, LabelSet, Sample, Size
from googlenet_rcnn.proposals.multibox_arrays import HeadArrays, HeadSettings
from googlenet_rcnn.proposals.multibox_head import MultiBoxHead

SIZE = Size(60, 80)
OBJECTS = (
    [(5, 5, 35, 30)], [(40, 20, 75, 55)], [(10, 30, 40, 55), (50, 5, 70, 25)], [(20, 10, 60, 50)],
)  # fmt: skip
CARD = Card(labels=("a", "b"), warp_side=56, licence="CC0", provenance="drawn at random")


class StubTrunk(nn.Module):
    """Maps [N,832,14,14] that are random mixtures of the cells' colours; counts what it looked at."""

    def __init__(self, seed: int = 0) -> None:
        super().__init__()
        torch.manual_seed(seed)
        self.colours = nn.Conv2d(3, 832, 1)
        self.classifier = nn.Linear(2, 2)  # no part of the trunk
        self.looks = 0

    def trunk(self, x: Tensor) -> Tensor:
        """Maps of images [N,3,H,W]."""
        self.looks += len(x)
        return torch.relu(self.colours(adaptive_avg_pool2d(x / 64, 14)))


def head_arrays(head: MultiBoxHead, settings: HeadSettings, inputs: int = 832, cells: int = 14) -> HeadArrays:
    """The arrays of a head as it would come from a file."""
    arrays = {name: value.detach().numpy().copy() for name, value in head.state_dict().items()}
    return replace(HeadArrays.of(arrays, settings, "here", inputs), cells=cells)


def write_pictures(folder: Path) -> Dataset:
    """Grey pictures with bright rectangles, the objects."""
    folder.mkdir()
    samples = []
    for number, boxes in enumerate(OBJECTS):
        pixels = np.full((*SIZE, 3), 90, np.uint8)
        for x1, y1, x2, y2 in boxes:
            pixels[y1:y2, x1:x2] = (255, 200, 40 * number)
        path = folder / f"{number}.png"
        Image.fromarray(pixels).save(path)
        samples.append(Sample(f"a/{number}", path, truth([(0, box, False) for box in boxes], SIZE)))
    return Dataset(LabelSet(("cat",)), tuple(samples))
