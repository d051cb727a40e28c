"""What one worker of a batch does: the detector is built once, then parts are made one after the other."""

import os
import pickle
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from googlenet_rcnn.core.errors import ImageError, ModelError, ProjectError, ResourceError

from ..rows import failed_row
from .attempts import Attempt
from .inputs import read_block
from .output import INPUTS
from .parts import PartSummary, read_summary, write_part
from .tables import BatchImage, image_files

if TYPE_CHECKING:
    from ..detect import DetectOptions
    from ..image_loop import Makes

__all__ = ["Job", "Outcome", "PartWorker"]

Outcome = tuple[int, PartSummary | ProjectError]
"""A part and what is in it, or the fault that ends the run."""


@dataclass(frozen=True)
class Job:
    """What workers on any machine must know; all of it can be pickled."""

    options: "DetectOptions"
    weights: tuple[str, ...]
    """SHA-256 of each weights file, as the command found them."""
    runtimes: tuple[str, ...]
    """What serves each network on the machine of the command: other runtimes round in other ways."""
    folder: Path
    directory: Path
    """The working directory, to which paths as given are relative."""
    part_size: int
    mark: str
    run: str


class PartWorker:
    """Makes parts of a job: a callable class for Ray Data, whose batches hold part numbers [n] in column `part`."""

    def __init__(self, job: Job) -> None:
        self._job = job
        self._detect: Makes | None = None

    def __call__(self, batch: dict[str, NDArray[np.int64]]) -> dict[str, list[bytes]]:
        """An `Outcome`, pickled, for each part: a fault that the user can mend travels home like a result."""
        return {"outcome": [pickle.dumps(self._outcome(int(part))) for part in batch["part"]]}

    def _outcome(self, part: int) -> Outcome:
        try:
            return part, self.make(part)
        except ProjectError as error:
            return part, error
        except MemoryError:
            reason = "a worker has not enough memory: use fewer --workers, or smaller images (--max-pixels)"
            return part, ResourceError("MEMORY", reason)

    def make(self, part: int) -> PartSummary:
        """Detects in the images of a part and publishes it, unless that was done before a worker died."""
        job = self._job
        if (there := read_summary(job.folder, part, job.mark)) is not None:
            return there
        with Attempt(job.folder, part, job.run) as attempt:
            if self._detect is None:
                os.chdir(job.directory)
                self._detect = _detector(job)
            first = part * job.part_size
            images = read_block(job.folder / INPUTS, part)
            if attempt.careful:
                rows = list(_made_carefully(self._detect, images, first, attempt))
            else:
                rows = [made.row for made in self._detect(image_files(images))]
            return write_part(job.folder, part, job.mark, first, rows)


def _made_carefully(
    detect: "Makes", images: Sequence[BatchImage], first: int, attempt: Attempt
) -> Iterator[dict[str, Any]]:
    """The rows, made one image at a time so that a death is that image's; those of earlier deaths fail."""
    for number, file in enumerate(image_files(images), start=first):
        if number in attempt.deadly:
            reason = "twice the worker died over this image, of a crash or for want of memory: look at it alone"
            yield failed_row(file, ImageError("IMG_DECODER_CRASH", f"{file.path}: {reason}"))
        else:
            attempt.touch(number)
            yield from (made.row for made in detect([file]))
    attempt.touch(None)


def _detector(job: Job) -> "Makes":
    """The detector of `detect`, from files to rows; ModelError if its rows would not be those of other workers."""
    from googlenet_rcnn.api.weights_files import weight_digests

    from ..detection_parts import detection_runtimes
    from ..detection_rows import detection_rows

    names = job.options.weights
    if tuple(weight_digests(names)) != job.weights:
        reason = "a worker's machine has other weights of that name: install the same everywhere"
        raise ModelError("WEIGHTS_DIFFER", f"{', '.join(names) or 'the default model'}: {reason}")
    makes = detection_rows(job.options, lambda message: None)
    if (here := tuple(detection_runtimes(job.options))) != job.runtimes:
        reason = f"a worker's machine is fastest with {', '.join(here)}, that of the command with"
        raise ModelError("RUNTIME_DIFFERS", f"{reason} {', '.join(job.runtimes)}: choose one with --runtime")
    return makes
