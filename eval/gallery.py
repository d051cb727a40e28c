"""Pictures of the worst errors: the most confident false detections, and the largest objects missed."""

from collections.abc import Iterable, Sequence
from html import escape
from typing import NamedTuple

import numpy as np

from googlenet_rcnn.core.types import Dataset
from googlenet_rcnn.eval.cutout import Box, Cutout, cut_out
from googlenet_rcnn.eval.error_analysis import ErrorAnalysis
from googlenet_rcnn.eval.false_positives import LEAST_OVERLAP, TYPES
from googlenet_rcnn.eval.html_page import colour_key
from googlenet_rcnn.eval.misses import missed_objects
from googlenet_rcnn.eval.tide import KINDS

__all__ = ["false_gallery", "missed_gallery"]

_MOST = 24
_DETECTED, _TRUE = "#d55e00", "#56b4e9"


class _Exhibit(NamedTuple):
    """An image of the data set, what is said about it, and boxes with their colours: false ones first."""

    image: int
    caption: str
    boxes: Sequence[tuple[Box, str]]


def false_gallery(dataset: Dataset, errors: ErrorAnalysis) -> str:
    """The false detections of highest score, each with its type, kind and the object beside it."""
    matches, nearest = errors.matches, errors.nearest
    exhibits = []
    for row in np.flatnonzero(matches.false)[:_MOST].tolist():
        image, label = int(matches.image_index[row]), int(matches.label[row])
        parts = (nearest.own, nearest.similar, nearest.other)
        near = next((part for part in parts if part.overlap[row] >= LEAST_OVERLAP), nearest.other)
        boxes = [(_box(errors.boxes[row]), _DETECTED)]
        kind, kind_type = KINDS[errors.tide.kind[row]], TYPES[errors.types[row]]
        what = kind if kind == kind_type else f"{kind_type} ({kind})"
        if near.overlap[row] >= LEAST_OVERLAP:
            seen = dataset.labels.names[matches.objects.label[near.index[row]]]
            what += f", overlap {near.overlap[row]:.2f} with a {seen}"
            boxes.append((_box(matches.objects.boxes[near.index[row]]), _TRUE))
        name = dataset.labels.names[label]
        image_id = dataset.samples[image].image_id
        exhibits.append(_Exhibit(image, f"{name} {matches.score[row]:.3f} in {image_id}: {what}", boxes))
    if not exhibits:
        return "<p>No detection is false.</p>"
    return f"<p>The {len(exhibits)} false detections with the highest scores.</p>" + _hang(dataset, exhibits)


def missed_gallery(dataset: Dataset, errors: ErrorAnalysis) -> str:
    """The missed objects that fill most of their image, and whether a lower score finds them."""
    objects = errors.matches.objects
    missed = missed_objects(errors.matches, errors.threshold)
    never = set(missed_objects(errors.matches).tolist())
    sizes = {image: dataset.samples[image].truth for image in np.unique(objects.image[missed]).tolist()}
    area = np.array([1 if truth is None else truth.size.height * truth.size.width for truth in sizes.values()])
    part = (objects.boxes[missed, 2:] - objects.boxes[missed, :2]).prod(axis=1)
    part = part / area[np.searchsorted(list(sizes), objects.image[missed])] if len(missed) else part
    exhibits = []
    for index in missed[np.argsort(-part, kind="stable")[:_MOST]].tolist():
        image, name = int(objects.image[index]), dataset.labels.names[objects.label[index]]
        why = "not detected" if index in never else "detected with too low a score"
        caption = f"{name} in {dataset.samples[image].image_id}: {why}"
        exhibits.append(_Exhibit(image, caption, [(_box(objects.boxes[index]), _TRUE)]))
    if not exhibits:
        return "<p>No object is missed.</p>"
    many = f"The {len(exhibits)} of {len(missed):,} objects missed that fill most of their image."
    return f"<p>{many} Missed is what no detection from the threshold on finds.</p>" + _hang(dataset, exhibits)


def _box(corners: Iterable[float]) -> Box:
    x1, y1, x2, y2 = map(float, corners)
    return x1, y1, x2, y2


def _hang(dataset: Dataset, exhibits: Sequence[_Exhibit]) -> str:
    cuts = [cut_out(dataset.samples[one.image], [box for box, _ in one.boxes]) for one in exhibits]
    frames = "".join(
        f"<figure>{_frame(one, cut)}<figcaption>{escape(one.caption)}</figcaption></figure>"
        for one, cut in zip(exhibits, cuts, strict=True)
    )
    absent = sum(cut is None for cut in cuts)
    text = (
        f"<p>{absent} of {len(cuts)} have no picture: it is absent, unreadable or shows no box.</p>" if absent else ""
    )
    if absent < len(cuts):
        used = {colour for one in exhibits for _, colour in one.boxes}
        key = [pair for pair in (("detection", _DETECTED), ("object (dashed)", _TRUE)) if pair[1] in used]
        text += colour_key([name for name, _ in key], [colour for _, colour in key])
    return text + f'<div class="grid gallery">{frames}</div>'


def _frame(one: _Exhibit, cut: Cutout | None) -> str:
    """The picture with its boxes over it: light lines on dark ones, so they show on any ground."""
    if cut is None:
        return ""
    lines = ""
    for (x1, y1, x2, y2), (_, colour) in zip(cut.boxes, one.boxes, strict=True):
        box = f'<rect x="{x1}" y="{y1}" width="{max(0.0, x2 - x1):.1f}" height="{max(0.0, y2 - y1):.1f}" fill="none"'
        dash = ' stroke-dasharray="7 4"' if colour == _TRUE else ""
        lines += f'{box} stroke="#000" stroke-width="4"/>{box} stroke="{colour}" stroke-width="2"{dash}/>'
    size = f'width="{cut.width}" height="{cut.height}"'
    overlay = f'<svg viewBox="0 0 {cut.width} {cut.height}" aria-hidden="true">{lines}</svg>'
    return f'<div class="cut"><img src="{cut.uri}" {size} alt="{escape(one.caption)}">{overlay}</div>'
