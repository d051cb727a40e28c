"""`propose`: images in, boxes that may hold objects out."""

import json
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import ExitStack, closing
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, NamedTuple

from googlenet_rcnn.core.errors import DataError, UsageError
from googlenet_rcnn.core.types import Proposer

from .boundary import one_line
from .in_order import in_order
from .inputs import ImageFile, find_images
from .pictures import picture_paths, refuse_existing, write_picture
from .progress import Progress
from .proposal_source import ProposalSource, proposal_file
from .rows import exit_status
from .threads import available_threads

__all__ = ["ProposeOptions", "run_propose"]

FORMATS = ("jsonl", "npz")
_FIRST_BOXES = 10


@dataclass(frozen=True)
class ProposeOptions:
    """Everything `propose` can be told; the first block decides what a row holds."""

    method: str
    engine: str
    preset: str
    superpixel_scale: float | None
    multibox_weights: str
    multibox_k: int
    multibox_nms: float | None
    limit: int | None
    seed: int
    truncated: str
    max_pixels: int
    exif: bool

    images: tuple[str, ...] = ()
    out: Path | None = None
    format: str = "jsonl"
    draw: Path | None = None
    draw_top: int = 30
    overwrite: bool = False
    on_error: str = "skip"
    quiet: bool = False
    threads: int | None = None
    workers: int | None = None


class _Made(NamedTuple):
    """The row of an image and its pictures, which are written when it is the row's turn."""

    row: dict[str, Any]
    pictures: list[bytes]


def run_propose(options: ProposeOptions) -> int:
    """Proposes for every image, writes the rows where they are wanted, and returns the exit status."""
    _check(options)
    files = find_images(options.images)
    recorded = proposal_file(options.method)
    if recorded is not None and options.out is not None and options.out.resolve() == recorded.resolve():
        raise UsageError("OUT_IS_INPUT", f"--out would overwrite the proposals {recorded}: choose another file")
    proposer = _proposer(options, recorded)
    paths, propose_one = _work(options, files, proposer, recorded)
    workers = options.workers or options.threads or available_threads()
    with ExitStack() as stack:
        ledger = None
        done = expected = 0
        if options.out is not None:
            from .ledger import Ledger

            ledger = stack.enter_context(
                Ledger(options.out, _row_settings(options, files, recorded), options.overwrite)
            )
            done = ledger.rows
            expected = done + ledger.continued  # the stopped run may have drawn for one image more than it has rows
            if done and not options.quiet:
                print(f"continuing after {done} images", file=sys.stderr)
        if not options.overwrite:
            refuse_existing(path for group in paths[expected:] for path in group)
        progress = Progress(len(files) - done, "image", options.quiet)
        made_in_order = stack.enter_context(closing(in_order(propose_one, files[done:], workers)))
        statuses = []
        for count, (row, pictures) in enumerate(made_in_order, start=1):
            if row["status"] == "failed":
                if options.on_error == "fail":
                    raise DataError(row["code"], f"{row['message']} (stopped here, as --on-error fail asks)")
                progress.say(one_line(f"error: {row['code']}: {row['message']}"))
            for path, data in zip(paths[done + count - 1], pictures, strict=False):  # a failed image has none
                write_picture(path, data)
            if ledger is not None:
                ledger.append(row)
            elif sys.stdout.isatty():
                _print_table(row)
            else:
                print(json.dumps(row, separators=(",", ":")), flush=True)
            statuses.append(row["status"])
            progress.update(count)
        if ledger is not None:
            statuses = [row["status"] for row in ledger.read()]
            if options.format == "npz":
                from .proposal_arrays import write_arrays

                write_arrays(ledger.read(), ledger.path)
                ledger.drop()
            else:
                ledger.finish()
    return exit_status(statuses)


def _check(options: ProposeOptions) -> None:
    if options.format not in FORMATS:
        raise UsageError("FORMAT_UNKNOWN", f"--format {options.format}: known are {', '.join(FORMATS)}")
    if options.format != "jsonl" and options.out is None:
        raise UsageError("OUT_MISSING", f"--format {options.format} writes a file: say where with --out FILE")
    for name, allowed in (("truncated", ("fail", "salvage")), ("on_error", ("skip", "fail"))):
        if getattr(options, name) not in allowed:
            raise UsageError("FLAG_VALUE", f"--{name.replace('_', '-')}: known are {', '.join(allowed)}")
    for name in ("limit", "draw_top", "threads", "workers", "max_pixels"):
        value = getattr(options, name)
        if value is not None and value < 1:
            raise UsageError("FLAG_VALUE", f"--{name.replace('_', '-')} is at least 1")
    if options.draw is not None and options.draw.exists() and not options.draw.is_dir():
        raise UsageError("OUT_UNWRITABLE", f"--draw {options.draw} is not a folder")


def _row_settings(options: ProposeOptions, files: list[ImageFile], recorded: Path | None) -> dict[str, Any]:
    """What must be equal for a later run to continue this one."""
    from googlenet_rcnn.core.store import digest

    from .build import find_multibox

    free = {"images", "out", "draw", "draw_top", "overwrite", "on_error", "quiet", "threads", "workers"}
    settings = {key: value for key, value in asdict(options).items() if key not in free}
    if recorded is not None:
        settings["method"] = digest(recorded)
    elif options.method != "ss":
        settings["multibox_weights"] = digest(find_multibox(options.multibox_weights))
    return settings | {"files": [tuple(file) for file in files]}


def _proposer(options: ProposeOptions, recorded: Path | None) -> Proposer:
    """The proposer of the method; where a file has the boxes it is never asked, only its flags are checked."""
    from .build import build_proposer

    if recorded is None and "multibox" in options.method:
        import torch

        from googlenet_rcnn.backbone.engine import keep_freed_memory

        torch.set_num_threads(1)  # images are worked on side by side; and sums do not depend on the number
        keep_freed_memory()
    return build_proposer(
        options.method if recorded is None else "ss",
        engine=options.engine,
        preset=options.preset,
        superpixel_scale=options.superpixel_scale,
        seed=options.seed,
        multibox=options.multibox_weights,
        multibox_k=options.multibox_k,
        multibox_nms=options.multibox_nms,
        say=None if recorded else lambda message: None if options.quiet else print(message, file=sys.stderr),
    )


def _work(
    options: ProposeOptions, files: Sequence[ImageFile], proposer: Proposer, recorded: Path | None
) -> tuple[list[tuple[Path, ...]], Callable[[ImageFile], _Made]]:
    """The pictures' paths for each file, and a function from a file to its row and pictures."""
    from googlenet_rcnn.core.images import ImagePolicy, read_image

    from .proposal_pictures import picture_endings, png_pictures, search_in
    from .rows import failed_row, proposal_row

    search = search_in(proposer) if recorded is None else None
    source = ProposalSource(proposer, recorded)
    paths: list[tuple[Path, ...]] = [() for _ in files]
    if options.draw is not None:
        columns = [picture_paths(files, options.images, options.draw, ending) for ending in picture_endings(search)]
        paths = list(zip(*columns, strict=True))
    policy = ImagePolicy(
        max_pixels=options.max_pixels,
        truncated="salvage" if options.truncated == "salvage" else "fail",
        exif=options.exif,
    )

    def propose_one(file: ImageFile) -> _Made:
        started = time.perf_counter()
        try:
            decoded = read_image(file.path, policy)
            read = time.perf_counter()
            found = source.proposals(file, decoded.pixels)[: options.limit]
        except DataError as error:
            return _Made(failed_row(file, error, ("boxes", "scores", "sources")), [])
        times = {"decode": (read - started) * 1000, "propose": (time.perf_counter() - read) * 1000}
        row = proposal_row(file, found, times, decoded.warnings)
        if options.draw is None:
            return _Made(row, [])
        return _Made(row, png_pictures(decoded.pixels, found, search, options.draw_top))

    return paths, propose_one


def _print_table(row: dict[str, Any]) -> None:
    if row["status"] == "failed":
        return
    seconds = sum(row["ms"].values()) / 1000
    counts = ", ".join(f"{name} {count}" for name, count in Counter(row["sources"]).items())
    size = f"{row['width']}x{row['height']}"
    print(one_line(f"{row['path']}  {size}, {len(row['boxes'])} boxes ({counts or 'none'}), {seconds:.1f} s"))
    found = zip(row["boxes"], row["scores"], row["sources"], strict=True)
    for (x1, y1, x2, y2), score, source in list(found)[:_FIRST_BOXES]:
        print(one_line(f"  {source:<14} {score:.3f}   x {x1:.0f}..{x2:.0f}   y {y1:.0f}..{y2:.0f}"))
