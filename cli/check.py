"""`check`: what is wrong with a data set, file by file, and a copy in which it is mended."""

import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from googlenet_rcnn.core.errors import DataError, Exit, UsageError
from googlenet_rcnn.core.threads import available_threads

from .progress import Progress

if TYPE_CHECKING:
    from googlenet_rcnn.datasets.check import Check
    from googlenet_rcnn.datasets.tree import Layout

__all__ = ["CheckOptions", "run_check"]


@dataclass(frozen=True)
class CheckOptions:
    """The flags of `check`."""

    data: Path
    splits: tuple[str, ...] = ()
    images: bool = True
    as_json: bool = False
    out: Path | None = None
    everything: bool = False
    strict: bool = False
    fix: Path | None = None
    placing: str = "copy"
    overwrite: bool = False
    threads: int | None = None
    quiet: bool = False


def run_check(options: CheckOptions) -> int:
    """Prints what was found; Exit.DATA if there are errors, with --fix if the copy has any."""
    from googlenet_rcnn.core.store import write_json
    from googlenet_rcnn.eval.output_file import refuse_existing

    from .check_report import check_json, check_lines, count_line, level_counts

    if options.threads is not None and options.threads < 1:
        raise UsageError("FLAG_VALUE", "--threads is at least 1")
    if options.out is not None:
        refuse_existing(options.out, options.overwrite)
    layout = _recognised(options.data)
    splits = _splits(layout, options)
    if options.fix is not None:
        _refuse_fix(layout, splits, options)
    found = _check(layout, splits, options)
    if options.out is not None:
        write_json(options.out, check_json(found, options.data))
    if options.as_json:
        print(json.dumps(check_json(found, options.data), indent=2))
    else:
        for line in check_lines(found, options.data, options.everything):
            print(line)
    if options.fix is not None:
        from .mend import mend

        said = sys.stderr if options.as_json else sys.stdout
        mend(found, options.fix, options.placing, options.overwrite, lambda line: print(line, file=said))
        copy = _recognised(options.fix)
        found = _check(copy, [name for name in splits if name in copy.splits()], options)
        print(f"{options.fix} checked: {count_line(found)} left", file=said)
        if level_counts(found)["error"]:
            for line in check_lines(found, options.fix, options.everything):
                print(line, file=said)
    counts = level_counts(found)
    return Exit.DATA if counts["error"] or (options.strict and counts["warning"]) else Exit.OK


def _recognised(data: Path) -> "Layout":
    """The layout of a data set that is annotated, or of a folder per class."""
    from googlenet_rcnn.datasets.class_folders import folder_splits, read_folders
    from googlenet_rcnn.datasets.tree import Layout, recognise

    try:
        return recognise(data)
    except DataError as error:
        splits = folder_splits(data) if error.code == "DATA_UNRECOGNISED" and data.is_dir() else []
        if not splits:
            raise
    return Layout("folders", lambda: splits, lambda split, notes: read_folders(data, split, notes))


def _splits(layout: "Layout", options: CheckOptions) -> list[str]:
    from googlenet_rcnn.datasets.check import choose_splits

    if names := choose_splits(layout, options.splits):
        return names
    raise DataError("SPLIT_MISSING", f"{options.data}: {layout.title}, but no split: add a list or folder of one")


def _refuse_fix(layout: "Layout", splits: list[str], options: CheckOptions) -> None:
    """UsageError if the copy cannot be made."""
    from googlenet_rcnn.datasets.layout_writer import KINDS, refuse_taken

    from .written_data import check_target

    if options.fix is None:
        return
    if not options.images:
        raise UsageError("FLAG_VALUE", "--fix looks at the pictures: leave --no-images out")
    if layout.kind not in KINDS:
        raise UsageError("FIX_UNSUPPORTED", f"--fix does not write {layout.title}; use convert, then --fix")
    check_target(options.fix, options.data, options.placing)
    refuse_taken(layout.kind, options.fix, splits, options.overwrite)


def _check(layout: "Layout", splits: list[str], options: CheckOptions) -> "Check":
    from googlenet_rcnn.datasets.check import check_dataset

    progress: list[Progress] = []

    def told(done: int, total: int) -> None:
        if not progress:
            progress.append(Progress(total, "picture", options.quiet))
        progress[0].update(done)

    return check_dataset(layout, splits, options.images, options.threads or available_threads(), told)
