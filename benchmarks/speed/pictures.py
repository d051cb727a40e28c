"""The pictures that everything is measured on: those of VOC 2007 val that have its usual size."""

from itertools import cycle, islice
from pathlib import Path

from PIL import Image

from googlenet_rcnn.cli.bench.pictures import write_photographs
from googlenet_rcnn.datasets.voc import read_voc

__all__ = ["SIZE", "find_pictures", "repeated"]

SIZE = (500, 375)


def find_pictures(data: Path | None, folder: Path, count: int, split: str = "val") -> tuple[Path, ...]:
    """The first `count` images of 500x375 pixels in a VOC devkit; without one, photographs written into `folder`."""
    if data is None:
        return tuple(write_photographs(folder))
    found: list[Path] = []
    for sample in read_voc(data, split).samples:
        if len(found) == count:
            break
        with Image.open(sample.path) as picture:
            if picture.size == SIZE:
                found.append(Path(sample.path))
    return tuple(found)


def repeated(pictures: tuple[Path, ...], count: int) -> list[Path]:
    """So many of the pictures, from the first again where they are fewer."""
    return list(islice(cycle(pictures), count))
