"""One WebSocket connection of a client, which outlives its socket for as long as it can be resumed."""

from __future__ import annotations

import asyncio
import time
from collections import deque

from aiohttp import web

from bot.sandbox.mattermost.wire import new_id, seal

REPLAY = 128
# Mattermost cuts a client that lets more than this wait.
MAX_WAITING = 4096


class Line:
    """Numbers the events of one client and keeps the last 128 for a resumption."""

    def __init__(self, user_id: str = "") -> None:
        self.id = new_id()
        self.user_id = user_id
        self.deaf = False
        self.dropped_at = 0.0
        self._next_seq = 0
        self._replay: deque[tuple[int, str]] = deque(maxlen=REPLAY)
        self._waiting: deque[str] = deque()
        self._wake = asyncio.Event()
        self._socket: web.WebSocketResponse | None = None
        self._transport: asyncio.Transport | None = None

    @property
    def open(self) -> bool:
        """Whether there is a socket now."""
        return self._socket is not None

    @property
    def cutting(self) -> bool:
        """Whether the socket was cut and its end has not been noticed yet."""
        return self._transport is not None and self._transport.is_closing()

    def attach(self, socket: web.WebSocketResponse, transport: asyncio.Transport | None) -> None:
        """Serve this socket from now on."""
        self._socket, self._transport = socket, transport
        self._waiting.clear()

    def detach(self) -> None:
        """The socket is gone; what happens now is kept for a resumption."""
        self._socket = self._transport = None
        self._waiting.clear()
        self.dropped_at = time.monotonic()

    def cut(self) -> None:
        """Cut the connection without a close frame, as a server does that dies."""
        if self._transport is not None:
            self._transport.abort()

    def resumes_at(self, seq: int) -> bool:
        """Whether everything from this sequence number on is still here."""
        oldest = self._replay[0][0] if self._replay else self._next_seq
        return oldest <= seq <= self._next_seq

    def replay(self, seq: int) -> None:
        """Send again what has this sequence number or a later one."""
        for known, frame in self._replay:
            if known >= seq:
                self._put(frame)

    def tell(self, event: str) -> None:
        """An event happened that this client is to see."""
        if self.deaf:
            return
        frame = seal(event, self._next_seq)
        self._replay.append((self._next_seq, frame))
        self._next_seq += 1
        if self.open:
            self._put(frame)

    def reply(self, frame: str) -> None:
        """Answer a request of the client: replies have no sequence number and are not kept."""
        if not self.deaf and self.open:
            self._put(frame)

    async def write(self) -> None:
        """Write what waits, for as long as the socket lives."""
        socket = self._socket
        while socket is not None:
            await self._wake.wait()
            self._wake.clear()
            try:
                while self._waiting:
                    await socket.send_str(self._waiting.popleft())
            except ConnectionError:
                return

    def _put(self, frame: str) -> None:
        if len(self._waiting) >= MAX_WAITING:
            self.cut()
            return
        self._waiting.append(frame)
        self._wake.set()
