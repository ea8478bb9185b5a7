"""The chat page of the demo, served at Mattermost's root.

The page is an ordinary client: it signs in with a password, and knows nothing but Mattermost's public API and
socket. All that it is told besides is who plays here.
"""

from __future__ import annotations

from aiohttp import web

from bot.sandbox.assets import asset, asset_routes, page_headers
from bot.sandbox.zoom import Zoom

PEOPLE = ("alice", "bob", "carol")
BOT = "zoom"


def page_routes(zoom: Zoom) -> list[web.RouteDef]:
    """``/``, the files that the page is made of, and ``/stage.json``: who is on the stage."""

    async def stage(request: web.Request) -> web.Response:
        told = {"people": PEOPLE, "password": "demo", "bot": BOT, "team": "demo", "zoom_url": zoom.url}
        return web.json_response(told, headers=page_headers())

    return [web.get("/", _index), web.get("/stage.json", stage), *asset_routes()]


async def _index(request: web.Request) -> web.Response:
    page = asset("index.html")
    # Some browsers do not count a socket of the same origin as 'self'.
    page.headers.update(page_headers(connect=f"ws://{request.host}"))
    return page
