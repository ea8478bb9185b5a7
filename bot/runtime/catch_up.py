"""Reads in the channels' history what the socket missed, and writes the requests to the inbox."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable

from bot.clock import Now
from bot.core.inbox import Inbox
from bot.domain.records import Item
from bot.errors import (
    MattermostDeniedError,
    MattermostError,
    MattermostNotFoundError,
    MattermostRateLimitError,
    MattermostTokenError,
    StoreError,
)
from bot.mattermost import Channel, Mattermost
from bot.mattermost.events import Message, Posted
from bot.runtime.unread import UnreadChannels

log = logging.getLogger(__name__)

# How much history is read twice: posts of one moment may arrive in any order, also from two cluster nodes.
OVERLAP_MS = 10_000
# How many channels are read at the same time, so that a slow one does not delay the others.
READERS = 4
# How many requests of a channel wait until the channel is read, because an answer may follow.
MAX_HELD = 1000

ItemOf = Callable[[Posted, int], Item | None]
NoticeOwn = Callable[[Message], Awaitable[None]]


class CatchUp:
    """Reads channels. One that cannot be read is noted and does not hold up the others.

    A request that the bot has answered already is left out although the inbox does not know it: an older copy
    of the store was put back. The answers are recognized by their ``zoombot_trigger``. Private ones are in
    direct channels, so these are read first.
    """

    def __init__(
        self,
        mattermost: Mattermost,
        inbox: Inbox,
        unread: UnreadChannels,
        bot_id: str,
        now: Now,
        *,
        item_of: ItemOf,
        notice_own: NoticeOwn,
    ) -> None:
        self._mattermost = mattermost
        self._inbox = inbox
        self.unread = unread
        self._bot_id = bot_id
        self._now = now
        self._item_of = item_of
        self._notice_own = notice_own
        # How often :meth:`read` was called.
        self._rounds = 0

    async def read(self, since: int) -> int:
        """Take in what was posted since then (ms, server's clock) in every channel but the unread ones.

        Returns how many requests there were. Raises :class:`MattermostError` if Mattermost as a whole is in
        trouble.
        """
        self._rounds += 1
        channels = await self._mattermost.channels(
            lambda channel: channel.last_post_at > since and channel.id not in self.unread
        )
        channels.sort(key=lambda channel: -channel.last_post_at)
        answered: set[str] = set()
        found = 0
        for direct in (True, False):
            some = [channel for channel in channels if (channel.type == "D") is direct]
            found += await self._read_all(some, since, answered)
        if found:
            log.info("mattermost: caught up, %d requests in %d channels", found, len(channels))
        return found

    async def read_unread(self) -> int:
        """Wait until unread channels are due, try them again, and return how many requests there were."""
        ids = await self.unread.due()
        found = 0
        for id in ids:
            found += await self._try_again(id)
        return found

    async def _try_again(self, id: str) -> int:
        channel = Channel(id)
        rounds, began = self._rounds, self._server_now()
        try:
            channel = await self._mattermost.channel(id)
            found = await self._read_channel(channel, self.unread.start_of(id, began), set())
        except (MattermostNotFoundError, MattermostDeniedError) as error:
            log.info("mattermost: channel %s is left out: %s", id, error)
            found = 0
        except MattermostError as error:
            await self.unread.add(channel, began, error)
            return 0
        if rounds == self._rounds:
            await self.unread.remove(id)
        else:
            # Meanwhile the others were caught up, and this one was left out.
            await self.unread.move(id, began - OVERLAP_MS)
        return found

    async def _read_all(self, channels: Iterable[Channel], since: int, answered: set[str]) -> int:
        waiting, found = iter(channels), 0

        async def work() -> None:
            nonlocal found
            for channel in waiting:
                found += await self._read_or_note(channel, since, answered)

        try:
            async with asyncio.TaskGroup() as tasks:
                for _ in range(READERS):
                    tasks.create_task(work())
        except* (MattermostError, StoreError) as errors:
            failure = errors.exceptions[0]
        else:
            return found
        raise failure

    async def _read_or_note(self, channel: Channel, since: int, answered: set[str]) -> int:
        try:
            return await self._read_channel(channel, since, answered)
        except (MattermostNotFoundError, MattermostDeniedError) as error:
            # Nobody expects an answer in a channel that the bot may not read.
            log.info("mattermost: channel %s is left out: %s", channel.id, error)
        except (MattermostTokenError, MattermostRateLimitError):
            raise
        except MattermostError as error:
            # This raises if Mattermost as a whole is in trouble.
            await self._mattermost.me()
            await self.unread.add(channel, since, error)
        return 0

    async def _read_channel(self, channel: Channel, since: int, answered: set[str]) -> int:
        held: dict[str, Item] = {}
        found = 0
        async for page in self._mattermost.posts_since(channel.id, since):
            for post in page:
                await self._look_at(post, channel, since, held, answered)
            if len(held) > MAX_HELD:
                found += await self._add(held, answered)
            # Ten thousand missed posts must not delay a live one.
            await asyncio.sleep(0)
        return found + await self._add(held, answered)

    async def _look_at(
        self, post: Message, channel: Channel, since: int, held: dict[str, Item], answered: set[str]
    ) -> None:
        if post.user_id == self._bot_id:
            if post.props and isinstance(post.props.zoombot_trigger, str):
                answered.add(post.props.zoombot_trigger)
            await self._notice_own(post)
        elif post.edit_at and post.create_at <= since + OVERLAP_MS:
            # The post was seen before it was edited, and an edit is not a new request.
            return
        else:
            asked_at = min(self._now(), post.create_at - self._mattermost.server_offset)
            item = self._item_of(_as_posted(post, channel), asked_at)
            if item is not None:
                held[post.id] = item

    async def _add(self, held: dict[str, Item], answered: set[str]) -> int:
        found = 0
        for post_id, item in held.items():
            found += post_id not in answered and await self._inbox.add(item)
        held.clear()
        return found

    def _server_now(self) -> int:
        return self._now() + self._mattermost.server_offset


def _as_posted(post: Message, channel: Channel) -> Posted:
    return Posted(
        message=post,
        channel_type=channel.type,
        # A direct channel's name is a pair of ids. The user at the other end is looked up when needed.
        channel_name="" if channel.type == "D" else channel.display_name,
        team_id=channel.team_id,
    )
