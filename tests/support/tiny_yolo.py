"""YOLO trees of a few made-up images."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from PIL import Image

YAML = "train: images/train\nval: images/val\nnames:\n  0: cat\n  1: dog\n"


def write_picture(path: Path, width: int = 200, height: int = 100) -> Path:
    """A picture of noise that differs by name."""
    path.parent.mkdir(parents=True, exist_ok=True)
    noise = np.random.default_rng(sum(path.name.encode())).integers(0, 256, (height // 10, width // 10, 3), np.uint8)
    Image.fromarray(noise).resize((width, height)).save(path)
    return path


def write_tree(
    root: Path, texts: Mapping[str, str | None], yaml: str | None = YAML, split: str = "train", home: str = "images/{}"
) -> Path:
    """Writes a picture and its text (None: no file) for each name, and data.yaml; returns `root`."""
    pictures = root / home.format(split)
    labels = root / home.format(split).replace("images", "labels")
    labels.mkdir(parents=True, exist_ok=True)
    for name, text in texts.items():
        write_picture(pictures / f"{name}.jpg")
        if text is not None:
            (labels / f"{name}.txt").parent.mkdir(parents=True, exist_ok=True)
            (labels / f"{name}.txt").write_bytes(text.encode())
    if yaml is not None:
        (root / "data.yaml").write_text(yaml, encoding="utf-8")
    return root
