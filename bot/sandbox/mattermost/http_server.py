"""The HTTP server, which can stop and start again on the same port."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Iterable
from email.utils import formatdate

from aiohttp import web

from bot.sandbox.mattermost import api_channels, api_posts, api_users
from bot.sandbox.mattermost.api_integrations import IntegrationsApi
from bot.sandbox.mattermost.dispatch import Dispatcher
from bot.sandbox.mattermost.integrations import Integrations
from bot.sandbox.mattermost.world import World

API = "/api/v4"
MAX_BODY = 64 * 1024 * 1024


class HttpServer:
    """Listens at one address. The port chosen on the first start is kept."""

    def __init__(
        self,
        world: World,
        integrations: Integrations,
        routes: Iterable[web.RouteDef],
        *,
        host: str,
        port: int,
        path: str,
        ssl_context: ssl.SSLContext | None,
    ) -> None:
        self._world = world
        self._integrations = integrations
        self._routes = list(routes)
        self._host = host
        self._port = port
        self._path = path
        self._ssl = ssl_context
        self._runner: web.AppRunner | None = None

    @property
    def url(self) -> str:
        """The base URL with the sub-path. Valid once the server has started."""
        scheme = "https" if self._ssl else "http"
        host = f"[{self._host}]" if ":" in self._host else self._host
        return f"{scheme}://{host}:{self._port}{self._path}"

    async def start(self) -> None:
        if self._runner is not None:
            return
        self._runner = web.AppRunner(self._app(), access_log=None, shutdown_timeout=0.2)
        await self._runner.setup()
        site = web.TCPSite(self._runner, self._host, self._port, ssl_context=self._ssl, reuse_address=True)
        await site.start()
        self._port = self._runner.addresses[0][1]

    async def stop(self) -> None:
        """Stop like a crashed server: sockets are cut without a close frame."""
        if self._runner is None:
            return
        runner, self._runner = self._runner, None
        for site in list(runner.sites):
            await site.stop()
        self._world.hub.cut()
        while self._world.hub.connections():
            self._world.hub.cut()
            await asyncio.sleep(0)
        await runner.cleanup()

    def _app(self) -> web.Application:
        app = web.Application(client_max_size=MAX_BODY)
        app.on_response_prepare.append(self._date)
        dispatcher, api = Dispatcher(self._world, self._path), IntegrationsApi(self._integrations)
        routes = (*api_users.ROUTES, *api_channels.ROUTES, *api_posts.ROUTES, *api.routes)
        app.router.add_routes([dispatcher.route(route, API) for route in routes])
        app.router.add_routes([dispatcher.route(route) for route in api.hooks])
        app.router.add_routes(self._routes)
        app.router.add_route("*", "/{tail:.*}", dispatcher.unknown_path)
        return app

    async def _date(self, request: web.Request, response: web.StreamResponse) -> None:
        # Use the server's clock, which may be offset or advanced.
        response.headers["Date"] = formatdate(self._world.now() / 1000, usegmt=True)
