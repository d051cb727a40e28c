"""What the training commands share: a run folder with its recipe, a cache, processes, and what is said meanwhile."""

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from googlenet_rcnn.backbone.resuming import Resume, refuse_different
from googlenet_rcnn.core.errors import UsageError
from googlenet_rcnn.core.recipe import Settings, override
from googlenet_rcnn.core.store import lock, storage_error, write_json
from googlenet_rcnn.core.user_cache import user_cache

from ..progress import duration

if TYPE_CHECKING:
    from googlenet_rcnn.backbone.processes import Processes
    from googlenet_rcnn.backbone.training import Progress

__all__ = ["TrainingRun", "cache_or", "on_nan"]

S = TypeVar("S", bound=Settings)


def on_nan(settings: S, stages: tuple[str, ...], nan: str | None) -> S:
    """The settings with what the flag says that each stage does where a loss is no number."""
    if nan is None:
        return settings
    if nan not in ("stop", "rollback"):
        raise UsageError("FLAG_VALUE", f"--nan {nan}: known are stop, rollback")
    return type(settings).model_validate(override(settings.model_dump(), [f"{stage}.nan={nan}" for stage in stages]))


def cache_or(cache: Path | None, spare: Path, say: Callable[[str], None]) -> Path:
    """The folder for activations, there by now: the one that is asked for, the user's, or else the spare one.

    UsageError if a folder cannot be made that was asked for.
    """
    if cache is None:
        try:
            found = user_cache()
            found.mkdir(parents=True, exist_ok=True)
            if os.access(found, os.W_OK | os.X_OK):
                return found
        except OSError:
            pass
        say(f"note: the user's cache folder cannot be written, so activations are kept in {spare}")
    folder = cache or spare
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise storage_error(error, folder) from error
    return folder


@dataclass(frozen=True)
class TrainingRun:
    """The run of `settings` in the folder `out`; `stages` name the tables that are settings of a training loop,
    a table in a table as a.b."""

    settings: Settings
    stages: tuple[str, ...]
    out: Path
    cache: Path
    resume: Resume
    processes: "Processes"
    quiet: bool

    @classmethod
    def prepare(
        cls,
        settings: Settings,
        stages: tuple[str, ...],
        out: Path,
        cache: Path | None,
        *,
        resume: Resume,
        threads: int | None,
        quiet: bool,
    ) -> "TrainingRun":
        """Checks that the run may begin or go on, makes its folders and joins the processes of torchrun.

        UsageError if `out` holds a run and `resume` is not asked for, or if that run has another recipe.
        """
        import torch

        from googlenet_rcnn.backbone.engine_torch import keep_freed_memory
        from googlenet_rcnn.backbone.precision import lacks_bf16
        from googlenet_rcnn.backbone.processes import join_processes
        from googlenet_rcnn.core.threads import available_threads

        recipe = out / "recipe.json"
        if recipe.exists() and not resume:
            raise UsageError(
                "OUT_EXISTS", f"{out} holds a run already: continue it with --resume or choose another --out"
            )
        if recipe.exists() and resume == Resume.SAME:
            _compare(recipe, settings, stages)
        try:
            out.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise storage_error(error, out) from error
        place = cache_or(cache, out / "cache", lambda note: None if quiet else print(note, file=sys.stderr))
        processes = join_processes()
        torch.set_num_threads(threads or max(1, available_threads() // processes.count))
        keep_freed_memory()
        run = cls(settings, stages, out, place, resume, processes, quiet)
        if lacks_bf16(processes.device) and "'bf16'" in str(settings.model_dump()):
            run.say("note: this processor has no bf16, so that stages which ask for it are computed in fp32")
        return run

    def say(self, message: str) -> None:
        """One line on standard error, by the first process and unless all is to be quiet."""
        if self.processes.first and not self.quiet:
            print(message, file=sys.stderr, flush=True)

    def report(self, stage: str, progress: "Progress") -> None:
        """Says where a stage stands, every now and then."""
        if progress.step % 20 == 0 or progress.step in (1, 5, progress.steps):
            losses = ", ".join(f"{name} {value:.3f}" for name, value in progress.losses.items())
            left = duration(progress.seconds_left)
            self.say(f"{stage}: step {progress.step}/{progress.steps}, {losses}, rate {progress.rate:.2g}, {left} left")

    @contextmanager
    def begun(self) -> Iterator[None]:
        """Holds the run folder, and notes the recipe there."""
        if not self.processes.first:
            yield
            return
        with lock(self.out / ".lock"):
            write_json(self.out / "recipe.json", self.settings.model_dump(mode="json"))
            yield


def _compare(path: Path, settings: Settings, stages: tuple[str, ...]) -> None:
    """UsageError (RESUME_DIFFERS) unless a run goes on with its own recipe, but for what a stage may change."""
    from googlenet_rcnn.backbone.train_settings import FREE

    free: dict[str, Any] = {}
    for stage in stages:
        *tables, last = stage.split(".")
        table = free
        for name in tables:
            table = table.setdefault(name, {})
        table[last] = set(FREE)
    try:
        begun = type(settings).model_validate_json(path.read_bytes()).model_dump(exclude=free)
    except (OSError, ValueError):
        raise UsageError("RESUME_DIFFERS", f"{path} cannot be read: choose a new --out") from None
    refuse_different(path.parent, begun, settings.model_dump(exclude=free), Resume.SAME)
