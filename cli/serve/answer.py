"""One request from its body to its answer: every way that it can end is here."""

import asyncio
import json
import sys
from collections.abc import AsyncGenerator, Callable, Generator
from contextlib import aclosing
from typing import Any

from googlenet_rcnn.core.errors import DataError

from ..rows import failed_row
from .body import ClientGone, Limits, read_body
from .desk import Desk
from .look import Asked
from .refusal import Receive, Refusal, Scope, Send, send_json

__all__ = ["Answer"]

Stages = Callable[[bytes, Asked], Generator[dict[str, Any], None, None]]
_STATUS = {"IMG_TOO_LARGE": 413, "IMG_UNSUPPORTED_FORMAT": 415, "IMG_UNRECOGNISED": 415, "IMG_EMPTY": 400}


class Answer:
    """An ASGI application for one request: its row, or with `stream` a line of JSON after each stage."""

    def __init__(self, desk: Desk, limits: Limits, stages: Stages, asked: Asked, stream: bool) -> None:
        self._desk, self._limits, self._stages, self._asked, self._stream = desk, limits, stages, asked, stream
        self._begun = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers the request; nothing is raised but the end of the server."""
        try:
            with self._desk.place():
                async with asyncio.timeout(self._limits.deadline):
                    body = await read_body(scope, receive, self._limits)
                    async with aclosing(self._desk.run(lambda: self._stages(body, self._asked))) as stages:
                        await self._tell(_while_wanted(stages, receive), send)
        except ClientGone:
            return
        except TimeoutError:
            seconds = f"{self._limits.deadline:g}"
            await self._refuse(Refusal(504, "DEADLINE", f"it took more than {seconds} seconds"), receive, send)
        except Refusal as refusal:
            await self._refuse(refusal, receive, send)
        except DataError as error:  # of the image, so before any line
            row = failed_row(self._asked.file, error)
            await send_json(send, _STATUS.get(error.code, 422), row)
        except Exception as error:
            what = next(iter(str(error).splitlines()), "")
            print(f"error: INTERNAL: {type(error).__name__}: {what}", file=sys.stderr)
            await self._refuse(Refusal(500, "INTERNAL", "a fault of the server, told in its log"), receive, send)

    async def _tell(self, stages: AsyncGenerator[dict[str, Any], None], send: Send) -> None:
        async with aclosing(stages):
            async for stage in stages:
                if not self._stream:
                    if stage["stage"] == "detections":
                        await send_json(send, 200, stage["row"])
                        return
                    continue
                if not self._begun:
                    headers = [(b"content-type", b"application/x-ndjson")]
                    await send({"type": "http.response.start", "status": 200, "headers": headers})
                    self._begun = True
                await self._line(stage, send, more=True)
        await send({"type": "http.response.body", "body": b""})

    async def _line(self, value: Any, send: Send, more: bool) -> None:
        data = json.dumps(value, separators=(",", ":")).encode() + b"\n"
        await send({"type": "http.response.body", "body": data, "more_body": more})

    async def _refuse(self, refusal: Refusal, receive: Receive, send: Send) -> None:
        """Says no: by the status, or where that has been sent already, in the last line."""
        if self._begun:
            await self._line({"stage": "failed", "code": refusal.code, "message": refusal.message}, send, more=False)
        else:
            await refusal.send(receive, send)


async def _while_wanted(
    stages: AsyncGenerator[dict[str, Any], None], receive: Receive
) -> AsyncGenerator[dict[str, Any], None]:
    """The stages for as long as the client stays; ClientGone once it has left."""

    async def until_gone() -> None:
        while (await receive())["type"] != "http.disconnect":
            pass

    gone = asyncio.ensure_future(until_gone())
    try:
        while True:
            coming = asyncio.ensure_future(anext(stages))
            try:
                await asyncio.wait({coming, gone}, return_when=asyncio.FIRST_COMPLETED)
                if not coming.done():
                    raise ClientGone
                yield coming.result()
            except StopAsyncIteration:
                return
            finally:
                if not coming.done():
                    coming.cancel()
                    await asyncio.wait({coming})
    finally:
        gone.cancel()
