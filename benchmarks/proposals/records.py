"""What an engine proposed for each image and how long it took, kept on disk so that a run can be resumed."""

import os
import time
import zipfile
import zlib
from pathlib import Path
from typing import NamedTuple

import numpy as np

from googlenet_rcnn.core.store import atomic_file
from googlenet_rcnn.core.types import Boxes, Image, Proposals, Proposer, Size


class Record(NamedTuple):
    """Proposals, wall and processor seconds; engines that were timed side by side share the round."""

    proposals: Proposals
    seconds: float
    processor_seconds: float
    round: str


class Records:
    """The records of one engine in a folder, a file an image."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    def read(self, image_id: str) -> Record | None:
        """The record of an image, None if it has yet to be made."""
        try:
            with np.load(self._folder / f"{image_id}.npz", allow_pickle=False) as file:
                height, width = file["size"].tolist()
                boxes = Boxes(file["boxes"], Size(height, width))
                proposals = Proposals.from_source(boxes, file["scores"], str(file["source"]))
                seconds, processor_seconds = file["seconds"].tolist()
                return Record(proposals, seconds, processor_seconds, str(file["round"]))
        except (FileNotFoundError, EOFError, KeyError, ValueError, zipfile.BadZipFile, zlib.error):
            return None

    def make(self, image_id: str, engine: Proposer, image: Image, round: str) -> None:
        """Runs the engine on an image [H,W,3] and keeps what comes of it."""
        processor, begin = time.process_time(), time.perf_counter()
        proposals = engine.propose(image)
        seconds, processor_seconds = time.perf_counter() - begin, time.process_time() - processor
        with atomic_file(self._folder / f"{image_id}.npz") as stream:
            np.savez_compressed(
                stream,
                size=np.array(proposals.size),
                boxes=proposals.boxes.coordinates,
                scores=proposals.scores,
                source=np.array(proposals.source_names[0]),
                seconds=np.array([seconds, processor_seconds]),
                round=np.array(round),
            )


def new_round() -> str:
    """A name that no other round has."""
    return os.urandom(8).hex()
