"""Places and threads of the server's work: fault 93 from the inside."""

import asyncio
import threading

import pytest

from googlenet_rcnn.cli.serve.desk import Desk
from googlenet_rcnn.cli.serve.refusal import Refusal


def test_values_come_in_order_and_errors_in_their_turn():
    def work():
        yield 1
        yield 2
        raise KeyError("three")

    seen = []

    async def all_of_it():
        async for value in Desk().run(work):
            seen.append(value)

    with pytest.raises(KeyError, match="three"):
        asyncio.run(all_of_it())
    assert seen == [1, 2]


def test_places_are_given_out_and_taken_back():
    desk = Desk(workers=1, waiting=1)
    with desk.place(), desk.place():
        with pytest.raises(Refusal) as refused, desk.place():
            pass
        assert (refused.value.status, refused.value.code) == (429, "QUEUE_FULL")
        assert refused.value.retry >= 1
        assert desk.taken == 2
    with desk.place():
        assert desk.taken == 1
    assert desk.taken == 0


def test_a_place_is_taken_back_after_a_fault():
    desk = Desk(1, 0)
    with pytest.raises(ValueError), desk.place():
        raise ValueError
    with desk.place():
        pass


def test_what_is_closed_stops_at_its_next_value_and_lets_others_work():
    desk, first, begun = Desk(workers=1), threading.Event(), []

    def long():
        try:
            yield "first"
            first.wait(30)
            begun.append("second value")
            yield "second"
            begun.append("third value")
        finally:
            begun.append("closed")

    async def leave():
        stream = desk.run(long)
        assert await anext(stream) == "first"
        await stream.aclose()
        first.set()
        return [value async for value in desk.run(lambda: iter_of("next"))]

    assert asyncio.run(leave()) == ["next"]
    assert begun == ["second value", "closed"]


def iter_of(*values):
    yield from values


def test_what_waits_and_is_closed_is_never_begun():
    desk, opened, begun = Desk(workers=1), threading.Event(), []

    def blocking():
        opened.wait(30)
        yield "done"

    def never():
        begun.append(True)
        yield

    async def leave():
        ahead = asyncio.ensure_future(anext(desk.run(blocking)))
        behind = asyncio.ensure_future(anext(desk.run(never)))
        await asyncio.sleep(0.05)
        behind.cancel()
        await asyncio.wait({behind})
        opened.set()
        await ahead
        return [value async for value in desk.run(lambda: iter_of("after"))]

    assert asyncio.run(leave()) == ["after"]
    assert begun == []


def test_a_desk_that_is_closed_begins_nothing():
    desk = Desk()
    desk.close()

    async def ask():
        return [value async for value in desk.run(lambda: iter_of(1))]

    with pytest.raises(RuntimeError):
        asyncio.run(ask())
