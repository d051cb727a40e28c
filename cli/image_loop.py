"""Images in, rows out: what every command over images does around its own work on one of them."""

import json
import sys
from collections.abc import Callable, Generator, Iterable, Sequence
from contextlib import AbstractContextManager, ExitStack, closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from googlenet_rcnn.core.errors import DataError, UsageError
from googlenet_rcnn.core.threads import available_threads

from .boundary import one_line
from .inputs import ImageFile
from .pictures import refuse_existing, write_picture
from .progress import Progress
from .rows import exit_status

if TYPE_CHECKING:
    from .ledger import Ledger

__all__ = ["ImageLoop", "LoopOptions", "Made", "Makes", "check_options", "image_workers"]


class LoopOptions(Protocol):
    """The flags that commands over images share."""

    @property
    def draw(self) -> Path | None:
        """Folder for pictures."""

    @property
    def overwrite(self) -> bool:
        """Whether outputs that exist are replaced."""

    @property
    def truncated(self) -> str:
        """`fail` or `salvage` a cut image file."""

    @property
    def max_pixels(self) -> int:
        """Pixels of the largest image that is read."""

    @property
    def on_error(self) -> str:
        """`skip` an unreadable image or `fail`."""

    @property
    def quiet(self) -> bool:
        """No progress and no notes."""

    @property
    def threads(self) -> int | None:
        """Processor threads; None is all that are available."""

    @property
    def workers(self) -> int | None:
        """Images prepared at a time; None is one for each thread."""


class Made(NamedTuple):
    """The row of an image, its encoded pictures, and what a page shows of it; all are written when it is their turn."""

    row: dict[str, Any]
    pictures: Sequence[bytes] = ()
    exhibit: dict[str, Any] | None = None


Makes = Callable[[Iterable[ImageFile]], Generator[Made, None, None]]
"""What a command makes of image files, in their order; closing the generator ends its threads."""


def check_options(options: LoopOptions) -> None:
    """UsageError for a shared flag with an impossible value."""
    for name, allowed in (("truncated", ("fail", "salvage")), ("on_error", ("skip", "fail"))):
        if getattr(options, name) not in allowed:
            raise UsageError("FLAG_VALUE", f"--{name.replace('_', '-')}: known are {', '.join(allowed)}")
    for name in ("threads", "workers", "max_pixels"):
        value = getattr(options, name)
        if value is not None and value < 1:
            raise UsageError("FLAG_VALUE", f"--{name.replace('_', '-')} is at least 1")
    if options.draw is not None and options.draw.exists() and not options.draw.is_dir():
        raise UsageError("OUT_UNWRITABLE", f"--draw {options.draw} is not a folder")


def image_workers(options: LoopOptions) -> int:
    """How many images are worked on at a time."""
    return options.workers or options.threads or available_threads()


@dataclass(frozen=True)
class ImageLoop:
    """The way of images into rows: on the terminal as `table`s, on a pipe, or in the ledger of `target`.

    A ledger with equal `settings` is continued. Each file's `pictures` are written just before its row, so that a
    run that is stopped has drawn for one image more than it has rows, at most. `finish` makes the final output of a
    full ledger. A `page` shows all images of this run, so it cannot continue another.
    """

    files: Sequence[ImageFile]
    pictures: Sequence[Sequence[Path]]
    target: Path | None
    settings: Callable[[], dict[str, Any]]
    table: Callable[[dict[str, Any]], None]
    finish: Callable[["Ledger"], None]
    page: "AbstractContextManager[Callable[[Made], None]] | None" = None

    def run(self, makes: Makes, options: LoopOptions) -> int:
        """Makes what is not yet made and gives the exit status; DataError at a bad image with `--on-error fail`."""
        with ExitStack() as stack:
            ledger = None
            done = expected = 0
            if self.target is not None:
                from .ledger import Ledger

                ledger = stack.enter_context(Ledger(self.target, self.settings(), options.overwrite))
                done = ledger.rows
                expected = done + ledger.continued
                if done and not options.quiet:
                    print(f"continuing after {done} images", file=sys.stderr)
            if done and self.page is not None:
                reason = f"{self.target} is half done, and the report would lack its first {done} images"
                raise UsageError("REPORT_CONTINUED", f"{reason}: finish without --report, or say --overwrite")
            show = None if self.page is None else stack.enter_context(self.page)
            if not options.overwrite:
                drawn = {path for paths in self.pictures[:expected] for path in paths}  # a file may be named twice
                refuse_existing(path for paths in self.pictures for path in paths if path not in drawn)
            progress = Progress(len(self.files) - done, "image", options.quiet)
            made = stack.enter_context(closing(makes(self.files[done:])))
            statuses = []
            for count, one in enumerate(made, start=1):
                row, pictures = one.row, one.pictures
                if row["status"] == "failed":
                    if options.on_error == "fail":
                        raise DataError(row["code"], f"{row['message']} (stopped here, as --on-error fail asks)")
                    progress.say(one_line(f"error: {row['code']}: {row['message']}"))
                if pictures:  # a failed image has none
                    for path, data in zip(self.pictures[done + count - 1], pictures, strict=True):
                        write_picture(path, data)
                if show is not None:
                    show(one)
                self._put(row, ledger)
                statuses.append(row["status"])
                progress.update(count)
            if ledger is not None:
                statuses = [row["status"] for row in ledger.read()]
                self.finish(ledger)
        return exit_status(statuses)

    def _put(self, row: dict[str, Any], ledger: "Ledger | None") -> None:
        if ledger is not None:
            ledger.append(row)
        elif not sys.stdout.isatty():
            print(json.dumps(row, separators=(",", ":")), flush=True)
        elif row["status"] == "ok":
            self.table(row)
