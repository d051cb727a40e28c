"""Whether memory is flat over many images: `detect` with real proposals and a classifier that costs nothing."""

import argparse
import ctypes
import gc
import os
import resource
import sys
import tempfile
from collections.abc import Callable, Generator, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from googlenet_rcnn.cli.detect import DetectOptions
from googlenet_rcnn.cli.detection_rows import rows_by
from googlenet_rcnn.cli.image_loop import ImageLoop, Made, Makes
from googlenet_rcnn.cli.inputs import ImageFile
from googlenet_rcnn.cli.proposal_source import ProposalSource
from googlenet_rcnn.core.types import LabelSet
from googlenet_rcnn.detector.pipeline import Detector
from googlenet_rcnn.detector.region_scores import RegionScores
from googlenet_rcnn.detector.view import View
from googlenet_rcnn.detector.warp import Warp
from googlenet_rcnn.proposals.selective_search import SelectiveSearch

__all__ = ["Memory", "draw", "measure", "weigh"]

_SETTLED = 0.3
"""Share of the images after which caches are full and the heap has its size."""


@dataclass(frozen=True)
class MeanColour:
    """Scores a crop by the mean of each colour: an answer for every class, found in no time."""

    labels: LabelSet = field(default_factory=lambda: LabelSet(("red", "green", "blue")))

    def score(self, crops: NDArray[np.uint8]) -> RegionScores:
        """Probabilities [n,4] of crops uint8 [n,S,S,3]."""
        shares = crops[:, ::16, ::16].mean(axis=(1, 2), dtype=np.float64).reshape(-1, 3) / (3 * 255)
        return RegionScores(np.concatenate([1 - shares.sum(axis=1, keepdims=True), shares], axis=1).astype(np.float32))


@dataclass(frozen=True)
class Memory:
    """Bytes in main memory after so many images, and the most that the process ever held."""

    images: list[int]
    resident: list[int]
    peak: int

    @property
    def slope(self) -> float:
        """Bytes kept of an image, by least squares over the settled part."""
        settled = [at > _SETTLED * self.images[-1] for at in self.images]
        x, y = (np.array(values, dtype=np.float64)[settled] for values in (self.images, self.resident))
        return float(np.polyfit(x, y, 1)[0])


def measure(images: int, workers: int, folder: Path, say: Callable[[str], None] = print) -> Memory:
    """Detects in so many images, drawn into `folder`, and weighs the process on the way."""
    files = draw(folder, min(images, 200))
    many = [ImageFile(f"{number}", str(files[number % len(files)])) for number in range(images)]
    return weigh(many, workers, folder / "rows.jsonl", say)


def weigh(files: Sequence[ImageFile], workers: int, out: Path, say: Callable[[str], None]) -> Memory:
    """Detects in the files, writes the rows to `out`, and weighs the process a hundred times on the way."""
    proposer = SelectiveSearch.preset("single", superpixel_scale=2.0)
    options = DetectOptions(
        weights=(), method="ss", engine="native", preset="single", superpixel_scale=2.0, score_threshold=0.2,
        nms_iou=0.3, max_detections=100, mode="exhaustive", seed=0, truncated="fail", max_pixels=10**7, exif=True,
        quiet=True, workers=workers,
    )  # fmt: skip
    memory = Memory([], [], 0)
    loop = ImageLoop(
        files=files, pictures=[], target=out, settings=dict, table=lambda row: None,
        finish=lambda ledger: ledger.finish(),
    )  # fmt: skip
    makes = rows_by(Detector(proposer, [View(Warp(64, 4), [MeanColour()])]), ProposalSource(proposer), options)
    loop.run(_weighed(makes, max(1, len(files) // 100), memory, say), options)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
    return Memory(memory.images, memory.resident, peak)


def draw(folder: Path, count: int) -> list[Path]:
    """Writes blurred noise of many sizes, in which there are boxes to be found."""
    rng = np.random.default_rng(0)
    paths = []
    for number in range(count):
        width, height = (int(side) for side in rng.integers(80, 200, 2))
        blurred = cv2.resize(rng.integers(0, 256, (6, 8, 3), dtype=np.uint8), (width, height))
        paths.append(folder / f"{number}.png")
        cv2.imwrite(str(paths[-1]), blurred)
    return paths


def _weighed(makes: Makes, every: int, memory: Memory, say: Callable[[str], None]) -> Makes:
    """The same makes, noting the memory after every so many images."""

    def make(files: Iterable[ImageFile]) -> Generator[Made, None, None]:
        for count, made in enumerate(makes(files), start=1):
            yield made
            if count % every == 0:
                memory.images.append(count)
                memory.resident.append(_resident())
                say(f"{count} images, {memory.resident[-1] / 2**20:.1f} MiB")

    return make


def _resident() -> int:
    """Bytes of the process in main memory, after what is free has been given back to the system."""
    gc.collect()
    with suppress(OSError, AttributeError):  # glibc's alone
        ctypes.CDLL(None).malloc_trim(0)
    with open("/proc/self/statm") as stream:
        return int(stream.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def main() -> None:
    """Prints the memory on the way, and at the end its slope and peak."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=int, default=10_000)
    parser.add_argument("--workers", type=int, default=2, help="images prepared at a time")
    flags = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        memory = measure(flags.images, flags.workers, Path(folder), lambda line: print(line, file=sys.stderr))
    print(f"{flags.images} images: {memory.slope:.0f} bytes an image, peak {memory.peak / 2**20:.0f} MiB")


if __name__ == "__main__":
    main()
