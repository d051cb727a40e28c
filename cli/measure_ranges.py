"""`measure-ranges`: a checkpoint and images in, the same tensors and a Card with ranges out."""

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from googlenet_rcnn.core.errors import ImageError, ModelError, UsageError
from googlenet_rcnn.core.images import read_image

if TYPE_CHECKING:
    from googlenet_rcnn.core.card import Card

__all__ = ["run_measure_ranges"]


def run_measure_ranges(
    weights: str,
    images: Sequence[str],
    out: Path,
    *,
    limit: int = 32,
    seed: int = 0,
    threads: int | None = None,
    overwrite: bool = False,
) -> None:
    """Writes `out`: a detector is measured on random windows, a classifier on ten crops of each image.

    Images that cannot be read are left out with a note; ImageError if none is left.
    """
    import torch

    from googlenet_rcnn.api.weights_files import find_weights
    from googlenet_rcnn.backbone.architectures import load_network
    from googlenet_rcnn.backbone.engine_torch import keep_freed_memory
    from googlenet_rcnn.backbone.ranges import measure_ranges
    from googlenet_rcnn.backbone.weights import read_tensors, save_weights
    from googlenet_rcnn.core.threads import available_threads

    from .inputs import find_images

    if out.exists() and not overwrite:
        raise UsageError("OUT_EXISTS", f"{out} is there already: choose another --out or say --overwrite")
    path = find_weights(weights)
    network, card = load_network(path)
    if card.task == "multibox":
        raise ModelError("MODEL_TASK", f"{path} is a multibox: measure the ranges of the detector whose trunk it uses")
    torch.set_num_threads(threads or available_threads())
    keep_freed_memory()
    pictures = list(_readable(_spread([Path(image.path) for image in find_images(images)], limit)))
    if not pictures:
        raise ImageError("NO_IMAGES", "none of the images could be read: ranges need at least one")
    ranges = measure_ranges(network, card, _crops(pictures, card, seed))
    save_weights(out, read_tensors(path), card.model_copy(update={"ranges": ranges}))
    print(f"wrote {out}: ranges of {len(ranges)} layers, measured on {len(pictures)} images", file=sys.stderr)


def _spread(paths: list[Path], limit: int) -> list[Path]:
    """At most `limit` of the paths, evenly from first to last."""
    places = np.linspace(0, len(paths) - 1, min(limit, len(paths))).round().astype(int)
    return [paths[place] for place in places]


def _readable(paths: Sequence[Path]) -> Iterator[Path]:
    """Those that are images; of the others a note is left."""
    for path in paths:
        try:
            read_image(path)
        except ImageError as error:
            print(f"note: left out: {error.message}", file=sys.stderr)
        else:
            yield path


def _crops(paths: Sequence[Path], card: "Card", seed: int) -> Iterator[NDArray[np.uint8]]:
    from googlenet_rcnn.backbone.multicrop import multicrop
    from googlenet_rcnn.detector.range_crops import random_crops
    from googlenet_rcnn.detector.warp import Warp

    warp = Warp(card.warp_side, card.warp_context, card.preprocessing.fill)
    for number, path in enumerate(paths):
        pixels = read_image(path).pixels
        if card.task == "detector":
            yield random_crops(pixels, warp, np.random.default_rng([seed, number]))
        else:
            yield multicrop(pixels, 10, card.resize_filter, card.squash)
