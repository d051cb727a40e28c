"""Who may ask: no page of another site, no name that somebody else's DNS points here, off this machine only a token.

Every answer carries headers that keep the page to its own scripts and out of other sites' frames.
"""

import hmac
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from urllib.parse import urlsplit

from .refusal import Message, Receive, Refusal, Scope, Send

__all__ = ["LOOPBACK", "Guard"]

LOOPBACK = ("127.0.0.1", "localhost", "::1")

_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_HEADERS = [
    (b"content-security-policy", _POLICY.encode()),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cache-control", b"no-store"),
]


@dataclass(frozen=True)
class Guard:
    """An ASGI application in front of `app`: it answers to names in `hosts` only, and with a `token` only to those
    who have it, but for the page itself, which holds no secret."""

    app: Callable[..., Awaitable[None]]
    hosts: frozenset[str]
    token: str | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serves or refuses one request."""

        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                message = {**message, "headers": [*message["headers"], *_HEADERS]}
            await send(message)

        if scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})
            return
        if scope["type"] == "http":
            try:
                self._check(scope)
            except Refusal as refusal:
                await refusal.send(receive, guarded)
                return
        await self.app(scope, receive, guarded)

    def _check(self, scope: Scope) -> None:
        headers = {name: value.decode("latin-1") for name, value in scope["headers"]}
        host = headers.get(b"host", "")
        if _name(host) not in self.hosts:
            reason = f"this server does not answer to {host!r}: ask it by its address, or start it with --allow-host"
            raise Refusal(403, "HOST_REFUSED", reason)
        origin = headers.get(b"origin")
        site = headers.get(b"sec-fetch-site", "same-origin")
        if (origin is not None and urlsplit(origin).netloc != host) or site not in ("same-origin", "none"):
            raise Refusal(403, "ORIGIN_REFUSED", "pages of other sites may not ask this server")
        if self.token is not None and (scope["path"].startswith("/api/") or scope["path"] == "/openapi.json"):
            given = headers.get(b"authorization", "").removeprefix("Bearer ")
            if not hmac.compare_digest(given.encode(), self.token.encode()):
                raise Refusal(
                    403, "TOKEN_MISSING", "send the token that the server was started with: Authorization: Bearer"
                )


def _name(host: str) -> str:
    """The host without its port, in lower case; empty if it is none."""
    try:
        return urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return ""
