"""A small folder of annotated pictures out of PASCAL VOC: a few classes and images, the rest left out.

python examples/voc_subset.py VOCdevkit/VOC2007 pets --classes cat dog horse --train 150 --val 100
"""

import argparse
import random
import shutil
from pathlib import Path
from xml.etree import ElementTree


def classes_in(annotation: Path, wanted: list[str]) -> set[str]:
    """Which of the wanted classes an image shows."""
    return {thing.findtext("name", "") for thing in ElementTree.parse(annotation).iter("object")} & set(wanted)


def draw(voc: Path, split: str, wanted: list[str], count: int) -> list[str]:
    """Ids of `count` images of a split, taken in turn from those of each class."""
    ids = (voc / "ImageSets" / "Main" / f"{split}.txt").read_text().split()
    random.Random(0).shuffle(ids)
    shown = {image: classes_in(voc / "Annotations" / f"{image}.xml", wanted) for image in ids}
    queues = [[image for image in ids if name in shown[image]] for name in wanted]
    drawn: dict[str, None] = {}
    while len(drawn) < count and any(queues):
        for queue in queues:
            image = next((image for image in queue if image not in drawn), None)
            queue.clear() if image is None else queue.remove(image)
            if image is not None and len(drawn) < count:
                drawn[image] = None
    return sorted(drawn)


def copy(voc: Path, out: Path, split: str, ids: list[str], wanted: list[str]) -> None:
    """Copies pictures, and annotations without objects of other classes, and lists them."""
    for folder in ("Annotations", "ImageSets/Main", "JPEGImages"):
        (out / folder).mkdir(parents=True, exist_ok=True)
    for image in ids:
        shutil.copy(voc / "JPEGImages" / f"{image}.jpg", out / "JPEGImages")
        tree = ElementTree.parse(voc / "Annotations" / f"{image}.xml")
        for thing in tree.findall("object"):
            if thing.findtext("name") not in wanted:
                tree.getroot().remove(thing)
        tree.write(out / "Annotations" / f"{image}.xml")
    (out / "ImageSets" / "Main" / f"{split}.txt").write_text("".join(f"{image}\n" for image in ids))


def main() -> None:
    """Makes the folder that the command line describes."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("voc", type=Path, help="VOC2007, with Annotations, ImageSets and JPEGImages")
    parser.add_argument("out", type=Path, help="folder to make")
    parser.add_argument("--classes", nargs="+", required=True)
    parser.add_argument("--train", type=int, default=150, help="images out of VOC's train")
    parser.add_argument("--val", type=int, default=0, help="images out of VOC's val")
    options = parser.parse_args()
    for split, count in (("train", options.train), ("val", options.val)):
        if count:
            ids = draw(options.voc, split, options.classes, count)
            copy(options.voc, options.out, split, ids, options.classes)
            print(f"{split}: {len(ids)} images")
    (options.out / "labels.txt").write_text("".join(f"{name}\n" for name in options.classes))


if __name__ == "__main__":
    main()
