"""The Mattermost of the sandbox, as tests and the demo hold it."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Iterable
from types import TracebackType
from typing import Self, TypeVar

from aiohttp import web

from bot.sandbox.faults import Faults
from bot.sandbox.mattermost.integrations import Integrations
from bot.sandbox.mattermost.listening import Listening
from bot.sandbox.mattermost.outgoing import Outgoing
from bot.sandbox.mattermost.people import People
from bot.sandbox.mattermost.records import Call, Channel, Dialog, Ephemeral, Post
from bot.sandbox.mattermost.world import World

T = TypeVar("T")


class Mattermost(People):
    """A Mattermost server in this event loop; an async context manager.

    It comes with a team `demo`; alice (system admin), bob and carol (password `demo`) and the bot
    account zoom; `town-square` and `dev`, where all of them are, and the private `ops` without carol.
    `path` is a sub-path of the site, `routes` are served beside it at the root, `callback_ssl` is what
    its own requests (buttons, dialogs, commands) trust. `auth_timeout` is in seconds.
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
        self._listening = Listening(
            world,
            self.integrations,
            routes,
            host=host,
            port=port,
            path=path.rstrip("/"),
            ssl_context=ssl_context,
        )

    async def start(self) -> None:
        """Listen; again on the same port after a `stop`, with all that was written."""
        await self._listening.start()
        await self.integrations.outgoing.start()
        self.world.site_url = self.url

    async def stop(self) -> None:
        """Die: what was written stays; what can be resumed, or is remembered to be sent twice, does not."""
        await self._listening.stop()
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
        """The site's URL."""
        return self._listening.url

    @property
    def faults(self) -> Faults:
        """What is to go wrong."""
        return self.world.faults

    @property
    def calls(self) -> list[Call]:
        """Every request to the API, oldest first."""
        return self.world.calls

    def clear_calls(self) -> None:
        """Forget the requests so far."""
        self.world.calls.clear()

    @property
    def unknown(self) -> list[str]:
        """Requests to paths that there are not."""
        return self.world.unknown

    @property
    def dialogs(self) -> list[Dialog]:
        """The dialogs that integrations opened."""
        return self.world.dialogs

    @property
    def ephemerals(self) -> list[Ephemeral]:
        """What was shown to one person only."""
        return self.world.ephemerals

    @property
    def allow_overrides(self) -> bool:
        """Whether `override_username` counts."""
        return self.world.allow_overrides

    @allow_overrides.setter
    def allow_overrides(self, allow: bool) -> None:
        self.world.allow_overrides = allow

    async def wait_for(self, predicate: Callable[[], T], timeout: float = 10) -> T:  # noqa: ASYNC109
        """The predicate's first true value, looked at after every change; TimeoutError after `timeout` s."""
        return await self.world.changes.wait_for(predicate, timeout)

    def posts(self, channel: str | Channel, include_deleted: bool = False) -> list[Post]:
        """The posts of a channel, oldest first."""
        return self.world.history.in_channel(self.channel(channel).id, include_deleted=include_deleted)

    def bot_posts(self, channel: str | Channel | None = None) -> list[Post]:
        """The bot's own posts, of one channel or of all, oldest first; system messages are left out."""
        posts = self.posts(channel) if channel is not None else self.world.history.everything()
        mine = [post for post in posts if post.user_id == self.bot_id and not post.type]
        return mine if channel is not None else sorted(mine, key=lambda post: post.create_at)

    @property
    def sockets(self) -> int:
        """How many sockets the bot has open."""
        return len(self.world.hub.lines(self.bot_id))

    async def wait_for_socket(self, user: str = "zoom", timeout: float = 10) -> None:  # noqa: ASYNC109
        """Wait until a user has an authenticated socket."""
        user_id = self.user(user).id
        await self.wait_for(lambda: self.world.hub.lines(user_id), timeout)

    async def drop_sockets(self, user: str = "") -> None:
        """Cut the sockets, of one user or all; they can be resumed."""
        user_id = self.user(user).id if user else ""
        lines = self.world.hub.lines(user_id)
        self.world.hub.cut(user_id)
        await self.wait_for(lambda: not any(line.cutting for line in lines))

    async def forget_connections(self) -> None:
        """No connection that was lost can be resumed any more."""
        self.world.hub.forget()

    def deafen(self, user: str = "zoom") -> None:
        """The user's sockets stay open, and neither deliver nor answer anything."""
        self.world.hub.deafen(self.user(user).id)
