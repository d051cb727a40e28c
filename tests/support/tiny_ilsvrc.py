"""A devkit of ILSVRC's detection task with a few made-up images."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from tiny_archives import write_tar

CLASSES = {"accordion": "n02672831", "airplane": "n02691156", "zebra": "n02391049", "person": "n00007846"}


def thing(name: str, box: Sequence[object]) -> str:
    """The XML of one object; corners 0-based and inclusive, in ILSVRC's order of tags."""
    corners = "".join(
        f"<{key}>{value}</{key}>" for key, value in zip(("xmin", "xmax", "ymin", "ymax"), box, strict=True)
    )
    return f"<object><name>{CLASSES.get(name, name)}</name><bndbox>{corners}</bndbox></object>"


def annotation(*objects: str) -> bytes:
    """The XML of an image 200 wide and 100 high."""
    size = "<size><width>200</width><height>100</height></size>"
    return f"<annotation><filename>x</filename>{size}{''.join(objects)}</annotation>".encode()


def devkit(root: Path, xml: Mapping[str, bytes], rows: Sequence[str], blacklist: str = "", split: str = "val2") -> Path:
    """Writes the list, the blacklist and the annotations as an archive with one folder in it."""
    root.mkdir(exist_ok=True)
    (root / f"{split}.txt").write_text("".join(f"{row}\n" for row in rows))
    (root / "ILSVRC2014_det_validation_blacklist.txt").write_text(blacklist)
    write_tar(root / f"{split}_annotations.tar.gz", [(f"bbox/{name}.xml", data) for name, data in xml.items()])
    return root
