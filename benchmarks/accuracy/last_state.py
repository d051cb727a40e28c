"""A detector with the last weights of its training in the place of their running mean: what the mean is worth.

A run of `train-detector` ends with the mean (Szegedy 2014, section 6) and keeps both in the state of its last stage.
The screening head, which was trained on the mean, stays.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from torch import Tensor

from googlenet_rcnn.backbone.checkpoint import read_card
from googlenet_rcnn.backbone.run_state import module_tensors, read_state
from googlenet_rcnn.backbone.weights import read_tensors, save_weights
from googlenet_rcnn.core.errors import ProjectError

__all__ = ["last_weights", "main"]


def last_weights(detector: dict[str, Tensor], state: dict[str, Tensor]) -> dict[str, Tensor]:
    """The tensors of a detector with those that a stage's state has; ValueError if that is of another network."""
    last = module_tensors(state)
    strange = [name for name, value in last.items() if name not in detector or detector[name].shape != value.shape]
    if strange or not last:
        raise ValueError(f"the state is of another network: {strange[0] if strange else 'it has no weights'}")
    return detector | last


def main(arguments: Sequence[str] | None = None) -> int:
    """Writes the detector."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("run", type=Path, help="folder of train-detector")
    parser.add_argument("--stage", default="network", help="whose last weights [%(default)s]")
    parser.add_argument("--out", type=Path, required=True, help="weights file to write")
    told = parser.parse_args(arguments)
    detector = told.run / "detector.safetensors"
    try:
        tensors, card = read_tensors(detector), read_card(detector)
        _, state = read_state(told.run / told.stage / "last.safetensors")
        save_weights(told.out, last_weights(tensors, state), card, half=True)
    except (ProjectError, OSError, ValueError) as error:
        parser.error(str(error))
    return 0


if __name__ == "__main__":
    sys.exit(main())
