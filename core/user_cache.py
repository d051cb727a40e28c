"""Where what can be made again is kept: a folder in the user's cache, if there is a place for one."""

import os
from pathlib import Path

__all__ = ["user_cache"]


def user_cache() -> Path:
    """The project's folder in XDG_CACHE_HOME, or else in ~/.cache; OSError for a user who has no home."""
    base = os.environ.get("XDG_CACHE_HOME")
    try:
        return (Path(base) if base else Path.home() / ".cache") / "googlenet-rcnn"
    except RuntimeError as error:  # a container's user that no list of users knows
        raise FileNotFoundError(2, "this user has no home folder; XDG_CACHE_HOME can name another place") from error
