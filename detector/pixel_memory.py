"""Decoded images that training comes back to: a GPU asks for crops faster than files can be decoded."""

from collections import OrderedDict
from pathlib import Path

from googlenet_rcnn.core.images import read_image
from googlenet_rcnn.core.types import Image

__all__ = ["PixelMemory"]


class PixelMemory:
    """Reads images and keeps the latest of them, up to `budget` bytes (1 GiB); each loading process has its own."""

    def __init__(self, budget: int = 1 << 30) -> None:
        self._budget = budget
        self._kept: OrderedDict[Path, Image] = OrderedDict()
        self._bytes = 0

    def read(self, path: Path) -> Image:
        """Pixels uint8 [H,W,3] of an image file; DataError if it cannot be read."""
        if path in self._kept:
            self._kept.move_to_end(path)
            return self._kept[path]
        pixels = self._kept[path] = read_image(path).pixels
        self._bytes += pixels.nbytes
        while self._bytes > self._budget and len(self._kept) > 1:
            self._bytes -= self._kept.popitem(last=False)[1].nbytes
        return pixels
