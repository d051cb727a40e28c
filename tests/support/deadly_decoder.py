"""A decoding process that dies in the way that the content of a file tells it: real decoders do so one day."""

import os
import signal
import sys
from pathlib import Path

import hostile

from googlenet_rcnn.core import decode_worker, images

DEADLY = b"deadly:"
DYING = (sys.executable, str(Path(__file__)))
"""The program to give to a `Decoder`."""


def decode(data, policy=None, name="image"):
    """`decode_image`, but for files that begin with DEADLY."""
    way = data.removeprefix(DEADLY).decode("latin1") if data.startswith(DEADLY) else ""
    if way == "Exception":
        raise AttributeError("a bug")
    if way == "Half":
        sys.stdout.buffer.write(b'{"size": [10, 10], "warnings": [], "format": "PNG"}\n only')
        sys.stdout.buffer.flush()
        os._exit(0)
    if way == "Once":
        Path(name).write_bytes(hostile.jpeg())
        os._exit(0)
    if way == "Memory":
        images._OPENERS["PNG"] = lambda stream: bytearray(2**32)
        return images.decode_image(hostile.encoded(hostile.photo(), "PNG"), policy, name)
    if way:
        if name.endswith(".count"):
            with open(name, "a") as file:
                file.write(".")
        os.kill(os.getpid(), signal.Signals[way])
    return images.decode_image(data, policy, name)


def read(path, policy=None):
    """`read_image` by the same."""
    return decode(Path(path).read_bytes(), policy, path)


if __name__ == "__main__":
    decode_worker.decode_image, decode_worker.read_image = decode, read
    decode_worker.serve(sys.stdin.buffer, sys.stdout.buffer)
