"""One image with one box in every layout."""

import tiny_cvat
import tiny_ilsvrc
import tiny_voc
from tiny_coco import instances, thing, write_instances
from tiny_yolo import write_tree

VOC = {"a": tiny_voc.annotation(tiny_voc.thing("dog", (2, 3, 20, 30)))}
ILSVRC = {"a": tiny_ilsvrc.annotation(tiny_ilsvrc.thing("zebra", (1, 19, 2, 29)))}
LAYOUTS = {
    "VOC": lambda root: tiny_voc.devkit(root, VOC),
    "ILSVRC": lambda root: tiny_ilsvrc.devkit(root, ILSVRC, ["a 9"], split="train"),
    "COCO": lambda root: write_instances(root, instances([thing(bbox=(1, 2, 19, 28))], images=1)),
    "CVAT": lambda root: tiny_cvat.export(root, tiny_cvat.image(tiny_cvat.box(corners=(1, 2, 20, 30)), subset="train")),
    "YOLO": lambda root: write_tree(root, {"a": f"0 {10.5 / 200} .16 {19 / 200} .28\n"}),
}
