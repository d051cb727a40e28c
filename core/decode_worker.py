"""The process behind a `Decoder`: requests on standard input, answers on standard output.

Both are JSON lines and raw bytes, never pickles: what comes out of a process that has read hostile files is data only.
"""

import json
import os
import sys
from contextlib import suppress
from dataclasses import asdict
from typing import IO, Any, NamedTuple

import numpy as np

from .errors import ImageError
from .images import DecodedImage, ImagePolicy, decode_image, read_image

__all__ = ["READY", "Request", "read_answer", "send_request", "serve"]

READY = b"ready\n"
_SECONDS = 60
"""Processor time for one image; a photograph of 120 million pixels takes one."""


class Request(NamedTuple):
    """An image to decode: `data`, or what is in the file `name` if that is None."""

    name: str
    data: bytes | None
    policy: ImagePolicy


def send_request(stream: IO[bytes], request: Request) -> None:
    """Asks for an image; a relative name is meant from the folder in which the asking process is now."""
    count = None if request.data is None else len(request.data)
    head = {"name": request.name, "bytes": count, "policy": asdict(request.policy), "folder": ""}
    with suppress(OSError):  # a folder that is gone
        head["folder"] = os.getcwd()
    stream.write(json.dumps(head).encode() + b"\n" + (request.data or b""))
    stream.flush()


def read_answer(stream: Any) -> DecodedImage | ImageError | None:
    """The image or what is wrong with it; None if the process ended before it had answered."""
    line = stream.readline()
    if not line.endswith(b"\n"):
        return None
    answer = json.loads(line)
    if "code" in answer:
        return ImageError(answer["code"], answer["message"])
    pixels = np.empty((*answer["size"], 3), dtype=np.uint8)
    if stream.readinto(pixels.data.cast("B")) < pixels.size:
        return None
    pixels.flags.writeable = False
    return DecodedImage(pixels, tuple(answer["warnings"]), answer["format"])


def serve(requests: IO[bytes], answers: IO[bytes]) -> None:
    """Answers requests until there are no more."""
    answers.write(READY)
    answers.flush()
    while line := requests.readline():
        head = json.loads(line)
        data = None if head["bytes"] is None else requests.read(head["bytes"])
        request = Request(head["name"], data, ImagePolicy(**head["policy"]))
        with suppress(OSError):
            os.chdir(head["folder"])
        _limit_process(request.policy)
        answer, pixels = _answer(request)
        answers.write(json.dumps(answer).encode() + b"\n")
        answers.write(pixels)
        answers.flush()


def _answer(request: Request) -> tuple[dict[str, Any], memoryview]:
    name, data, policy = request
    try:
        image = read_image(name, policy) if data is None else decode_image(data, policy, name)
    except ImageError as error:
        return {"code": error.code, "message": error.message}, memoryview(b"")
    size, pixels = image.pixels.shape[:2], image.pixels.data.cast("B")
    return {"size": size, "warnings": image.warnings, "format": image.format}, pixels


def _limit_process(policy: ImagePolicy) -> None:
    """Bounds memory and time where the system can: a file that wants more is refused, or ends this process."""
    with suppress(ImportError):
        import resource

        used = resource.getrusage(resource.RUSAGE_SELF)
        seconds = int(used.ru_utime + used.ru_stime) + _SECONDS
        # A JPEG takes 8 bytes a pixel, in Pillow and in the result; WebP, of which there are two copies on the way, 16.
        memory = 2**29 + 4 * policy.max_bytes + 24 * policy.max_pixels
        for kind, limit in ((resource.RLIMIT_AS, memory), (resource.RLIMIT_CPU, seconds)):
            with suppress(ValueError, OSError):
                _, most = resource.getrlimit(kind)
                resource.setrlimit(kind, (limit if most == resource.RLIM_INFINITY else min(limit, most), most))


if __name__ == "__main__":
    serve(sys.stdin.buffer, sys.stdout.buffer)
