"""Several proposers as one: a union is again a proposer, and every box keeps the name of its source."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from googlenet_rcnn.core.types import Boxes, Image, Proposals, Proposer, Size

__all__ = ["Union", "unite"]


def unite(parts: Sequence[Proposals], limit: int | None = None) -> Proposals:
    """Proposals of one image in the order of the parts; of equal boxes the first stays, then `limit` cuts.

    Scores are left as they are: they rank only within a source. Equal source names become one source.
    """
    if not parts:
        raise ValueError("a union needs at least one part")
    size = parts[0].size
    if any(part.size != size for part in parts):
        raise ValueError(f"parts of a union share one image size, got {[tuple(part.size) for part in parts]}")
    names = tuple(dict.fromkeys(name for part in parts for name in part.source_names))
    coordinates = np.concatenate([part.boxes.coordinates for part in parts])
    scores = np.concatenate([part.scores for part in parts])
    sources = np.concatenate(
        [np.array([names.index(n) for n in part.source_names], dtype=np.int64)[part.sources] for part in parts]
    )
    _, first = np.unique(coordinates, axis=0, return_index=True)
    kept = np.sort(first)[:limit]
    return Proposals(Boxes(coordinates[kept], Size(*size)), scores[kept], sources[kept], names)


@dataclass(frozen=True)
class Union:
    """Proposes what all its proposers propose, in their order; `limit` keeps the first so many."""

    proposers: tuple[Proposer, ...]
    limit: int | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "proposers", tuple(self.proposers))
        if not self.proposers:
            raise ValueError("a union needs at least one proposer")
        if self.limit is not None and self.limit < 1:
            raise ValueError(f"limit must be at least 1, got {self.limit}")

    def propose(self, image: Image) -> Proposals:
        """Boxes of an image [H,W,3] without exact duplicates."""
        return unite([proposer.propose(image) for proposer in self.proposers], self.limit)
