"""Part naive: against what one would otherwise write with OpenCV and torchvision."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
import torchvision
from detecting import seconds_per_image
from numpy.typing import NDArray
from settings import Part, Settings

from googlenet_rcnn.cli.markdown import markdown

__all__ = ["detect_naively", "measure", "opencv_boxes"]

Rectangles = NDArray[np.int32]
_BATCH = 32


def measure(settings: Settings) -> Part:
    """Both ways on the same pictures, ours before and after the other; a note where OpenCV's search is missing."""
    if not hasattr(cv2, "ximgproc"):
        return Part("note: left out, OpenCV's contrib modules are missing (make bench-speed brings them)")
    torch.set_num_threads(settings.threads)
    network = torchvision.models.googlenet(weights=None, init_weights=False, aux_logits=False).eval()
    pictures = settings.pictures[:2]
    ours, theirs = [seconds_per_image(settings, pictures)], []
    for path in pictures:
        theirs.append(detect_naively(path, network, opencv_boxes))
        ours.append(seconds_per_image(settings, pictures))
    content = {"ours": ours, "theirs": theirs}
    return Part(_text(content), content)


def opencv_boxes(image: NDArray[np.uint8]) -> Rectangles:
    """x, y, width, height [N,4] of OpenCV's fast Selective Search on a BGR image [H,W,3]."""
    module: Any = cv2
    search = module.ximgproc.segmentation.createSelectiveSearchSegmentation()
    search.setBaseImage(image)
    search.switchToSelectiveSearchFast()
    return np.asarray(search.process(), dtype=np.int32).reshape(-1, 4)


def detect_naively(
    path: Path, network: torch.nn.Module, propose: Callable[[NDArray[np.uint8]], Rectangles]
) -> dict[str, Any]:
    """R-CNN in thirty lines: every box cut out, resized, scored by the network in eager mode, then NMS; its times."""
    begin = time.perf_counter()
    image = np.asarray(cv2.imread(str(path)), dtype=np.uint8)
    rectangles = propose(image)
    proposed = time.perf_counter()
    mean, deviation = torch.tensor([0.485, 0.456, 0.406]), torch.tensor([0.229, 0.224, 0.225])
    scores = []
    with torch.no_grad():
        for first in range(0, len(rectangles), _BATCH):
            crops = [
                cv2.cvtColor(cv2.resize(image[y : y + h, x : x + w], (224, 224)), cv2.COLOR_BGR2RGB)
                for x, y, w, h in rectangles[first : first + _BATCH]
            ]
            batch = (torch.from_numpy(np.stack(crops)).float() / 255 - mean) / deviation
            scores.append(network(batch.permute(0, 3, 1, 2)).softmax(dim=1))
    scored = time.perf_counter()
    best, label = (torch.cat(scores) if scores else torch.zeros(0, 1000)).max(dim=1)
    corners = torch.from_numpy(np.hstack([rectangles[:, :2], rectangles[:, :2] + rectangles[:, 2:]])).float()
    kept = torchvision.ops.batched_nms(corners, best, label, 0.3)
    end = time.perf_counter()
    return {
        "image": path.name,
        "boxes": len(rectangles),
        "kept": len(kept),
        "propose": proposed - begin,
        "classify": scored - proposed,
        "seconds": end - begin,
    }


def _text(content: dict[str, Any]) -> str:
    ours = float(np.median(content["ours"]))
    rows = [
        [
            f"OpenCV + torchvision, {one['image']}",
            f"{one['seconds']:.2f}",
            f"{one['propose']:.2f}",
            f"{one['classify']:.2f}",
            str(one["boxes"]),
            f"{one['seconds'] / ours:.1f}",
        ]
        for one in content["theirs"]
    ]
    rows.append(["detect (median)", f"{ours:.2f}", "", "", "", "1.0"])
    return markdown(["", "s/image", "propose s", "classify s", "boxes", "x detect"], rows)
