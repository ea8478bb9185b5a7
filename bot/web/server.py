"""The public application and the sockets it listens on."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable

from aiohttp import web
from yarl import URL

from bot.core.context import Context
from bot.core.registry import Registry
from bot.errors import StartError
from bot.web.mattermost import MattermostRoutes
from bot.web.oauth import OAuthRoutes
from bot.web.pages import error_page
from bot.web.zoom import OnWebhook, ZoomRoutes, unobserved

log = logging.getLogger(__name__)

MAX_BODY = 1024 * 1024
# When the bot stops, aiohttp waits for requests in flight this long, breaks off the reading of their bodies,
# and waits as long again.
SHUTDOWN_S = 0.7

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def public_app(ctx: Context, registry: Registry, on_webhook: OnWebhook = unobserved) -> web.Application:
    """Serve the routes under the path of ``public_url``. ``on_webhook`` receives the status and the seconds
    of each webhook."""
    app = web.Application(client_max_size=MAX_BODY, middlewares=[_guarded])
    base = URL(ctx.config.web.public_url).raw_path.rstrip("/")
    oauth = OAuthRoutes(ctx)
    zoom = ZoomRoutes(ctx, registry, on_webhook)
    mattermost = MattermostRoutes(ctx, registry.grammar)
    app.add_routes(
        [
            web.get(f"{base}/oauth2/connect", oauth.connect),
            # A HEAD request must not use up a code.
            web.get(f"{base}/oauth2/complete", oauth.complete, allow_head=False),
            web.post(f"{base}/oauth2/complete", oauth.confirm),
            web.post(f"{base}/webhook", zoom.webhook),
            web.post(f"{base}/deauthorization", zoom.webhook),
            web.post(f"{base}/command", mattermost.command),
            web.post(f"{base}/action", mattermost.action),
            web.post(f"{base}/dialog", mattermost.dialog),
        ]
    )
    return app


class Server:
    """Serves one application at one address."""

    def __init__(self, app: web.Application, host: str, port: int, key: str) -> None:
        self._runner = web.AppRunner(app, access_log=None, handle_signals=False, shutdown_timeout=SHUTDOWN_S)
        self._host = host
        self._port = port
        self._key = key

    async def start(self) -> int:
        """Listen and return the port. Raises :class:`StartError` if that is not possible."""
        await self._runner.setup()
        try:
            await web.TCPSite(self._runner, self._host, self._port).start()
        except OSError as error:
            await self._runner.cleanup()
            reason = error.strerror or str(error)
            raise StartError(f"{self._key}: cannot listen on {self._host}:{self._port}: {reason}") from None
        return int(self._runner.addresses[0][1])

    async def close(self) -> None:
        """Stop taking requests, and answer those in flight."""
        await self._runner.cleanup()


@web.middleware
async def _guarded(request: web.Request, handler: Handler) -> web.StreamResponse:
    try:
        return await handler(request)
    except web.HTTPException:
        raise
    except Exception:
        # Only the path: the query may contain secrets.
        log.exception("request failed: %s %s", request.method, request.path)
        return error_page()
