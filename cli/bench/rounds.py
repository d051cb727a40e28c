"""Several things measured in turns, so that what else the machine does at the time falls on all of them."""

import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

__all__ = ["Rates", "interleave"]


@dataclass(frozen=True)
class Rates:
    """What was done per second in each round."""

    rounds: tuple[float, ...]

    @property
    def median(self) -> float:
        """The middle of the rounds."""
        return statistics.median(self.rounds)

    @property
    def best(self) -> float:
        """The fastest round: nearest to the machine at rest."""
        return max(self.rounds)


def interleave(
    works: Mapping[str, Callable[[], float]],
    seconds: float,
    at_least: int = 3,
    clock: Callable[[], float] = time.perf_counter,
    say: Callable[[str], None] | None = None,
) -> dict[str, Rates]:
    """Rates of works, each of which does something and returns how much it was.

    Each runs once for warming up, then all run one after another, round upon round, backwards in every second one,
    until `seconds` are over and there have been `at_least` so many rounds.
    """
    for name, work in works.items():
        if say is not None:
            say(f"warming up {name}")
        work()
    rates: dict[str, list[float]] = {name: [] for name in works}
    end = clock() + seconds
    count = 0
    while works and (count < at_least or clock() < end):
        for name in list(works) if count % 2 == 0 else reversed(list(works)):
            begin = clock()
            amount = works[name]()
            rates[name].append(amount / (clock() - begin))
        count += 1
        if say is not None:
            say(f"round {count}")
    return {name: Rates(tuple(values)) for name, values in rates.items()}
