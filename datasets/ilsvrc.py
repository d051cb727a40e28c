"""ILSVRC's detection task, straight from its devkit: 0-based inclusive corners become half-open boxes."""

import posixpath
import re
from collections.abc import Sequence
from pathlib import Path

from googlenet_rcnn.core.errors import DataError
from googlenet_rcnn.core.types import GroundTruth, LabelSet, Sample
from googlenet_rcnn.datasets.annotated import AnnotatedDataset
from googlenet_rcnn.datasets.archive import ARCHIVES
from googlenet_rcnn.datasets.findings import Finding
from googlenet_rcnn.datasets.fitting import fit
from googlenet_rcnn.datasets.inside import inside
from googlenet_rcnn.datasets.label_list import load_labels
from googlenet_rcnn.datasets.text_tree import TextTree
from googlenet_rcnn.datasets.unknown_classes import UnknownClasses
from googlenet_rcnn.datasets.voc_xml import VocAnnotation, read_voc_xml

__all__ = ["is_ilsvrc", "read_ilsvrc"]

_LIST_FOLDERS = ("", "data", "det_lists", "data/det_lists", "ImageSets/DET")
_MARKS = re.compile(
    r"det_classes_200\.csv|meta_det\.mat|det_lists|.*_det_\w*blacklist\.txt|.*_annotations\.(tar.*|tgz|zip)"
)


def is_ilsvrc(tree: TextTree) -> bool:
    """Whether a devkit, the folder around it or the later release with ImageSets/DET lies here."""
    folders = _list_folders(tree)
    marked = any(_MARKS.fullmatch(name) for folder in folders for name in tree.names(folder))
    return marked or any(folder.endswith("ImageSets/DET") and tree.is_folder(folder) for folder in folders)


def read_ilsvrc(root: str | Path | TextTree, split: str) -> AnnotatedDataset:
    """Reads the images of the list SPLIT.txt, numbered as there, with the blacklist of the validation images.

    Annotations are XML files anywhere below `root` or in one archive there; labels are in the order of
    ILSVRC's ids and go by their names. A listed image without annotation file is an error, except in a
    test split, where its truth is None. Pictures need not be there.
    """
    tree = root if isinstance(root, TextTree) else TextTree(Path(root))
    words = [row.split(" ", 1) for row in load_labels("ilsvrc_det").names]
    labels = LabelSet(tuple(name for _, name in words), tuple(range(1, len(words) + 1)))
    label_of = {wnid: label for label, (wnid, _) in enumerate(words)}
    rows = _read_list(tree, split)
    source = _annotations(tree, split)
    documents = source.documents()
    findings: list[Finding] = []
    unknown = UnknownClasses()
    truths = []
    for image_id, _ in rows:
        document = documents.get(posixpath.basename(image_id))
        if document is None and not split.startswith("test"):
            raise DataError(
                "ANN_MISSING",
                f"{source.root}: image {image_id} of split {split} has no annotation file; add one, even if empty",
            )
        truths.append(None if document is None else _truth(source, document, label_of, unknown, findings))
    unknown.check(LabelSet(tuple(label_of)), "ILSVRC names classes by WordNet ids")
    folder = _pictures(tree.pictures, split, rows)
    samples = tuple(
        Sample(image_id, folder / f"{image_id}.JPEG", truth, number)
        for (image_id, number), truth in zip(rows, truths, strict=True)
    )
    excluded = _blacklist(tree, rows, label_of) if split.startswith("val") else ()
    return AnnotatedDataset(labels, samples, tuple(findings), excluded=excluded)


def _list_folders(tree: TextTree) -> list[str]:
    """Where ILSVRC keeps its lists: below the root, or below the one folder that is around everything."""
    tops = ["", *(name for name in tree.names() if tree.is_folder(name))]
    return list(dict.fromkeys(posixpath.join(top, folder).rstrip("/") for top in tops for folder in _LIST_FOLDERS))


def _find(tree: TextTree, pattern: str) -> list[str]:
    """Files of that name (a regular expression) in any of the folders of lists."""
    return [
        posixpath.join(folder, name)
        for folder in _list_folders(tree)
        for name in tree.names(folder)
        if re.fullmatch(pattern, name)
    ]


def _read_list(tree: TextTree, split: str) -> list[tuple[str, int | None]]:
    """Image ids in order with their numbers; lists of one class have -1, 0 or 1 there, which are no numbers."""
    names = _find(tree, re.escape(inside(f"{split}.txt", tree.root)))
    if len(names) != 1:
        if names:
            raise DataError("DATA_AMBIGUOUS", f"{tree.root}: {' and '.join(names)} are both lists; keep one")
        lists = {posixpath.splitext(posixpath.basename(name))[0] for name in _find(tree, r"[\w-]+\.txt")}
        known = ", ".join(sorted(name for name in lists if "blacklist" not in name)[:20]) or "none"
        raise DataError("SPLIT_MISSING", f"{tree.root}: there is no list {split}.txt; text files here: {known}")
    rows = [(f"{tree.where(names[0])}:{line}", row) for line, row in enumerate(tree.rows(names[0]), start=1) if row]
    second = {row[1] for _, row in rows if len(row) > 1}
    numbered = bool(second) and (len(rows) == 1 or not second <= {"-1", "0", "1"})
    found: dict[str, int | None] = {}
    places: dict[int, str] = {}
    for where, row in rows:
        if row[0] in found:
            raise DataError("DUPLICATE_ID", f"{where}: image {row[0]} is in the list twice; remove one")
        number = _number(row, where) if numbered else None
        if number is not None and places.setdefault(number, where) != where:
            raise DataError("DUPLICATE_ID", f"{where}: number {number} is also at {places[number]}; mend one")
        found[inside(row[0], where)] = number
    return list(found.items())


def _number(row: Sequence[str], where: str) -> int:
    if len(row) != 2 or not row[1].isdecimal() or int(row[1]) < 1:
        raise DataError("LIST_BAD_ROW", f"{where}: expected an image and its number from 1, found {' '.join(row)!r}")
    return int(row[1])


def _annotations(tree: TextTree, split: str) -> TextTree:
    """Where the XML files are: an archive beside the lists, that of the split before others, or the tree itself."""
    if tree.root.is_file():
        return tree
    archives = [name for name in tree.names() if name.endswith(ARCHIVES) and re.search("annotations|bbox|anno", name)]
    of_split = [name for name in archives if re.search(rf"(^|[^a-z0-9]){re.escape(split)}([^a-z0-9]|$)", name)]
    chosen = of_split or archives
    if len(chosen) > 1:
        raise DataError("DATA_AMBIGUOUS", f"{tree.root}: choose one of {', '.join(chosen)} by removing the others")
    return TextTree(tree.root / chosen[0]) if chosen else tree


def _truth(
    source: TextTree, document: str, label_of: dict[str, int], unknown: UnknownClasses, findings: list[Finding]
) -> GroundTruth:
    file = source.where(document)
    annotation: VocAnnotation = read_voc_xml(source.read(document), file)
    things = annotation.objects
    for number, thing in enumerate(things, start=1):
        if thing.name not in label_of:
            unknown.add(thing.name, f"{file}, object {number}")
    return fit(
        [(x1, y1, x2 + 1, y2 + 1) for x1, y1, x2, y2 in (thing.corners for thing in things)],
        [label_of.get(thing.name, 0) for thing in things],
        annotation.size,
        file,
        lambda row: f"object {row + 1} ({things[row].name})",
        findings,
    )


def _pictures(root: Path, split: str, rows: Sequence[tuple[str, int | None]]) -> Path:
    """The folder in which the first image lies, or where it would."""
    homes = [f"Data/DET/{split}", f"ILSVRC2013_DET_{split}", split, "images", "JPEGImages", ""]
    there = (root / home for home in homes if rows and (root / home / f"{rows[0][0]}.JPEG").is_file())
    return next(there, root / homes[1])


def _blacklist(
    tree: TextTree, rows: Sequence[tuple[str, int | None]], label_of: dict[str, int]
) -> tuple[tuple[int, int], ...]:
    """Pairs (index, label) that do not count; lines on images of other lists are passed over."""
    index_of = {number: index for index, (_, number) in enumerate(rows) if number is not None}
    pairs: dict[tuple[int, int], None] = {}
    for name in _find(tree, r".*blacklist\.txt"):
        for line, row in enumerate(tree.rows(name), start=1):
            if not row:
                continue
            if len(row) != 2 or not row[0].isdecimal() or row[1] not in label_of:
                where = f"{tree.where(name)}:{line}"
                raise DataError("LIST_BAD_ROW", f"{where}: expected an image's number and a class, found {row!r}")
            if int(row[0]) in index_of:
                pairs[index_of[int(row[0])], label_of[row[1]]] = None
    return tuple(pairs)
