"""Sharing a cache among processes; here threads stand for them."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
import torch

from googlenet_rcnn.backbone.processes import Processes, join_processes


class Cache:
    """Squares of numbers, each made by whoever first asks for it."""

    def __init__(self) -> None:
        self.made: dict[int, int] = {}
        self.makers: list[tuple[int, int]] = []

    def builder(self, rank: int):
        def build(numbers: Sequence[int]) -> Iterator[int]:
            for number in numbers:
                if number not in self.made:
                    self.makers.append((rank, number))
                    self.made[number] = number**2
                yield self.made[number]

        return build


def shared(count: int, numbers: Sequence[int], monkeypatch) -> tuple[Cache, list[list[int]], list[list[str]]]:
    """What `count` processes make together: the cache, what each got and what each said."""
    barrier, cache, said = Barrier(count, timeout=20), Cache(), [[] for _ in range(count)]
    monkeypatch.setattr(Processes, "wait", lambda self: barrier.wait())

    def share(rank: int) -> list[int]:
        return Processes(rank, count).share("squares", numbers, cache.builder(rank), said[rank].append)

    with ThreadPoolExecutor(count) as pool:
        return cache, list(pool.map(share, range(count))), said


@pytest.mark.parametrize("count", [1, 2, 3])
@pytest.mark.parametrize("length", [0, 1, 2, 7])
def test_each_makes_its_share_and_all_get_everything_in_order(monkeypatch, count, length) -> None:
    numbers = list(range(10, 10 + length))
    cache, got, said = shared(count, numbers, monkeypatch)
    assert got == [[number**2 for number in numbers]] * count
    assert sorted(number for _, number in cache.makers) == numbers  # each once
    assert all(rank == (number - 10) % count for rank, number in cache.makers)
    for rank, lines in enumerate(said):
        share = len(numbers[rank::count])
        assert lines == ([f"squares of {share} of {share} images"] if share else [])


def test_progress_is_told_every_hundred_images(monkeypatch) -> None:
    _, _, said = shared(2, range(500), monkeypatch)
    for lines in said:
        assert lines == [f"squares of {done} of 250 images" for done in (100, 200, 250)]


def test_a_failure_reaches_the_caller() -> None:
    def build(numbers: Sequence[int]) -> Iterator[int]:
        yield numbers[0]
        raise OSError("disk")

    with pytest.raises(OSError, match="disk"):
        Processes().share("squares", [1, 2], build, lambda text: None)


def test_alone_there_is_nothing_to_wait_for_or_to_add(monkeypatch) -> None:
    monkeypatch.delenv("WORLD_SIZE", raising=False)
    monkeypatch.delenv("RANK", raising=False)
    alone = join_processes()
    assert (alone, alone.first) == (Processes(0, 1), True)
    assert not Processes(1, 2).first
    tensor = torch.arange(3.0)
    alone.sum_([tensor])
    alone.wait()
    assert tensor.tolist() == [0, 1, 2]
    assert (alone.any(True), alone.any(False)) == (True, False)


@pytest.mark.parametrize(
    ("gpus", "local_rank", "device"), [(0, None, "cpu"), (0, "3", "cpu"), (1, None, "cuda:0"), (2, "3", "cuda:1")]
)
def test_each_process_has_a_gpu_of_its_own_where_there_are_any(monkeypatch, gpus, local_rank, device) -> None:
    monkeypatch.setattr(torch.cuda, "device_count", lambda: gpus)
    monkeypatch.delenv("LOCAL_RANK", raising=False)
    if local_rank is not None:
        monkeypatch.setenv("LOCAL_RANK", local_rank)
    assert Processes().device == device
