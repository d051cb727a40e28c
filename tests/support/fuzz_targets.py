"""Every parser of files that others make, as a function of bytes: it returns, or raises a ProjectError.

A new reader has its line in TARGETS, with seeds from which damaged files are made.
"""

import json
import tempfile
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import NamedTuple

import hostile
import hostile_models
import tiny_coco
import tiny_cvat
import tiny_ilsvrc
import tiny_label_studio
import tiny_voc
import tiny_yolo
from result_formats import FORMATS, images, random_table, upright
from tiny_archives import write_tar, write_zip

from googlenet_rcnn.api.ensemble_card import read_ensemble
from googlenet_rcnn.backbone.checkpoint import read_arrays, read_card
from googlenet_rcnn.cli.inputs import find_images
from googlenet_rcnn.core.errors import ProjectError
from googlenet_rcnn.core.image_size import image_size
from googlenet_rcnn.core.images import ImagePolicy, decode_image
from googlenet_rcnn.core.recipe import override
from googlenet_rcnn.datasets.archive import read_archive
from googlenet_rcnn.datasets.classified import read_classified
from googlenet_rcnn.datasets.coco import read_coco
from googlenet_rcnn.datasets.cvat import read_cvat
from googlenet_rcnn.datasets.findings import Findings
from googlenet_rcnn.datasets.ilsvrc_lists import read_blacklist, read_lists
from googlenet_rcnn.datasets.label_list import load_labels
from googlenet_rcnn.datasets.label_studio import read_label_studio
from googlenet_rcnn.datasets.text_tree import TextTree
from googlenet_rcnn.datasets.voc_xml import read_voc_xml
from googlenet_rcnn.datasets.yolo import read_yolo
from googlenet_rcnn.datasets.yolo_yaml import read_data_yaml
from googlenet_rcnn.eval.proposal_file import read_proposals

SMALL = ImagePolicy(max_pixels=1_000_000)
SALVAGE = ImagePolicy(max_pixels=1_000_000, truncated="salvage")
_DATA = images(("a", "b"), (1, 2))


class Target(NamedTuple):
    """A parser and the files to damage."""

    parse: Callable[[bytes], object]
    seeds: Callable[[], Sequence[bytes]]


@cache
def folder() -> Path:
    """Where the input of a parser that wants a path is written, again and again."""
    own = tempfile.TemporaryDirectory(prefix="fuzz-")
    _KEPT.append(own)
    return Path(own.name)


_KEPT: list[tempfile.TemporaryDirectory[str]] = []


def _file(name: str, data: bytes) -> Path:
    path = folder() / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path


def _pictures() -> list[bytes]:
    made = [make() for make, _ in (*hostile.ODD.values(), *hostile.BAD.values())]
    return [data for data in made if len(data) < 20_000]


def _decode(data: bytes) -> None:
    for policy in (SMALL, SALVAGE):
        with suppress(ProjectError):
            decode_image(data, policy, "x.jpg")


def _voc() -> list[bytes]:
    two = tiny_voc.thing("cat", (1, 2, 30, 40)) + tiny_voc.thing("dog", (1.5, 2, "3e1", 40), "<pose>Left</pose>")
    whole = tiny_voc.annotation(two)
    return [whole.encode(), whole.encode("utf-16"), tiny_ilsvrc.annotation(tiny_ilsvrc.thing("zebra", (0, 9, 0, 9)))]


def _coco() -> list[bytes]:
    one = tiny_coco.instances([tiny_coco.thing(), tiny_coco.thing(2, iscrowd=1, image=11, area=...)])
    return [json.dumps(one).encode(), json.dumps(one).encode("utf-16"), json.dumps(tiny_coco.instances()).encode()]


def _written(kind: str) -> list[bytes]:
    """A result file as our own writer makes it."""
    write, _, name = FORMATS[kind]
    path = folder() / f"seed-{name}"
    write(upright(random_table(0, 9, _DATA)), _DATA, path, overwrite=True)
    return [file.read_bytes() for file in sorted(path.iterdir())] if path.is_dir() else [path.read_bytes()]


def _result(kind: str, name: str) -> Target:
    _, read, base = FORMATS[kind]

    def parse(data: bytes) -> object:
        path = _file(name, data)
        return read(path.parent if base != name else path, _DATA)

    return Target(parse, lambda: _written(kind))


def _proposals() -> list[bytes]:
    row = {"schema": 1, "image_id": "a", "path": "a.jpg", "width": 50, "height": 40, "status": "ok", "ms": {}}
    found = {"boxes": [[0, 0, 9, 9.5], [1, 2, 50, 40]], "scores": [1, 0.5], "sources": ["ss", "multibox"]}
    failed = {"schema": 1, "image_id": "b", "path": "b.jpg", "status": "failed", "code": "IMG_EMPTY", "message": ""}
    return [b"".join(json.dumps(one).encode() + b"\n" for one in (row | found, failed)), _npz()]


def _npz() -> bytes:
    from googlenet_rcnn.cli.proposal_arrays import write_arrays

    row = {"image_id": "a", "width": 50, "height": 40, "status": "ok", "boxes": [[0.0, 0.0, 9.0, 9.5]], "scores": [1.0]}
    path = folder() / "seed.npz"
    write_arrays([row | {"sources": ["ss"]}], path)
    return path.read_bytes()


def _yolo(data: bytes) -> object:
    root = folder() / "yolo"
    if not root.is_dir():
        tiny_yolo.write_tree(root, {"a": ""})
    _file("yolo/images/labels/train/a.txt", b"")
    _file("yolo/labels/train/a.txt", data)
    return _both_ways(lambda findings: read_yolo(root, "train", findings))


def _both_ways(read: Callable[[Findings], object]) -> object:
    """Reads with errors collected, and up to the first."""
    with suppress(ProjectError):
        read(Findings(collected=True))
    return read(Findings())


def _label_studio() -> list[bytes]:
    tasks = (tiny_label_studio.task(tiny_label_studio.rectangle(rotation=30)), {"data": {}, "annotations": []})
    return [tiny_label_studio.export(folder() / "seed-studio", *tasks).read_bytes()]


def _cvat() -> list[bytes]:
    images = (tiny_cvat.image(tiny_cvat.box(rotation=3.5), "<tag/>"), tiny_cvat.image(name="b.jpg", subset="val"))
    return [(tiny_cvat.export(folder() / "seed-cvat", *images) / "annotations.xml").read_bytes()]


def _lists(data: bytes) -> object:
    head, _, rest = data.partition(b"---\n")
    for name, content in (("val.txt", head), ("det_validation_blacklist.txt", rest)):
        _file(f"det/{name}", content)
    tree = TextTree(folder() / "det")
    with suppress(ProjectError):
        read_lists(tree, "val", Findings())
    return read_blacklist(tree, {1: 0, 2: 1}, {"n02672831": 0}, Findings(collected=True))


def _classified(data: bytes) -> object:
    head, _, rest = data.partition(b"---\n")
    _file("classified/val/a.jpg", b"")
    _file("classified/val.txt", head)
    _file("classified/synsets.txt", rest)
    return read_classified(folder() / "classified", "val")


def _recipe(data: bytes) -> object:
    override({"members": 1}, [data[:40].decode("utf-8", "surrogateescape")])
    return read_ensemble(_file("x.toml", data))


def _models() -> list[bytes]:
    good = hostile_models.with_card(hostile_models.CARD)
    return [good, *(made for make in hostile_models.CONTAINERS.values() if len(made := make()) < 4000)]


def _weights(data: bytes) -> object:
    path = _file("x.safetensors", data)
    with suppress(ProjectError):
        read_card(path)
    return read_arrays(path)


def _archive(name: str) -> Target:
    mode = "w:gz" if name.endswith("gz") else "w"
    rows = [("top/a.xml", b"<a/>" * 9), ("top/list.txt", b"a 1\n"), ("top/a.jpg", bytes(99))]
    write = write_zip if name.endswith("zip") else lambda path, rows: write_tar(path, rows, mode)
    return Target(
        lambda data: read_archive(_file(name, data), (".xml", ".txt")),
        lambda: [write(folder() / f"seed-{name}", rows).read_bytes()],
    )


TARGETS: dict[str, Target] = {
    "image": Target(_decode, _pictures),
    "image_size": Target(lambda data: image_size(_file("x.jpg", data), SMALL), _pictures),
    "voc_xml": Target(lambda data: _both_ways(lambda findings: read_voc_xml(data, "x.xml", findings)), _voc),
    "coco": Target(
        lambda data: _both_ways(lambda findings: read_coco(_file("coco/instances_x.json", data), "x", findings)), _coco
    ),
    "label_studio": Target(
        lambda data: _both_ways(lambda findings: read_label_studio(_file("export.json", data), "default", findings)),
        _label_studio,
    ),
    "cvat": Target(
        lambda data: _both_ways(lambda findings: read_cvat(_file("annotations.xml", data), "default", findings)), _cvat
    ),
    "yolo": Target(_yolo, lambda: [b"0 0.5 0.5 0.2 0.2\n1 .1,.1,.1,.1\r\n", b"cat 0.5 0.5 1 1\n", b""]),
    "yolo_yaml": Target(
        lambda data: read_data_yaml(data.decode("utf-8", "replace"), "data.yaml"),
        lambda: [tiny_yolo.YAML.encode(), b"train: a\nnames: ['x', \"y\"] # z\n", b"names: {0: a, 1: b}\n"],
    ),
    "ilsvrc_lists": Target(_lists, lambda: [b"a 1\nb 2\n---\n1 n02672831\n", b"\xef\xbb\xbftrain/a\n\n---\n"]),
    "classified": Target(_classified, lambda: [b"a.jpg 0\na.jpg 1\n---\nn01\nn02\n", b"a.jpg 1\n---\nx\ny z\n"]),
    "labels": Target(
        lambda data: load_labels(_file("labels.txt", data)), lambda: [b"cat\ndog\n", b"\xef\xbb\xbfa\r\n"]
    ),
    "inputs": Target(lambda data: find_images([str(_file("list.txt", data))]), lambda: [b"a.jpg\nb c.png\n\n"]),
    "recipe": Target(
        _recipe, lambda: [b'members = ["voc07", "a/b"]\nscore_threshold = 0.5\n', b"members = []\n[a.b]\n"]
    ),
    "checkpoint": Target(_weights, _models),
    "detections_jsonl": _result("jsonl", "found.jsonl"),
    "detections_csv": _result("csv", "found.csv"),
    "detections_coco": _result("coco", "found.json"),
    "detections_ilsvrc": _result("ilsvrc", "found.txt"),
    "detections_voc": _result("voc", "voc/comp4_det_test_cat.txt"),
    "detections_yolo": _result("yolo", "yolo-found/a.txt"),
    "proposals": Target(lambda data: read_proposals(_file("x.proposals", data)), _proposals),
    "tar": _archive("x.tar"),
    "tar_gz": _archive("x.tar.gz"),
    "zip": _archive("x.zip"),
}
