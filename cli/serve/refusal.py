"""What the server says no with: a status, a stable code and one line, always as JSON."""

import asyncio
import json
from collections.abc import Awaitable, Callable, MutableMapping
from contextlib import suppress
from typing import Any

__all__ = ["Message", "Receive", "Refusal", "Scope", "Send", "send_json"]

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

_DRAINING = 1.0  # seconds that an upload nobody reads may go on, so that the client comes to read the answer


class Refusal(Exception):
    """A request that is not served; `retry` is after how many seconds it may be."""

    def __init__(self, status: int, code: str, message: str, retry: int | None = None) -> None:
        super().__init__(message)
        self.status, self.code, self.message, self.retry = status, code, message, retry

    async def send(self, receive: Receive, send: Send) -> None:
        """Answers, and reads on for a moment: a client in the middle of its upload would not see the answer else."""
        headers = [(b"connection", b"close")]
        headers += [(b"retry-after", str(self.retry).encode())] if self.retry is not None else []
        body = {"code": self.code, "message": self.message}
        await send_json(send, self.status, body, headers, receive)


async def send_json(
    send: Send,
    status: int,
    value: Any,
    headers: list[tuple[bytes, bytes]] | None = None,
    drain: Receive | None = None,
) -> None:
    """One JSON object as the whole answer; with `drain` the rest of the request is read and dropped, for a moment."""
    data = json.dumps(value).encode()
    told = [(b"content-type", b"application/json"), (b"content-length", str(len(data)).encode()), *(headers or [])]
    await send({"type": "http.response.start", "status": status, "headers": told})
    await send({"type": "http.response.body", "body": data, "more_body": drain is not None})
    if drain is not None:
        with suppress(TimeoutError):
            async with asyncio.timeout(_DRAINING):
                while (await drain()).get("more_body"):
                    pass
        await send({"type": "http.response.body", "body": b""})
