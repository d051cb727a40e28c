"""A picture of what became of an image's objects: each in the colour of its fate, with the box that explains it."""

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image as PillowImage
from PIL import ImageDraw, ImageFont

from googlenet_rcnn.core.types import GroundTruth, Image, LabelSet
from googlenet_rcnn.eval.fate import Fate, FateKind

from .band import Caption, with_captions

__all__ = ["FATE_COLOURS", "draw_fates"]

# Okabe and Ito's palette, which those who see red and green alike can tell apart, and grey.
FATE_COLOURS = {
    FateKind.FOUND: (0, 158, 115),
    FateKind.NO_PROPOSAL: (213, 94, 0),
    FateKind.SCORED_LOW: (230, 159, 0),
    FateKind.WRONG_CLASS: (204, 121, 167),
    FateKind.OUTSCORED: (86, 180, 233),
    FateKind.SUPPRESSED: (0, 114, 178),
    FateKind.NEIGHBOUR: (240, 228, 66),
    FateKind.NOT_SCORED: (153, 153, 153),
    FateKind.OVER_LIMIT: (153, 153, 153),
}

_SMALLEST, _LARGEST = 960, 1600
_SHADE = (20, 20, 20)


def draw_fates(image: Image, truth: GroundTruth, fates: list[Fate], labels: LabelSet) -> NDArray[np.uint8]:
    """The image [H,W,3], its longer side brought to 960..1600, with numbered objects and what each came to below.

    An object has a full line; dashed in its colour is the detection it was lost to, or else the best box for it.
    """
    longest = max(image.shape[:2])
    factor = min(max(longest, _SMALLEST), _LARGEST) / longest
    width, height = (max(1, round(side * factor)) for side in (image.shape[1], image.shape[0]))
    method = cv2.INTER_AREA if factor < 1 else cv2.INTER_LINEAR
    picture = PillowImage.fromarray(cv2.resize(image, (width, height), interpolation=method))
    pen = ImageDraw.Draw(picture)
    line = max(2, max(width, height) // 240)
    size = max(16, max(width, height) // 45)
    boxes = [[float(value) * factor for value in box] for box in truth.boxes.coordinates]
    for fate in fates:
        if (reason := fate.cause or fate.best) is not None:
            _dashes(pen, [value * factor for value in reason.box], FATE_COLOURS[fate.kind], line)
    for box, fate in zip(boxes, fates, strict=True):
        corners = _corners(box)
        pen.rectangle(corners, outline=_SHADE, width=line + 2)
        pen.rectangle(corners, outline=FATE_COLOURS[fate.kind], width=line)
    # Numbers last, so that no line crosses them.
    for number, (box, fate) in enumerate(zip(boxes, fates, strict=True), start=1):
        _number(pen, number, box, FATE_COLOURS[fate.kind], size)
    captions = [
        Caption(
            f"{number} {labels.names[label]}{' (difficult)' if ignored else ''}: {fate.kind}", FATE_COLOURS[fate.kind]
        )
        for number, (label, ignored, fate) in enumerate(zip(truth.labels, truth.ignore, fates, strict=True), start=1)
    ]
    return with_captions(np.asarray(picture), captions or [Caption("no object is annotated")], size)


def _corners(box: list[float]) -> tuple[int, int, int, int]:
    """The box's outermost pixels; a half-open box ends one pixel before its second corner."""
    left, top, right, bottom = (round(value) for value in box)
    return left, top, max(left, right - 1), max(top, bottom - 1)


def _dashes(pen: ImageDraw.ImageDraw, box: list[float], colour: tuple[int, int, int], line: int) -> None:
    left, top, right, bottom = _corners(box)
    dash = 4 * line
    for begin, end, across in ((left, right, True), (top, bottom, False)):
        for start in range(begin, end + 1, 2 * dash):
            stop = min(start + dash, end)
            for fixed in (top, bottom) if across else (left, right):
                ends = [(start, fixed), (stop, fixed)] if across else [(fixed, start), (fixed, stop)]
                pen.line(ends, fill=_SHADE, width=line + 2)
                pen.line(ends, fill=colour, width=line)


def _number(pen: ImageDraw.ImageDraw, number: int, box: list[float], colour: tuple[int, int, int], size: int) -> None:
    """A tag in the box's upper left corner."""
    font = ImageFont.load_default(size=size)
    side = max(font.getlength(str(number)) + size // 2, size * 1.2)
    left, top = box[:2]
    pen.rectangle((left, top, left + side, top + size * 1.2), fill=colour, outline=_SHADE)
    pen.text((left + side / 2, top + size * 0.6), str(number), fill=(0, 0, 0), font=font, anchor="mm")
