"""ILSVRC's detection task, straight from its devkit: 0-based inclusive corners become half-open boxes."""

import posixpath
import re
from pathlib import Path

from googlenet_rcnn.core.errors import DataError
from googlenet_rcnn.core.image_size import image_size
from googlenet_rcnn.core.types import GroundTruth, LabelSet, Sample
from googlenet_rcnn.datasets.annotated import AnnotatedDataset
from googlenet_rcnn.datasets.archive import ARCHIVES
from googlenet_rcnn.datasets.findings import AnnotationError, Finding, Findings
from googlenet_rcnn.datasets.fitting import fit
from googlenet_rcnn.datasets.ilsvrc_lists import (
    Listed,
    has_lists,
    kind_of,
    parts_of,
    read_blacklist,
    read_lists,
    splits_of,
    top_folders,
)
from googlenet_rcnn.datasets.label_list import load_labels
from googlenet_rcnn.datasets.text_tree import TextTree
from googlenet_rcnn.datasets.unknown_classes import UnknownClasses
from googlenet_rcnn.datasets.voc_xml import VocAnnotation, read_voc_xml

__all__ = ["ilsvrc_splits", "is_ilsvrc", "read_ilsvrc"]

_FULLY_ANNOTATED = "ILSVRC2014_train_"  # images of train that were collected like those of val (devkit of 2014)


def is_ilsvrc(tree: TextTree) -> bool:
    """Whether a devkit, the folder around it or the later release with ImageSets/DET lies here."""
    return has_lists(tree)


def ilsvrc_splits(tree: TextTree) -> list[str]:
    """Names of the lists that are there; `train` also where only those of its classes are."""
    return splits_of(tree)


def read_ilsvrc(root: str | Path | TextTree, split: str, findings: Findings | None = None) -> AnnotatedDataset:
    """Reads the images of the list SPLIT.txt, numbered as there, with the blacklist of the validation images.

    A split may be several lists (val1+train_pos), see `ilsvrc_lists`. Annotations are XML files anywhere below
    `root` or in one archive for train and for val there; labels are in the order of ILSVRC's ids and go by their
    names. A listed image without annotation file is an error; a test split has no truth there, and an image of
    train no object, so it is left out. Those of train from 2013 are annotated for some classes only, and so not
    exhaustively. Pictures need not be there.
    """
    tree = root if isinstance(root, TextTree) else TextTree(Path(root))
    words = [row.split(" ", 1) for row in load_labels("ilsvrc_det").names]
    labels = LabelSet(tuple(name for _, name in words), tuple(range(1, len(words) + 1)))
    label_of = {wnid: label for label, (wnid, _) in enumerate(words)}
    findings = Findings() if findings is None else findings
    unknown = UnknownClasses()
    rows = read_lists(tree, split, findings)
    samples: list[Sample] = []
    index_of: dict[int, int] = {}  # of the images of val, by their numbers
    pictures = _Pictures(tree)
    sources: dict[Path, tuple[TextTree, dict[str, str]]] = {}
    for part in parts_of(split):
        place = _annotations(tree, part)
        if place not in sources:
            source = tree if place == tree.root else TextTree(place)
            sources[place] = (source, source.documents())
        source, documents = sources[place]
        for one, document in _annotated(rows, part, documents, source, findings):
            path, bad, truth = pictures.path(one), findings.refused + unknown.total, None
            if document is not None:
                with findings.guard(source.where(document)):
                    truth = _truth(source, document, path, label_of, unknown, findings)
            if one.number is not None and kind_of(part) == "val":
                index_of[one.number] = len(samples)
            whole = kind_of(part) != "train" or posixpath.basename(one.image_id).startswith(_FULLY_ANNOTATED)
            whole = whole and findings.refused + unknown.total == bad
            samples.append(Sample(one.image_id, path, truth, one.number, whole))
    unknown.check(LabelSet(tuple(label_of)), "ILSVRC names classes by WordNet ids", findings)
    has_val = any(kind_of(part) == "val" for part in parts_of(split))
    excluded = read_blacklist(tree, index_of, label_of, findings) if has_val else ()
    return AnnotatedDataset(labels, tuple(samples), tuple(findings), excluded=excluded)


def _annotated(
    rows: list[Listed], part: str, documents: dict[str, str], source: TextTree, findings: Findings
) -> list[tuple[Listed, str | None]]:
    """The images of a list that are kept, with their files; one of train without a file has no object."""
    kind = kind_of(part)
    found = [(one, documents.get(posixpath.basename(one.image_id))) for one in rows if one.part == part]
    missing = [one for one, document in found if document is None]
    if not missing or kind == "test":
        return found
    listed = (posixpath.basename(one.image_id) for one in rows if kind_of(one.part) == kind)
    if kind != "train" or documents.keys().isdisjoint(listed):
        for one in missing:
            reason = f"image {one.image_id} of split {part} has no annotation file; add one, even if empty"
            findings.refuse(AnnotationError("ANN_MISSING", source.root, "", reason))
        return found
    message = f"{len(missing)} of {len(found)} images have no annotation file, so no object, and are left out"
    findings.append(Finding("NO_ANNOTATION", str(source.root), f"split {part}", message, "info"))
    return [(one, document) for one, document in found if document is not None]


def _annotations(tree: TextTree, part: str) -> Path:
    """Where the XML files are: an archive beside the lists, that of the list before others, or the tree itself."""
    if tree.root.is_file():
        return tree.root
    archives = [name for name in tree.names() if name.endswith(ARCHIVES) and re.search("annotations|bbox|anno", name)]
    chosen = archives
    for word in (kind_of(part), part):
        of_word = [name for name in archives if re.search(rf"(^|[^a-z0-9]){re.escape(word)}([^a-z0-9]|$)", name)]
        chosen = of_word or chosen
    if len(chosen) > 1:
        raise DataError("DATA_AMBIGUOUS", f"{tree.root}: choose one of {', '.join(chosen)} by removing the others")
    return tree.root / chosen[0] if chosen else tree.root


def _truth(
    source: TextTree,
    document: str,
    picture: Path,
    label_of: dict[str, int],
    unknown: UnknownClasses,
    findings: Findings,
) -> GroundTruth:
    file = source.where(document)
    annotation: VocAnnotation = read_voc_xml(source.read(document), file, findings, lambda: image_size(picture))
    for thing in annotation.objects:
        if thing.name not in label_of:
            unknown.add(thing.name, file, thing.place)
    things = [thing for thing in annotation.objects if thing.name in label_of]
    return fit(
        [(x1, y1, x2 + 1, y2 + 1) for x1, y1, x2, y2 in (thing.corners for thing in things)],
        [label_of[thing.name] for thing in things],
        annotation.size,
        file,
        lambda row: f"{things[row].place} ({things[row].name})",
        findings,
    )


class _Pictures:
    """Where images lie: looked up once for each list and each folder that its ids name."""

    def __init__(self, tree: TextTree) -> None:
        self._root = tree.pictures
        self._tops = top_folders(tree) if tree.root.is_dir() else [""]
        self._homes: dict[tuple[str, str, str], Path] = {}

    def path(self, image: Listed) -> Path:
        """The file of an image, or where it would lie."""
        folder, name = posixpath.split(image.image_id)
        synset = re.match(r"(n\d{8})_", name)  # the lists of 2013 name the file and not its folder
        below = folder or (synset[1] if synset else "")
        key = (image.part, folder, below)
        if key not in self._homes:
            self._homes[key] = self._home(image.part, name, list(dict.fromkeys((folder, below))))
        return self._homes[key] / f"{name}.JPEG"

    def _home(self, part: str, name: str, folders: list[str]) -> Path:
        kind = kind_of(part)
        layouts = ("Data/DET/{}", "ILSVRC2013_DET_{}", "ILSVRC2014_DET_{}", "{}")
        homes = [layout.format(word) for layout in layouts for word in dict.fromkeys((kind, part))]
        homes += ["images", "JPEGImages", ""]
        for top in self._tops:
            for home in homes:
                for folder in folders:
                    place = self._root / top / home / folder
                    if (place / f"{name}.JPEG").is_file():
                        return place
        return self._root / f"ILSVRC2013_DET_{kind}" / folders[-1]
