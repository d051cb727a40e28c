"""PASCAL VOC trees from any data set: the inverse of the reader, back to 1-based inclusive corners."""

from pathlib import Path
from xml.sax.saxutils import escape

from googlenet_rcnn.core.errors import DataError
from googlenet_rcnn.core.types import Dataset, GroundTruth, LabelSet, Sample
from googlenet_rcnn.datasets.text_writer import write_text
from googlenet_rcnn.datasets.writable import writable

__all__ = ["write_voc"]


def write_voc(dataset: Dataset, folder: Path, split: str, overwrite: bool = False) -> None:
    """Writes Annotations, labels.txt and at last the list ImageSets/Main/SPLIT.txt below `folder`.

    Objects to ignore are difficult. Corners that are no whole pixels stay fractions.
    """
    target = folder / "ImageSets" / "Main" / f"{split}.txt"
    pairs = writable(dataset, target, overwrite)
    if odd := [name for name in dataset.labels.names if not name.isprintable() or name != name.strip()]:
        raise DataError("CLASS_UNWRITABLE", f"class {odd[0]!r} has characters that XML or lists do not keep; rename it")
    write_text(folder / "labels.txt", "".join(f"{name}\n" for name in dataset.labels.names))
    for sample, truth in pairs:
        write_text(folder / "Annotations" / f"{sample.image_id}.xml", _xml(sample, truth, dataset.labels))
    write_text(target, "".join(f"{sample.image_id}\n" for sample, _ in pairs))


def _xml(sample: Sample, truth: GroundTruth, labels: LabelSet) -> str:
    name = escape(f"{sample.image_id}{sample.path.suffix or '.jpg'}")
    size = f"<width>{truth.size.width}</width><height>{truth.size.height}</height><depth>3</depth>"
    lines = ["<annotation>", f"\t<filename>{name}</filename>", f"\t<size>{size}</size>"]
    columns = (truth.boxes.coordinates.tolist(), truth.labels.tolist(), truth.ignore.tolist())
    for (x1, y1, x2, y2), label, ignore in zip(*columns, strict=True):
        corners = zip(("xmin", "ymin", "xmax", "ymax"), (x1 + 1, y1 + 1, x2, y2), strict=True)
        box = "".join(f"<{key}>{value:.10g}</{key}>" for key, value in corners)
        lines += [
            "\t<object>",
            f"\t\t<name>{escape(labels.names[label])}</name>",
            f"\t\t<difficult>{int(ignore)}</difficult>",
            f"\t\t<bndbox>{box}</bndbox>",
            "\t</object>",
        ]
    return "\n".join([*lines, "</annotation>", ""])
