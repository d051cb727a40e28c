"""A VOC devkit of a few made-up images, and data sets of made-up truths."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from googlenet_rcnn.core.types import Boxes, Dataset, GroundTruth, LabelSet, Sample, Size

SIZE = Size(100, 200)


def thing(name: str, box: Sequence[object], extra: str = "<difficult>0</difficult>") -> str:
    """The XML of one object; the box is 1-based and inclusive."""
    corners = "".join(
        f"<{key}>{value}</{key}>" for key, value in zip(("xmin", "ymin", "xmax", "ymax"), box, strict=True)
    )
    return f"<object><name>{name}</name>{extra}<bndbox>{corners}</bndbox></object>"


def annotation(*objects: str, filename: str = "x.jpg", size: Size = SIZE) -> str:
    """The XML of one image."""
    declared = f"<size><width>{size.width}</width><height>{size.height}</height><depth>3</depth></size>"
    return f"<annotation><filename>{filename}</filename>{declared}{''.join(objects)}</annotation>"


def devkit(root: Path, xml: Mapping[str, str], split: str = "train", year: str = "VOC2007") -> Path:
    """Writes a devkit with one annotation an image and returns its folder."""
    folder = root / year
    for name in ("Annotations", "ImageSets/Main", "JPEGImages"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    (folder / "ImageSets" / "Main" / f"{split}.txt").write_text("".join(f"{name}\n" for name in xml))
    for name, text in xml.items():
        (folder / "Annotations" / f"{name}.xml").write_text(text)
    return root


def truth(rows: Sequence[tuple[int, Sequence[float], bool]] = (), size: Size = SIZE) -> GroundTruth:
    """Truths from (label, half-open box, ignore)."""
    boxes = np.array([box for _, box, _ in rows], dtype=np.float32).reshape(-1, 4)
    labels = np.array([label for label, _, _ in rows], dtype=np.int64)
    return GroundTruth(Boxes(boxes, size), labels, np.array([ignore for _, _, ignore in rows], dtype=np.bool_))


def dataset(truths: Sequence[GroundTruth | None], names: Sequence[str] = ("cat", "dog")) -> Dataset:
    """A data set whose image ids are 000000, 000001, ..."""
    samples = [Sample(f"{index:06d}", Path(f"{index:06d}.jpg"), one) for index, one in enumerate(truths)]
    return Dataset(LabelSet(tuple(names)), tuple(samples))
