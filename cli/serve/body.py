"""The body of a request, in memory: bounded in size and time whatever its headers promise."""

import asyncio
from dataclasses import dataclass

from .refusal import Receive, Refusal, Scope

__all__ = ["ClientGone", "Limits", "read_body"]


@dataclass(frozen=True)
class Limits:
    """Bytes of an upload, seconds for it to arrive, seconds for an answer from when it was taken in."""

    bytes: int = 20 * 2**20
    body_seconds: float = 20.0
    deadline: float = 60.0


class ClientGone(Exception):
    """Nobody waits for the answer any more."""


async def read_body(scope: Scope, receive: Receive, limits: Limits) -> bytes:
    """The image that was sent; Refusal 413 when it is too large, 408 when it does not come, 415 for anything else."""
    headers = {name: value.decode("latin-1") for name, value in scope["headers"]}
    kind = headers.get(b"content-type", "").partition(";")[0].strip().lower()
    if not (kind.startswith("image/") or kind == "application/octet-stream"):
        reason = "send the bytes of one image file as the body, as image/* or application/octet-stream"
        raise Refusal(415, "TYPE_REFUSED", f"{reason}, not {kind[:60] or 'without a type'}")
    if headers.get(b"content-encoding", "identity") != "identity":
        raise Refusal(415, "TYPE_REFUSED", "send the body as it is, without a content encoding")
    too_large = Refusal(413, "BODY_TOO_LARGE", f"more than the {limits.bytes} bytes that an image may have")
    if int(headers.get(b"content-length", "0")) > limits.bytes:  # digits only: h11 has checked
        raise too_large
    data = bytearray()
    try:
        async with asyncio.timeout(limits.body_seconds):
            more = True
            while more:
                message = await receive()
                if message["type"] == "http.disconnect":
                    raise ClientGone
                data += message.get("body", b"")
                if len(data) > limits.bytes:
                    raise too_large
                more = message.get("more_body", False)
    except TimeoutError:
        raise Refusal(408, "BODY_SLOW", f"the image did not arrive within {limits.body_seconds:g} seconds") from None
    return bytes(data)
