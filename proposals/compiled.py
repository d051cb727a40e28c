"""The one place that meets numba: compiled functions keep their types and release the interpreter lock."""

from collections.abc import Callable
from typing import Any, TypeVar, cast

from numba import njit

__all__ = ["compiled", "compiled_exact_sums"]

Function = TypeVar("Function", bound=Callable[..., object])


def compiled(function: Function) -> Function:
    """The function as machine code, cached on disk; strict floating point, so results are repeatable."""
    return _cached(function, fastmath=False)


def compiled_exact_sums(function: Function) -> Function:
    """As `compiled`, but sums are taken in any order, several at a time.

    Only for sums of whole numbers that stay below 2**53, which are exact, so that every order gives the same.
    """
    return _cached(function, fastmath={"reassoc", "nnan", "nsz"})


def _cached(function: Function, **options: Any) -> Function:
    try:
        return cast(Function, njit(cache=True, nogil=True, **options)(function))
    except RuntimeError:  # neither the package's folder nor the user's cache can be written: compiled at each start
        return cast(Function, njit(nogil=True, **options)(function))
