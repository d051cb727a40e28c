"""Screening without a network: known maps, a trunk that sees colours, random heads and the Cards that tell of them."""

from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.functional import avg_pool2d

from googlenet_rcnn.backbone.architectures import build_network
from googlenet_rcnn.backbone.preprocess import to_input
from googlenet_rcnn.backbone.weights import save_weights
from googlenet_rcnn.core.card import SCREEN_PREFIX, Card
from googlenet_rcnn.core.types import Boxes, Size
from googlenet_rcnn.detector.screening import Screen, ScreenHeadSettings
from googlenet_rcnn.detector.screening_head import ScreenHead

SIZE = Size(100, 100)
HEAD = ScreenHeadSettings(side=64, channels=6, hidden=10, grid=2)


class StubEngine:
    """Answers every picture with the same map [832,H,W] and remembers the pictures."""

    name = "stub"

    def __init__(self, map_: NDArray[np.float32]) -> None:
        self.map = map_
        self.seen: list[NDArray[np.uint8]] = []

    def run(self, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
        """The map once for each picture."""
        self.seen += list(pixels)
        return np.repeat(self.map[None], len(pixels), axis=0)


class ColourTrunk(nn.Module):
    """Maps [N,832,H/16,W/16] that are random mixtures of the cells' colours; counts what it looked at."""

    name = "stub"

    def __init__(self, seed: int = 0) -> None:
        super().__init__()
        torch.manual_seed(seed)
        self.colours = nn.Conv2d(3, 832, 1)
        self.classifier = nn.Linear(2, 2)  # no part of the trunk
        self.looks = 0

    def trunk(self, x: Tensor) -> Tensor:
        """Maps of images [N,3,H,W], as a network gives them."""
        self.looks += len(x)
        return torch.relu(self.colours(avg_pool2d(x / 64, 16)))

    def run(self, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Maps of images [N,H,W,3], as an engine gives them."""
        with torch.inference_mode():
            return self.trunk(to_input(torch.from_numpy(pixels), Card(labels=("x",)).preprocessing)).numpy()


def random_map(settings: ScreenHeadSettings = HEAD, seed: int = 0) -> NDArray[np.float32]:
    """A map as a trunk gives it: never negative."""
    shape = (832, settings.cells, settings.cells)
    return np.random.default_rng(seed).normal(size=shape).clip(min=0).astype(np.float32) * 3


def random_head(settings: ScreenHeadSettings = HEAD, classes: int = 3, seed: int = 0) -> ScreenHead:
    """A head with large random weights, in evaluation mode."""
    torch.manual_seed(seed)
    head = ScreenHead(classes, settings)
    for parameter in head.parameters():
        nn.init.normal_(parameter, std=1.4 / parameter.shape[-1] ** 0.5 if parameter.ndim > 1 else 0.1)
    return head.eval()


def head_arrays(head: ScreenHead) -> dict[str, NDArray[np.float32]]:
    """The head's tensors by their names in a checkpoint."""
    return {SCREEN_PREFIX + name: tensor.numpy() for name, tensor in head.state_dict().items()}


def screen_card(settings: ScreenHeadSettings = HEAD, labels: tuple[str, ...] = ("cat", "dog")) -> Card:
    """The Card of a detector with such a head."""
    return Card(task="detector", labels=labels, screen={"head": settings.model_dump(mode="json")})


def screen_file(
    path: Path,
    settings: ScreenHeadSettings = HEAD,
    *,
    vote: object = None,
    threshold: float | None = None,
    **cascade: float,
) -> Path:
    """A detector with a random network and a random head; its Card tells neither vote nor threshold unless given."""
    torch.manual_seed(0)
    card = screen_card(settings)
    told = {"cascade": cascade} | ({} if vote is None else {"vote": vote})
    card = card.model_copy(update={"screen": {**card.screen, **told}, "score_threshold": threshold})
    arrays = {name: torch.from_numpy(array) for name, array in head_arrays(random_head(settings)).items()}
    save_weights(path, build_network(card).state_dict() | arrays, card)
    return path


def random_screen(settings: ScreenHeadSettings = HEAD, seed: int = 0) -> Screen:
    """A screen on a random map."""
    head = random_head(settings, seed=seed)
    return Screen.of(screen_card(settings), head_arrays(head), StubEngine(random_map(settings)), "x.safetensors")


def random_boxes(count: int, seed: int = 0, size: Size = SIZE) -> Boxes:
    """Boxes anywhere in an image, up to half its sides long."""
    random = np.random.default_rng(seed)
    limit = np.array([size.width, size.height])
    low = random.uniform(0, limit / 2, (count, 2))
    return Boxes(np.hstack([low, low + random.uniform(5.0, limit / 2, (count, 2))]), size)
