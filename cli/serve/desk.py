"""Work for requests: so many are taken in, a few are worked on, and what nobody waits for is dropped."""

import asyncio
import math
import time
from collections import deque
from collections.abc import AsyncGenerator, Callable, Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager, suppress
from threading import Event
from typing import Any, TypeVar

from .refusal import Refusal

__all__ = ["Desk"]

T = TypeVar("T")


class Desk:
    """Threads that do the work of requests in turn; whoever comes when all places are taken is sent away."""

    def __init__(self, workers: int = 2, waiting: int = 8) -> None:
        self.places = workers + waiting
        self.taken = 0
        self._workers = workers
        self._pool = ThreadPoolExecutor(workers, thread_name_prefix="look")
        self._seconds: deque[float] = deque([1.0], maxlen=20)

    @contextmanager
    def place(self) -> Iterator[None]:
        """A place from before the body is read, which takes memory too; Refusal 429 when there is none."""
        if self.taken >= self.places:
            typical = sorted(self._seconds)[len(self._seconds) // 2]
            retry = math.ceil(typical * self.taken / self._workers)
            raise Refusal(429, "QUEUE_FULL", f"{self.taken} requests are waiting: try again in {retry} seconds", retry)
        self.taken += 1
        try:
            yield
        finally:
            self.taken -= 1

    async def run(self, work: Callable[[], Generator[T, None, None]]) -> AsyncGenerator[T, None]:
        """The values of a generator that runs in a thread; closing this one stops it at its next value.

        What waits in the queue and is closed is never begun.
        """
        loop = asyncio.get_running_loop()
        values: asyncio.Queue[tuple[str, Any]] = asyncio.Queue()
        stopped = Event()

        def tell(kind: str, value: Any = None) -> None:
            with suppress(RuntimeError):  # the loop has gone home
                loop.call_soon_threadsafe(values.put_nowait, (kind, value))

        def labour() -> None:
            started = time.monotonic()
            try:
                with closing(work()) as made:
                    for value in made:
                        if stopped.is_set():
                            return
                        tell("value", value)
                self._seconds.append(time.monotonic() - started)
                tell("end")
            except BaseException as error:  # whatever it is, it is the request's
                tell("error", error)

        future = self._pool.submit(labour)
        try:
            while True:
                kind, value = await values.get()
                if kind == "error":
                    raise value
                if kind == "end":
                    return
                yield value
        finally:
            stopped.set()
            future.cancel()

    def close(self) -> None:
        """Lets what is running end, and nothing else begin."""
        self._pool.shutdown(wait=False, cancel_futures=True)
