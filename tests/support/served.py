"""The server with detectors whose answers are known, in this process or on a real socket."""

import asyncio
import socket
import threading
from contextlib import contextmanager

import httpx
import numpy as np
import uvicorn
from hostile import encoded
from stub_parts import ColourClassifier, FixedProposer

from googlenet_rcnn.cli.serve.app import build_app
from googlenet_rcnn.cli.serve.body import Limits
from googlenet_rcnn.cli.serve.desk import Desk
from googlenet_rcnn.cli.serve.look import Looks
from googlenet_rcnn.cli.serve.protocol import PunctualProtocol
from googlenet_rcnn.core.images import ImagePolicy
from googlenet_rcnn.detector.pipeline import Detector
from googlenet_rcnn.detector.selection import Selection
from googlenet_rcnn.detector.view import View
from googlenet_rcnn.detector.warp import Warp

ADDRESS = "http://127.0.0.1:8014"
BOX = (0.0, 0.0, 20.0, 10.0)
FACTS = {"colours": {"threshold": 0.5, "labels": ["red", "green", "blue"], "card": {"network": "<b>none</b>"}}}


class Gate:
    """A proposer that waits until it is opened, and counts who came and who was let through."""

    def __init__(self):
        self.opened, self.came, self.through = threading.Event(), 0, 0

    def propose(self, image):
        self.came += 1
        self.opened.wait(30)
        self.through += 1
        return FixedProposer((BOX,)).propose(image)


def looks(proposer=None, **policy) -> Looks:
    """Sees colours in one box."""
    view = View(Warp(side=32, context=0), [ColourClassifier()])
    detector = Detector(proposer or FixedProposer((BOX,)), [view], Selection(0.5))
    allowed = ImagePolicy(**({"max_pixels": 10**6} | policy))
    return Looks({("colours", mode): detector for mode in ("fast", "exhaustive")}, allowed)


def application(proposer=None, workers=2, waiting=8, **more):
    """The server's ASGI application, with limits of a test."""
    limits = Limits(**({"bytes": 2**20, "body_seconds": 5.0, "deadline": 20.0} | more.pop("limits", {})))
    told = {"limits": limits, "desk": Desk(workers, waiting)} | more
    return build_app(looks(proposer), FACTS, **told)


def flat(colour, kind="PNG", size=(10, 20)) -> bytes:
    """A picture of one pure colour."""
    rgb = {"red": (255, 0, 0), "green": (0, 255, 0), "blue": (0, 0, 255)}[colour]
    return encoded(np.full((*size, 3), rgb, np.uint8), kind)


def client(app) -> httpx.AsyncClient:
    """Asks the application without a socket."""
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=ADDRESS, timeout=60)


def ask(app, path="/api/detect", content=b"", method="POST", headers=()) -> httpx.Response:
    """One request and its answer; an image unless the headers say otherwise."""

    async def one() -> httpx.Response:
        async with client(app) as asking:
            told = {"content-type": "image/png"} | dict(headers)
            return await asking.request(method, path, content=content or None, headers=told)

    return asyncio.run(one())


@contextmanager
def running(app, headers_seconds=10.0):
    """The application on a real socket of this machine; gives its port."""
    protocol = type("Protocol", (PunctualProtocol,), {"headers_seconds": headers_seconds})
    config = uvicorn.Config(
        app, http=protocol, ws="none", loop="asyncio", log_level="critical", timeout_graceful_shutdown=1
    )
    server = uvicorn.Server(config)
    listening = socket.create_server(("127.0.0.1", 0))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
    thread.start()
    try:
        yield listening.getsockname()[1]
    finally:
        server.should_exit = True
        thread.join(timeout=30)
        listening.close()


@contextmanager
def connected(port):
    """A raw connection to the server."""
    with socket.create_connection(("127.0.0.1", port), timeout=30) as raw:
        yield raw


def heard(raw) -> bytes:
    """Everything that the server says until it hangs up."""
    parts = []
    try:
        while part := raw.recv(65_536):
            parts.append(part)
    except ConnectionResetError:
        pass
    return b"".join(parts)
