"""The calls of Mattermost's API v4 that the bot uses."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from functools import partial
from typing import Any, TypeVar

import aiohttp
from cachetools import LRUCache

from bot.clock import Now, now_ms
from bot.errors import MattermostDeniedError, MattermostNotFoundError
from bot.mattermost.channel_list import RETRY_CAP_S, ChannelList
from bot.mattermost.decoding import decode_aside
from bot.mattermost.driver import open_driver
from bot.mattermost.errors import AWAY, asked_wait
from bot.mattermost.history import Page, read_page, read_since
from bot.mattermost.models import Channel, Member, Message, Post, Settings, Stats, Team, Upload, User
from bot.mattermost.rest import MAX_ANSWER, UPLOAD_TIMEOUT_S, Rest, decode
from bot.mattermost.server_clock import ServerClock
from bot.mattermost.sessions import CONNECT_TIMEOUT_S, TIMEOUT_S
from bot.mattermost.unreadable import Unreadable
from bot.retrying import Backoff, retrying

T = TypeVar("T")

# How many direct channels are cached.
MAX_DIRECT = 4096

# Must also be safe as a path segment.
_EMAIL = re.compile(r"(?=.{1,128}$)[\w'+&=~-]+(\.[\w'+&=~-]+)*@[\w-]+(\.[\w-]+)*", re.ASCII)
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_RESPONSE = re.compile(r"/hooks/commands/[a-z0-9]{1,64}$")
_SEGMENT = re.compile(r"(?!\.+$)[A-Za-z0-9._-]{1,128}")


class Mattermost:
    """The API of one server, for the bot account. Every method may raise any :class:`MattermostError`.

    Reads are tried up to ``attempts`` times if the server is unreachable or limits the rate. :meth:`me` and
    writes are tried once; the caller decides about retries. ``http`` comes from ``open_session``.
    """

    def __init__(
        self,
        http: aiohttp.ClientSession,
        url: str,
        token: str,
        *,
        timeout_s: float = TIMEOUT_S,
        connect_timeout_s: float = CONNECT_TIMEOUT_S,
        upload_timeout_s: float = UPLOAD_TIMEOUT_S,
        max_answer: int = MAX_ANSWER,
        attempts: int = 3,
        retry_base_s: float = 0.25,
        clock: ServerClock | None = None,
        now: Now = now_ms,
    ) -> None:
        self.clock = clock or ServerClock()
        self._rest = Rest(
            http,
            url,
            token,
            timeout_s=timeout_s,
            connect_timeout_s=connect_timeout_s,
            upload_timeout_s=upload_timeout_s,
            max_answer=max_answer,
            clock=self.clock,
            now=now,
        )
        self._api = open_driver(self._rest)
        self._backoff = Backoff(retry_base_s, RETRY_CAP_S, attempts)
        self._channel_list = ChannelList(self._rest, self._backoff)
        self.unreadable = Unreadable(now)
        self._me: User | None = None
        self._direct: LRUCache[str, str] = LRUCache(MAX_DIRECT)

    @property
    def server_offset(self) -> int:
        """How far the server's clock is ahead of ours, in ms; 0 if unknown."""
        return self.clock.offset

    async def me(self) -> User:
        """Fetch the bot account, with no cache and no retries: this call is used to test the settings."""
        self._me = decode(await self._api.users.get_user("me"), User)
        return self._me

    async def user(self, id: str) -> User:
        """The user with this id."""
        return await self._read(User, lambda: self._api.users.get_user(_segment(id)))

    async def users(self, ids: Sequence[str]) -> list[User]:
        """Those of the users with these ids that exist, deactivated ones too."""
        return await self._read(list[User], lambda: self._api.users.get_users_by_ids(options=list(ids)))

    async def user_by_name(self, name: str) -> User:
        """The user with this user name."""
        return await self._read(User, lambda: self._api.users.get_user_by_username(_segment(name)))

    async def user_by_email(self, email: str) -> User:
        """The user with this e-mail address; :class:`MattermostDeniedError` if the server hides addresses."""
        if not _EMAIL.fullmatch(email):
            raise MattermostNotFoundError("no e-mail address looks like that")
        return await self._read(User, lambda: self._api.users.get_user_by_email(email))

    async def direct_channel(self, user_id: str) -> str:
        """The id of the bot's direct channel with a user; created if there is none, then cached."""
        if known := self._direct.get(user_id):
            return known
        me = self._me or await self.me()
        try:
            body = await self._api.channels.create_direct_message_channel([me.id, user_id])
        except MattermostDeniedError:
            body = await self._existing_direct(me.id, user_id)
            if not body:
                raise
        self._direct[user_id] = id = decode(body, Channel).id
        return id

    async def _existing_direct(self, *ids: str) -> bytes:
        """The direct channel of these users, if there is one: Mattermost refuses to open it before it looks
        whether it exists. It is found by name in any team."""
        teams = await self._read(list[Team], lambda: self._api.teams.get_user_teams("me"))
        name = _segment("__".join(sorted(ids)))
        try:
            return await self._api.channels.get_channel_by_name(teams[0].id, name) if teams else b""
        except (MattermostDeniedError, MattermostNotFoundError):
            return b""

    async def settings(self) -> Settings:
        """The server's settings that the bot follows."""
        params = {"format": "old"}
        return await self._read(Settings, lambda: self._rest.get("/config/client", params=params))

    async def channel(self, id: str) -> Channel:
        """The channel with this id."""
        return await self._read(Channel, lambda: self._api.channels.get_channel(_segment(id)))

    async def channels(self, wanted: Callable[[Channel], bool] = lambda channel: True) -> list[Channel]:
        """The ``wanted`` channels that the bot is in, without duplicates. Archived ones are left out.

        ``last_post_at`` shows whether there may be new posts: every post and every edit increases it. Memory
        grows with the wanted channels only. Servers before 6.1 list no channels to a bot in no team.
        """
        return await self._channel_list.read(wanted)

    def posts_since(self, channel_id: str, since_ms: int) -> AsyncIterator[list[Message]]:
        """All posts created after ``since_ms`` (server's clock), in pages, oldest first.

        At most two answers of the server are in memory at a time. Deleted posts, copies of edits, and posts
        that were only edited since then are left out. So are posts that cannot be read, which are counted in
        ``unreadable``. A post may appear twice.
        """

        async def fetch(params: Mapping[str, Any]) -> Page:
            page = await self._read_with(
                read_page, lambda: self._api.posts.get_posts_for_channel(_segment(channel_id), params)
            )
            for id, reason in page.unreadable.items():
                self.unreadable.note(id, reason)
            return page

        return read_since(fetch, since_ms)

    async def create_post(
        self,
        *,
        channel_id: str,
        message: str,
        root_id: str = "",
        props: Mapping[str, Any] | None = None,
        pending_post_id: str = "",
        file_ids: Sequence[str] = (),
    ) -> Post:
        """Create a post; ``root_id`` is the root of its thread.

        Another call with the same ``pending_post_id`` within 30 s returns the same post. This does not always
        work, because the server remembers the id in the memory of one process.
        """
        options = {
            "channel_id": channel_id,
            "message": message,
            "root_id": root_id,
            "props": dict(props or {}),
            "pending_post_id": pending_post_id,
            "file_ids": list(file_ids),
        }
        return decode(await self._api.posts.create_post(_given(options)), Post)

    async def update_post(self, post_id: str, *, message: str, props: Mapping[str, Any]) -> Post:
        """Replace a post's message and all its props. Props that are not given are lost."""
        # The server sets from_bot on a bot's new posts, but a patch without it removes it.
        options = {"message": message, "props": {"from_bot": "true", **props}}
        return decode(await self._api.posts.patch_post(_segment(post_id), options), Post)

    async def post(self, id: str) -> Post:
        """The post with this id; :class:`MattermostNotFoundError` if it was deleted."""
        return await self._read(Post, lambda: self._api.posts.get_post(_segment(id)))

    async def channel_member_count(self, id: str) -> int:
        """How many people and bots are in a channel."""
        stats = await self._read(Stats, lambda: self._api.channels.get_channel_statistics(_segment(id)))
        return stats.member_count

    async def channel_member(self, channel_id: str, user_id: str) -> Member | None:
        """A user's membership of a channel, or None if they are not in it."""
        channel, user = _segment(channel_id), _segment(user_id)
        try:
            return await self._read(Member, lambda: self._api.channels.get_channel_member(channel, user))
        except MattermostNotFoundError:
            return None

    async def upload_file(self, channel_id: str, name: str, data: bytes) -> str:
        """Upload a file for a post in this channel, and return the file's id."""
        body = await self._api.files.upload_file(channel_id, {"files": (_CONTROL.sub(" ", name), data)})
        infos = decode(body, Upload).file_infos
        if not infos:
            raise MattermostNotFoundError("Mattermost took no file")
        return infos[0].id

    async def respond(self, response_url: str, message: str, props: Mapping[str, Any]) -> None:
        """Answer a slash command through its ``response_url``; only the person who wrote it sees the answer.

        Only the URL's path is used: the URL comes from outside, and its host is the one that people use.
        """
        path = _RESPONSE.search(response_url)
        if path is None:
            raise MattermostNotFoundError("that is no response_url of Mattermost's")
        options = {"response_type": "ephemeral", "text": message, **dict(props)}
        await self._rest.respond(path[0], options)

    async def open_dialog(self, trigger_id: str, url: str, dialog: Mapping[str, Any]) -> None:
        """Show a dialog to the person whose action created ``trigger_id``, which is valid for 3 seconds."""
        options = {"trigger_id": trigger_id, "url": url, "dialog": dict(dialog)}
        await self._api.integration_actions.open_dialog(options)

    async def _read(self, type: type[T], call: Callable[[], Awaitable[bytes]]) -> T:
        return await self._read_with(partial(decode, type=type), call)

    async def _read_with(self, read: Callable[[bytes], T], call: Callable[[], Awaitable[bytes]]) -> T:
        async def once() -> T:
            body = await call()
            return await decode_aside(read, body, len(body))

        return await retrying(once, self._backoff, on=AWAY, asks_for=asked_wait(RETRY_CAP_S))


def _segment(value: str) -> str:
    """``value`` if it is a valid path segment. Ids come from outside and must not lead to another path."""
    if not _SEGMENT.fullmatch(value):
        raise MattermostNotFoundError("no Mattermost id looks like that")
    return value


def _given(options: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in options.items() if value or name in ("channel_id", "message")}
