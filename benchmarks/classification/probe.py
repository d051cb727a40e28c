"""A linear probe: how far a network's features go as they are, for classes that it has not learned.

Logistic regression on the features of whole pictures, squashed to a square as `recipes/small_cls.toml` sees them: the
row that a fine-tuned network is to be compared with.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from googlenet_rcnn.backbone.checkpoint import read_card
from googlenet_rcnn.backbone.engine import Engine
from googlenet_rcnn.backbone.multicrop import multicrop
from googlenet_rcnn.backbone.shared_engine import shared_engine
from googlenet_rcnn.core.errors import ProjectError
from googlenet_rcnn.core.images import read_image
from googlenet_rcnn.core.in_order import in_order
from googlenet_rcnn.datasets.imagefolder import ImageFolder, read_image_folder

__all__ = ["features", "main"]

_TOGETHER = 32


def features(folder: ImageFolder, engine: Engine, resize_filter: str) -> NDArray[np.float32]:
    """What the network makes of each picture, [N,1024]."""

    def crops(paths: Sequence[Path]) -> NDArray[np.uint8]:
        return np.concatenate([multicrop(read_image(path).pixels, 1, resize_filter, squash=True) for path in paths])

    blocks = [folder.paths[first : first + _TOGETHER] for first in range(0, len(folder.paths), _TOGETHER)]
    return np.concatenate([engine.run(block).astype(np.float32) for block in in_order(crops, blocks, 2)])


def main(arguments: Sequence[str] | None = None) -> int:
    """Prints the top-1 accuracy of a probe on val."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, required=True, help="holds train/ and val/, of a folder for each class")
    parser.add_argument("--weights", type=Path, required=True, help="classifier whose features are used")
    parser.add_argument("--cost", type=float, default=0.003, help="of errors against large weights [%(default)s]")
    parser.add_argument("--runtime", default="auto")
    flags = parser.parse_args(arguments)
    try:
        trained = read_image_folder(flags.folder / "train")
        validation = read_image_folder(flags.folder / "val", trained.labels)
        engine = shared_engine(flags.weights, "features", flags.runtime, say=lambda text: print(text, file=sys.stderr))
        card = read_card(flags.weights)
        learned, measured = (features(one, engine, card.resize_filter) for one in (trained, validation))
    except ProjectError as error:
        print(f"error: {error}", file=sys.stderr)
        return int(error.exit)
    probe = make_pipeline(StandardScaler(), LogisticRegression(C=flags.cost, max_iter=500))
    probe.fit(learned, trained.truth)
    print(f"linear probe on {len(learned)} pictures: top-1 {probe.score(measured, validation.truth):.4f}")
    common = np.bincount(validation.truth).max() / len(validation.truth)
    print(f"always the commonest class: top-1 {common:.4f}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
