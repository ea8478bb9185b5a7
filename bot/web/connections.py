"""The open connections of one server: how long each may wait for its client, and who makes way for others.

A client that sends half a request, or nothing, or does not read its answer, costs a descriptor. While the bot
waits for a client, the client has a time limit. If all connections are taken, the one that has waited for its
client longest is closed. A request that the bot is working on is never cut off; further clients then wait
until the kernel hands them over.
"""

from __future__ import annotations

import asyncio
import contextlib
import enum
from collections.abc import Awaitable, Callable
from typing import cast

from aiohttp import StreamReader, web

from bot.log.repeats import Repeats
from bot.web.limits import WebLimits

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

# A handler that waits for its body refuses it first, with an answer.
_SLACK_S = 2.0


class Phase(enum.Enum):
    """What a connection waits for. The values are for the log."""

    HEAD = "no whole request came in time"
    BODY = "no whole body came in time"
    IDLE = "no further request came"
    # For nothing that its client could send.
    WORK = ""


class Connections:
    """At most ``most`` connections of one server, which ``said`` calls ``name``."""

    def __init__(self, most: int, limits: WebLimits, said: Repeats, name: str) -> None:
        self._most = most
        self._limits = limits
        self._said = said
        self._name = name
        self._open: set[Connection] = set()
        # Those that wait for their clients, longest first, with the time since when.
        self._waiting: dict[Connection, float] = {}
        self._changed = asyncio.Event()

    def take(self, handler: asyncio.Protocol) -> Connection:
        """The protocol of a new connection. It passes everything on to ``handler``."""
        return Connection(self, handler, self._limits)

    async def room(self) -> None:
        """Wait until another connection may be opened."""
        while len(self._open) >= self._most:
            wait_s = self._until_evictable()
            if wait_s is not None and wait_s <= 0:
                self._said.warning(
                    f"{self._name}: {self._most} connections are open: those that wait longest are closed"
                )
                self.make_room()
                continue
            self._changed.clear()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(wait_s):
                    await self._changed.wait()

    def make_room(self) -> None:
        """Close the connection that has waited for its client longest, if there is any."""
        for longest in self._waiting:
            longest.abort()
            return

    def close_unasked(self) -> None:
        """Close the connections on which no whole request has come."""
        for connection in [each for each in self._open if each.phase in (Phase.HEAD, Phase.BODY)]:
            connection.abort()

    def note(self, connection: Connection) -> None:
        """Take note of a connection's new phase."""
        self._open.add(connection)
        self._waiting.pop(connection, None)
        if connection.phase is not Phase.WORK:
            self._waiting[connection] = asyncio.get_running_loop().time()
            self._changed.set()

    def forget(self, connection: Connection) -> None:
        """Take note that a connection is closed."""
        self._open.discard(connection)
        self._waiting.pop(connection, None)
        self._changed.set()

    def expired(self, connection: Connection) -> None:
        """Close a connection whose client did not do its part in time."""
        if connection.phase is not Phase.IDLE:
            self._said.warning(f"{self._name}: a connection is closed: {connection.phase.value}")
        connection.abort()

    def _until_evictable(self) -> float | None:
        now = asyncio.get_running_loop().time()
        for since in self._waiting.values():
            return since + self._limits.grace_s - now
        return None


class Connection(asyncio.Protocol):
    """One connection. It stands between the transport and aiohttp's protocol for it."""

    def __init__(self, all_: Connections, handler: asyncio.Protocol, limits: WebLimits) -> None:
        self._all = all_
        self._handler = handler
        self._limits = limits
        self._transport: asyncio.Transport | None = None
        self._timer: asyncio.TimerHandle | None = None
        self.phase = Phase.HEAD

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Expect the first request."""
        self._transport = cast("asyncio.Transport", transport)
        self._enter(Phase.HEAD, self._limits.head_s)
        self._handler.connection_made(transport)

    def data_received(self, data: bytes) -> None:
        """Expect the rest of a request that begins."""
        if self.phase is Phase.IDLE:
            self._enter(Phase.HEAD, self._limits.head_s)
        self._handler.data_received(data)

    def eof_received(self) -> bool | None:
        """Pass it on."""
        return self._handler.eof_received()

    def pause_writing(self) -> None:
        """Pass it on."""
        self._handler.pause_writing()

    def resume_writing(self) -> None:
        """Pass it on."""
        self._handler.resume_writing()

    def connection_lost(self, error: Exception | None) -> None:
        """Pass it on, and forget the connection."""
        self._stop_timer()
        self._all.forget(self)
        self._handler.connection_lost(error)
        self._transport = None

    def begin(self, body: StreamReader) -> None:
        """The headers are complete: expect the body."""
        if body.is_eof():
            self._enter(Phase.WORK, None)
            return
        self._enter(Phase.BODY, self._limits.body_s + _SLACK_S)
        body.on_eof(self._body_came)

    def end(self) -> None:
        """The request is answered: expect that the client reads the answer, and its next request."""
        self._enter(Phase.IDLE, self._limits.idle_s)

    def abort(self) -> None:
        """Close the connection at once; what the client has not read yet is dropped."""
        self._stop_timer()
        # The place is free now. The handler learns of it a moment later.
        self._all.forget(self)
        transport, self._transport = self._transport, None
        if transport is not None:
            transport.abort()

    def _body_came(self) -> None:
        if self.phase is Phase.BODY:
            self._enter(Phase.WORK, None)

    def _enter(self, phase: Phase, limit_s: float | None) -> None:
        if self._transport is None:
            return
        self._stop_timer()
        self.phase = phase
        self._all.note(self)
        if limit_s is not None:
            loop = asyncio.get_running_loop()
            self._timer = loop.call_later(limit_s, self._all.expired, self)

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


@web.middleware
async def watched(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Tell the connection when its request begins and when it is answered."""
    transport = request.transport
    connection = transport.get_protocol() if transport is not None else None
    if not isinstance(connection, Connection):
        return await handler(request)
    connection.begin(request.content)
    try:
        return await handler(request)
    finally:
        connection.end()
