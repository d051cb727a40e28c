"""`detect`: images in, objects out."""

import json
import sys
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from googlenet_rcnn.core.errors import DataError, UsageError
from googlenet_rcnn.core.types import LabelSet

from .boundary import one_line
from .detection_output import ROWS_KEPT, check_output, rows_path, write_output
from .inputs import ImageFile, find_images
from .pictures import picture_paths, refuse_existing, write_jpeg
from .progress import Progress
from .proposal_source import proposal_file
from .rows import exit_status

__all__ = ["DetectOptions", "run_detect"]


@dataclass(frozen=True)
class DetectOptions:
    """Everything `detect` can be told; the first block decides what a row holds."""

    weights: tuple[str, ...]
    method: str
    engine: str
    preset: str
    superpixel_scale: float
    score_threshold: float
    nms_iou: float
    max_detections: int
    mode: str
    seed: int
    truncated: str
    max_pixels: int
    exif: bool

    images: tuple[str, ...] = ()
    out: Path | None = None
    format: str = "jsonl"
    draw: Path | None = None
    overwrite: bool = False
    on_error: str = "skip"
    quiet: bool = False
    threads: int | None = None


def run_detect(options: DetectOptions) -> int:
    """Detects in every image, writes the rows where they are wanted, and returns the exit status."""

    def labels() -> LabelSet:
        from .build import weight_labels

        return weight_labels(options.weights)

    def say(message: str) -> None:
        if not options.quiet:
            print(message, file=sys.stderr)

    _check(options)
    files = find_images(options.images)
    pictures = None if options.draw is None else picture_paths(files, options.images, options.draw)
    check_output(options.out, options.format, options.overwrite, files, options.images, labels)
    detect_one = _detector(options, dict(zip(files, pictures, strict=True)) if pictures else {})
    with ExitStack() as stack:
        ledger = None
        done = expected = 0
        if options.out is not None:
            from .ledger import Ledger

            target = rows_path(options.out, options.format)
            ledger = stack.enter_context(Ledger(target, _row_settings(options, files), options.overwrite))
            done = ledger.rows
            expected = done + ledger.continued  # the stopped run may have drawn one picture more than it has rows
            if done:
                say(f"continuing after {done} images")
        if pictures and not options.overwrite:
            refuse_existing(pictures[expected:])
        progress = Progress(len(files) - done, "image", options.quiet)
        rows = []
        for count, file in enumerate(files[done:], start=1):
            row = detect_one(file)
            if row["status"] == "failed":
                if options.on_error == "fail":
                    raise DataError(row["code"], f"{row['message']} (stopped here, as --on-error fail asks)")
                progress.say(one_line(f"error: {row['code']}: {row['message']}"))
            if ledger is not None:
                ledger.append(row)
            elif sys.stdout.isatty():
                _print_table(row)
            else:
                print(json.dumps(row, separators=(",", ":")), flush=True)
            rows.append(row["status"])
            progress.update(count)
        if ledger is not None and options.out is not None:
            rows = [row["status"] for row in ledger.read()]
            if options.format != "jsonl":
                write_output(ledger.read(), options.out, options.format, labels(), say)
            if options.format in ROWS_KEPT:
                ledger.finish()
            else:
                ledger.drop()
    return exit_status(rows)


def _check(options: DetectOptions) -> None:
    if options.mode not in ("fast", "exhaustive"):
        raise UsageError("MODE_UNKNOWN", f"--mode {options.mode}: known are fast, exhaustive")
    for name, allowed in (("truncated", ("fail", "salvage")), ("on_error", ("skip", "fail"))):
        if getattr(options, name) not in allowed:
            raise UsageError("FLAG_VALUE", f"--{name.replace('_', '-')}: known are {', '.join(allowed)}")
    if options.draw is not None and options.draw.exists() and not options.draw.is_dir():
        raise UsageError("OUT_UNWRITABLE", f"--draw {options.draw} is not a folder")
    if (options.threads is not None and options.threads < 1) or options.max_pixels < 1:
        raise UsageError("FLAG_VALUE", "--threads and --max-pixels are at least 1")


def _row_settings(options: DetectOptions, files: list[ImageFile]) -> dict[str, Any]:
    """What must be equal for a later run to continue this one."""
    from googlenet_rcnn.core.store import digest

    from .build import weight_digests

    own = {"images", "out", "draw", "overwrite", "on_error", "quiet", "threads", "weights"}
    settings = {key: value for key, value in asdict(options).items() if key not in own}
    if (recorded := proposal_file(options.method)) is not None:
        settings["method"] = digest(recorded)
    return settings | {"weights": weight_digests(options.weights), "files": [tuple(file) for file in files]}


def _detector(options: DetectOptions, pictures: dict[ImageFile, Path]) -> Callable[[ImageFile], dict[str, Any]]:
    """A function from an image file to its row; heavy imports happen here, not for --help."""
    import time

    from googlenet_rcnn.core.images import ImagePolicy, read_image

    from .build import build_detection
    from .draw import draw_detections
    from .rows import failed_row, found_row

    detector, source = build_detection(
        options, lambda message: None if options.quiet else print(message, file=sys.stderr)
    )
    policy = ImagePolicy(
        max_pixels=options.max_pixels,
        truncated="salvage" if options.truncated == "salvage" else "fail",
        exif=options.exif,
    )

    def detect_one(file: ImageFile) -> dict[str, Any]:
        started = time.perf_counter()
        try:
            decoded = read_image(file.path, policy)
            read = time.perf_counter()
            proposals = source.proposals(file, decoded.pixels)
        except DataError as error:
            return failed_row(file, error)
        times = {"decode": (read - started) * 1000, "propose": (time.perf_counter() - read) * 1000}
        result = detector.classify(decoded.pixels, proposals)
        row = found_row(
            file,
            result.detections,
            detector.labels,
            result.proposals,
            times | result.milliseconds,
            decoded.warnings,
        )
        if file in pictures:
            write_jpeg(pictures[file], draw_detections(decoded.pixels, row["detections"]))
        return row

    return detect_one


def _print_table(row: dict[str, Any]) -> None:
    if row["status"] == "failed":
        return
    seconds = sum(row["ms"].values()) / 1000
    found = row["detections"]
    print(one_line(f"{row['path']}  {row['width']}x{row['height']}, {row['proposals']} proposals, {seconds:.1f} s"))
    if not found:
        print("  nothing found above the threshold")
    for one in found:
        x1, y1, x2, y2 = one["box"]
        print(f"  {one['label']:<14} {one['score']:.3f}   x {x1:.0f}..{x2:.0f}   y {y1:.0f}..{y2:.0f}")
