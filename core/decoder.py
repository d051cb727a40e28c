"""Image files decoded in processes of their own: a decoder that crashes costs its image and nothing else."""

import os
import signal
import subprocess
import sys
from contextlib import suppress
from typing import IO, Any, cast

from .decode_worker import READY, Request, read_answer, send_request
from .errors import ImageError, ResourceError
from .images import DecodedImage, ImagePolicy, shown_name

__all__ = ["Decoder"]

# -P: the working directory, which may be full of strangers' files, is no place to import from.
_PROGRAM = (sys.executable, "-P", "-m", "googlenet_rcnn.core.decode_worker")


class Decoder:
    """`read_image` and `decode_image` in worker processes, from any thread: as many as are busy at once.

    The first starts at once and in the background. The answer is the same, byte for byte; a fault of the decoder
    itself is ImageError (IMG_DECODER_CRASH), and another worker takes the dead one's place. Memory and processor
    time of a worker are bounded.
    """

    def __init__(self, program: tuple[str, ...] = _PROGRAM) -> None:
        self._program = program
        self._idle = [_Worker(program)]

    def read(self, path: str | os.PathLike[str], policy: ImagePolicy | None = None) -> DecodedImage:
        """Reads and decodes one image file."""
        return self._asked(Request(os.fspath(path), None, policy or ImagePolicy()))

    def decode(self, data: bytes, policy: ImagePolicy | None = None, name: str = "image") -> DecodedImage:
        """Decodes the bytes of one image file; `name` stands in messages and gives the suffix to compare."""
        return self._asked(Request(name, data, policy or ImagePolicy()))

    def close(self) -> None:
        """Ends the workers that are idle; those at work end with this process."""
        while self._idle:
            self._idle.pop().end()

    def __enter__(self) -> "Decoder":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _asked(self, request: Request) -> DecodedImage:
        cause = ""
        for _ in range(2):  # whatever else may have killed the first worker is not laid at the image's door
            worker = self._living()
            try:
                answer = worker.answer(request)
            except BaseException:
                worker.end()  # interrupted in the middle of an answer: nobody else could make sense of the rest
                raise
            if answer is None:
                cause = _cause(worker.end())
                if cause == "SIGXCPU":
                    break  # its time was up, and would be again
                continue
            self._idle.append(worker)
            if isinstance(answer, ImageError):
                raise answer
            return answer
        reason = f"the decoder died over it ({cause}); save it anew with another program"
        raise ImageError("IMG_DECODER_CRASH", f"{shown_name(request.name)}: {reason}")

    def _living(self) -> "_Worker":
        while True:
            try:
                worker = self._idle.pop()
            except IndexError:
                return _Worker(self._program)
            if worker.alive:
                return worker
            worker.end()


class _Worker:
    """A process that decodes one image after the other."""

    def __init__(self, program: tuple[str, ...]) -> None:
        self._program = program
        self._process = subprocess.Popen(
            program,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,  # decoders of C write there what a code tells already
            start_new_session=True,  # an interrupt is for the command, which then ends its workers
            # The memory of a process is bounded by address space, of which idle threads take much.
            env=os.environ | {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"},
        )
        self._ready = False

    @property
    def alive(self) -> bool:
        return self._process.poll() is None

    def answer(self, request: Request) -> DecodedImage | ImageError | None:
        """What it says to a request; None if it died of it."""
        requests, answers = cast("tuple[IO[bytes], Any]", (self._process.stdin, self._process.stdout))
        if not self._ready:
            if answers.readline() != READY:
                reason = f"a process that decodes images does not start: try {' '.join(self._program)} by hand"
                raise ResourceError("DECODER_MISSING", reason)
            self._ready = True
        with suppress(BrokenPipeError):  # it may have died in the meantime, or of the request itself
            send_request(requests, request)
        return read_answer(answers)

    def end(self) -> int:
        """Ends it, if it has not ended by itself; its exit status."""
        self._process.kill()
        for stream in (self._process.stdin, self._process.stdout):
            with suppress(BrokenPipeError):  # of a request that nobody reads any more
                cast("IO[bytes]", stream).close()
        return self._process.wait()


def _cause(status: int) -> str:
    if status >= 0:
        return f"exit status {status}"
    with suppress(ValueError):
        return signal.Signals(-status).name
    return f"signal {-status}"
