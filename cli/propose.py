"""`propose`: images in, boxes that may hold objects out."""

import sys
from collections import Counter
from collections.abc import Generator, Iterable, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from googlenet_rcnn.core.errors import UsageError
from googlenet_rcnn.core.in_order import in_order
from googlenet_rcnn.core.types import Proposer

from .boundary import one_line
from .decoding import shared_decoder
from .image_loop import ImageLoop, Made, Makes, check_options, image_workers
from .inputs import ImageFile, find_images
from .pictures import picture_paths
from .proposal_source import ProposalSource, proposal_file

if TYPE_CHECKING:
    from .ledger import Ledger

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
    runtime: str = "auto"

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


def run_propose(options: ProposeOptions) -> int:
    """Proposes for every image, writes the rows where they are wanted, and returns the exit status."""

    def finish(ledger: "Ledger") -> None:
        if options.format == "npz":
            from .proposal_arrays import write_arrays

            write_arrays(ledger.read(), ledger.path)
            ledger.drop()
        else:
            ledger.finish()

    _check(options)
    files = find_images(options.images)
    recorded = proposal_file(options.method)
    if recorded is not None and options.out is not None and options.out.resolve() == recorded.resolve():
        raise UsageError("OUT_IS_INPUT", f"--out would overwrite the proposals {recorded}: choose another file")
    shared_decoder()
    proposer = _proposer(options, recorded)
    pictures, rows = _work(options, files, proposer, recorded)
    loop = ImageLoop(
        files=files,
        pictures=pictures,
        target=options.out,
        settings=lambda: _row_settings(options, files, recorded),
        table=_print_table,
        finish=finish,
    )
    return loop.run(rows, options)


def _check(options: ProposeOptions) -> None:
    if options.format not in FORMATS:
        raise UsageError("FORMAT_UNKNOWN", f"--format {options.format}: known are {', '.join(FORMATS)}")
    if options.format != "jsonl" and options.out is None:
        raise UsageError("OUT_MISSING", f"--format {options.format} writes a file: say where with --out FILE")
    check_options(options)
    for name in ("limit", "draw_top"):
        value = getattr(options, name)
        if value is not None and value < 1:
            raise UsageError("FLAG_VALUE", f"--{name.replace('_', '-')} is at least 1")


def _row_settings(options: ProposeOptions, files: list[ImageFile], recorded: Path | None) -> dict[str, Any]:
    """What must be equal for a later run to continue this one."""
    from googlenet_rcnn.api.build import find_multibox, proposal_runtimes
    from googlenet_rcnn.api.runtime import Runtime
    from googlenet_rcnn.core.store import digest

    free = {"images", "out", "draw", "draw_top", "overwrite", "on_error", "quiet", "threads", "workers"}
    settings = {key: value for key, value in asdict(options).items() if key not in free}
    if recorded is not None:
        return settings | {"method": digest(recorded), "files": [tuple(file) for file in files]}
    if options.method != "ss":
        settings["multibox_weights"] = digest(find_multibox(options.multibox_weights))
    runtime = Runtime(options.runtime, options.threads)
    settings["runtime"] = proposal_runtimes(options.method, options.multibox_weights, runtime)
    return settings | {"files": [tuple(file) for file in files]}


def _proposer(options: ProposeOptions, recorded: Path | None) -> Proposer:
    """The proposer of the method; where a file has the boxes it is never asked, only its flags are checked."""
    from googlenet_rcnn.api.build import build_proposer
    from googlenet_rcnn.api.runtime import Runtime

    def say(message: str) -> None:
        if not options.quiet:
            print(message, file=sys.stderr)

    return build_proposer(
        options.method if recorded is None else "ss",
        engine=options.engine,
        preset=options.preset,
        superpixel_scale=options.superpixel_scale,
        seed=options.seed,
        multibox=options.multibox_weights,
        multibox_k=options.multibox_k,
        multibox_nms=options.multibox_nms,
        runtime=Runtime(options.runtime, options.threads, say),
        say=None if recorded else say,
    )


def _work(
    options: ProposeOptions, files: Sequence[ImageFile], proposer: Proposer, recorded: Path | None
) -> tuple[list[tuple[Path, ...]], Makes]:
    """The pictures' paths for each file, and what makes rows and pictures of files."""
    import cv2

    from .draw.proposal_pictures import picture_endings, png_pictures, search_in
    from .preparation import Preparation, Prepared
    from .rows import proposal_row

    cv2.setNumThreads(1)  # images are worked on side by side
    search = search_in(proposer) if recorded is None else None
    paths: list[tuple[Path, ...]] = []
    if options.draw is not None:
        columns = [picture_paths(files, options.images, options.draw, ending) for ending in picture_endings(search)]
        paths = list(zip(*columns, strict=True))
    prepare = Preparation(ProposalSource(proposer, recorded), options, ("boxes", "scores", "sources"))

    def propose_one(file: ImageFile) -> Made:
        prepared = prepare(file)
        if not isinstance(prepared, Prepared):
            return prepared
        found = prepared.proposals[: options.limit]
        row = proposal_row(file, found, prepared.milliseconds, prepared.image.warnings)
        if options.draw is None:
            return Made(row)
        return Made(row, png_pictures(prepared.image.pixels, found, search, options.draw_top))

    def make(files: Iterable[ImageFile]) -> Generator[Made, None, None]:
        with closing(in_order(propose_one, files, image_workers(options))) as made:
            yield from made

    return paths, make


def _print_table(row: dict[str, Any]) -> None:
    seconds = sum(row["ms"].values()) / 1000
    counts = ", ".join(f"{name} {count}" for name, count in Counter(row["sources"]).items())
    size = f"{row['width']}x{row['height']}"
    print(one_line(f"{row['path']}  {size}, {len(row['boxes'])} boxes ({counts or 'none'}), {seconds:.1f} s"))
    found = zip(row["boxes"], row["scores"], row["sources"], strict=True)
    for (x1, y1, x2, y2), score, source in list(found)[:_FIRST_BOXES]:
        print(one_line(f"  {source:<14} {score:.3f}   x {x1:.0f}..{x2:.0f}   y {y1:.0f}..{y2:.0f}"))
