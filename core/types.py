"""The values that travel between the parts: frozen, over read-only copies, checked when built."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "Boxes",
    "Dataset",
    "Detections",
    "GroundTruth",
    "Image",
    "LabelSet",
    "Proposals",
    "Proposer",
    "Sample",
    "Size",
    "as_image",
]

Image = NDArray[np.uint8]
"""Pixels [H,W,3], RGB, as displayed (EXIF orientation applied)."""


class Size(NamedTuple):
    """Height and width of an image in pixels."""

    height: int
    width: int


def _frozen(values: Any, dtype: Any, shape: tuple[int, ...], name: str) -> NDArray[Any]:
    """A read-only copy with the given dtype; `shape` uses -1 for a free axis."""
    array = np.array(values, dtype=dtype)
    if array.dtype.kind == "i" and array.size and not np.array_equal(array, np.asarray(values)):
        raise ValueError(f"{name} must be whole numbers")
    if array.size == 0 and shape[0] in (-1, 0):
        array = array.reshape((0, *shape[1:]))
    if array.ndim != len(shape) or any(want not in (-1, got) for want, got in zip(shape, array.shape, strict=True)):
        expected = ",".join("N" if axis == -1 else str(axis) for axis in shape)
        raise ValueError(f"{name} must have shape [{expected}], got {list(np.shape(values))}")
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        row = int(np.argwhere(~np.isfinite(array))[0][0])
        raise ValueError(f"{name} must be finite, row {row} is not")
    array.flags.writeable = False
    return array


def as_image(pixels: Any) -> Image:
    """Checks that an array is an image [H,W,3] of uint8 with at least one pixel, and returns it.

    Raises ValueError naming the shape or dtype that was found.
    """
    array = np.asarray(pixels)
    if array.ndim != 3 or array.shape[2] != 3 or array.dtype != np.uint8 or array.size == 0:
        raise ValueError(f"an image is uint8 [H,W,3] in RGB, got {array.dtype} {list(array.shape)}")
    return np.ascontiguousarray(array)


@dataclass(frozen=True, eq=False)
class Boxes:
    """Boxes float32 [N,4] inside an image: 0 <= x1 < x2 <= width, 0 <= y1 < y2 <= height, half-open."""

    coordinates: NDArray[np.float32]
    size: Size

    def __post_init__(self) -> None:
        boxes = _frozen(self.coordinates, np.float32, (-1, 4), "boxes")
        height, width = self.size
        inside = (
            (boxes[:, 0] >= 0)
            & (boxes[:, 1] >= 0)
            & (boxes[:, 0] < boxes[:, 2])
            & (boxes[:, 1] < boxes[:, 3])
            & (boxes[:, 2] <= width)
            & (boxes[:, 3] <= height)
        )
        if not inside.all():
            row = int(np.flatnonzero(~inside)[0])
            raise ValueError(
                f"box {row} {boxes[row].tolist()} breaks 0 <= x1 < x2 <= {width}, 0 <= y1 < y2 <= {height}"
            )
        object.__setattr__(self, "coordinates", boxes)
        object.__setattr__(self, "size", Size(*self.size))

    def __len__(self) -> int:
        return len(self.coordinates)

    def __getitem__(self, index: NDArray[Any] | slice) -> "Boxes":
        return Boxes(self.coordinates[index], self.size)

    @classmethod
    def empty(cls, size: Size) -> "Boxes":
        """No boxes, in an image of the given size."""
        return cls(np.zeros((0, 4), dtype=np.float32), size)


@dataclass(frozen=True)
class LabelSet:
    """Names of the C foreground classes; a label is an index 0..C-1 into them."""

    names: tuple[str, ...]
    ids: tuple[int, ...] | None = None
    """The number of each class in its data set, where it has one: DET id, COCO category id; None means label + 1."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "names", tuple(self.names))
        if self.ids is not None:
            object.__setattr__(self, "ids", tuple(self.ids))
            if len(set(self.ids)) != len(self.names):
                raise ValueError(f"{len(self.names)} names need as many different ids, got {len(set(self.ids))}")
        if not self.names or any(not name for name in self.names):
            raise ValueError("a label set needs at least one name and no empty ones")
        if len(set(self.names)) != len(self.names):
            twice = next(name for i, name in enumerate(self.names) if name in self.names[:i])
            raise ValueError(f"label {twice!r} is in the list twice")

    def __len__(self) -> int:
        return len(self.names)

    def index(self, name: str) -> int:
        """Label of a class name; ValueError if it is not in the set."""
        try:
            return self.names.index(name)
        except ValueError:
            raise ValueError(f"{name!r} is none of the {len(self)} labels ({', '.join(self.names[:5])}, ...)") from None


@dataclass(frozen=True, eq=False)
class Proposals:
    """Candidate boxes, best first; a score ranks a box only among those of the same source."""

    boxes: Boxes
    scores: NDArray[np.float32]
    sources: NDArray[np.int64]
    source_names: tuple[str, ...]

    def __post_init__(self) -> None:
        count = len(self.boxes)
        object.__setattr__(self, "scores", _frozen(self.scores, np.float32, (count,), "scores"))
        object.__setattr__(self, "sources", _frozen(self.sources, np.int64, (count,), "sources"))
        object.__setattr__(self, "source_names", tuple(self.source_names))
        if count and not (self.sources.min() >= 0 and self.sources.max() < len(self.source_names)):
            raise ValueError(f"sources must lie in 0..{len(self.source_names) - 1}")

    def __len__(self) -> int:
        return len(self.boxes)

    def __getitem__(self, index: NDArray[Any] | slice) -> "Proposals":
        return Proposals(self.boxes[index], self.scores[index], self.sources[index], self.source_names)

    @property
    def size(self) -> Size:
        """Size of the image the boxes lie in."""
        return self.boxes.size

    @classmethod
    def from_source(cls, boxes: Boxes, scores: NDArray[Any], name: str) -> "Proposals":
        """Proposals that all come from one source."""
        return cls(boxes, scores, np.zeros(len(boxes), dtype=np.int64), (name,))


@dataclass(frozen=True, eq=False)
class Detections:
    """Found objects: labels int64 [N] in 0..C-1 and scores [N], highest first."""

    boxes: Boxes
    labels: NDArray[np.int64]
    scores: NDArray[np.float32]
    label_set: LabelSet | None = None
    """The classes that the labels number, where they are known."""

    def __post_init__(self) -> None:
        count = len(self.boxes)
        object.__setattr__(self, "labels", _frozen(self.labels, np.int64, (count,), "labels"))
        object.__setattr__(self, "scores", _frozen(self.scores, np.float32, (count,), "scores"))
        if count and self.labels.min() < 0:
            raise ValueError("labels start at 0; background is not a detection")
        if count and self.label_set is not None and self.labels.max() >= len(self.label_set):
            raise ValueError(f"labels must lie in 0..{len(self.label_set) - 1}")
        if (np.diff(self.scores) > 0).any():
            raise ValueError("scores must not rise from one detection to the next")

    def __len__(self) -> int:
        return len(self.boxes)

    def __getitem__(self, index: NDArray[Any] | slice) -> "Detections":
        return Detections(self.boxes[index], self.labels[index], self.scores[index], self.label_set)

    @property
    def names(self) -> tuple[str, ...]:
        """Class name of each detection; ValueError where the classes are not known."""
        if self.label_set is None and len(self):
            raise ValueError("these detections know no class names: look their labels up in those of their detector")
        return tuple(self.label_set.names[label] for label in self.labels) if self.label_set is not None else ()

    @property
    def size(self) -> Size:
        """Size of the image the boxes lie in."""
        return self.boxes.size

    @classmethod
    def empty(cls, size: Size) -> "Detections":
        """Nothing found in an image of the given size."""
        return cls(Boxes.empty(size), np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.float32))


@dataclass(frozen=True, eq=False)
class GroundTruth:
    """Annotated objects; `ignore` [N] marks VOC difficult and COCO crowd, which neither gain nor cost."""

    boxes: Boxes
    labels: NDArray[np.int64]
    ignore: NDArray[np.bool_]
    areas: NDArray[np.float64] | None = None
    """Square pixels [N] as annotated (COCO: of the outline); None means those of the boxes."""

    def __post_init__(self) -> None:
        count = len(self.boxes)
        object.__setattr__(self, "labels", _frozen(self.labels, np.int64, (count,), "labels"))
        object.__setattr__(self, "ignore", _frozen(self.ignore, np.bool_, (count,), "ignore"))
        if self.areas is not None:
            object.__setattr__(self, "areas", _frozen(self.areas, np.float64, (count,), "areas"))

    def __len__(self) -> int:
        return len(self.boxes)

    def __getitem__(self, index: NDArray[Any] | slice) -> "GroundTruth":
        areas = None if self.areas is None else self.areas[index]
        return GroundTruth(self.boxes[index], self.labels[index], self.ignore[index], areas)

    @property
    def size(self) -> Size:
        """Size of the image the boxes lie in."""
        return self.boxes.size


@dataclass(frozen=True, eq=False)
class Sample:
    """One image of a data set; its pixels are read late, its truth may be unknown."""

    image_id: str
    path: Path
    truth: GroundTruth | None = None
    number: int | None = None
    """By which result files name the image: its place in ILSVRC's list, from 1, or COCO's image id; or None."""
    exhaustive: bool = True
    """Whether every object of every class is annotated: where not, a place without an object may hold one."""


class Proposer(Protocol):
    """Anything that suggests where objects may be."""

    def propose(self, image: Image) -> Proposals:
        """Candidate boxes of an image [H,W,3], best first."""
        ...


@dataclass(frozen=True)
class Dataset:
    """Samples of one split with the labels their truths use."""

    labels: LabelSet
    samples: Sequence[Sample] = field(repr=False)
    excluded: Sequence[tuple[int, int]] = field(default=(), repr=False, kw_only=True)
    """Pairs (index of a sample, label) that do not count at all: ILSVRC's blacklist."""
