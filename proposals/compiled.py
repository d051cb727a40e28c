"""The one place that meets numba: compiled functions keep their types and release the interpreter lock."""

from collections.abc import Callable
from typing import TypeVar, cast

from numba import njit

__all__ = ["compiled"]

Function = TypeVar("Function", bound=Callable[..., object])


def compiled(function: Function) -> Function:
    """The function as machine code, cached on disk; strict floating point, so results are repeatable."""
    return cast(Function, njit(cache=True, nogil=True, fastmath=False)(function))
