"""The public application and the sockets that applications are served on."""

from __future__ import annotations

import asyncio
import errno
import logging
import socket
from collections.abc import Awaitable, Callable

from aiohttp import web
from yarl import URL

from bot.core.context import Context
from bot.core.registry import Registry
from bot.errors import StartError, StoreError
from bot.log.repeats import Repeats
from bot.web.connections import Connection, Connections, watched
from bot.web.faults import ServerLog
from bot.web.limits import DEFAULT_LIMITS, LIMITS, SAID, WebLimits, affordable
from bot.web.mattermost import MattermostRoutes
from bot.web.oauth import OAuthRoutes
from bot.web.pages import error_page, starting_page, waiting_page
from bot.web.zoom import OnWebhook, ZoomRoutes, unobserved

log = logging.getLogger(__name__)

MAX_BODY = 1024 * 1024
# When the bot stops, aiohttp waits for requests in flight this long, breaks off the reading of their bodies,
# and waits as long again.
SHUTDOWN_S = 0.7
# How many clients the kernel lets wait for a connection.
BACKLOG = 1024
# The pause before another connection is accepted after that failed.
PAUSE_S = 0.1
_NO_ROOM = (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM)

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
            web.get(f"{base}/command", mattermost.command_by_get, allow_head=False),
            web.post(f"{base}/action", mattermost.action),
            web.post(f"{base}/dialog", mattermost.dialog),
            # Zoom never sends an event again after 404, and a slash too many is easily pasted; so it is where
            # a slash command is made.
            web.post(_slashed(f"{base}/webhook"), zoom.webhook),
            web.post(_slashed(f"{base}/deauthorization"), zoom.webhook),
            web.post(_slashed(f"{base}/command"), mattermost.command),
            web.get(_slashed(f"{base}/command"), mattermost.command_by_get, allow_head=False),
        ]
    )
    return app


def _slashed(path: str) -> str:
    """A route for ``path`` with any number of slashes in place of each one, and behind it."""
    parts = [part for part in path.split("/") if part]
    return "".join(f"/{{_{number}:/*}}{part}" for number, part in enumerate(parts)) + "{_end:/*}"


def starting_app() -> web.Application:
    """Answer every request with 503: the bot listens, but is not ready yet."""
    app = web.Application(client_max_size=MAX_BODY)
    app.router.add_route("*", "/{path:.*}", _not_yet)
    return app


class Server:
    """Listens at one address and serves one application there, which may be replaced.

    ``key`` is the configuration key of the port. At most ``connections`` are open at a time.
    """

    def __init__(
        self, host: str, port: int, key: str, connections: int, limits: WebLimits = DEFAULT_LIMITS
    ) -> None:
        self._host = host
        self._port = port
        self._key = key
        self._limits = limits
        self._said = Repeats(log, limits.log_s)
        self._connections = Connections(affordable(connections), limits, self._said, key)
        self._runners: list[web.AppRunner] = []
        self._sockets: list[socket.socket] = []
        self._acceptors: list[asyncio.Task[None]] = []

    async def start(self, app: web.Application) -> int:
        """Listen, serve ``app`` and return the port. Raises :class:`StartError` if that is not possible."""
        try:
            self._sockets = await _listen(self._host, self._port)
        except OSError as error:
            reason = error.strerror or str(error)
            raise StartError(f"{self._key}: cannot listen on {self._host}:{self._port}: {reason}") from None
        await self.serve(app)
        self._acceptors = [asyncio.create_task(self._accept(each), name=self._key) for each in self._sockets]
        return int(self._sockets[0].getsockname()[1])

    async def serve(self, app: web.Application) -> None:
        """Serve ``app`` on the connections that are opened from now on."""
        app.middlewares.insert(0, watched)
        app[LIMITS] = self._limits
        app[SAID] = self._said
        runner = web.AppRunner(
            app,
            access_log=None,
            logger=ServerLog(log, self._said),
            handle_signals=False,
            shutdown_timeout=SHUTDOWN_S,
            keepalive_timeout=self._limits.idle_s,
            lingering_time=self._limits.linger_s,
        )
        await runner.setup()
        self._runners.append(runner)

    async def close(self) -> None:
        """Stop taking requests, and answer those in flight."""
        for task in self._acceptors:
            task.cancel()
        await asyncio.gather(*self._acceptors, return_exceptions=True)
        for each in self._sockets:
            each.close()
        self._connections.close_unasked()
        await asyncio.gather(*(runner.cleanup() for runner in self._runners))
        self._acceptors, self._sockets, self._runners = [], [], []
        self._said.close()

    async def _accept(self, listening: socket.socket) -> None:
        while True:
            try:
                await self._connections.room()
                await self._accept_one(listening)
            except OSError as error:
                if error.errno in _NO_ROOM:
                    self._said.warning(f"{self._key}: no connection can be accepted: {error.strerror}")
                    self._connections.make_room()
                    await asyncio.sleep(PAUSE_S)
            except Exception:
                self._said.exception(f"{self._key}: a connection could not be accepted")
                await asyncio.sleep(PAUSE_S)

    async def _accept_one(self, listening: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        accepted, _ = await loop.sock_accept(listening)
        try:
            await loop.connect_accepted_socket(self._protocol, accepted)
        except BaseException:
            accepted.close()
            raise

    def _protocol(self) -> Connection:
        server = self._runners[-1].server
        assert server is not None, "a runner is set up before it is used"
        return self._connections.take(server())


async def _listen(host: str, port: int) -> list[socket.socket]:
    """Sockets that listen on every address of ``host``, as far as this machine has it."""
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    listening: list[socket.socket] = []
    try:
        for family, address in dict.fromkeys((each[0], each[4]) for each in found):
            try:
                listening.append(socket.create_server(address, family=family, backlog=BACKLOG))
            except OSError as error:
                if error.errno != errno.EADDRNOTAVAIL or len(found) == 1:
                    raise
    except OSError:
        for each in listening:
            each.close()
        raise
    for each in listening:
        each.setblocking(False)
    if not listening:
        raise OSError(errno.EADDRNOTAVAIL, "none of its addresses is one of this machine")
    return listening


async def _not_yet(request: web.Request) -> web.Response:
    response = starting_page()
    # The next request on this connection is for the bot itself.
    response.force_close()
    return response


@web.middleware
async def _guarded(request: web.Request, handler: Handler) -> web.StreamResponse:
    try:
        return await handler(request)
    except (web.HTTPException, ConnectionError):
        # The second: the client has gone, and aiohttp takes note of it.
        raise
    except StoreError as error:
        request.app[SAID].warning(f"requests are answered with 503: {error}")
        return waiting_page()
    except Exception as error:
        # Only the route: the query may contain secrets.
        resource = request.match_info.route.resource
        route = resource.canonical if resource is not None else "(no route)"
        request.app[SAID].exception(f"request failed: {request.method} {route}: {type(error).__name__}")
        return error_page()
