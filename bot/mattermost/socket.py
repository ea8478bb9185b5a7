"""Keeps Mattermost's WebSocket open."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Container
from dataclasses import dataclass, replace
from typing import Any, NoReturn

import aiohttp

from bot.clock import Now, now_ms
from bot.errors import (
    MattermostCertificateError,
    MattermostError,
    MattermostRateLimitError,
    MattermostTokenError,
)
from bot.mattermost.backlog import MAX_CHARACTERS, MAX_FRAMES, Backlog, Passes
from bot.mattermost.connection import CLOSE_TIMEOUT_S, Connection, Ending, SocketTimings
from bot.mattermost.errors import connection_error, handshake_error
from bot.mattermost.frames import Event, Sequence
from bot.mattermost.rest import Rest, api_url, bearer
from bot.mattermost.server_clock import ServerClock
from bot.retrying import Backoff

log = logging.getLogger(__name__)

MAX_FRAME = 8 * 1024 * 1024
DEFAULT_SOCKET_TIMINGS = SocketTimings()

Deliver = Callable[[Event], Awaitable[None]]
Connected = Callable[[bool], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class SocketState:
    """``open_since`` is in ms, 0 while the socket is not open. ``refused`` says why Mattermost refuses the
    token, until a socket is open again. The other fields count since the start."""

    open_since: int = 0
    refused: str = ""
    # All connections that were opened, and those among them that resumed the previous one.
    connects: int = 0
    resumes: int = 0
    deaf: int = 0
    gaps: int = 0
    overflows: int = 0


_COUNTERS = {Ending.DEAF: "deaf", Ending.GAP: "gaps", Ending.OVERFLOW: "overflows"}


class Socket:
    """Delivers the events of ``GET /api/v4/websocket`` while :meth:`run` runs.

    Events wait in a queue of ``max_frames`` frames and ``max_characters`` characters, so a slow ``deliver``
    blocks neither reading nor pinging. If the queue is full, the connection is closed. When the queue is
    empty again, a fresh connection is opened, and ``connected(False)`` reports that events were missed.
    """

    def __init__(
        self,
        http: aiohttp.ClientSession,
        url: str,
        token: str,
        *,
        timing: SocketTimings = DEFAULT_SOCKET_TIMINGS,
        max_frame: int = MAX_FRAME,
        max_frames: int = MAX_FRAMES,
        max_characters: int = MAX_CHARACTERS,
        clock: ServerClock | None = None,
        now: Now = now_ms,
    ) -> None:
        self.state = SocketState()
        self._http = http
        self._url = api_url(url) / "websocket"
        self._headers = bearer(token)
        self._clock = clock or ServerClock()
        self._rest = Rest(http, url, token, clock=self._clock, now=now)
        self._timing = timing
        self._backoff = Backoff(timing.backoff_base_s, timing.backoff_cap_s)
        self._max_frame = max_frame
        self._limits = (max_frames, max_characters)
        self._now = now
        self._sequence = Sequence()
        self._backlog = Backlog()
        self._connection: Connection | None = None
        self._is_open = asyncio.Event()

    async def opened(self) -> None:
        """Wait until the socket is open."""
        await self._is_open.wait()

    async def run(
        self,
        deliver: Deliver,
        connected: Connected,
        *,
        names: Container[str] | None = None,
        passes: Passes | None = None,
    ) -> NoReturn:
        """Keep the socket open until cancelled.

        ``deliver(event)`` receives every event except ``hello``, in order, one at a time; if there are
        ``names``, only events of these. An event for which ``passes(event)`` is True is not delivered: it is
        asked at once, and only while all earlier events have been handled.
        ``connected(resumed)`` is called in the same order, before the events of that connection: False means
        that events may have been missed and must be fetched. Both delay the events that follow, so start long
        work as a task. If one of them raises, the error is logged and a fresh connection is opened.

        Raises :class:`MattermostTokenError`, and :class:`MattermostCertificateError` until the first
        connection is open. Other errors are logged and retried. :meth:`run` may be called again afterwards.
        """
        self._backlog = Backlog(*self._limits, names=names, passes=passes)
        tasks = [
            asyncio.ensure_future(self._stay_connected()),
            asyncio.ensure_future(self._hand_over(deliver, connected)),
        ]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            # Undelivered events are lost with the queue, so the next connection must be fresh.
            self._sequence.forget()
        raise AssertionError("neither task returns")

    async def _hand_over(self, deliver: Deliver, connected: Connected) -> NoReturn:
        while True:
            item = await self._backlog.take()
            try:
                await (deliver(item) if isinstance(item, Event) else connected(item))
            except Exception:
                log.exception("mattermost socket: an event could not be handled")
                self._sequence.forget()
                if self._connection is not None:
                    self._connection.end(Ending.FAILED)

    async def _stay_connected(self) -> NoReturn:
        failures = 1
        while True:
            lasted_s, pause = await self._try_once()
            failures = 1 if lasted_s >= self._timing.healthy_s else failures + 1
            pause += self._backoff.pause_s(failures)
            log.info("mattermost socket: next attempt in %.1f s", pause)
            await asyncio.sleep(pause)

    async def _try_once(self) -> tuple[float, float]:
        """Connect and serve. Return how long it worked and how long the server asks us to wait (s)."""
        try:
            return await self._connect(), 0.0
        except MattermostTokenError as error:
            self._show(refused=str(error))
            raise
        except MattermostCertificateError as error:
            if not self.state.connects:
                raise
            log.error("mattermost socket: %s", error)
        except MattermostRateLimitError as error:
            log.warning("mattermost socket: %s", error)
            return 0.0, error.retry_after
        except MattermostError as error:
            log.warning("mattermost socket: %s", error)
        return 0.0, 0.0

    async def _connect(self) -> float:
        asked = self._sequence.connection_id
        ws = await self._open()
        if asked != self._sequence.connection_id:
            # The connection was given up while it was being resumed: no hello will arrive on it.
            await ws.close()
            return 0.0
        self._connection = connection = Connection(
            ws,
            self._sequence,
            timing=self._timing,
            opened=self._opened,
            take=self._backlog.offer,
            clock=self._clock,
            now=self._now,
        )
        try:
            ending = await connection.serve()
        finally:
            self._connection = None
            self._show(open_since=0)
        await self._settle(ending, connection)
        return connection.lasted_s

    async def _settle(self, ending: Ending, connection: Connection) -> None:
        """Clean up after a connection and before the next."""
        log.warning("mattermost socket: %s", ending.value)
        if counter := _COUNTERS.get(ending):
            self._show(**{counter: getattr(self.state, counter) + 1})
        if ending is not Ending.LOST:
            self._sequence.forget()
        if ending is Ending.OVERFLOW:
            await self._backlog.emptied()
        # With a bad token, the server opens the socket as usual, and closes it after 5 s without any frame.
        if ending is Ending.UNAUTHENTICATED or (ending is Ending.LOST and connection.silent):
            await self._rest.get("/users/me")

    async def _open(self) -> aiohttp.ClientWebSocketResponse:
        try:
            async with asyncio.timeout(self._timing.connect_s):
                return await self._http.ws_connect(
                    self._url,
                    params=self._sequence.query(),
                    headers=self._headers,
                    timeout=aiohttp.ClientWSTimeout(ws_close=CLOSE_TIMEOUT_S),
                    max_msg_size=self._max_frame,
                )
        except aiohttp.WSServerHandshakeError as error:
            failure = handshake_error(error.status, error.headers or {})
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            failure = connection_error(error, self._rest.host)
        # Raised outside the except block: aiohttp's errors contain the request's headers, and so the token.
        raise failure

    def _opened(self, resumed: bool) -> None:
        log.info("mattermost socket: open (%s)", "resumed" if resumed else "fresh")
        self._backlog.announce(resumed)
        self._show(
            open_since=self.state.open_since or self._now(),
            refused="",
            connects=self.state.connects + (self.state.open_since == 0),
            resumes=self.state.resumes + resumed,
        )

    def _show(self, **changes: Any) -> None:
        self.state = replace(self.state, **changes)
        if self.state.open_since:
            self._is_open.set()
        else:
            self._is_open.clear()
