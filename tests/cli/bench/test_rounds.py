import pytest

from googlenet_rcnn.cli.bench.rounds import Rates, interleave


class Clock:
    """Stands still except while a work works."""

    def __init__(self):
        self.now = 0.0
        self.order = []

    def __call__(self):
        return self.now

    def work(self, name, seconds, amount=1.0):
        def run():
            self.order.append(name)
            self.now += seconds
            return amount

        return run


def test_works_take_turns_and_every_second_round_goes_backwards():
    clock = Clock()
    works = {name: clock.work(name, 1.0) for name in "abc"}
    rates = interleave(works, 7.0, at_least=1, clock=clock)
    assert "".join(clock.order) == "abc" + "abc" + "cba" + "abc"
    assert {name: len(one.rounds) for name, one in rates.items()} == {"a": 3, "b": 3, "c": 3}


def test_a_rate_is_what_was_done_in_the_time_it_took():
    clock = Clock()
    rates = interleave({"slow": clock.work("slow", 4.0, 8.0), "fast": clock.work("fast", 0.5, 8.0)}, 0, clock=clock)
    assert rates["slow"].rounds == (2.0, 2.0, 2.0)
    assert rates["fast"].rounds == (16.0, 16.0, 16.0)


def test_warming_up_is_not_in_the_rates():
    clock = Clock()
    seconds = iter([100.0, 1.0, 1.0])

    def work():
        clock.now += next(seconds)
        return 1.0

    assert interleave({"x": work}, 0, at_least=2, clock=clock)["x"].rounds == (1.0, 1.0)


def test_the_time_is_kept_once_there_are_enough_rounds():
    clock = Clock()
    assert len(interleave({"x": clock.work("x", 10.0)}, 35.0, clock=clock)["x"].rounds) == 4
    assert len(interleave({"x": clock.work("x", 10.0)}, 0.0, at_least=5, clock=clock)["x"].rounds) == 5


def test_nothing_to_measure_ends_at_once():
    assert interleave({}, 10.0) == {}


def test_what_goes_on_is_told():
    clock, lines = Clock(), []
    interleave({"x": clock.work("x", 1.0)}, 0, at_least=2, clock=clock, say=lines.append)
    assert lines == ["warming up x", "round 1", "round 2"]


@pytest.mark.parametrize(("rounds", "median", "best"), [((3.0, 1.0, 2.0), 2.0, 3.0), ((1.0, 4.0), 2.5, 4.0)])
def test_median_and_best(rounds, median, best):
    rates = Rates(rounds)
    assert (rates.median, rates.best) == (median, best)
