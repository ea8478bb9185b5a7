"""Test kit for the sandbox's Zoom: the server, a webhook receiver and a client."""

from __future__ import annotations

import base64
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, NamedTuple

import aiohttp
from aiohttp import web
from yarl import URL

from bot.sandbox.zoom import Zoom
from bot.sandbox.zoom.world import App

REDIRECT = "http://127.0.0.1:9/plugins/zoom/oauth2/complete"


class Hit(NamedTuple):
    """A received webhook."""

    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> dict[str, Any]:
        parsed: dict[str, Any] = json.loads(self.body)
        return parsed


class Answer(NamedTuple):
    """A response from the sandbox."""

    status: int
    json: Any
    headers: dict[str, str]


class Stage:
    """A running sandbox. The next webhooks are answered with ``statuses``, then 200; ``reply`` is the text."""

    def __init__(self, zoom: Zoom, http: aiohttp.ClientSession) -> None:
        self.zoom = zoom
        self.http = http
        self.hits: list[Hit] = []
        self.statuses: list[int] = []
        self.reply = ""
        self.token = ""

    async def receive(self, request: web.Request) -> web.Response:
        self.hits.append(Hit(dict(request.headers), await request.read()))
        return web.Response(status=self.statuses.pop(0) if self.statuses else 200, text=self.reply)

    @property
    def events(self) -> list[str]:
        return [hit.json["event"] for hit in self.hits]

    async def call(self, method: str, path: str, body: object = None, *, token: str | None = None) -> Answer:
        """Call the API, with alice's token by default. ``path`` is sent as is."""
        headers = {"Authorization": f"Bearer {self.token if token is None else token}"}
        url = URL(self.zoom.api_url + path, encoded=True)
        async with self.http.request(method, url, json=body, headers=headers) as response:
            content = await response.read()
            return Answer(response.status, json.loads(content) if content else None, dict(response.headers))

    async def create(self, **fields: object) -> dict[str, Any]:
        answer = await self.call("POST", "/users/me/meetings", {"topic": "Retro", "type": 1} | fields)
        assert answer.status == 201, answer
        made: dict[str, Any] = answer.json
        return made

    async def ask_token(self, *, secret: str | None = None, **form: str) -> Answer:
        """Call the token endpoint."""
        return await self.oauth("token", form, secret=secret)

    async def oauth(self, path: str, form: dict[str, str], *, secret: str | None = None) -> Answer:
        pair = f"{self.zoom.client_id}:{self.zoom.client_secret if secret is None else secret}"
        headers = {"Authorization": "Basic " + base64.b64encode(pair.encode()).decode()}
        async with self.http.post(f"{self.zoom.url}/oauth/{path}", data=form, headers=headers) as response:
            return Answer(response.status, await response.json(), dict(response.headers))

    def authorize_url(self, **changes: str) -> str:
        query = {
            "response_type": "code",
            "client_id": self.zoom.client_id,
            "redirect_uri": REDIRECT,
            "state": "state-1",
        }
        return str(URL(f"{self.zoom.url}/oauth/authorize").with_query(query | changes))


@asynccontextmanager
async def stage(app: App = "user") -> AsyncIterator[Stage]:
    """Start everything with alice's token (the account's own for server-to-server)."""
    async with Zoom(app=app, redirect_uri=REDIRECT) as zoom, aiohttp.ClientSession() as http:
        scene = Stage(zoom, http)
        application = web.Application()
        application.router.add_post("/webhook", scene.receive)
        runner = web.AppRunner(application, shutdown_timeout=0.1)
        await runner.setup()
        try:
            await web.TCPSite(runner, "127.0.0.1", 0).start()
            zoom.webhook_url = f"http://127.0.0.1:{runner.addresses[0][1]}/webhook?secret=s"
            if app == "server-to-server":
                granted = await scene.ask_token(grant_type="account_credentials", account_id=zoom.account_id)
                scene.token = granted.json["access_token"]
            else:
                scene.token = str(zoom.grant("alice@demo.example")["access_token"])
            yield scene
        finally:
            await runner.cleanup()
