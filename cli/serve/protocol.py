"""HTTP/1.1 as uvicorn speaks it, for clients that never finish their headers as well."""

import asyncio

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

__all__ = ["PunctualProtocol"]


class PunctualProtocol(H11Protocol):
    """Ends a connection whose headers are not whole `headers_seconds` after they began, however they dribble.

    A body that still comes when its request has been answered has as long.
    """

    headers_seconds = 10.0
    _late: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """The first headers are due from now on."""
        super().connection_made(transport)
        self._expect()

    def data_received(self, data: bytes) -> None:
        """The next headers are due once their first byte is there, and the rest of a body that nobody reads."""
        super().data_received(data)
        begun = self.conn.their_state is h11.IDLE and (self.cycle is None or bool(self.conn.trailing_data[0]))
        unread = self.conn.their_state is h11.SEND_BODY and self.conn.our_state is h11.DONE
        if begun or unread:
            self._expect()
        elif self._late is not None:
            self._late.cancel()
            self._late = None

    def connection_lost(self, exc: Exception | None) -> None:
        """Nothing is due any more."""
        if self._late is not None:
            self._late.cancel()
        super().connection_lost(exc)

    def _expect(self) -> None:
        if self._late is None:
            self._late = self.loop.call_later(self.headers_seconds, self._give_up)

    def _give_up(self) -> None:
        if self.transport.is_closing():
            return
        if self.conn.our_state is h11.IDLE:
            self.transport.write(b"HTTP/1.1 408 Request Timeout\r\nconnection: close\r\ncontent-length: 0\r\n\r\n")
        self.transport.close()
