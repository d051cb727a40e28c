"""Pictures to measure on when none are given: photographs that come with installed packages."""

from importlib.util import find_spec
from pathlib import Path

from googlenet_rcnn.core.errors import UsageError

__all__ = ["write_photographs"]

_PHOTOGRAPHS = {
    "skimage": ("astronaut.png", "chelsea.png", "coffee.png", "rocket.jpg", "motorcycle_left.png"),
    "sklearn": ("china.jpg", "flower.jpg"),
}
_FOLDERS = {"skimage": "data", "sklearn": "datasets/images"}
_WIDTH, _HEIGHT = 500, 375  # of most photographs in PASCAL VOC


def write_photographs(folder: Path) -> list[Path]:
    """Writes them into a folder as JPEG of 500x375 pixels, the middle of each; their paths in order.

    UsageError (NO_IMAGES) if neither scikit-image nor scikit-learn is installed.
    """
    from PIL import Image, ImageOps

    paths = []
    for package, names in _PHOTOGRAPHS.items():
        spec = find_spec(package)
        if spec is None or spec.origin is None:
            continue
        for name in names:
            source = Path(spec.origin).parent / _FOLDERS[package] / name
            if source.is_file():
                with Image.open(source) as picture:
                    fitted = ImageOps.fit(picture.convert("RGB"), (_WIDTH, _HEIGHT))
                paths.append(folder / f"{source.stem}.jpg")
                fitted.save(paths[-1], quality=90)
    if not paths:
        raise UsageError("NO_IMAGES", "no photographs are installed here: give some with --image")
    return paths
