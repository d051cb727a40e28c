"""Writes a small YOLO data set, out of photographs of scikit-image, with the mistakes that are made most often.

python examples/usual_mistakes.py mine
googlenet-rcnn check mine
"""

import sys
from pathlib import Path

import numpy as np
from PIL import Image
from skimage import data

PHOTOS = {"cat": data.chelsea(), "cup": data.coffee(), "rocket": data.rocket(), "astronaut": data.astronaut()}
CAT, CUP = "0 0.45 0.5 0.6 0.9\n", "1 0.5 0.5 0.4 0.7\n"


def main(folder: Path) -> None:
    """Nine pictures in two splits."""
    if folder.exists():
        sys.exit(f"error: {folder} is there already")
    cat, cup, rocket = (PHOTOS[name] for name in ("cat", "cup", "rocket"))
    put(folder / "train" / "cat", cat, CAT)
    put(folder / "train" / "cat2", cat[:, ::-1], CAT + CAT)  # drawn twice
    put(folder / "train" / "cup", cup, CUP + "1 0.98 0.5 0.1 0.2\n")  # over the border
    put(folder / "train" / "cup2", cup[::-1], "2 0.5 0.5 0.4 0.7\n")  # classes counted from 1
    put(folder / "train" / "flag", rocket[:200, :300], "cup 0.5 0.5 0.2 0.2\n")  # a name for a number
    put(folder / "train" / "rocket", rocket, "")  # nothing in it, which is no mistake
    put(folder / "train" / "astro", PHOTOS["astronaut"], "0 0.5 0.5 0.0 0.2\n")  # a click instead of a box
    put(folder / "val" / "cat", cat, CAT)  # trained on
    put(folder / "val" / "cup", np.asarray(Image.fromarray(cup).resize((300, 200))), CUP)  # trained on, made smaller
    cut = folder / "images" / "train" / "astro.jpg"
    cut.write_bytes(cut.read_bytes()[: cut.stat().st_size // 2])
    (folder / "data.yaml").write_text("names: [cat, cup]\n")


def put(place: Path, pixels: np.ndarray, text: str) -> None:
    """A picture and its text, where YOLO has them: `place` is the folder, the split and the name."""
    folder, split, name = place.parent.parent, place.parent.name, place.name
    for kind in ("images", "labels"):
        (folder / kind / split).mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.ascontiguousarray(pixels)).save(folder / "images" / split / f"{name}.jpg", quality=90)
    (folder / "labels" / split / f"{name}.txt").write_text(text)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(f"usage: python {sys.argv[0]} FOLDER")
    main(Path(sys.argv[1]))
