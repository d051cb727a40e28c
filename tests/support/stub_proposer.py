"""The `propose` command with a proposer whose answers are known, for this process or, by `python -c`, for another."""

import os
import signal
import threading
import time

from stub_parts import FixedProposer

from googlenet_rcnn.api import build
from googlenet_rcnn.proposals.union import Union

ROWS = ((0.0, 0.0, 20.0, 10.0), (2.0, 2.0, 12.126, 9.0), (0.0, 0.0, 1.0, 1.0))
OTHER = ((1.0, 1.0, 9.0, 9.0), (0.0, 0.0, 20.0, 10.0))


class StubProposer:
    """Two sources, `ss` and `multibox`; does `stop` in place of the proposal number `after` + 1."""

    def __init__(self) -> None:
        self.union = Union((FixedProposer(ROWS, "ss"), FixedProposer(OTHER, "multibox")))
        self.calls = 0
        self.after = 10**9
        self.at_once = self.most_at_once = 0
        self.settings: dict[str, object] = {}
        self.pause = 0.0
        self._lock = threading.Lock()

    @staticmethod
    def stop() -> None:
        raise KeyboardInterrupt

    def propose(self, image):
        with self._lock:
            self.calls += 1
            stopping = self.calls > self.after
            self.at_once += 1
            self.most_at_once = max(self.most_at_once, self.at_once)
        if stopping:
            self.stop()
        time.sleep(self.pause)
        with self._lock:
            self.at_once -= 1
        return self.union.propose(image)


def install(replace=setattr) -> StubProposer:
    """Puts the stub where `propose` looks for its proposer and returns it."""
    stub = StubProposer()

    def build_proposer(method, **settings):
        stub.settings = {"method": method, **settings}
        return stub

    replace(build, "build_proposer", build_proposer)
    replace(build, "proposal_runtimes", lambda *_: ["stub"])
    return stub


def killed_after(images: int) -> None:
    """Installs a proposer that kills its own process, as no program can notice, after some images."""
    stub = install()
    stub.after = images
    stub.stop = lambda: os.kill(os.getpid(), signal.SIGKILL)
