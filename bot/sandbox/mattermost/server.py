"""The Mattermost server that tests and the demo start."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Iterable
from types import TracebackType
from typing import Self, TypeVar

from aiohttp import web

from bot.sandbox.faults import Faults
from bot.sandbox.mattermost.http_server import HttpServer
from bot.sandbox.mattermost.integrations import Integrations
from bot.sandbox.mattermost.outgoing import Outgoing
from bot.sandbox.mattermost.people import People
from bot.sandbox.mattermost.records import Call, Channel, Dialog, Ephemeral, Post
from bot.sandbox.mattermost.world import World

T = TypeVar("T")


class Mattermost(People):
    """A Mattermost server in this event loop; an async context manager.

    It starts with a team `demo`; alice (system admin), bob and carol (password `demo`) and the bot
    account zoom; the channels `town-square` and `dev` with all four, and the private `ops` without carol.
    `path` is the site's sub-path; `routes` are also served, at the root. `callback_ssl` is the TLS context
    for requests to integrations. `auth_timeout` is in seconds.
    """

    def __init__(
        self,
        host: str = "127.0.0.1",
        port: int = 0,
        ssl_context: ssl.SSLContext | None = None,
        path: str = "",
        routes: Iterable[web.RouteDef] = (),
        *,
        callback_ssl: ssl.SSLContext | None = None,
        clock_offset_ms: int = 0,
        auth_timeout: float = 5.0,
    ) -> None:
        world = World(clock_offset_ms, auth_timeout)
        super().__init__(world, Integrations(world, Outgoing(callback_ssl)))
        self._server = HttpServer(
            world,
            self.integrations,
            routes,
            host=host,
            port=port,
            path=path.rstrip("/"),
            ssl_context=ssl_context,
        )

    async def start(self) -> None:
        """Start, or restart after `stop` on the same port with the same data."""
        await self._server.start()
        await self.integrations.outgoing.start()
        self.world.site_url = self.url

    async def stop(self) -> None:
        """Stop like a crashed server. Data is kept, but not resumable connections and pending post ids."""
        await self._server.stop()
        await self.integrations.outgoing.stop()
        self.world.hub.forget()
        self.world.pending.clear()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    @property
    def url(self) -> str:
        return self._server.url

    @property
    def faults(self) -> Faults:
        return self.world.faults

    @property
    def calls(self) -> list[Call]:
        """All API requests, oldest first."""
        return self.world.calls

    def clear_calls(self) -> None:
        self.world.calls.clear()

    @property
    def unknown(self) -> list[str]:
        """Requests to unknown paths."""
        return self.world.unknown

    @property
    def dialogs(self) -> list[Dialog]:
        return self.world.dialogs

    @property
    def ephemerals(self) -> list[Ephemeral]:
        return self.world.ephemerals

    @property
    def allow_overrides(self) -> bool:
        """Whether posts may override the shown user name."""
        return self.world.allow_overrides

    @allow_overrides.setter
    def allow_overrides(self, allow: bool) -> None:
        self.world.allow_overrides = allow

    async def wait_for(self, predicate: Callable[[], T], timeout: float = 10) -> T:  # noqa: ASYNC109
        """Return the predicate's first true value. Raises TimeoutError after `timeout` seconds."""
        return await self.world.changes.wait_for(predicate, timeout)

    def posts(self, channel: str | Channel, include_deleted: bool = False) -> list[Post]:
        """The channel's posts, oldest first."""
        return self.world.history.in_channel(self.channel(channel).id, include_deleted=include_deleted)

    def bot_posts(self, channel: str | Channel | None = None) -> list[Post]:
        """The bot's posts in one channel or all, oldest first, without system messages."""
        posts = self.posts(channel) if channel is not None else self.world.history.everything()
        mine = [post for post in posts if post.user_id == self.bot_id and not post.type]
        return mine if channel is not None else sorted(mine, key=lambda post: post.create_at)

    @property
    def sockets(self) -> int:
        return len(self.world.hub.connections(self.bot_id))

    async def wait_for_socket(self, user: str = "", timeout: float = 10) -> None:  # noqa: ASYNC109
        """Wait for a socket of this user, or of the bot."""
        user_id = self.user(user or self.bot).id
        await self.wait_for(lambda: self.world.hub.connections(user_id), timeout)

    async def drop_sockets(self, user: str = "") -> None:
        """Cut the sockets of one user or all. Their connections can be resumed."""
        user_id = self.user(user).id if user else ""
        connections = self.world.hub.connections(user_id)
        self.world.hub.cut(user_id)
        await self.wait_for(lambda: not any(connection.cutting for connection in connections))

    async def forget_connections(self) -> None:
        """Make all lost connections impossible to resume."""
        self.world.hub.forget()

    def deafen(self, user: str = "zoom") -> None:
        """Keep the user's sockets open but send nothing more on them."""
        self.world.hub.deafen(self.user(user).id)
