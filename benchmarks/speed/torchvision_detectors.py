"""Part torchvision: its own detectors on the same pictures, in eager mode on the processor, side by side with ours."""

import statistics
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from detecting import seconds_per_image
from numpy.typing import NDArray
from settings import Part, Settings
from torchvision.models import detection

from googlenet_rcnn.cli.markdown import markdown
from googlenet_rcnn.core.images import read_image

__all__ = ["NAMES", "measure"]

NAMES = (
    "ssdlite320_mobilenet_v3_large",
    "fasterrcnn_mobilenet_v3_large_320_fpn",
    "fasterrcnn_mobilenet_v3_large_fpn",
    "fasterrcnn_resnet50_fpn",
)
_PICTURES = 4
# Random scores are nearly equal: at torchvision's own thresholds (0.001 in SSD) tens of thousands of boxes would go
# into non-maximum suppression, which a trained network's do not. At this one hardly any do, to the peers' advantage.
_THRESHOLD = 0.5
_NOTE = (
    "torchvision's networks have random weights, since nothing is downloaded: the convolutions take the same time, but"
    " the number of boxes that go on after each stage may differ from a trained network's (a region proposal network"
    " hands on at most 1,000 either way), and next to none go into the last suppression, which makes them look a little"
    " faster than they are. Trained on COCO they know 80 classes: this is a table of time alone."
)


def measure(settings: Settings, names: Sequence[str] = NAMES) -> Part:
    """Seconds an image of each, all in turns, `rounds` times over a few pictures."""
    torch.set_num_threads(settings.threads)
    pictures = settings.pictures[:_PICTURES]
    inputs = [_tensor(path) for path in pictures]
    networks = {name: _network(name) for name in names}
    seconds: dict[str, list[float]] = {name: [] for name in names}
    boxes: dict[str, list[int]] = {name: [] for name in names}
    ours = []
    with torch.inference_mode():
        for network in networks.values():
            network([inputs[0]])
        for _ in range(settings.rounds):
            ours.append(seconds_per_image(settings, pictures))
            for pixels in inputs:
                for name, network in networks.items():
                    begin = time.perf_counter()
                    (found,) = network([pixels])
                    seconds[name].append(time.perf_counter() - begin)
                    boxes[name].append(len(found["boxes"]))
    content = {"ours": ours, "seconds": seconds, "boxes": boxes, "note": _NOTE}
    return Part(_text(content), content)


def _network(name: str) -> torch.nn.Module:
    torch.manual_seed(0)
    network: torch.nn.Module = getattr(detection, name)(weights=None, weights_backbone=None)
    heads: Any = getattr(network, "roi_heads", network)
    heads.score_thresh = _THRESHOLD
    return network.eval()


def _tensor(path: Path) -> torch.Tensor:
    pixels: NDArray[np.uint8] = read_image(path).pixels
    return torch.tensor(pixels).permute(2, 0, 1).float() / 255


def _text(content: dict[str, Any]) -> str:
    ours = statistics.median(content["ours"])
    rows = [["googlenet-rcnn detect", f"{ours:.3f}", f"{min(content['ours']):.3f}", "1.00"]]
    for name, seconds in content["seconds"].items():
        middle = statistics.median(seconds)
        rows.append([name, f"{middle:.3f}", f"{min(seconds):.3f}", f"{middle / ours:.2f}"])
    rows.sort(key=lambda row: float(row[1]))
    return "\n".join([markdown(["", "s/image, median", "best", "x detect"], rows), "", content["note"]])
