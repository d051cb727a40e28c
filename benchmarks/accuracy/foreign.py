"""Pictures of what no VOC class is: how often a detector sees one all the same, as `detect` runs by default.

The pictures are those of ImageNet's classes of wild animals, plants and landscapes that look like none of VOC's. Here
and there a person holds the fish, so that the figures are upper bounds.
"""

import argparse
import json
import subprocess
import sys
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from googlenet_rcnn.cli.markdown import markdown

__all__ = ["Alarms", "alarms", "foreign_pictures"]

CLASSES = 1000
# First and last class of ImageNet (synsets in alphabetical order): fish, amphibians and reptiles, spiders, marsupials,
# shells and crabs, sea mammals, bears, insects, rodents, zebra, swine, weasels to pandas, fish, fruit, mountains and
# reefs, flowers and fungi. Birds, cats, dogs, cattle and their kin are VOC's.
FOREIGN = (
    (0, 6), (25, 68), (69, 79), (102, 106), (107, 126), (147, 150), (294, 299), (300, 330), (331, 338), (340, 344),
    (356, 388), (389, 397), (943, 957), (970, 974), (979, 980), (984, 998),
)  # fmt: skip


class Alarms(NamedTuple):
    """Images, how many of them show something, and the classes of all that they show."""

    images: int
    alarmed: int
    classes: Counter[str]

    @property
    def an_image(self) -> float:
        """False alarms an image."""
        return self.classes.total() / max(1, self.images)


def foreign_pictures(folder: Path) -> list[Path]:
    """The pictures of those classes in a folder with one folder for each of ImageNet's; ValueError if some lack."""
    synsets = sorted(path for path in folder.iterdir() if path.is_dir())
    if len(synsets) != CLASSES:
        raise ValueError(f"{folder} holds {len(synsets)} folders, not one for each of ImageNet's {CLASSES} classes")
    chosen = [synset for first, last in FOREIGN for synset in synsets[first : last + 1]]
    return [path for synset in chosen for path in sorted(synset.iterdir())]


def alarms(rows: Iterable[dict[str, Any]]) -> Alarms:
    """What rows of `detect` show."""
    found = [[one["label"] for one in row["detections"]] for row in rows]
    return Alarms(len(found), sum(map(bool, found)), Counter(label for labels in found for label in labels))


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs `detect` and prints the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, required=True, help="pictures, a folder for each class of ImageNet")
    parser.add_argument("--out", type=Path, required=True, help="folder for the list and what `detect` writes")
    parser.add_argument("flags", nargs="*", help="more flags of detect, after --")
    flags = parser.parse_args(arguments)
    flags.out.mkdir(parents=True, exist_ok=True)
    pictures, rows = flags.out / "pictures.txt", flags.out / "found.jsonl"
    try:
        pictures.write_text("".join(f"{path.resolve()}\n" for path in foreign_pictures(flags.folder)))
    except ValueError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    detect = [sys.executable, "-m", "googlenet_rcnn.cli.main", "detect", "--image", str(pictures), "--out", str(rows)]
    subprocess.run([*detect, "--overwrite", *flags.flags], check=True)
    found = alarms(json.loads(line) for line in rows.read_text().splitlines())
    print(f"{found.images} pictures, {found.an_image:.3f} false alarms each; {found.alarmed} show anything\n")
    print(markdown(["class", "false alarms"], [[name, str(count)] for name, count in found.classes.most_common()]))
    return 0


if __name__ == "__main__":
    sys.exit(main())
