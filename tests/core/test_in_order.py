import threading
import time

import pytest

from googlenet_rcnn.core.in_order import in_order


@pytest.mark.parametrize("workers", [1, 2, 5])
def test_results_come_in_the_order_of_the_items(workers):
    def slow_first(number):
        time.sleep(0.02 if number % 3 == 0 else 0)
        return number * number

    assert list(in_order(slow_first, range(12), workers)) == [number * number for number in range(12)]
    assert list(in_order(slow_first, [], workers)) == []


def test_as_many_work_at_once_as_there_are_workers():
    together = threading.Barrier(3, timeout=20)
    assert sorted(in_order(lambda number: together.wait(), range(3), 3)) == [0, 1, 2]


@pytest.mark.parametrize("workers", [1, 3])
def test_no_more_than_two_items_a_worker_are_begun_ahead(workers):
    begun = []
    results = in_order(begun.append, range(100), workers)
    next(results)
    assert len(begun) <= 2 * workers
    results.close()
    assert len(begun) <= 2 * workers


@pytest.mark.parametrize("ahead", [1, 2, 3, 7])
def test_so_many_items_are_begun_before_they_are_given(ahead):
    """While one result is in the caller's hands, all but one of those allowed are under way."""
    begun = []
    settled = threading.Semaphore(0)

    def work(number):
        begun.append(number)
        settled.release()
        return number

    results = in_order(work, range(20), 3, ahead)
    for given in range(1, 6):
        assert next(results) == given - 1
        for _ in range(ahead if given == 1 else 1):
            assert settled.acquire(timeout=20)
        assert len(begun) == given + ahead - 1
    results.close()
    assert len(begun) == 5 + ahead - 1


def test_items_are_taken_no_earlier_than_they_are_begun():
    taken = []
    items = (taken.append(number) or number for number in range(100))
    results = in_order(abs, items, 2, ahead=2)
    assert (next(results), taken) == (0, [0, 1])
    assert (next(results), taken) == (1, [0, 1, 2])
    results.close()


@pytest.mark.parametrize("workers", [1, 3])
@pytest.mark.parametrize("fault", [ValueError, KeyboardInterrupt])
def test_fault_is_raised_in_its_turn_and_ends_the_work(workers, fault):
    begun = []

    def work(number):
        begun.append(number)
        if number == 2:
            raise fault
        return number

    results = in_order(work, range(100), workers)
    assert [next(results), next(results)] == [0, 1]
    with pytest.raises(fault):
        next(results)
    assert len(begun) <= 2 + 2 * workers


def test_closing_waits_for_what_is_under_way_and_begins_nothing_new():
    begun, ended = [], []

    def work(number):
        begun.append(number)
        time.sleep(0.05)
        ended.append(number)

    results = in_order(work, range(100), 2)
    next(results)
    results.close()
    assert sorted(begun) == sorted(ended)
    assert len(begun) <= 4
