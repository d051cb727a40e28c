"""`detect`: images in, objects out."""

import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from googlenet_rcnn.core.errors import UsageError
from googlenet_rcnn.core.types import LabelSet

from .boundary import one_line
from .detection_output import ROWS_KEPT, check_output, rows_path, write_output
from .detection_report import check_report, detection_report, model_facts
from .image_loop import ImageLoop, check_options
from .image_numbers import image_numbers
from .inputs import find_images
from .pictures import picture_paths
from .proposal_source import proposal_file

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

    from .image_loop import Made
    from .ledger import Ledger

__all__ = ["DetectOptions", "check_detection", "row_settings", "run_detect"]


@dataclass(frozen=True)
class DetectOptions:
    """Everything `detect` can be told; the first block decides what a row holds."""

    weights: tuple[str, ...]
    method: str
    engine: str
    preset: str
    superpixel_scale: float
    score_threshold: float | None
    nms_iou: float
    max_detections: int
    mode: str
    seed: int
    truncated: str
    max_pixels: int
    exif: bool
    runtime: str = "auto"
    multibox_weights: str = "multibox-voc07"
    multibox_k: int = 200
    multibox_nms: float | None = None
    screen_vote: float | None = None
    box_regression: bool = True
    box_voting: float = 0.5
    flip: bool = False

    images: tuple[str, ...] = ()
    out: Path | None = None
    format: str = "jsonl"
    numbers: Path | None = None
    draw: Path | None = None
    report: Path | None = None
    overwrite: bool = False
    on_error: str = "skip"
    quiet: bool = False
    threads: int | None = None
    workers: int | None = None


def run_detect(options: DetectOptions) -> int:
    """Detects in every image, writes the rows where they are wanted, and returns the exit status."""

    def labels() -> LabelSet:
        from googlenet_rcnn.api.weights_files import weight_labels

        return weight_labels(options.weights)

    def say(message: str) -> None:
        if not options.quiet:
            print(message, file=sys.stderr)

    def finish(ledger: "Ledger") -> None:
        assert options.out is not None
        if options.format != "jsonl":
            write_output(ledger.read(), options.out, options.format, labels(), say, numbers)
        if options.format in ROWS_KEPT:
            ledger.finish()
        else:
            ledger.drop()

    check_detection(options)
    files = find_images(options.images)
    pictures = [] if options.draw is None else picture_paths(files, options.images, options.draw)
    check_report(options.report, options.overwrite, [*(file.path for file in files), str(options.out)])
    check_output(options.out, options.format, options.overwrite, files, options.images, labels)
    numbers = None if options.numbers is None else image_numbers(options.numbers, options.format, files)

    from .detection_rows import detection_rows

    rows = detection_rows(options, say)
    target = None if options.out is None else rows_path(options.out, options.format)
    loop = ImageLoop(
        files=files,
        pictures=[(path,) for path in pictures],
        target=target,
        settings=lambda: row_settings(options) | {"files": [(file.image_id, file.path) for file in files]},
        table=_print_table,
        finish=finish,
        page=None if options.report is None else _report(options),
    )
    return loop.run(rows, options)


def _report(options: DetectOptions) -> "AbstractContextManager[Callable[[Made], None]]":
    from googlenet_rcnn.api.weights_files import find_members, suited
    from googlenet_rcnn.backbone.checkpoint import read_card

    assert options.report is not None
    threshold = suited(options.weights, options.score_threshold, options.screen_vote)[0]
    paths = find_members(options.weights)
    settings = [("proposals by", options.method), ("mode", options.mode), ("threshold", f"{threshold:g}")]
    facts = model_facts([path.stem for path in paths], [read_card(path) for path in paths])
    return detection_report(options.report, [*facts, *settings], threshold)


def check_detection(options: DetectOptions) -> None:
    """UsageError for a flag with an impossible value, as far as that shows before the models are read."""
    if options.mode not in ("fast", "exhaustive"):
        raise UsageError("MODE_UNKNOWN", f"--mode {options.mode}: known are fast, exhaustive")
    check_options(options)


def row_settings(options: DetectOptions) -> dict[str, Any]:
    """What must be equal, beside the images, for a later run to continue this one."""
    from googlenet_rcnn.api.build import find_multibox
    from googlenet_rcnn.api.weights_files import weight_digests
    from googlenet_rcnn.core.store import digest

    from .detection_parts import detection_runtimes

    own = {"images", "out", "numbers", "draw", "report", "overwrite", "on_error", "quiet", "threads", "workers"}
    settings = {key: value for key, value in asdict(options).items() if key not in {*own, "weights"}}
    if (recorded := proposal_file(options.method)) is not None:
        settings["method"] = digest(recorded)
    elif "multibox" in options.method:
        settings["multibox_weights"] = digest(find_multibox(options.multibox_weights))
    return settings | {"weights": weight_digests(options.weights), "runtime": detection_runtimes(options)}


def _print_table(row: dict[str, Any]) -> None:
    seconds = sum(row["ms"].values()) / 1000
    found = row["detections"]
    print(one_line(f"{row['path']}  {row['width']}x{row['height']}, {row['proposals']} proposals, {seconds:.1f} s"))
    if not found:
        print("  nothing found above the threshold")
    for one in found:
        x1, y1, x2, y2 = one["box"]
        print(f"  {one['label']:<14} {one['score']:.3f}   x {x1:.0f}..{x2:.0f}   y {y1:.0f}..{y2:.0f}")
