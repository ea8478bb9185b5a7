"""Test kit for the sandbox's Mattermost: an API client, captured responses and an integration."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import aiohttp
from aiohttp import web

from bot.sandbox.mattermost import Mattermost

DATA = Path(__file__).parents[1] / "data"
TIMEOUT_S = 5


def captured(name: str) -> Any:
    """A response captured from a real server."""
    return json.loads((DATA / name).read_text())


def shape(value: Any) -> Any:
    """The keys (in order) and types of a JSON value. An array is described by its first element."""
    if isinstance(value, dict):
        return [(key, shape(one)) for key, one in value.items()]
    if isinstance(value, list):
        return [shape(value[0])] if value else []
    return type(value).__name__


def unpacked(event: Any) -> Any:
    data = dict(event["data"])
    for key in ("post", "mentions", "reaction", "dialog"):
        if key in data:
            data[key] = json.loads(data[key])
    return event | {"data": data}


class Socket:
    """An open WebSocket."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self.socket = socket

    async def next(self) -> Any:
        return await self.socket.receive_json(timeout=TIMEOUT_S)

    async def event(self, name: str) -> Any:
        """The next event of this name, with the JSON in it decoded."""
        while True:
            frame = await self.next()
            if frame.get("event") == name:
                return unpacked(frame)

    async def ended(self) -> aiohttp.WSMsgType:
        while True:
            message = await self.socket.receive(timeout=TIMEOUT_S)
            if message.type is not aiohttp.WSMsgType.TEXT:
                return message.type

    async def say(self, action: str, seq: int, **data: Any) -> None:
        await self.socket.send_json({"action": action, "seq": seq, "data": data})


class Client:
    """Calls the API with one token."""

    def __init__(self, server: Mattermost, token: str) -> None:
        self.base = f"{server.url}/api/v4"
        self.headers = {"Authorization": f"Bearer {token}"} if token else {}
        self._session = aiohttp.ClientSession(headers=self.headers)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._session.close()

    async def call(self, method: str, path: str, body: Any = None, **options: Any) -> tuple[int, Any]:
        """Status and JSON."""
        if body is not None:
            options["json"] = body
        async with self._session.request(method, self.base + path, **options) as response:
            return response.status, await response.json()

    async def raw(self, method: str, path: str, **options: Any) -> tuple[int, dict[str, str], str]:
        """Status, headers and text."""
        async with self._session.request(method, self.base + path, **options) as response:
            return response.status, dict(response.headers), await response.text()

    async def get(self, path: str) -> Any:
        """The JSON of a GET that succeeds."""
        status, body = await self.call("GET", path)
        assert status == 200, body
        return body

    async def write(self, channel_id: str, message: str, **more: Any) -> tuple[int, Any]:
        return await self.call("POST", "/posts", {"channel_id": channel_id, "message": message} | more)

    @asynccontextmanager
    async def socket(self, query: str = "") -> AsyncIterator[Socket]:
        async with self._session.ws_connect(f"{self.base}/websocket{query}") as socket:
            yield Socket(socket)


class Integration:
    """A server that buttons, dialogs and commands call, with a settable response."""

    def __init__(self) -> None:
        self.requests: list[tuple[web.Request, bytes]] = []
        self.status = 200
        self.answer: Any = {}
        self.content_type = "application/json"
        self.hold: asyncio.Event | None = None
        self.url = ""

    @property
    def json(self) -> Any:
        return json.loads(self.requests[-1][1])

    async def handle(self, request: web.Request) -> web.Response:
        self.requests.append((request, await request.read()))
        if self.hold is not None:
            await self.hold.wait()
        body = self.answer if isinstance(self.answer, bytes) else json.dumps(self.answer).encode()
        return web.Response(status=self.status, body=body, content_type=self.content_type)


@asynccontextmanager
async def integration() -> AsyncIterator[Integration]:
    served = Integration()
    app = web.Application()
    app.router.add_post("/{tail:.*}", served.handle)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    served.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield served
    finally:
        await runner.cleanup()
