"""Pictures of proposals: the first boxes of an image, one colour for each source."""

import cv2
import numpy as np
from numpy.typing import NDArray

from googlenet_rcnn.core.types import Image, Proposals

from .band import Caption, with_captions

__all__ = ["draw_proposals", "source_colours"]

# Okabe and Ito's palette, which those who see red and green alike can tell apart; black and grey are left out.
_KNOWN = {"ss": (230, 159, 0), "multibox": (86, 180, 233)}
_OTHERS = ((0, 158, 115), (240, 228, 66), (213, 94, 0), (204, 121, 167), (0, 114, 178))

_SMALLEST, _LARGEST = 960, 1600
_SHADE = np.array((20, 20, 20), dtype=np.float32)


def source_colours(names: tuple[str, ...]) -> dict[str, tuple[int, int, int]]:
    """A colour for each source: always the same for `ss` and `multibox`, by position for others."""
    others = [name for name in names if name not in _KNOWN]
    return {name: _KNOWN.get(name) or _OTHERS[others.index(name) % len(_OTHERS)] for name in names}


def draw_proposals(image: Image, proposals: Proposals, top: int) -> NDArray[np.uint8]:
    """The image [H,W,3], its longer side brought to 960..1600, with the first boxes of each source and a legend below.

    The first box of a source has the thickest and most opaque line; those drawn last lie on top.
    """
    longest = max(image.shape[:2])
    factor = min(max(longest, _SMALLEST), _LARGEST) / longest
    width, height = (max(1, round(side * factor)) for side in (image.shape[1], image.shape[0]))
    method = cv2.INTER_AREA if factor < 1 else cv2.INTER_LINEAR
    canvas = np.array(cv2.resize(image, (width, height), interpolation=method), dtype=np.float32)
    colours = source_colours(proposals.source_names)
    by_source = [np.flatnonzero(proposals.sources == place)[:top] for place in range(len(colours))]
    ranked = sorted((rank / max(1, len(rows) - 1), int(row)) for rows in by_source for rank, row in enumerate(rows))
    thickest = max(2.0, max(width, height) / 200)
    for fading, row in reversed(ranked):
        line = max(1, round(thickest * (1 - 0.7 * fading)))
        x1, y1, x2, y2 = (round(float(value) * factor) for value in proposals.boxes.coordinates[row])
        colour = np.array(colours[proposals.source_names[proposals.sources[row]]], dtype=np.float32)
        opacity = 1 - 0.5 * fading
        _frame(canvas, (x1, y1, x2, y2), line + 2, _SHADE, 0.55 * opacity)
        _frame(canvas, (x1 + 1, y1 + 1, x2 - 1, y2 - 1), line, colour, opacity)
    counts = np.bincount(proposals.sources, minlength=len(colours))
    legend = [
        Caption(f"{name}: {len(rows):,} of {total:,}", colours[name])
        for name, rows, total in zip(proposals.source_names, by_source, counts, strict=True)
    ]
    if not legend:
        legend.append(Caption("no boxes"))
    return with_captions(canvas.round().astype(np.uint8), legend, max(16, max(width, height) // 45))


def _frame(
    canvas: NDArray[np.float32], box: tuple[int, int, int, int], line: int, colour: NDArray[np.float32], opacity: float
) -> None:
    """Blends the inner border of a box into the canvas [H,W,3], `line` pixels wide; each pixel once."""
    height, width = canvas.shape[:2]
    x1, y1 = min(max(box[0], 0), width - 1), min(max(box[1], 0), height - 1)
    x2, y2 = max(min(box[2], width), x1 + 1), max(min(box[3], height), y1 + 1)
    top, bottom = min(y1 + line, y2), max(y2 - line, min(y1 + line, y2))
    left, right = min(x1 + line, x2), max(x2 - line, min(x1 + line, x2))
    for rows, columns in (
        (slice(y1, top), slice(x1, x2)),
        (slice(bottom, y2), slice(x1, x2)),
        (slice(top, bottom), slice(x1, left)),
        (slice(top, bottom), slice(right, x2)),
    ):
        part = canvas[rows, columns]
        part += opacity * (colour - part)
