"""A client's WebSocket connection. It is kept after its socket closes so that the client can resume it."""

from __future__ import annotations

import asyncio
import time
from collections import deque

from aiohttp import web

from bot.sandbox.mattermost.wire import new_id, seal

REPLAY = 128
# Mattermost cuts a client with more unsent frames than this.
MAX_WAITING = 4096


class Connection:
    """Numbers the events sent to one client and keeps the last 128 for resuming."""

    def __init__(self, user_id: str = "") -> None:
        self.id = new_id()
        self.user_id = user_id
        self.deaf = False
        # Its session has ended: it gets no events, and requests are refused.
        self.revoked = False
        self.dropped_at = 0.0
        self._next_seq = 0
        self._replay: deque[tuple[int, str]] = deque(maxlen=REPLAY)
        self._waiting: deque[str] = deque()
        self._wake = asyncio.Event()
        self._socket: web.WebSocketResponse | None = None
        self._transport: asyncio.Transport | None = None

    @property
    def open(self) -> bool:
        return self._socket is not None

    @property
    def cutting(self) -> bool:
        """Whether the socket was cut but its handler has not finished yet."""
        return self._transport is not None and self._transport.is_closing()

    def attach(self, socket: web.WebSocketResponse, transport: asyncio.Transport | None) -> None:
        self._socket, self._transport = socket, transport
        self._waiting.clear()

    def detach(self) -> None:
        """Forget the closed socket. Later events are kept for resuming."""
        self._socket = self._transport = None
        self._waiting.clear()
        self.dropped_at = time.monotonic()

    def cut(self) -> None:
        """Abort the connection without a close frame, as when a server crashes."""
        if self._transport is not None:
            self._transport.abort()

    def resumes_at(self, seq: int) -> bool:
        """Whether all events from this sequence number on are still kept."""
        oldest = self._replay[0][0] if self._replay else self._next_seq
        return oldest <= seq <= self._next_seq

    def replay(self, seq: int) -> None:
        """Resend the kept events from this sequence number on."""
        for known, frame in self._replay:
            if known >= seq:
                self._put(frame)

    def tell(self, event: str) -> None:
        """Send an event, or keep it for resuming if there is no socket."""
        if self.deaf:
            return
        frame = seal(event, self._next_seq)
        self._replay.append((self._next_seq, frame))
        self._next_seq += 1
        if self.open:
            self._put(frame)

    def reply(self, frame: str) -> None:
        """Reply to a client's request. Replies have no sequence number and are not kept."""
        if self.open and (self.revoked or not self.deaf):
            self._put(frame)

    async def write(self) -> None:
        """Write queued frames until the socket closes."""
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
