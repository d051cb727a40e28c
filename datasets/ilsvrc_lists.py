"""The lists of ILSVRC's detection task: which images a split has, under what numbers, and what does not count.

What the lists hold is told in section 2.2 of the readme of the devkits (2013 to 2017).
"""

import posixpath
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from googlenet_rcnn.core.errors import DataError
from googlenet_rcnn.core.numerals import whole_number
from googlenet_rcnn.datasets.findings import AnnotationError, Findings, located
from googlenet_rcnn.datasets.inside import inside
from googlenet_rcnn.datasets.text_tree import TextTree

__all__ = ["Listed", "has_lists", "kind_of", "parts_of", "read_blacklist", "read_lists", "splits_of", "top_folders"]

_FOLDERS = ("", "data", "det_lists", "data/det_lists", "devkit/data", "ImageSets/DET")
_MARKS = re.compile(
    r"det_classes_200\.csv|meta_det\.mat|det_lists|.*_det_\w*blacklist\.txt|.*_annotations\.(tar.*|tgz|zip)"
)
_POSITIVES = ("train", "train_pos")


class Listed(NamedTuple):
    """An image of a list: its id, its number if it has one, the list's name, its file and the place there."""

    image_id: str
    number: int | None
    part: str
    file: str
    place: str


def has_lists(tree: TextTree) -> bool:
    """Whether a devkit, the folder around it or the later release with ImageSets/DET lies here."""
    folders = _list_folders(tree)
    marked = any(_MARKS.fullmatch(name) for folder in folders for name in tree.names(folder))
    return marked or any(folder.endswith("ImageSets/DET") and tree.is_folder(folder) for folder in folders)


def parts_of(split: str) -> list[str]:
    """The lists that a split names, each once."""
    return list(dict.fromkeys(split.split("+")))


def kind_of(part: str) -> str:
    """What images a list is about: train of train_pos_7, val of val2."""
    found = re.match("train|val|test", part)
    return found[0] if found else part


def top_folders(tree: TextTree) -> list[str]:
    """The root and the folders in it."""
    return ["", *(name for name in tree.names() if tree.is_folder(name))]


def splits_of(tree: TextTree) -> list[str]:
    """Names of the lists that are splits: not those of one class, nor those of what does not count."""
    names = {posixpath.splitext(posixpath.basename(name))[0] for name in _find(tree, r"(train|val|test)\w*\.txt")}
    classes = {name for name in names if re.fullmatch(r"train_(pos_|part_)?\d+", name)}
    return sorted(names - classes | ({"train"} if classes else set()))


def read_lists(tree: TextTree, split: str, findings: Findings) -> list[Listed]:
    """The images of a split in order, with the numbers by which submissions name them.

    A split is the name of a list, or several joined by `+`; an image of two lists is taken once. `train` and
    `train_pos`, if there is no such list, are the images that the list of any class has as positive. The part
    of val that a list has goes by val's own numbers where val.txt is there: those of R-CNN's val1 and val2
    count within these lists. Images of train have no number: what stands there says whether one shows the class.
    """
    found: dict[str, Listed] = {}
    numbered: dict[int, Listed] = {}
    for part in parts_of(split):
        for one in _read_list(tree, part, findings):
            if one.number is not None:
                other = numbered.setdefault(one.number, one)
                if other.image_id != one.image_id:
                    reason = f"number {one.number} is also at {located(other.file, other.place)}; mend one"
                    findings.refuse(AnnotationError("DUPLICATE_ID", one.file, one.place, reason))
            found.setdefault(one.image_id, one)
    return list(found.values())


def read_blacklist(
    tree: TextTree, index_of: Mapping[int, int], label_of: Mapping[str, int], findings: Findings
) -> tuple[tuple[int, int], ...]:
    """Pairs (index of an image by its number, label) that do not count; lines on other images are passed over."""
    pairs: dict[tuple[int, int], None] = {}
    for name in _find(tree, r"(.*_)?det_\w*blacklist\.txt"):  # there is one of the classification task as well
        for row, place in _rows(tree, name):
            number = whole_number(row[0])
            if len(row) != 2 or number is None or row[1] not in label_of:
                reason = f"expected an image's number and a class, found {' '.join(row)[:80]!r}"
                findings.refuse(AnnotationError("LIST_BAD_ROW", tree.where(name), place, reason))
            elif number in index_of:
                pairs[index_of[number], label_of[row[1]]] = None
    return tuple(pairs)


def _list_folders(tree: TextTree) -> list[str]:
    """Where ILSVRC keeps its lists: below the root, or below the one folder that is around everything."""
    joined = (posixpath.join(top, folder).rstrip("/") for top in top_folders(tree) for folder in _FOLDERS)
    return list(dict.fromkeys(joined))


def _find(tree: TextTree, pattern: str) -> list[str]:
    """Files of that name (a regular expression) in any of the folders of lists."""
    return [
        posixpath.join(folder, name)
        for folder in _list_folders(tree)
        for name in tree.names(folder)
        if re.fullmatch(pattern, name)
    ]


def _read_list(tree: TextTree, part: str, findings: Findings) -> list[Listed]:
    names = _find(tree, re.escape(inside(f"{part}.txt", tree.root)))
    if len(names) > 1:
        raise DataError("DATA_AMBIGUOUS", f"{tree.root}: {' and '.join(names)} are both lists; keep one")
    if not names:
        if part in _POSITIVES and (positives := _positives(tree, part, findings)):
            return positives
        lists = {posixpath.splitext(posixpath.basename(name))[0] for name in _find(tree, r"[\w-]+\.txt")}
        known = ", ".join(sorted(name for name in lists if "blacklist" not in name)[:20]) or "none"
        raise DataError("SPLIT_MISSING", f"{tree.root}: there is no list {part}.txt; text files here: {known}")
    file, rows = tree.where(names[0]), list(_rows(tree, names[0]))
    numbered = kind_of(part) != "train" and any(len(row) > 1 for row, _ in rows)
    official: Mapping[str, int | None] = {}
    if kind_of(part) == "val" != part and _find(tree, r"val\.txt"):
        official = {one.image_id: one.number for one in _read_list(tree, "val", findings)}
    found: dict[str, Listed] = {}
    for row, place in rows:
        with findings.guard():
            image_id = inside(row[0], file, place)
            if image_id in found:
                reason = f"image {image_id} is in the list twice; remove one"
                raise AnnotationError("DUPLICATE_ID", file, place, reason)
            number = _number(row, file, place) if numbered else None
            found[image_id] = Listed(image_id, official.get(image_id, number), part, file, place)
    return list(found.values())


def _positives(tree: TextTree, part: str, findings: Findings) -> list[Listed]:
    """Images that show some class: all of the lists train_pos_N.txt, or those with 1 in train_N.txt."""
    lists = _find(tree, r"train_pos_\d+\.txt") or _find(tree, r"train_\d+\.txt")
    found: dict[str, Listed] = {}
    for name in sorted(lists, key=lambda name: int(re.findall(r"\d+", name)[-1])):
        for row, place in _rows(tree, name):
            if "_pos_" in name or row[1:] == ["1"]:
                with findings.guard():
                    image_id = inside(row[0], tree.where(name), place)
                    found.setdefault(image_id, Listed(image_id, None, part, tree.where(name), place))
    return list(found.values())


def _rows(tree: TextTree, name: str) -> Iterable[tuple[Sequence[str], str]]:
    """The words of each line that has any, and its place."""
    return ((row, f"line {line}") for line, row in enumerate(tree.rows(name), start=1) if row)


def _number(row: Sequence[str], file: str, place: str) -> int:
    if len(row) != 2 or not (number := whole_number(row[1])):
        reason = f"expected an image and its number from 1, found {' '.join(row)[:80]!r}"
        raise AnnotationError("LIST_BAD_ROW", file, place, reason)
    return number
