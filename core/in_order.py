"""Work on several items at a time, with the results in the order of the items."""

from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

__all__ = ["in_order"]

Item = TypeVar("Item")
Result = TypeVar("Result")


def in_order(
    function: Callable[[Item], Result], items: Iterable[Item], workers: int, ahead: int | None = None
) -> Generator[Result, None, None]:
    """The function's results in order, made by so many threads.

    At most `ahead` items, by default two a thread, are begun and not yet given. What a function raises is raised in
    its turn. Closing the iterator waits for what is under way only. A single worker is the caller itself, and begins
    nothing before it is asked for.
    """
    if workers == 1:
        yield from map(function, items)
        return
    most = 2 * workers if ahead is None else ahead
    waiting: deque[Future[Result]] = deque()
    with ThreadPoolExecutor(workers) as pool:
        try:
            for item in items:
                waiting.append(pool.submit(function, item))
                if len(waiting) >= most:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()
