"""How fast a machine trains, tried out for some seconds before a training begins."""

import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from googlenet_rcnn.backbone.architectures import build_network, load_network
from googlenet_rcnn.backbone.engine_torch import run_batches
from googlenet_rcnn.backbone.freezing import freeze_below
from googlenet_rcnn.backbone.precision import Precision, autocast
from googlenet_rcnn.core.card import Card
from googlenet_rcnn.core.samples import sample_pixels
from googlenet_rcnn.core.types import Boxes, Proposer, Sample, Size

from .budget import Rates
from .fine_tuning import DetectorRecipe
from .screen_training import ScreenBatch, ScreenTask
from .screening_head import ScreenHead
from .targets import OverlapTargets, Targets
from .tasks import ActivationTask, WindowBatch, WindowTask
from .warp import Warp

__all__ = ["measure_rates"]

_IMAGES = 6
_BATCH = 16
_UPPER = 4 * _BATCH  # a step of the upper layers is quick, so that what is paid once a step shows


def measure_rates(
    recipe: DetectorRecipe,
    init: Path,
    labels: Sequence[str],
    samples: Sequence[Sample],
    proposer: Proposer,
    device: str = "cpu",
    patience: float = 0.7,
) -> Rates:
    """The rates of a training of `recipe` on images like `samples`, each tried for `patience` seconds or more.

    Boxes are proposed in six of the images; the networks see noise.
    """
    pretrained, start = load_network(init)
    card = Card(
        arch=start.arch,
        task="detector",
        labels=tuple(labels),
        warp_side=start.warp_side,
        warp_context=recipe.context,
        box_regression=recipe.box_regression,
    )
    pretrained, network = pretrained.to(device), build_network(card).to(device)
    screen = ScreenHead(card.classes, recipe.screen.head).to(device)
    preprocessing, warp = start.preprocessing, Warp(card.warp_side, card.warp_context)
    random = np.random.default_rng(0)
    crops = random.integers(0, 256, (_BATCH, warp.side, warp.side, 3), np.uint8)
    square = random.integers(0, 256, (1, recipe.screen.head.side, recipe.screen.head.side, 3), np.uint8)
    maps = run_batches(pretrained.lower, crops, preprocessing, device=device).half()
    noise = WindowBatch(torch.from_numpy(crops), _targets(recipe.targets, _BATCH))
    upper_noise = WindowBatch(torch.cat([maps] * (_UPPER // _BATCH)), _targets(recipe.targets, _UPPER))
    on_crops = WindowTask((), recipe.targets, warp, preprocessing)
    on_maps = ActivationTask((), recipe.targets)
    on_squares = ScreenTask((), (), recipe.screen, recipe.targets)
    looks = _screen_batch(recipe)

    def seconds(action: Callable[[], object]) -> float:
        action()  # warm
        began, runs = time.perf_counter(), 0
        while runs == 0 or time.perf_counter() - began < patience:
            action()
            runs += 1
        return (time.perf_counter() - began) / runs

    frozen = seconds(lambda: run_batches(pretrained.lower, crops, preprocessing, device=device))
    look = seconds(lambda: run_batches(pretrained.trunk, square, preprocessing, device=device))
    screening = seconds(_step(screen, lambda: on_squares.losses(screen, looks), recipe.screen.train.precision, device))
    freeze_below(network, recipe.frozen_below)
    whole = seconds(_step(network, lambda: on_crops.losses(network, noise), recipe.network.precision, device))
    freeze_below(network, "inception5a")
    upper = seconds(_step(network, lambda: on_maps.losses(network, upper_noise), recipe.head.precision, device))
    return Rates(
        propose=_propose_seconds(samples, proposer),
        look=look,
        screen=screening / _BATCH,
        frozen=_BATCH / frozen,
        head=_UPPER / upper,
        network=_BATCH / whole,
    )


def _step(
    module: nn.Module, losses: Callable[[], dict[str, Tensor]], precision: Precision, device: str
) -> Callable[[], object]:
    """A step of training: losses, gradients, new weights."""
    module.train()
    optimizer = torch.optim.SGD([p for p in module.parameters() if p.requires_grad], lr=1e-6, momentum=0.9)

    def step() -> None:
        optimizer.zero_grad(set_to_none=True)
        with autocast(precision, device):
            values = losses().values()
        total = torch.stack(list(values)).sum()
        total.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        float(total.detach())  # waits for a GPU

    return step


def _targets(rule: OverlapTargets, count: int) -> Targets:
    """What windows of which every other shows an object are to be taken for."""
    labels = np.arange(count, dtype=np.int64) % 2
    return rule.targets(labels, np.asarray(labels * 0.8, dtype=np.float64), np.zeros((count, 4), np.float32))


def _screen_batch(recipe: DetectorRecipe) -> ScreenBatch:
    settings, count = recipe.screen.head, recipe.screen.boxes
    boxes = Boxes(np.tile(np.array([[1, 1, 9, 9]], np.float32), (count, 1)), Size(10, 10))
    columns, rows, geometry = (torch.from_numpy(np.stack([part] * _BATCH)) for part in settings.looks(boxes))
    maps = torch.rand(_BATCH, 832, settings.cells, settings.cells).half()
    return ScreenBatch(maps, columns, rows, geometry, _targets(recipe.targets, _BATCH * count))


def _propose_seconds(samples: Sequence[Sample], proposer: Proposer) -> float:
    """Seconds an image, in two threads as windows are made, over images spread evenly from first to last."""
    places: Iterable[int] = np.linspace(0, len(samples) - 1, min(_IMAGES, len(samples))).astype(int).tolist()
    chosen = [samples[place] for place in places]
    began = time.perf_counter()
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda sample: proposer.propose(sample_pixels(sample)), chosen))
    return (time.perf_counter() - began) / len(chosen)
