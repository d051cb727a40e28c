"""Detections that a run left behind, in whatever format: the one door to the readers."""

from collections.abc import Callable
from pathlib import Path

from googlenet_rcnn.core.errors import DataError
from googlenet_rcnn.core.types import Dataset
from googlenet_rcnn.eval.coco_results import read_coco_results
from googlenet_rcnn.eval.comp4 import read_comp4
from googlenet_rcnn.eval.csv_results import COLUMNS, read_csv
from googlenet_rcnn.eval.ilsvrc_submission import ILSVRC_ROW, read_ilsvrc
from googlenet_rcnn.eval.jsonl import read_jsonl
from googlenet_rcnn.eval.parquet_results import read_parquet
from googlenet_rcnn.eval.result_columns import Results, check_unknown
from googlenet_rcnn.eval.yolo_results import read_yolo_results

__all__ = ["Results", "check_unknown", "read_comp4", "read_jsonl", "read_results", "recognise"]

_FILES: dict[str, Callable[[Path, Dataset, bool], Results]] = {
    "jsonl": read_jsonl,
    "coco": read_coco_results,
    "ilsvrc": read_ilsvrc,
    "csv": read_csv,
    "parquet": read_parquet,
    "yolo": read_yolo_results,
}


def read_results(path: str | Path, dataset: Dataset, split: str | None = None, ignore_unknown: bool = False) -> Results:
    """Reads detections in any of the formats of `recognise`; `split` chooses among VOC files of several."""
    path = Path(path)
    kind = recognise(path)
    if kind == "voc":
        return read_comp4(path, dataset, split, ignore_unknown)
    return _FILES[kind](path, dataset, ignore_unknown)


def recognise(path: Path) -> str:
    """The format of a result file or folder, by its content: voc, yolo, jsonl, coco, ilsvrc, csv or parquet.

    An empty file is a JSONL file without a line. DataError (DET_FORMAT) says what was looked for.
    """
    if path.is_dir():
        if any(path.glob("comp[34]_*.txt")):
            return "voc"
        if any(path.rglob("*.txt")):
            return "yolo"
        if any(path.glob("*.parquet")):
            return "parquet"
        wanted = "neither VOC files such as comp4_det_val_cat.txt nor YOLO text files IMAGE_ID.txt nor parts of a batch"
        raise DataError("DET_MISSING", f"{path}: the folder has {wanted}")
    try:
        with path.open("rb") as file:
            begin = file.read(4096).removeprefix(b"\xef\xbb\xbf").lstrip()
    except OSError as error:
        raise DataError("DET_UNREADABLE", f"{path}: {error.strerror}") from error
    line = begin.partition(b"\n")[0]
    if begin.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise DataError("DET_PARSE", f"{path}: the file is UTF-16; save it as UTF-8")
    if not begin or (begin.startswith(b"{") and path.suffix != ".json"):
        return "jsonl"
    if begin.startswith(b"["):
        return "coco"
    if begin.startswith(b"{"):  # an object in a .json file: our lines under another name, or COCO's annotations
        return "jsonl" if b'"schema"' in line else "coco"
    if begin.startswith(b"PAR1"):
        return "parquet"
    if line.replace(b" ", b"").startswith(",".join(COLUMNS[:2]).encode()):
        return "csv"
    if len(line.split()) == len(ILSVRC_ROW.split()):
        return "ilsvrc"
    tried = f"JSON lines of detect, COCO results, ILSVRC rows `{ILSVRC_ROW}`, CSV with `{','.join(COLUMNS)}`, Parquet"
    begins = line[:40].decode(errors="backslashreplace")
    raise DataError("DET_FORMAT", f"{path}: none of {tried}; it begins with {begins!r}")
