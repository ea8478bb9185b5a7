"""Reads one open WebSocket, and checks that the server still answers."""

from __future__ import annotations

import asyncio
import contextlib
import enum
import logging
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass

import aiohttp

from bot.clock import Now
from bot.mattermost.frames import Event, Hello, Reply, Sequence, read_frame, write_ping
from bot.mattermost.server_clock import ServerClock

log = logging.getLogger(__name__)

# Exists only on Linux.
_QUICK_ACK: int | None = getattr(socket, "TCP_QUICKACK", None)

CLOSE_TIMEOUT_S = 0.4


class Ending(enum.Enum):
    """Why a connection ended. The next one tries to resume it only after ``LOST``."""

    LOST = "the connection was lost"
    DEAF = "a ping was not answered"
    GAP = "an event is missing"
    OVERFLOW = "frames come faster than they are handled"
    OVERSIZE = "a frame is too large"
    FAILED = "a frame could not be handled"
    UNAUTHENTICATED = "the server does not know this connection's token"


@dataclass(frozen=True, slots=True)
class SocketTimings:
    """In seconds. A socket that stopped answering is noticed within ``ping_s`` + ``answer_s``."""

    connect_s: float = 10.0
    ping_s: float = 25.0
    answer_s: float = 15.0
    backoff_base_s: float = 0.5
    backoff_cap_s: float = 30.0
    # After a connection that lasted this long, the backoff starts again from its base.
    healthy_s: float = 30.0


class Connection:
    """Serves one WebSocket until it ends.

    ``opened(resumed)`` is called once it is known whether the connection is fresh (a ``hello`` arrived) or
    resumed (a resumption was requested, and something else arrived first). A later ``hello`` still makes it
    fresh. ``take(event)`` receives every other event and returns whether there was room for it.
    """

    def __init__(
        self,
        ws: aiohttp.ClientWebSocketResponse,
        sequence: Sequence,
        *,
        timing: SocketTimings,
        opened: Callable[[bool], None],
        take: Callable[[Event], bool],
        clock: ServerClock,
        now: Now,
    ) -> None:
        self._ws = ws
        self._sequence = sequence
        self._timing = timing
        self._opened = opened
        self._take = take
        self._clock = clock
        self._now = now
        self._resuming = bool(sequence.connection_id)
        self._known = asyncio.Event()
        self._answered = asyncio.Event()
        self._ping_seq = 0
        self._ping_at = 0
        self._known_at = 0.0
        self._end: asyncio.Future[Ending] = asyncio.get_running_loop().create_future()
        self.silent = True

    @property
    def lasted_s(self) -> float:
        """Seconds since the connection was first known to work; 0 if it never was."""
        return time.monotonic() - self._known_at if self._known_at else 0.0

    def end(self, ending: Ending) -> None:
        """End the connection from outside."""
        if not self._end.done():
            self._end.set_result(ending)

    async def serve(self) -> Ending:
        """Read and ping until the connection ends, then close it, also when cancelled."""
        tasks = [asyncio.ensure_future(self._read()), asyncio.ensure_future(self._ping())]
        try:
            await asyncio.wait([*tasks, self._end], return_when=asyncio.FIRST_COMPLETED)
            return next(future.result() for future in (self._end, *tasks) if future.done())
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await self._close()

    async def _close(self) -> None:
        with contextlib.suppress(TimeoutError, OSError, aiohttp.ClientError):
            async with asyncio.timeout(CLOSE_TIMEOUT_S):
                await self._ws.close()

    async def _read(self) -> Ending:
        while True:
            message = await self._ws.receive()
            quick_ack(self._ws)
            if message.type is aiohttp.WSMsgType.TEXT:
                ending = self._handle(message.data)
                if ending is not None:
                    return ending
            elif message.type is aiohttp.WSMsgType.ERROR:
                return _ending_of(message.data)
            elif message.type is not aiohttp.WSMsgType.BINARY:
                return Ending.LOST

    def _handle(self, text: str) -> Ending | None:
        self.silent = False
        frame = read_frame(text)
        if isinstance(frame, Event):
            return self._handle_event(frame)
        if frame is None:
            # If it was an event, the next event reveals the gap.
            log.warning("mattermost socket: skipped a frame of %d characters that is none", len(text))
            return None
        if isinstance(frame, Hello):
            self._begin(frame)
            return None
        return self._handle_reply(frame)

    def _handle_event(self, event: Event) -> Ending | None:
        if not self._sequence.accept(event):
            return Ending.GAP
        if self._resuming:
            self._resume()
        return None if self._take(event) else Ending.OVERFLOW

    def _handle_reply(self, reply: Reply) -> Ending | None:
        if reply.unauthenticated:
            return Ending.UNAUTHENTICATED
        self._resume()
        if reply.seq == self._ping_seq:
            if reply.server_time:
                self._clock.note(reply.server_time, self._ping_at, self._now())
            self._answered.set()
        return None

    def _begin(self, hello: Hello) -> None:
        self._sequence.begin(hello)
        self._resuming = False
        self._open(resumed=False)

    def _resume(self) -> None:
        if self._resuming:
            self._resuming = False
            self._open(resumed=True)

    def _open(self, *, resumed: bool) -> None:
        self._known_at = self._known_at or time.monotonic()
        self._known.set()
        self._opened(resumed)

    async def _ping(self) -> Ending:
        """Ping at once, then regularly. The first answer also tells a resumed connection from a bad token."""
        while True:
            try:
                async with asyncio.timeout(self._timing.answer_s):
                    await self._exchange()
            except TimeoutError:
                return Ending.DEAF
            except (OSError, aiohttp.ClientError):
                return Ending.LOST
            await asyncio.sleep(self._timing.ping_s)

    async def _exchange(self) -> None:
        self._ping_seq += 1
        self._ping_at = self._now()
        self._answered.clear()
        await self._ws.send_str(write_ping(self._ping_seq))
        await self._answered.wait()
        await self._known.wait()


def quick_ack(ws: aiohttp.ClientWebSocketResponse) -> None:
    """Make the kernel acknowledge received data at once.

    Mattermost 5.37 leaves Nagle's algorithm on: 3 to 6 % of its events wait 35 to 40 ms for the
    acknowledgement of the previous one. The kernel resets the option by itself, so set it after every read.
    """
    connection = ws.get_extra_info("socket")
    if _QUICK_ACK is None or connection is None:
        return
    with contextlib.suppress(OSError):
        connection.setsockopt(socket.IPPROTO_TCP, _QUICK_ACK, 1)


def _ending_of(failure: object) -> Ending:
    too_big = aiohttp.WSCloseCode.MESSAGE_TOO_BIG
    return Ending.OVERSIZE if getattr(failure, "code", None) == too_big else Ending.LOST
