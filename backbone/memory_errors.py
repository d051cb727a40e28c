"""What a run does and says where memory ran out."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import torch

from googlenet_rcnn.core.errors import ResourceError, lacks_memory

__all__ = ["memory_errors", "more_parts"]


def more_parts(parts: int, share: int, folder: Path) -> int:
    """Into how many parts `share` examples are cut once they were too many; ResourceError if they are alone already."""
    if parts >= share:
        raise ResourceError(
            "OUT_OF_MEMORY", "one example at a time needs more memory than there is: take smaller crops, fewer "
            f"--threads or another machine; --resume continues {folder}"
        )  # fmt: skip
    if torch.cuda.is_initialized():  # type: ignore[no-untyped-call]
        torch.cuda.empty_cache()  # what is free lies in pieces of the wrong size
    return min(2 * parts, share)


@contextmanager
def memory_errors(folder: Path, workers: int) -> Iterator[None]:
    """ResourceError where memory ran out outside of a batch, with the way to go on; what was saved is whole."""
    try:
        yield
    except Exception as error:
        if isinstance(error, RuntimeError) and "DataLoader worker" in str(error):
            raise ResourceError(
                "WORKER_DIED", "a process that loads examples died, perhaps for want of memory or of shared memory "
                f"(docker: --shm-size 1g): --resume continues {folder}; take a lower `workers` than {workers}"
            ) from error  # fmt: skip
        if lacks_memory(error):
            raise ResourceError(
                "OUT_OF_MEMORY", f"memory ran out between batches: free some, and --resume continues {folder}"
            ) from error  # fmt: skip
        raise
