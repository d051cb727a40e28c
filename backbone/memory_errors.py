"""What a run says where memory ran out."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import torch

from googlenet_rcnn.core.errors import ResourceError

__all__ = ["memory_errors"]


@contextmanager
def memory_errors(folder: Path, batch: int, accumulate: int, workers: int) -> Iterator[None]:
    """ResourceError where memory ran out, with the way to go on; what was saved is whole."""
    try:
        yield
    except RuntimeError as error:
        if "DataLoader worker" in str(error):
            raise ResourceError(
                "WORKER_DIED", "a process that loads examples died, perhaps for want of memory or of shared memory "
                f"(docker: --shm-size 1g): --resume continues {folder}; take a lower `workers` than {workers}"
            ) from error  # fmt: skip
        if isinstance(error, torch.OutOfMemoryError) or "can't allocate memory" in str(error):
            more = 2 * accumulate
            raise ResourceError(
                "OUT_OF_MEMORY", f"a batch of {batch} in {accumulate} parts needs too much memory: "
                f"--resume with `accumulate` = {more} continues {folder} and gives the same result"
            ) from error  # fmt: skip
        raise
