"""How a request ends: in its row, or told to come back, to hurry, to be smaller; never in silence (faults 92, 93)."""

import asyncio

import pytest
from served import ADDRESS, Gate, application, ask, client, flat

PNG = {"content-type": "image/png"}


def run(coroutine):
    return asyncio.run(asyncio.wait_for(coroutine, 60))


async def until(condition):
    while not condition():
        await asyncio.sleep(0.01)


def test_a_full_queue_says_when_to_come_back_and_health_still_answers():
    gate = Gate()
    app = application(gate, workers=1, waiting=1)

    async def crowd():
        async with client(app) as asking:
            taken = [
                asyncio.ensure_future(asking.post("/api/detect", content=flat("red"), headers=PNG)) for _ in range(2)
            ]
            await until(lambda: gate.came == 1)
            refused = await asking.post("/api/detect", content=flat("red"), headers=PNG)
            health = await asking.get("/health")  # while every thread is held up
            gate.opened.set()
            return refused, health, await asyncio.gather(*taken), await asking.get("/health")

    refused, health, served, after = run(crowd())
    assert (refused.status_code, refused.json()["code"]) == (429, "QUEUE_FULL")
    assert int(refused.headers["retry-after"]) >= 1
    assert health.json() == {"status": "ok", "requests": 2, "places": 2}
    assert [one.status_code for one in served] == [200, 200]
    assert after.json()["requests"] == 0


@pytest.mark.parametrize("path", ["/api/detect", "/api/look"])
def test_what_takes_too_long_is_told_and_given_up(path):
    gate = Gate()
    assert ask(application(), content=flat("red")).status_code == 200  # the process that decodes is there
    app = application(gate, workers=1, limits={"deadline": 1.0})
    answer = ask(app, path, flat("red"))
    gate.opened.set()
    if path == "/api/detect":
        assert (answer.status_code, answer.json()["code"]) == (504, "DEADLINE")
    else:  # the first line was sent already
        assert '"code":"DEADLINE"' in answer.text.splitlines()[-1]
    assert ask(app, "/health", method="GET").json()["requests"] == 0


def scope(headers=(), path="/api/detect"):
    pairs = {"host": "127.0.0.1:8014", "content-type": "image/png"} | dict(headers)
    raw = [(name.encode(), value.encode()) for name, value in pairs.items()]
    return {
        "type": "http", "method": "POST", "path": path, "raw_path": path.encode(), "query_string": b"", "headers": raw,
        "http_version": "1.1", "scheme": "http", "server": ("127.0.0.1", 8014), "client": ("127.0.0.1", 1),
        "root_path": "",
    }  # fmt: skip


async def drive(app, parts, headers=(), path="/api/detect"):
    """Sends parts of a body (a number is a pause, None hangs up) and gives what is sent back."""
    sent, coming = [], iter(parts)

    async def receive():
        for part in coming:
            if part is None:
                return {"type": "http.disconnect"}
            if isinstance(part, float):
                await asyncio.sleep(part)
                continue
            return {"type": "http.request", "body": part, "more_body": True}
        await asyncio.sleep(3600)

    async def send(message):
        sent.append(message)

    await app(scope(headers, path), receive, send)
    return sent


def status(sent):
    return next((one["status"] for one in sent if one["type"] == "http.response.start"), None)


def test_a_body_that_says_it_is_too_large_is_refused_before_it_is_read():
    sent = run(drive(application(), [], {"content-length": str(2**40)}))
    assert status(sent) == 413


def test_a_body_that_does_not_say_so_is_cut_off_where_it_is():
    taken = []

    def endless(limit):
        while len(taken) < 3 * limit // 65_536:
            taken.append(1)
            yield b"x" * 65_536
        yield None

    assert status(run(drive(application(limits={"bytes": 2**20}), endless(2**20)))) == 413
    assert len(taken) >= 17  # what comes after that is dropped for a moment, so that the answer is seen


def test_a_body_that_drips_is_given_up():
    def drip():
        while True:
            yield b"x"
            yield 0.05

    assert status(run(drive(application(limits={"body_seconds": 0.3}), drip()))) == 408


def test_a_body_that_never_comes_is_given_up():
    assert status(run(drive(application(limits={"body_seconds": 0.2}), []))) == 408


def test_who_hangs_up_while_sending_gets_no_answer_and_keeps_no_place():
    app = application(workers=1, waiting=0)
    assert run(drive(app, [b"abc", None])) == []
    assert ask(app, "/health", method="GET").json()["requests"] == 0


def test_who_hangs_up_while_waiting_stops_the_work():
    gate = Gate()
    app = application(gate, workers=1)

    sent, health = run(leave_whole(app, gate))
    assert sent == []
    assert health["requests"] == 0


async def leave_whole(app, gate):
    """Sends a whole image, waits until it is worked on, and hangs up."""
    sent, step = [], iter(range(2))

    async def receive():
        if next(step) == 0:
            return {"type": "http.request", "body": flat("red"), "more_body": False}
        await until(lambda: gate.came)
        return {"type": "http.disconnect"}

    async def send(message):
        sent.append(message)

    await app(scope(), receive, send)
    gate.opened.set()
    async with client(app) as asking:
        return sent, (await asking.get("/health")).json()


def test_an_encoded_body_is_not_unpacked():
    answer = ask(application(), content=flat("red"), headers={"content-encoding": "gzip"})
    assert (answer.status_code, answer.json()["code"]) == (415, "TYPE_REFUSED")


def test_a_body_of_many_parts_is_one_body_that_is_no_image():
    parts = b"".join(b'--x\r\nContent-Disposition: form-data; name="f%d"\r\n\r\n1\r\n' % n for n in range(10_000))
    as_form = ask(application(), content=parts, headers={"content-type": "multipart/form-data; boundary=x"})
    as_image = ask(application(), content=parts)
    assert (as_form.status_code, as_image.status_code) == (415, 415)
    assert as_image.json()["code"] == "IMG_UNRECOGNISED"


def test_addresses_are_not_followed_whatever_they_stand_in():
    for content, kind in (
        (b'{"url": "http://169.254.169.254/"}', "application/json"),
        (b"http://127.0.0.1/", "image/png"),
    ):
        answer = ask(application(), content=content, headers={"content-type": kind})
        assert answer.status_code == 415
    assert ADDRESS not in ask(application(), "/openapi.json", method="GET").text
