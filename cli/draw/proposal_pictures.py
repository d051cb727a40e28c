"""The pictures that `propose --draw` makes of an image, as files of their own beside each other."""

import io

import numpy as np
from numpy.typing import NDArray
from PIL import Image as PillowImage

from googlenet_rcnn.core.types import Image, Proposals, Proposer
from googlenet_rcnn.proposals.selective_search import SelectiveSearch
from googlenet_rcnn.proposals.union import Union

from .grouping import draw_grouping, draw_segmentation
from .proposals import draw_proposals

__all__ = ["picture_endings", "png_pictures", "search_in"]


def search_in(proposer: Proposer) -> SelectiveSearch | None:
    """The Selective Search that a proposer is or has a part in it, None without one."""
    parts = proposer.proposers if isinstance(proposer, Union) else (proposer,)
    return next((part for part in parts if isinstance(part, SelectiveSearch)), None)


def picture_endings(search: SelectiveSearch | None) -> tuple[str, ...]:
    """What follows an image's id in the names of its pictures."""
    return ("-boxes.png",) if search is None else ("-boxes.png", "-segmentation.png", "-grouping.png")


def png_pictures(image: Image, proposals: Proposals, search: SelectiveSearch | None, top: int) -> list[bytes]:
    """The pictures of an image [H,W,3] in the order of their endings; the grouping shown is the search's first."""
    pictures = [draw_proposals(image, proposals, top)]
    if search is not None:
        grouping = next(search.groupings(image))
        pictures += [draw_segmentation(image, grouping), draw_grouping(image, grouping)]
    return [_png(picture) for picture in pictures]


def _png(picture: NDArray[np.uint8]) -> bytes:
    buffer = io.BytesIO()
    PillowImage.fromarray(picture).save(buffer, "PNG")
    return buffer.getvalue()
