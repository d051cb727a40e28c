"""Errors that a user can mend: each carries a stable code and belongs to one exit status."""

from enum import IntEnum

__all__ = [
    "DataError",
    "Exit",
    "ImageError",
    "ModelError",
    "ProjectError",
    "ResourceError",
    "UsageError",
    "lacks_memory",
]

_LACKING = ("allocate memory", "out of memory", "bad_alloc", "bad allocation")


class Exit(IntEnum):
    """Exit status of every command."""

    OK = 0
    INTERNAL = 1
    USAGE = 2
    DATA = 3
    PARTIAL = 4
    RESOURCE = 5
    INTERRUPTED = 130


class ProjectError(ValueError):
    """A fault with a stable `code` and a one-line message: what, where, how to mend."""

    exit = Exit.INTERNAL

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message

    def __reduce__(self) -> tuple[type["ProjectError"], tuple[str, str]]:
        # Worker processes send errors home by pickling them.
        return type(self), (self.code, self.message)

    def __str__(self) -> str:
        return f"{self.code}: {self.message}"


class UsageError(ProjectError):
    """A wrong flag, recipe key or combination of settings."""

    exit = Exit.USAGE


class DataError(ProjectError):
    """Input data that cannot be used: annotations, lists, result files."""

    exit = Exit.DATA


class ImageError(DataError):
    """One image that cannot be read; the others go on."""


class ModelError(ProjectError):
    """A weights file that is missing, damaged or at odds with its card."""

    exit = Exit.DATA


class ResourceError(ProjectError):
    """Memory, disk or time ran out."""

    exit = Exit.RESOURCE


def lacks_memory(error: BaseException) -> bool:
    """Whether an error tells that memory ran out: in words of Python, PyTorch (CPU or GPU) or an inference runtime."""
    return isinstance(error, MemoryError) or (
        isinstance(error, Exception)
        and not isinstance(error, ProjectError | OSError)
        and any(words in str(error) for words in _LACKING)
    )
