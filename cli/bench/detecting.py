"""`detect` timed as a user runs it: the start, an image in fast mode stage by stage, an image with every box scored."""

import statistics
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from itertools import cycle, islice
from pathlib import Path
from typing import Any

from googlenet_rcnn.core.errors import DataError
from googlenet_rcnn.core.store import read_json_lines

from .command import Spent, measure_command

__all__ = ["DetectSpeed", "Exhaustive", "detect_rows", "extrapolate", "measure_detect", "stage_medians"]

_MOST = 60  # images in the fast measurement, however quick they are


@dataclass(frozen=True)
class Exhaustive:
    """Seconds for an image with all its boxes scored; `measured` of them were, the rest is reckoned."""

    seconds: float
    boxes: int
    measured: int

    @property
    def extrapolated(self) -> bool:
        """Whether there was time for a part of the boxes only."""
        return self.measured < self.boxes


@dataclass(frozen=True)
class DetectSpeed:
    """First use (which prepares what is kept for later), one image from the shell, seconds an image, stages in ms."""

    first_use: Spent
    start: Spent
    images: int
    seconds_per_image: float
    proposals: float
    stages: dict[str, float]
    peak: int
    exhaustive: Exhaustive

    def content(self) -> dict[str, Any]:
        """The same as JSON."""
        return asdict(self) | {"exhaustive": asdict(self.exhaustive) | {"extrapolated": self.exhaustive.extrapolated}}


def measure_detect(
    images: Sequence[Path],
    flags: Sequence[str],
    folder: Path,
    seconds: float,
    crops_per_second: float,
    say: Callable[[str], None],
) -> DetectSpeed:
    """Runs `detect` with the flags on the images, again and again if they are few, for about so many seconds.

    `folder` takes the lists and results; `crops_per_second` tells how many boxes of an image there is time to score.
    """
    say("detect: first use")
    first_use, _ = detect_rows(images[:1], flags, folder)
    say("detect: one image")
    start, rows = detect_rows(images[:1], flags, folder)
    one = sum(rows[0]["ms"].values()) / 1000
    count = max(3, min(_MOST, round(seconds * 0.6 / max(one, 1e-3))))
    say(f"detect: {count} images")
    many, rows = detect_rows(list(islice(cycle(images), count)), flags, folder)
    say("detect: every box of an image")
    every = _exhaustive(images[0], flags, folder, max(16, round(seconds * 0.4 * crops_per_second)))
    return DetectSpeed(
        first_use=first_use,
        start=start,
        images=count,
        seconds_per_image=(many.seconds - start.seconds) / (count - 1),
        proposals=statistics.median(row["proposals"] for row in rows),
        stages=stage_medians(rows),
        peak=max(start.peak, many.peak),
        exhaustive=every,
    )


def detect_rows(images: Iterable[Path], flags: Sequence[str], folder: Path) -> tuple[Spent, list[dict[str, Any]]]:
    """What `detect` takes for a list of images, and its rows; DataError if an image cannot be read."""
    list_file, out = folder / "images.txt", folder / "found.jsonl"
    list_file.write_text("".join(f"{image}\n" for image in images), "utf-8")
    spent = measure_command(["detect", "--image", str(list_file), "--out", str(out), "--overwrite", "--quiet", *flags])
    rows = list(read_json_lines(out))
    for row in rows:
        if row["status"] != "ok":
            raise DataError(row["code"], row["message"])
    return spent, rows


def stage_medians(rows: Sequence[dict[str, Any]]) -> dict[str, float]:
    """Median milliseconds of each stage over rows of `detect`."""
    return {stage: statistics.median(row["ms"][stage] for row in rows) for stage in rows[0]["ms"] if stage != "total"}


def _exhaustive(image: Path, flags: Sequence[str], folder: Path, most: int) -> Exhaustive:
    """Scores the first `most` proposals, which cost what the others cost."""
    boxes = folder / "boxes.jsonl"
    given = ["--image", str(image), "--overwrite", "--quiet"]
    measure_command(["propose", *given, "--superpixel-scale", "2", "--out", str(boxes)])
    (whole,) = read_json_lines(boxes)
    count = len(whole["boxes"])
    if most < count:
        measure_command(["propose", *given, "--superpixel-scale", "2", "--limit", str(most), "--out", str(boxes)])
    _, rows = detect_rows([image], [*flags, "--mode", "exhaustive", "--method", str(boxes)], folder)
    stages = rows[0]["ms"] | {"propose": whole["ms"]["propose"]}
    return Exhaustive(extrapolate(stages, count, min(most, count)), count, min(most, count))


def extrapolate(stages: dict[str, float], boxes: int, measured: int) -> float:
    """Seconds for an image of so many boxes when warping and scoring were measured on a part of them."""
    per_box = ("warp", "classify")
    factor = boxes / measured if measured else 1.0
    return sum(value * (factor if name in per_box else 1) for name, value in stages.items() if name != "total") / 1000
