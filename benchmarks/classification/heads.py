"""Do the auxiliary heads help? A network from scratch with and without them, several seeds, epoch by epoch.

Szegedy et al. 2014, section 5: the heads "encourage discrimination in the lower stages" and "increase the gradient
signal that gets propagated back". The network is the variant with batch normalisation: that of the paper did not leave
the plateau of always naming the commonest class within a thousand steps of so few pictures. Crops are small (`--side`),
to be had on two cores; with one seed both networks begin with the same weights and see the same crops. Everything else
is `train-classifier`'s own: task, loop, rates. At last the networks of a kind are averaged, as the paper's seven were.
A run that was stopped goes on, also for more epochs; runs may share `--out`, each with other `--seeds`.
"""

import argparse
import json
import statistics
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from googlenet_rcnn.backbone.classification_task import ClassificationTask
from googlenet_rcnn.backbone.crop_sampling import CropSampling
from googlenet_rcnn.backbone.engine_torch import keep_freed_memory, run_batches
from googlenet_rcnn.backbone.googlenet_bn import GoogLeNetBN
from googlenet_rcnn.backbone.importing import TORCHVISION_PREPROCESSING
from googlenet_rcnn.backbone.resuming import Resume
from googlenet_rcnn.backbone.training import Progress, TrainSettings, train
from googlenet_rcnn.cli.markdown import markdown
from googlenet_rcnn.core.errors import ProjectError
from googlenet_rcnn.core.images import read_image
from googlenet_rcnn.core.store import write_json
from googlenet_rcnn.datasets.imagefolder import ImageFolder, read_image_folder

__all__ = ["Experiment", "small_network", "table"]

_SAMPLING = CropSampling(area=(0.7, 1.0), interpolation="linear", photometric=0.0, lighting=0.0, squash=True)


def small_network(classes: int, heads: bool, seed: int) -> GoogLeNetBN:
    """The network of a seed; without heads it begins as its twin with heads does."""
    torch.manual_seed(seed)
    network = GoogLeNetBN(classes, heads=True)
    if not heads:
        network.heads = False
        del network.aux1, network.aux2
    return network.to(memory_format=torch.channels_last)  # type: ignore[call-overload, no-any-return]


def _whole(folder: ImageFolder, side: int) -> NDArray[np.uint8]:
    """Every picture as a square [N,side,side,3]."""
    resized = [cv2.resize(read_image(path).pixels, (side, side), interpolation=cv2.INTER_AREA) for path in folder.paths]
    return np.stack(resized).astype(np.uint8)


@dataclass(frozen=True, eq=False)
class Experiment:
    """What is trained on, the squares `crops` [N,side,side,3] and their `truth` [N] that it is measured on, and how."""

    trained: ImageFolder
    crops: NDArray[np.uint8]
    truth: NDArray[np.int64]
    epochs: int
    every: int
    rate: float
    out: Path

    def curve(self, heads: bool, seed: int) -> list[float]:
        """Top-1 accuracy after every `every` epochs; points that are kept in `out` are not measured again."""
        name = _name(heads, seed)
        kept = self.out / f"{name}.json"
        found: list[float] = json.loads(kept.read_bytes())["top1"] if kept.exists() else []
        network = small_network(len(self.trained.labels), heads, seed)
        task = ClassificationTask(
            self.trained.paths, self.trained.truth, _SAMPLING, TORCHVISION_PREPROCESSING, side=self.crops.shape[1]
        )
        settings = TrainSettings(
            epochs=self.epochs, batch=32, rate=self.rate, warmup=200, clip=10.0, weight_decay=5e-4, precision="bf16"
        )

        def measure(progress: Progress) -> None:
            epochs = (len(found) + 1) * self.every
            if progress.step < epochs * progress.steps / self.epochs:
                return
            network.eval()
            scores = run_batches(lambda x: network(x).main, self.crops, TORCHVISION_PREPROCESSING)
            network.train()
            found.append(float((scores.argmax(dim=1).numpy() == self.truth).mean()))
            np.save(kept.with_suffix(".npy"), scores.softmax(dim=1).numpy())
            write_json(kept, {"every": self.every, "top1": found})
            print(f"{name}, epoch {epochs}: top-1 {found[-1]:.4f}", file=sys.stderr, flush=True)

        train(network, task, settings, self.out / name, seed=seed, resume=Resume.SAME, report=measure)
        return found

    def together(self, heads: bool) -> tuple[int, float]:
        """How many networks of a kind there are, and the top-1 accuracy of the mean of their probabilities."""
        files = sorted(self.out.glob(f"{_name(heads, '*')}.npy"))
        mean = sum(np.load(file) for file in files)
        return len(files), float((mean.argmax(axis=1) == self.truth).mean())


def _name(heads: bool, seed: int | str) -> str:
    return f"{'with' if heads else 'without'}-{seed}"


def table(curves: dict[str, list[float]], every: int) -> str:
    """A row for every point of the curves: mean and each seed, with heads and without."""
    kinds = {
        kind: [points for name, points in sorted(curves.items()) if name.startswith(f"{kind}-")]
        for kind in ("with", "without")
    }
    rows = []
    for number in range(max(map(len, curves.values()))):
        row = [str((number + 1) * every)]
        for points in kinds.values():
            values = [one[number] for one in points if number < len(one)]
            row += [f"{statistics.mean(values):.3f}" if values else "", ", ".join(f"{value:.3f}" for value in values)]
        rows.append(row)
    return markdown(["epochs", "with heads", "each", "without", "each"], rows)


def main(arguments: Sequence[str] | None = None) -> int:
    """Trains what is missing, keeps the curves in `--out`, prints the table of all that are there."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, required=True, help="holds train/ and val/, of a folder for each class")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--seeds", type=int, nargs="*", default=[0, 1, 2])
    parser.add_argument("--side", type=int, default=64, help="pixels of a crop [%(default)s]")
    parser.add_argument("--epochs", type=int, default=12)
    parser.add_argument("--every", type=int, default=3, help="epochs between two measurements [%(default)s]")
    parser.add_argument("--rate", type=float, default=0.05)
    parser.add_argument("--threads", type=int, default=2)
    flags = parser.parse_args(arguments)
    torch.set_num_threads(flags.threads)
    keep_freed_memory()
    try:
        trained = read_image_folder(flags.folder / "train")
        validation = read_image_folder(flags.folder / "val", trained.labels)
        crops = _whole(validation, flags.side)
        experiment = Experiment(trained, crops, validation.truth, flags.epochs, flags.every, flags.rate, flags.out)
        for seed in flags.seeds:
            for heads in (True, False):
                experiment.curve(heads, seed)
    except ProjectError as error:
        print(f"error: {error}", file=sys.stderr)
        return int(error.exit)
    curves = {path.stem: json.loads(path.read_bytes())["top1"] for path in flags.out.glob("*.json")}
    print(table(curves, flags.every))
    for heads in (True, False):
        count, top1 = experiment.together(heads)
        print(f"the {count} {_name(heads, '').rstrip('-')} heads averaged: top-1 {top1:.4f}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
