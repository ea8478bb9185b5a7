"""The demo's chat page, served at Mattermost's root.

The page is an ordinary client: it signs in with a password and uses only Mattermost's public API and
WebSocket. ``/stage.json`` gives it the names of the demo's accounts.
"""

from __future__ import annotations

from aiohttp import web

from bot.sandbox.assets import asset, asset_routes, page_headers
from bot.sandbox.zoom import Zoom

PEOPLE = ("alice", "bob", "carol")
BOT = "zoom"


def page_routes(zoom: Zoom) -> list[web.RouteDef]:
    """Routes for ``/``, the page's files and ``/stage.json``, which names the demo's accounts."""

    async def stage(request: web.Request) -> web.Response:
        told = {"people": PEOPLE, "password": "demo", "bot": BOT, "team": "demo", "zoom_url": zoom.url}
        return web.json_response(told, headers=page_headers())

    return [web.get("/", _index), web.get("/stage.json", stage), *asset_routes()]


async def _index(request: web.Request) -> web.Response:
    page = asset("index.html")
    # Some browsers do not count a WebSocket of the same origin as 'self'.
    page.headers.update(page_headers(connect=f"ws://{request.host}"))
    return page
