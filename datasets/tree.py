"""Annotated images in whatever layout they come."""

from collections.abc import Callable
from pathlib import Path

from googlenet_rcnn.core.errors import DataError
from googlenet_rcnn.datasets.annotated import AnnotatedDataset
from googlenet_rcnn.datasets.archive import ARCHIVES
from googlenet_rcnn.datasets.coco import is_coco, read_coco
from googlenet_rcnn.datasets.ilsvrc import is_ilsvrc, read_ilsvrc
from googlenet_rcnn.datasets.text_tree import TextTree
from googlenet_rcnn.datasets.voc import is_voc, read_voc
from googlenet_rcnn.datasets.yolo import is_yolo, read_yolo

__all__ = ["read_dataset"]

_VOC = "a VOC devkit (ImageSets/Main)"
_ILSVRC = "ILSVRC DET (SPLIT.txt with *_annotations.tar.gz, det_lists or ImageSets/DET)"
_COCO = "COCO instances (annotations/*.json)"
_YOLO = "YOLO texts (images/ and labels/)"


def read_dataset(root: str | Path, split: str) -> AnnotatedDataset:
    """Reads a split of the data set below `root`, whose layout is recognised.

    `root` is a folder, an archive (VOC, ILSVRC) or an instances file (COCO). DataError: DATA_MISSING,
    DATA_UNRECOGNISED, or DATA_AMBIGUOUS where several layouts fit.
    """
    root = Path(root)
    if not root.exists():
        raise DataError("DATA_MISSING", f"{root}: there is no such folder or file; check --data")
    fitting: dict[str, Callable[[], AnnotatedDataset]] = {}
    if root.is_dir() or root.name.endswith(ARCHIVES):
        tree = TextTree(root)
        if is_voc(tree):
            fitting[_VOC] = lambda: read_voc(tree, split)
        if is_ilsvrc(tree):
            fitting[_ILSVRC] = lambda: read_ilsvrc(tree, split)
    if is_yolo(root):
        fitting[_YOLO] = lambda: read_yolo(root, split)
    if is_coco(root) or (not fitting and any(root.glob("*.json"))):
        fitting[_COCO] = lambda: read_coco(root, split)
    if len(fitting) > 1:
        raise DataError("DATA_AMBIGUOUS", f"{root}: this may be {' or '.join(fitting)}; give the folder or file of one")
    if not fitting:
        raise DataError("DATA_UNRECOGNISED", f"{root}: none of these is here: {_VOC}; {_ILSVRC}; {_COCO}; {_YOLO}")
    return next(iter(fitting.values()))()
