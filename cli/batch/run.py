"""`batch`: millions of images in, a folder of Parquet tables out; what a kill interrupts is continued."""

import os
import sys
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from uuid import uuid4

from googlenet_rcnn.core.errors import DataError, ResourceError, UsageError

from ..detect import DetectOptions, check_detection, row_settings
from ..progress import Progress
from ..rows import exit_status
from .inputs import batch_images, write_inputs
from .on_ray import Cluster, load_ray, make_parts
from .output import BatchOutput, open_output
from .parts import PartSummary, total
from .tables import expand_tables, is_table
from .worker import Job

__all__ = ["BatchOptions", "run_batch"]

_LEAST_STORE = 80  # MiB; Ray refuses less than 75 MB


@dataclass(frozen=True)
class BatchOptions:
    """What `detect` would be told, where the parts go, and who makes them."""

    detect: DetectOptions
    out: Path
    cluster: Cluster
    part_size: int = 200


def run_batch(options: BatchOptions) -> int:
    """Makes the parts that are not there yet, says what is in all of them, and returns the exit status."""
    _check(options)
    load_ray(options.cluster.address)
    with open_output(options.out, options.detect.overwrite) as output:
        inputs = write_inputs(output.new_inputs, batch_images(options.detect.images), options.part_size)
        if not inputs.images:
            raise DataError("NO_IMAGES", f"no image found in {', '.join(options.detect.images)}")
        detect = _as_workers_do(options)
        settings = row_settings(detect)
        output.begin(settings, inputs, options.part_size)
        parts = output.finished_parts()
        left = [part for part in range(output.parts) if part not in parts]
        if left:
            job = Job(
                options=_named(detect, settings["runtime"]),
                weights=tuple(settings["weights"]),
                runtimes=tuple(settings["runtime"]),
                folder=options.out.absolute(),
                directory=Path.cwd(),
                part_size=options.part_size,
                mark=output.mark,
                run=uuid4().hex,
            )
            _make(output, job, left, options, parts)
            parts = output.finished_parts()
            if lost := output.parts - len(parts):
                raise ResourceError("PARTS_LOST", f"{lost} parts are gone from {options.out}: give the command again")
        summary = total(parts.values())
        output.finish(summary)
    if summary.failed:
        codes = ", ".join(f"{code} {count}" for code, count in summary.codes.items())
        _say(options, f"note: {summary.failed} of {summary.images} images failed ({codes}); their rows say why")
    return exit_status([*["ok"] * (summary.failed < summary.images), *["failed"] * (summary.failed > 0)])


def _make(output: BatchOutput, job: Job, left: list[int], options: BatchOptions, parts: dict[int, PartSummary]) -> None:
    """Has the parts made that are `left` beside those that are there."""
    if parts:
        _say(options, f"continuing after {total(parts.values()).images} images")
    progress = Progress(sum(map(output.images_of, left)), "image", options.detect.quiet)
    images = failed = 0
    with closing(make_parts(job, left, options.cluster)) as made:
        for _, summary in made:
            images, failed = images + summary.images, failed + summary.failed
            progress.update(images, f"{failed} failed" if failed else "")


def _as_workers_do(options: BatchOptions) -> DetectOptions:
    """The options from which `auto` comes to the runtime of the workers, be there a GPU on this machine or not."""
    if options.cluster.gpus and options.detect.runtime == "auto":
        return replace(options.detect, runtime="torch")
    if not options.cluster.gpus:
        os.environ["CUDA_VISIBLE_DEVICES"] = ""  # what Ray tells workers without a GPU
    return options.detect


def _named(options: DetectOptions, runtimes: list[str]) -> DetectOptions:
    """The options with the runtime by name, if it is one for all networks, so that no worker measures again."""
    from googlenet_rcnn.backbone.engine_choice import RUNTIMES

    one = len(set(runtimes)) == 1 and runtimes[0] in RUNTIMES
    return replace(options, runtime=runtimes[0]) if one else options


def _check(options: BatchOptions) -> None:
    check_detection(options.detect)
    cluster = options.cluster
    if min(options.part_size, cluster.workers, cluster.cpus) < 1 or cluster.gpus < 0:
        raise UsageError("FLAG_VALUE", "--part-size, --workers and --cpus-per-worker are at least 1, GPUs at least 0")
    if cluster.object_store_mb < _LEAST_STORE:
        raise UsageError("FLAG_VALUE", f"--object-store-mb is at least {_LEAST_STORE}, or Ray does not start")
    for argument in filter(is_table, options.detect.images):
        if any(Path(table).resolve().parent == options.out.resolve() for table in expand_tables(argument)):
            raise UsageError("OUT_IN_INPUT", f"--out {options.out} holds tables of {argument}: choose another")


def _say(options: BatchOptions, line: str) -> None:
    if not options.detect.quiet:
        print(line, file=sys.stderr)
