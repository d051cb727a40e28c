"""Training a classifier: images a second of `train-classifier` beside a plain torch loop, and of their data alone.

The peer is what torchvision's reference scripts amount to on a CPU: its GoogLeNet with auxiliary heads, ImageFolder,
the transforms of its classification preset, SGD, in fp32. Both see the same files, in turns, so that what else the
machine does falls on both.
"""

import argparse
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import nn
from torch.utils.data import DataLoader
from torchvision.datasets import ImageFolder
from torchvision.models import googlenet
from torchvision.transforms import v2

from googlenet_rcnn.backbone.architectures import build_network
from googlenet_rcnn.backbone.classification_task import ClassificationTask
from googlenet_rcnn.backbone.crop_sampling import CropSampling
from googlenet_rcnn.backbone.engine_torch import keep_freed_memory
from googlenet_rcnn.backbone.processes import Processes
from googlenet_rcnn.backbone.stream import BatchStream, Collate, SeededExamples
from googlenet_rcnn.cli.markdown import markdown
from googlenet_rcnn.core.card import Card
from googlenet_rcnn.core.threads import available_threads
from googlenet_rcnn.datasets.imagefolder import read_image_folder

__all__ = ["Contender", "contenders", "measure"]


class Contender(NamedTuple):
    """A way to train: what loads batches, and what learns from one."""

    name: str
    batches: Callable[[int], Iterator[Any]]
    learn: Callable[[Any], object]


def contenders(folder: Path, batch: int, workers: int) -> list[Contender]:
    """Ours with the paper's recipe in fp32 and bf16, ours as plain as the peer's data, and the peer."""
    found = [
        _ours("paper's recipe, fp32", folder, batch, workers, CropSampling(), None),
        _ours("paper's recipe, bf16", folder, batch, workers, CropSampling(), torch.bfloat16),
    ]
    plain = CropSampling(photometric=0.0, lighting=0.0, interpolation="linear")
    return [
        *found,
        _ours("crops and mirrors alone, bf16", folder, batch, workers, plain, torch.bfloat16),
        _peer("torchvision, fp32", folder, batch, workers),
    ]


def _ours(
    name: str, folder: Path, batch: int, workers: int, sampling: CropSampling, precision: torch.dtype | None
) -> Contender:
    images = read_image_folder(folder)
    card = Card(labels=images.labels.names, heads=True)
    task = ClassificationTask(images.paths, images.truth, sampling, card.preprocessing)
    network = build_network(card).train()
    optimizer = torch.optim.SGD(network.parameters(), lr=1e-6, momentum=0.9)

    def batches(steps: int) -> Iterator[Any]:
        stream = BatchStream(len(task), batch, 0, range(steps), Processes())
        loader = DataLoader(
            SeededExamples(task, 0), batch_sampler=stream, num_workers=workers, collate_fn=Collate(task, 1)
        )
        return iter(loader)

    def learn(loaded: Any) -> None:
        optimizer.zero_grad(set_to_none=True)
        with nullcontext() if precision is None else torch.autocast("cpu", precision):
            losses = task.losses(network, loaded.parts[0])
        (torch.stack(list(losses.values())).sum() / batch).backward()
        optimizer.step()

    return Contender(name, batches, learn)


def _peer(name: str, folder: Path, batch: int, workers: int) -> Contender:
    transform = v2.Compose(
        [
            v2.RandomResizedCrop(224, antialias=True),
            v2.RandomHorizontalFlip(),
            v2.PILToTensor(),
            v2.ToDtype(torch.float32, scale=True),
            v2.Normalize((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)),
        ]
    )
    dataset = ImageFolder(str(folder), transform)
    network = googlenet(num_classes=len(dataset.classes), aux_logits=True, init_weights=False).train()
    optimizer = torch.optim.SGD(network.parameters(), lr=1e-6, momentum=0.9)
    entropy = nn.CrossEntropyLoss()

    def batches(steps: int) -> Iterator[Any]:
        return iter(DataLoader(dataset, batch, shuffle=True, num_workers=workers, drop_last=True))

    def learn(loaded: Any) -> None:
        crops, labels = loaded
        optimizer.zero_grad()
        said = network(crops)
        loss = entropy(said.logits, labels) + 0.3 * (
            entropy(said.aux_logits1, labels) + entropy(said.aux_logits2, labels)
        )
        loss.backward()
        optimizer.step()

    return Contender(name, batches, learn)


def measure(one: Contender, batch: int, steps: int, learning: bool) -> float:
    """Images a second over `steps` batches after a first one: loaded and learned from, or loaded alone."""
    batches = one.batches(steps + 1)
    loaded = next(batches)
    if learning:
        one.learn(loaded)
    began = time.perf_counter()
    for _ in range(steps):
        loaded = next(batches)
        if learning:
            one.learn(loaded)
    return batch * steps / (time.perf_counter() - began)


def main() -> int:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, required=True, help="images in a folder for each class")
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--steps", type=int, default=6, help="of each in each round [%(default)s]")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--workers", type=int, default=0, help="processes that load [%(default)s]")
    flags = parser.parse_args()
    torch.set_num_threads(available_threads())
    keep_freed_memory()
    torch.manual_seed(0)
    every = contenders(flags.folder, flags.batch, flags.workers)
    speeds: dict[tuple[str, bool], list[float]] = {}
    for number in range(flags.rounds):
        for one in every:
            for learning in (True, False):
                speed = measure(one, flags.batch, flags.steps, learning)
                speeds.setdefault((one.name, learning), []).append(speed)
        print(f"round {number + 1}", file=sys.stderr)
    peer = every[-1].name
    rows = []
    for one in every:
        trained, loaded = (statistics.median(speeds[one.name, learning]) for learning in (True, False))
        ratios = [a / b for a, b in zip(speeds[one.name, True], speeds[peer, True], strict=True)]
        rows.append([one.name, f"{trained:.1f}", f"{statistics.median(ratios):.2f}", f"{loaded:.0f}"])
    print(markdown(["", "images/s trained", "x torchvision", "images/s loaded"], rows))
    return 0


if __name__ == "__main__":
    sys.exit(main())
