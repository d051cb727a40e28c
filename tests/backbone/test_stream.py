"""The stream of examples: every process its share, every step its parts, and nothing lost between them."""

import pickle

import numpy as np
import pytest
import torch
from tiny_task import Points, network

from googlenet_rcnn.backbone.processes import Processes
from googlenet_rcnn.backbone.stream import BatchStream, Collate, SeededExamples


def rows(count: int) -> list:
    """Numbered examples as they come out of a loader."""
    examples = SeededExamples(Points(), seed=3)
    return [examples[(index * 5 % 22, 100 + index)] for index in range(count)]


@pytest.mark.parametrize("parts", [1, 2, 3, 4, 7, 100])
@pytest.mark.parametrize("count", [1, 2, 5, 8])
def test_parts_put_together_are_the_whole(count: int, parts: int) -> None:
    task, given = Points(), rows(count)
    loaded = Collate(task, parts)(given)
    points, labels = task.batch([example for _, example in given])
    assert loaded.indices == [index for index, _ in given]
    assert torch.equal(torch.cat([part[0] for part in loaded.parts]), points)
    assert torch.equal(torch.cat([part[1] for part in loaded.parts]), labels)
    sizes = [len(part[1]) for part in loaded.parts]
    assert 1 <= len(sizes) <= parts
    assert all(size == sizes[0] for size in sizes[:-1])  # as large as each other, but the last
    assert 1 <= sizes[-1] <= sizes[0] == -(-count // parts)


@pytest.mark.parametrize("parts", [2, 3, 8])
def test_losses_and_gradients_of_the_parts_sum_to_those_of_the_whole(parts: int) -> None:
    task, module, given = Points(), network(0.0), rows(8)
    results = []
    for count in (1, parts):
        losses = [task.losses(module, part) for part in Collate(task, count)(given).parts]
        sums = {name: sum(one[name] for one in losses) for name in losses[0]}
        results.append([*sums.values(), *torch.autograd.grad(sum(sums.values()), module.parameters())])
    for whole, split in zip(*results, strict=True):
        torch.testing.assert_close(split, whole, rtol=1e-5, atol=1e-6)


def test_a_loading_process_collates_as_this_one_does() -> None:
    here, there = (Collate(Points(), 3), pickle.loads(pickle.dumps(Collate(Points(), 3))))
    for one, other in zip(here(rows(8)).parts, there(rows(8)).parts, strict=True):
        assert all(torch.equal(a, b) for a, b in zip(one, other, strict=True))


@pytest.mark.parametrize("count", [1, 2, 3])
def test_processes_share_each_step_between_them(count: int) -> None:
    whole = list(BatchStream(22, 8, 3, range(9), Processes()))
    shares = [list(BatchStream(22, 8, 3, range(9), Processes(rank=rank, count=count))) for rank in range(count)]
    for step, batch in enumerate(whole):
        assert sorted(row for share in shares for row in share[step]) == sorted(batch)
        assert min(len(share[step]) for share in shares) >= len(batch) // count


def test_every_epoch_holds_every_example_once_in_an_order_of_its_own() -> None:
    flat = [row for batch in BatchStream(22, 8, 3, range(11), Processes()) for row in batch]
    assert [position for _, position in flat] == list(range(88))
    epochs = [tuple(index for index, _ in flat[first : first + 22]) for first in range(0, 88, 22)]
    assert all(sorted(epoch) == list(range(22)) for epoch in epochs)
    assert len(set(epochs)) == 4
    # A later start is the same stream from there on.
    later = [row for batch in BatchStream(22, 8, 3, range(5, 11), Processes()) for row in batch]
    assert later == flat[40:]


def test_an_example_is_that_of_its_place_in_the_stream() -> None:
    examples = SeededExamples(Points(), seed=3)
    (index, (point, label)), (_, (again, _)), (_, (later, _)) = examples[4, 9], examples[4, 9], examples[4, 31]
    assert (index, label) == (4, Points().example(4, np.random.default_rng(0))[1])
    assert np.array_equal(point, again)
    assert not np.array_equal(point, later)
