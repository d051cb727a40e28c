"""Annotated images in whatever layout they come."""

from pathlib import Path

from googlenet_rcnn.core.types import Dataset
from googlenet_rcnn.datasets.voc import read_voc

__all__ = ["read_dataset"]


def read_dataset(root: str | Path, split: str) -> Dataset:
    """Reads a split of the data set below `root`, whose layout is recognised."""
    return read_voc(root, split)
