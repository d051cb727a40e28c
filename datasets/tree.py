"""Annotated images in whatever layout they come."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from googlenet_rcnn.core.errors import DataError
from googlenet_rcnn.datasets.annotated import AnnotatedDataset
from googlenet_rcnn.datasets.archive import ARCHIVES
from googlenet_rcnn.datasets.coco import coco_splits, is_coco, read_coco
from googlenet_rcnn.datasets.cvat import cvat_splits, is_cvat, read_cvat
from googlenet_rcnn.datasets.findings import Finding, Findings
from googlenet_rcnn.datasets.ilsvrc import ilsvrc_splits, is_ilsvrc, read_ilsvrc
from googlenet_rcnn.datasets.label_studio import ONLY_SPLIT, is_label_studio, read_label_studio
from googlenet_rcnn.datasets.text_tree import TextTree
from googlenet_rcnn.datasets.voc import is_voc, read_voc, voc_splits, voc_unlisted
from googlenet_rcnn.datasets.yolo import is_yolo, read_yolo, yolo_splits

__all__ = ["Layout", "read_dataset", "recognise"]

_KINDS = {
    "voc": "a VOC devkit (ImageSets/Main)",
    "ilsvrc": "ILSVRC DET (SPLIT.txt with *_annotations.tar.gz, det_lists or ImageSets/DET)",
    "coco": "COCO instances (annotations/*.json)",
    "yolo": "YOLO texts (images/ and labels/)",
    "label-studio": "a JSON export of Label Studio",
    "cvat": "CVAT for images 1.1 (annotations.xml)",
    "folders": "a folder for each class",
}


@dataclass(frozen=True)
class Layout:
    """What kind of data set lies at a place, the names of its splits, and how one of them is read."""

    kind: str
    splits: Callable[[], list[str]]
    read: Callable[[str, Findings | None], AnnotatedDataset]
    unlisted: Callable[[set[str]], list[Finding]] = lambda ids: []
    """Findings on annotations that are there, but not of the images with these ids."""

    @property
    def title(self) -> str:
        """The kind in words."""
        return _KINDS[self.kind]


def read_dataset(root: str | Path, split: str) -> AnnotatedDataset:
    """Reads a split of the data set below `root`, whose layout is recognised; DataError at the first fault."""
    return recognise(root).read(split, None)


def recognise(root: str | Path) -> Layout:
    """The layout of the data set below `root`.

    `root` is a folder, an archive (VOC, ILSVRC), an instances file (COCO) or an export (Label Studio, CVAT). DataError:
    DATA_MISSING, DATA_UNRECOGNISED, or DATA_AMBIGUOUS where several layouts fit.
    """
    root = Path(root)
    if not root.exists():
        raise DataError("DATA_MISSING", f"{root}: there is no such folder or file; check --data")
    found: list[Layout] = []
    if root.is_dir() or root.name.endswith(ARCHIVES):
        tree = TextTree(root)
        if is_voc(tree):
            found.append(
                Layout(
                    "voc",
                    lambda: voc_splits(tree),
                    lambda split, notes: read_voc(tree, split, findings=notes),
                    lambda ids: voc_unlisted(tree, ids),
                )
            )
        if is_ilsvrc(tree):
            found.append(
                Layout("ilsvrc", lambda: ilsvrc_splits(tree), lambda split, notes: read_ilsvrc(tree, split, notes))
            )
    if is_yolo(root):
        found.append(Layout("yolo", lambda: yolo_splits(root), lambda split, notes: read_yolo(root, split, notes)))
    if is_cvat(root):
        found.append(Layout("cvat", lambda: cvat_splits(root), lambda split, notes: read_cvat(root, split, notes)))
    if is_label_studio(root):
        found.append(
            Layout("label-studio", lambda: [ONLY_SPLIT], lambda split, notes: read_label_studio(root, split, notes))
        )
    if (is_coco(root) and (root.is_dir() or not found)) or (not found and any(root.glob("*.json"))):
        found.append(Layout("coco", lambda: coco_splits(root), lambda split, notes: read_coco(root, split, notes)))
    if len(found) > 1:
        fitting = " or ".join(layout.title for layout in found)
        raise DataError("DATA_AMBIGUOUS", f"{root}: this may be {fitting}; give the folder or file of one")
    if not found:
        raise DataError("DATA_UNRECOGNISED", f"{root}: none of these is here: {'; '.join(list(_KINDS.values())[:-1])}")
    return found[0]
