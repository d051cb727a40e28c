"""Makes docs/pictures: what the commands draw of one photograph, made small enough for a page.

python docs/make_pictures.py      (or `make pictures`)
"""

import sys
import tempfile
from pathlib import Path

from commands import DOCS, prepare, run
from PIL import Image

NAME = "motorcycle_left"
CALLS = (
    f"propose {NAME}.png --method multibox+ss --draw drawn --draw-top 25 --out boxes.jsonl --runtime torch",
    f"detect {NAME}.png --draw drawn --out found.jsonl --runtime torch",
    f"googlenet-rcnn explain --image {NAME}.png --data photos --split train --draw fate.jpg --runtime torch",
)
PICTURES = {
    f"{NAME}.png": "photo",
    f"drawn/{NAME}-segmentation.png": "segmentation",
    f"drawn/{NAME}-grouping.png": "grouping",
    f"drawn/{NAME}-boxes.png": "boxes",
    f"drawn/{NAME}.jpg": "detections",
    "fate.jpg": "fate",
}


def write(picture: Image.Image, name: str) -> None:
    """Writes a picture as JPEG, at most 640 pixels wide, or 1,280 if it is a strip."""
    width = 1280 if picture.width > 4 * picture.height else 640
    if picture.width > width:
        picture = picture.resize((width, round(picture.height * width / picture.width)), Image.Resampling.LANCZOS)
    picture = picture.convert("RGB")
    picture.save(DOCS / "pictures" / f"{name}.jpg", quality=80, optimize=True)


def crops(photo: Path, count: int = 12, columns: int = 6) -> Image.Image:
    """The warped crops of the proposals that the network finds best, as it sees them."""
    import numpy as np

    from googlenet_rcnn.api import load_detector

    detector = load_detector(runtime="torch")
    pixels = detector.pixels(photo)
    proposals = detector.propose(pixels)
    scores = detector.pipeline.classify(pixels, proposals).scores.probabilities[:, 1:].max(axis=1)
    (view,) = detector.pipeline.views
    seen = view.crops(pixels, proposals.boxes[np.argsort(-scores, kind="stable")[:count]])
    return Image.fromarray(np.vstack([np.hstack(seen[at : at + columns]) for at in range(0, count, columns)]))


def main() -> None:
    """Runs the commands in a folder of their own and brings home what they drew."""
    (DOCS / "pictures").mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        prepare(folder)
        for call in CALLS:
            print(f"$ {call}\n{run(call, folder)}", file=sys.stderr)
        for path, short in PICTURES.items():
            write(Image.open(folder / path), short)
        write(crops(folder / f"{NAME}.png"), "crops")


if __name__ == "__main__":
    main()
