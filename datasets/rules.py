"""Every rule by which data sets are checked: what a code means, and what to do about it."""

from typing import NamedTuple

__all__ = ["RULES", "Rule", "fix_of"]


class Rule(NamedTuple):
    """How serious a code is (in words, where it depends), what it means, and what mends it."""

    level: str
    meaning: str
    fix: str


_AGAIN = "copy it again from its source"
_CONVERT = "convert it to 8-bit JPEG or PNG"

RULES: dict[str, Rule] = {
    "ANN_BAD_FIELD": Rule(
        "error", "a field holds another kind of value, or not four numbers", "write what is asked for"
    ),
    "ANN_BAD_NUMBER": Rule("error", "a number is NaN, infinite or a million pixels away", "write the true number"),
    "ANN_COLUMNS": Rule("error", "a line of YOLO text has not five columns", "write class, centre x y, width, height"),
    "ANN_DEFAULTED": Rule("info", "iscrowd, area or ids are missing, and were filled in", "nothing, or --fix"),
    "ANN_MISSING": Rule("error; YOLO: warning", "an image has no annotation file", "add one, even if empty"),
    "ANN_MISSING_FIELD": Rule("error", "a field that is needed is missing", "add it, or remove the object"),
    "ANN_PARSE": Rule("error", "a file is not well-formed, or no annotation", "write it again, as UTF-8"),
    "ANN_SEVERAL": Rule(
        "warning", "several people annotated one image", "keep one annotation, or mark the ground truth"
    ),
    "ANN_TOO_LARGE": Rule("error", "an annotation file is larger than any should be", "split it by images"),
    "ANN_UNKNOWN_ID": Rule("error", "an annotation is of an image or category that is not listed", "add or remove it"),
    "ANN_UNLISTED": Rule("info", "an annotation is of an image that no split lists", "list the image, or leave it"),
    "ANN_UNREADABLE": Rule("error", "an annotation file cannot be opened", "check the path and its permissions"),
    "BOX_DEGENERATE": Rule("error", "a box has no area inside its image", "draw it again, or drop it with --fix"),
    "BOX_FORMAT_SUSPECT": Rule(
        "warning", "boxes look as if written in another form", "export in the form of the format"
    ),
    "BOX_HIDDEN": Rule("info", "a box of CVAT is outside here, so it was left out", "nothing"),
    "BOX_LARGE": Rule("info", "a box covers more than 99 % of its image", "look whether this is so"),
    "BOX_NEGATIVE": Rule("error", "a width or height is negative", "draw the box again"),
    "BOX_OUTSIDE": Rule("warning", "a box leaves its image in part, and was clipped", "nothing, or --fix"),
    "BOX_ROTATED": Rule(
        "info", "a turned box was replaced by the upright one around it", "draw it upright if that is loose"
    ),
    "BOX_SMALL": Rule("info", "a side of a box is shorter than 3 pixels", "look whether this is so"),
    "CLASS_EMPTY": Rule("warning", "the folder of a class has no images", "add some, or remove the folder"),
    "CLASS_NOT_A_NUMBER": Rule("error", "a line of YOLO text begins with no class number", "write its number from 0"),
    "CLASS_RARE": Rule("warning", "a class has fewer than 10 objects to learn from", "add examples"),
    "CLASS_SIMILAR": Rule("warning", "two classes differ in case or blanks only", "merge them"),
    "CLASS_TWICE": Rule("error", "two folders mean the same class", "merge them"),
    "CLASS_UNKNOWN": Rule("error", "a class is not in the list of classes", "correct its name, or list it"),
    "CLASS_UNSEEN": Rule("error", "a class is in another split and never in train", "add examples to train"),
    "DUPLICATE_BOX": Rule("warning", "an object has the same box and class as another", "remove one, or use --fix"),
    "DUPLICATE_CLASS": Rule("error", "two categories have one name", "give both one id, or two names"),
    "DUPLICATE_ID": Rule(
        "error; COCO: warning if all is equal", "an id or a name is there twice", "keep or rename one"
    ),
    "FEW_IMAGES": Rule("error", "no image, or only one, to learn from", "add images"),
    "FILE_IGNORED": Rule("info", "files that are no images of a class", "nothing, or move them"),
    "IMG_BAD_HEADER": Rule("error", "the header of an image is damaged or impossible", _AGAIN),
    "IMG_CORRUPT": Rule("error", "the data of an image is damaged", _AGAIN),
    "IMG_DECODER_CRASH": Rule("error", "the process that decodes died over an image, twice", _CONVERT),
    "IMG_EMPTY": Rule("error", "an image file has no bytes", _AGAIN),
    "IMG_EXT_MISMATCH": Rule("info", "an image has the suffix of another format", "nothing, or rename it"),
    "IMG_MISSING": Rule(
        "error", "an image that is listed or annotated is not there", "add it, or remove what names it"
    ),
    "IMG_MULTI_FRAME": Rule(
        "info", "an image has several frames; the first is used", "nothing, or save that one alone"
    ),
    "IMG_NEGATIVE": Rule(
        "info", "images without objects, kept as negatives", "nothing, if there is nothing to be seen"
    ),
    "IMG_NOT_A_FILE": Rule("error", "a folder, pipe or device has the name of an image", "remove it"),
    "IMG_NO_EOI": Rule("info", "a JPEG lacks its end mark, but all rows are there", "nothing, or save it again"),
    "IMG_TOO_LARGE": Rule("error", "an image has too many bytes or pixels", "scale it down"),
    "IMG_TRUNCATED": Rule("error", "an image file ends early", _AGAIN),
    "IMG_TWICE": Rule("warning", "two images of one split are the same file", "keep one"),
    "IMG_UNREADABLE": Rule("error", "an image file cannot be opened", "check the permissions and links"),
    "IMG_UNRECOGNISED": Rule("error", "a file with the name of an image is none", "remove it, or copy it again"),
    "IMG_UNSUPPORTED_FORMAT": Rule("error", "an image is of a format that is not read", _CONVERT),
    "IMG_UNSUPPORTED_MODE": Rule("error", "an image has a kind of pixels that is not read", _CONVERT),
    "LABELS_DIFFER": Rule("error", "two splits list other classes, or in another order", "list the same in all"),
    "LABELS_INVALID": Rule("error", "the list of classes is empty, repeats a name or miscounts", "mend the list"),
    "LABELS_MISSING": Rule("error", "no list of classes was found", "add the classes"),
    "LABELS_UNREADABLE": Rule("error", "the list of classes cannot be read", "save it as UTF-8"),
    "LIST_BAD_ROW": Rule("error", "a line of a list is not what it should be", "mend the line"),
    "MANY_BOXES": Rule("info", "more than 300 boxes in one image", "look whether this is so"),
    "NOT_ANNOTATED": Rule(
        "warning", "tasks nobody annotated were left out", "submit an empty annotation if all is seen"
    ),
    "NO_ANNOTATION": Rule("info", "images of ILSVRC's train without file have no object, and are left out", "nothing"),
    "NO_IMAGES": Rule("error", "no image was found", "check the folder"),
    "NO_OBJECTS": Rule("error", "no object at all to learn from", "annotate some"),
    "PATH_ESCAPE": Rule(
        "error", "a name is absolute, a URL, or climbs out of the data set", "use a plain relative name"
    ),
    "SHAPE_IGNORED": Rule("warning", "outlines or points have no box, and were left out", "draw boxes as well"),
    "SIZE_MISMATCH": Rule(
        "error; warning if filled in", "an image is not as large as annotated", "write the true size"
    ),
    "SPLIT_LEAK": Rule("error; looks the same: info", "a picture is in two splits", "keep it in one"),
    "SPLIT_MISSING": Rule("error", "there is no list or folder of a split", "name one that is there"),
    "SPLIT_UNREADABLE": Rule("error", "the list of a split cannot be read", "save it as UTF-8"),
    "SYNSETS_MISSING": Rule(
        "info", "classes are numbered by the names of the folders", "add synsets.txt if that is wrong"
    ),
    "TAG_IGNORED": Rule("info", "tags of whole images have no box, and were left out", "nothing"),
    "VOC_ZERO_BASED": Rule(
        "info", "corners count from 0 where VOC counts from 1, and were read so", "nothing, or --fix"
    ),
    "YAML_INVALID": Rule("error", "data.yaml is not what it should be", "mend the line"),
    "YAML_UNSUPPORTED": Rule("error", "data.yaml has tabs, tags or anchors, which are not read", "write it out"),
}


def fix_of(code: str) -> str:
    """What mends a finding of this code."""
    return RULES[code].fix if code in RULES else "see the message"
