"""Listeners that record what their socket delivers, and servers that misbehave."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Container
from contextlib import asynccontextmanager
from typing import Any, TypeVar

import aiohttp
from aiohttp import web

from bot.mattermost import ServerClock, Socket, SocketState, SocketTimings
from bot.mattermost.backlog import Passes
from bot.mattermost.events import read_posted
from bot.mattermost.frames import Event
from bot.sandbox.mattermost import Mattermost as Sandbox

T = TypeVar("T")

QUICK = SocketTimings(backoff_base_s=0.01, backoff_cap_s=0.02)
PATIENCE_S = 10.0


class ObservedSocket(Socket):
    """A socket that calls ``changed`` after every change of its state."""

    changed: Callable[[], None]

    def _show(self, **changes: Any) -> None:
        super()._show(**changes)
        self.changed()


class RecordingListener:
    """A socket and what it delivered: in ``received``, the message of each new post, and for each connection
    whether it was resumed.

    While ``gate`` is clear, one event is in ``taken`` at most, and none in ``events``. The first post that says ``fails_on`` raises.
    """

    def __init__(self, http: aiohttp.ClientSession, url: str, token: str, **options: Any) -> None:
        options.setdefault("timing", QUICK)
        self.clock = ServerClock()
        self.socket = ObservedSocket(http, url, token, clock=self.clock, **options)
        self.socket.changed = self._notify_soon
        self.received: list[str | bool] = []
        self.taken: list[Event] = []
        self.events: list[Event] = []
        self.gate = asyncio.Event()
        self.gate.set()
        self.fails_on = ""
        self.running: asyncio.Task[None] | None = None
        self._changed = asyncio.Condition()
        self._notifications: set[asyncio.Task[None]] = set()

    @property
    def state(self) -> SocketState:
        return self.socket.state

    @property
    def messages(self) -> list[str]:
        return [each for each in self.received if isinstance(each, str)]

    @property
    def connections(self) -> list[bool]:
        return [each for each in self.received if isinstance(each, bool)]

    async def run(self) -> None:
        """Run the socket until it ends by itself."""
        async with asyncio.timeout(PATIENCE_S):
            await self.socket.run(self._deliver, self._connected)

    async def until(self, check: Callable[[], T]) -> T:
        """The first true value of ``check``, called after every event and every change of the state."""
        async with asyncio.timeout(PATIENCE_S), self._changed:
            return await self._changed.wait_for(check)

    async def _deliver(self, event: Event) -> None:
        self.taken.append(event)
        await self._notify()
        await self.gate.wait()
        self.events.append(event)
        posted = read_posted(event)
        if posted is not None:
            if self.fails_on and posted.message.message == self.fails_on:
                self.fails_on = ""
                raise ValueError("told to fail")
            self.received.append(posted.message.message)
        await self._notify()

    async def _connected(self, resumed: bool) -> None:
        self.received.append(resumed)
        await self._notify()

    def _notify_soon(self) -> None:
        task = asyncio.ensure_future(self._notify())
        self._notifications.add(task)
        task.add_done_callback(self._notifications.discard)

    async def _notify(self) -> None:
        async with self._changed:
            self._changed.notify_all()


@asynccontextmanager
async def running_listener(
    http: aiohttp.ClientSession,
    url: str,
    token: str,
    *,
    names: Container[str] | None = None,
    passes: Passes | None = None,
    **options: Any,
) -> AsyncIterator[RecordingListener]:
    """A listener that runs, and whose socket is open."""
    listener = RecordingListener(http, url, token, **options)
    running = listener.running = asyncio.ensure_future(
        listener.socket.run(listener._deliver, listener._connected, names=names, passes=passes)
    )
    try:
        await listener.until(lambda: listener.connections or running.done())
        yield listener
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


@asynccontextmanager
async def bot_listener(
    http: aiohttp.ClientSession, server: Sandbox, **options: Any
) -> AsyncIterator[RecordingListener]:
    """A listener with the bot's token that runs, and whose socket the server knows."""
    async with running_listener(http, server.url, server.bot_token, **options) as listener:
        await server.wait_for_socket()
        yield listener


Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@asynccontextmanager
async def odd_server(handler: Handler) -> AsyncIterator[str]:
    """The URL of a server that does with every request what ``handler`` does."""
    app = web.Application()
    app.router.add_route("*", "/{tail:.*}", handler)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()
