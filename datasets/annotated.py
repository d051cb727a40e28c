"""What every reader of this folder returns."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from googlenet_rcnn.core.types import Dataset
from googlenet_rcnn.datasets.findings import Finding

__all__ = ["AnnotatedDataset"]


@dataclass(frozen=True)
class AnnotatedDataset(Dataset):
    """A split in the order of its list, with what was mended while reading it."""

    findings: Sequence[Finding] = field(default=(), repr=False)
