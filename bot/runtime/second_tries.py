"""Tries again what Mattermost refused for a reason that may pass, and notices posts that people delete.

A channel may be restored, the bot invited again, or a permission given back. Mattermost's events say some of
that at once; a look at each channel and person every minute finds the rest.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import defaultdict

from bot.core.context import Context
from bot.domain.announcements import without_post
from bot.domain.records import Announcement, Notice
from bot.errors import EventError, MattermostDeniedError, MattermostError, MattermostNotFoundError, StoreError
from bot.mattermost.events import (
    CHANNEL_RESTORED,
    POST_DELETED,
    USER_ADDED,
    deleted_post,
    reopened_channel,
)
from bot.mattermost.frames import Event
from bot.runtime.publisher import Publisher
from bot.stores.notifying import NotifyingStore

log = logging.getLogger(__name__)

PERIOD_S = 60.0
# How many channels and people are looked at in one period. The others follow in the next ones.
MAX_LOOKS = 20
# Events that may mean that the bot may do more than before.
_HINTS = frozenset({"role_updated", "config_changed", "direct_added", "added_to_team"})
# All events that :meth:`SecondTries.take` looks at.
EVENTS = _HINTS | {POST_DELETED, CHANNEL_RESTORED, USER_ADDED}

_Held = dict[str, list[Announcement | Notice]]


class SecondTries:
    """Passes held posts and edits to the publisher again."""

    def __init__(
        self, ctx: Context, store: NotifyingStore, publisher: Publisher, *, period_s: float = PERIOD_S
    ) -> None:
        self._ctx = ctx
        self._store = store
        self._publisher = publisher
        self._period_s = period_s
        self._began = ctx.now()
        self._wanted = asyncio.Event()
        # When each channel or person with something held was last looked at, as a growing number.
        self._turns: dict[str, int] = {}
        self._turn = 0
        # The place of each record that is being tried, and the places where one was taken.
        self._tried: dict[str, str] = {}
        self._open: set[str] = set()
        # People to whom something cannot be sent now, because Mattermost refuses the direct message.
        self.unreachable: set[str] = set()
        store.watch(Notice, self._note_notice)
        publisher.on_taken = self._note_taken

    @property
    def trouble(self) -> str:
        """Why private answers wait, for the operator; empty if none does."""
        if not self.unreachable:
            return ""
        return f"Mattermost refuses direct messages to {len(self.unreachable)} people who asked something"

    async def run(self) -> None:
        """Look now, every period, and when an event gives a reason, until cancelled."""
        while True:
            self._wanted.clear()
            try:
                await self.look()
            except StoreError as error:
                log.warning("held posts: %s", error)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._period_s):
                    await self._wanted.wait()

    async def look(self) -> None:
        """Try again where it is possible now, for the channels and people whose turn it is.

        At first one record for each of them, and all others as soon as Mattermost takes it.
        """
        held = await self._held()
        self._turns = {place: self._turns.get(place, 0) for place in held}
        self._tried = {id: place for id, place in self._tried.items() if place in held}
        self._open &= set(held)
        for place in self._open:
            self._try_again(place, held[place])
        due = sorted(held.keys() - self._open, key=lambda place: self._turns[place])
        self._open.clear()
        for place in due[:MAX_LOOKS]:
            self._turn += 1
            self._turns[place] = self._turn
            record = held[place][self._turn % len(held[place])]
            if await self._is_possible(place, record):
                self._try_again(place, [record])

    def _try_again(self, place: str, records: list[Announcement | Notice]) -> None:
        for record in sorted(records, key=lambda record: record.created_at):
            self._tried[record.id] = place
            self._publisher.try_again(record, doubtful=self._is_doubtful(record))

    def _is_doubtful(self, record: Announcement | Notice) -> bool:
        """Whether it may have been posted: not if this process was the last to try, and was refused.
        Otherwise each try would search the history of its channel."""
        return not isinstance(record, Notice) or record.refused_at < self._began

    async def take(self, event: Event) -> None:
        """Note what an event says about the bot's posts and channels."""
        try:
            if post_id := deleted_post(event):
                await self._forget(post_id)
            elif channel_id := reopened_channel(event, self._ctx.bot.id):
                self._turns[channel_id] = 0
                self._wanted.set()
            elif event.name in _HINTS:
                self._wanted.set()
        except (EventError, StoreError) as error:
            log.warning("mattermost: an event is lost: %s", error)

    async def _forget(self, post_id: str) -> None:
        for announcement in await self._store.find(Announcement, "post_id", post_id):
            log.info("the post of %s was deleted", announcement.meeting)
            await self._store.update(Announcement, announcement.id, without_post)

    async def _held(self) -> _Held:
        """What is held, by the id of the channel or the person."""
        held: _Held = defaultdict(list)
        for announcement in await self._store.find(Announcement, "held", True):
            if self._publisher.owns(announcement):
                held[announcement.channel_id].append(announcement)
        notices = [
            each for each in await self._store.find(Notice, "held", True) if self._publisher.owns(each)
        ]
        for notice in notices:
            held[notice.channel_id or notice.user_id].append(notice)
        self.unreachable = {notice.user_id for notice in notices if notice.user_id}
        return held

    async def _is_possible(self, place: str, record: Announcement | Notice) -> bool:
        mattermost = self._ctx.mattermost
        try:
            if isinstance(record, Notice) and not record.channel_id:
                return bool(await mattermost.direct_channel(place))
            if (await mattermost.channel(place)).delete_at:
                return False
            return await mattermost.channel_member(place, self._ctx.bot.id) is not None
        except (MattermostDeniedError, MattermostNotFoundError):
            return False
        except MattermostError as error:
            log.info("mattermost: whether a post is possible again is unclear: %s", error)
            return False

    def _note_notice(self, notice: Notice) -> None:
        if notice.user_id and notice.held:
            self.unreachable.add(notice.user_id)
        elif notice.user_id and notice.post_id:
            self.unreachable.discard(notice.user_id)

    def _note_taken(self, id: str) -> None:
        if place := self._tried.pop(id, ""):
            self._open.add(place)
            self._wanted.set()
