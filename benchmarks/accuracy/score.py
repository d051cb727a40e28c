"""Scores every proposal of a split by one network, on a GPU where there is one, and keeps what could matter.

Kept are the class probabilities from `--keep` up with the box offsets of their classes: enough for every row of
the accuracy table, which differ in what is done with scores, and small enough to carry home from a GPU.
"""

import argparse
import sys
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch.utils.data import DataLoader, Dataset

from googlenet_rcnn.backbone.preprocess import to_input
from googlenet_rcnn.backbone.processes import Processes
from googlenet_rcnn.core.images import read_image
from googlenet_rcnn.core.types import Proposals, Sample
from googlenet_rcnn.datasets.voc import read_voc
from googlenet_rcnn.detector.regions import GoogLeNetRegions
from googlenet_rcnn.detector.warp import Warp
from googlenet_rcnn.eval.proposal_file import read_proposals

_CHUNK = 256


class Crops(Dataset[Any]):
    """Crops uint8 [n,S,S,3] of at most 256 proposals of one image, with the numbers of image and first box."""

    def __init__(self, samples: list[Sample], proposals: list[Proposals], warp: Warp, mirror: bool) -> None:
        self.samples, self.proposals, self.warp, self.mirror = samples, proposals, warp, mirror
        self.pieces = [(i, first) for i, found in enumerate(proposals) for first in range(0, len(found), _CHUNK)]

    def __len__(self) -> int:
        return len(self.pieces)

    def __getitem__(self, index: int) -> tuple[int, int, torch.Tensor]:
        image, first = self.pieces[index]
        pixels = read_image(self.samples[image].path).pixels
        crops = self.warp.crops(pixels, self.proposals[image].boxes[first : first + _CHUNK])
        return image, first, torch.from_numpy(np.ascontiguousarray(crops[:, :, ::-1]) if self.mirror else crops)


def main() -> int:
    """Writes image, box, label, probability and offsets of what was kept."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="VOC devkit folder")
    parser.add_argument("--split", default="val")
    parser.add_argument("--first", type=int, default=500, help="images of the split [%(default)s]")
    parser.add_argument("--proposals", type=Path, required=True, help="file of `propose`")
    parser.add_argument("--weights", type=Path, required=True)
    parser.add_argument("--keep", type=float, default=0.01, help="least probability kept [%(default)s]")
    parser.add_argument("--mirror", action="store_true", help="score mirrored crops")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--out", type=Path, required=True, help="npz to write")
    flags = parser.parse_args()
    device = Processes().device
    model = GoogLeNetRegions.load(flags.weights, device)
    samples = list(read_voc(flags.data, flags.split).samples[: flags.first])
    recorded = read_proposals(flags.proposals).proposals
    crops = Crops(samples, [recorded[sample.image_id] for sample in samples], model.warp, flags.mirror)
    loader = DataLoader(crops, batch_size=None, num_workers=flags.workers, pin_memory=device != "cpu")
    columns: list[list[np.ndarray[Any, Any]]] = [[], [], [], [], []]
    with torch.inference_mode(), torch.autocast(device.partition(":")[0], torch.bfloat16, enabled=device != "cpu"):
        for image, first, pixels in loader:
            logits = model.network(to_input(pixels.to(device, non_blocking=True), model.card.preprocessing))
            probabilities = torch.softmax(logits.main.float(), dim=1)[:, 1:]
            rows, labels = torch.nonzero(probabilities >= flags.keep, as_tuple=True)
            if logits.offsets is None:
                offsets = probabilities.new_zeros(len(rows), 4)
            else:
                offsets = logits.offsets.view(len(pixels), -1, 4)[rows, labels]
            columns[0].append(np.full(len(rows), image, np.int32))
            columns[1].append((rows + first).cpu().numpy().astype(np.int32))
            columns[2].append(labels.cpu().numpy().astype(np.uint8))
            columns[3].append(probabilities[rows, labels].cpu().numpy().astype(np.float32))
            columns[4].append(offsets.float().cpu().numpy().astype(np.float16))
    image, box, label, probability, moves = (np.concatenate(column) for column in columns)
    if flags.mirror:
        moves[:, 0] *= -1  # in a mirror image an object lies on the other side
    np.savez(flags.out, image=image, box=box, label=label, probability=probability, offsets=moves)
    print(f"{flags.out}: {len(crops)} chunks, {len(image)} scores kept", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
