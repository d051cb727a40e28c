"""A thousand uploads of every bad kind: no fault of ours, nothing left behind, nothing of one in another (fault 96)."""

import asyncio
import resource
import tempfile
from itertools import cycle, islice

import numpy as np
import pytest
from hostile import (
    animation,
    bomb,
    broken_exif,
    encoded,
    fill_folder,
    half_jpeg,
    hidden_colour,
    jpeg,
    photo,
    with_orientation,
)
from PIL import Image as PillowImage
from served import application, ask, client, flat

PNG = {"content-type": "image/png"}


@pytest.fixture(scope="module")
def uploads(tmp_path_factory):
    """Everything hostile, and what is odd but good."""
    folder = tmp_path_factory.mktemp("hostile")
    fill_folder(folder)
    bad = [path.read_bytes() for path in sorted(folder.iterdir()) if path.is_file() and path.stat().st_size < 2**20]
    deep = PillowImage.fromarray(photo()[:, :, 0].astype(np.uint16) * 257)
    odd = [
        jpeg(), animation("GIF"), hidden_colour(), with_orientation(6), with_orientation(99), broken_exif(),
        encoded(deep, "PNG"), encoded(PillowImage.fromarray(photo()).convert("CMYK"), "JPEG"),
        encoded(photo(1, 1), "PNG"), encoded(photo(1, 2000), "PNG"), encoded(photo(2000, 3), "PNG"),
        encoded(photo().astype(np.float32)[:, :, 0], "TIFF"),
    ]  # fmt: skip
    random = np.random.default_rng(0)
    noise = [random.bytes(size) for size in (1, 100, 5000)]
    torn = [data[: int(len(data) * share)] for data in odd for share in (0.1, 0.5, 0.9)]
    flipped = []
    for data in odd:
        changed = bytearray(data)
        changed[int(random.integers(len(data)))] ^= 0xFF
        flipped.append(bytes(changed))
    return [*bad, *odd, *noise, *torn, *flipped, bomb(12_000)]


async def send_all(app, contents, at_once=4):
    """Status of each upload, a few at a time."""
    async with client(app) as asking:
        answers = []
        limit = asyncio.Semaphore(at_once)

        async def one(content):
            async with limit:
                return await asking.post("/api/detect", content=content, headers=PNG)

        answers = await asyncio.gather(*(one(content) for content in contents))
        return [answer.status_code for answer in answers], (await asking.get("/health")).json()


def test_a_thousand_bad_uploads_leave_nothing(uploads, tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    app = application()

    async def rounds():
        first, _ = await send_all(app, islice(cycle(uploads), 300))
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        second, health = await send_all(app, islice(cycle(uploads), 700))
        return first + second, health, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before

    statuses, health, grown = asyncio.run(rounds())
    assert len(statuses) == 1000
    assert set(statuses) == {200, 400, 413, 415, 422}
    assert health["requests"] == 0
    assert list(tmp_path.iterdir()) == []
    assert grown < 40 * 1024  # KiB, at the peak


def test_no_request_sees_pixels_of_another():
    """Many at once, in any order; cut files between them, which other decoders fill with what came before."""
    colours = ["red", "green", "blue"]
    contents = [(colour, flat(colour, kind)) for colour in colours for kind in ("PNG", "BMP")] * 8
    contents += [("cut", half_jpeg())] * 16
    order = np.random.default_rng(1).permutation(len(contents))
    app = application(workers=2, waiting=8)

    async def everything():
        async with client(app) as asking:
            limit = asyncio.Semaphore(6)

            async def one(colour, content):
                async with limit:
                    return colour, (await asking.post("/api/detect", content=content, headers=PNG)).json()

            return await asyncio.gather(*(one(*contents[place]) for place in order))

    alone = ask(app, content=flat("red")).json()["detections"][0]["score"]
    for colour, row in asyncio.run(everything()):
        if colour == "cut":
            assert (row["code"], row["detections"]) == ("IMG_TRUNCATED", [])
        else:
            assert [(one["label"], one["score"]) for one in row["detections"]] == [(colour, alone)]


def test_a_bomb_is_refused_by_its_header():
    async def one():
        async with client(application()) as asking:
            return await asking.post("/api/detect", content=bomb(12_000), headers=PNG)

    answer = asyncio.run(one())
    assert (answer.status_code, answer.json()["code"]) == (413, "IMG_TOO_LARGE")
