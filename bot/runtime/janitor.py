"""Deletes records that are no longer needed, which keeps the store from growing forever."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable

from msgspec.structs import replace

from bot.clock import Now
from bot.domain.records import (
    Announcement,
    Cursor,
    Item,
    ItemState,
    LostLink,
    Meeting,
    Notice,
    Pending,
    Question,
    Recent,
    Record,
    Ticket,
)
from bot.domain.upkeep import SetAside
from bot.errors import StoreError
from bot.stores import Delete, Put, Store

log = logging.getLogger(__name__)

HOUR_MS = 60 * 60_000
DAY_MS = 24 * HOUR_MS
PERIOD_S = 3600.0
# Handled items are kept to recognize repeats: Zoom repeats a webhook for 85 minutes, and Mattermost's history
# is read again from the cursor.
ITEM_MS = 2 * DAY_MS
NOTICE_MS = DAY_MS
# How long a private answer waits for a direct message to be possible.
HELD_MS = 7 * DAY_MS
TICKET_MS = HOUR_MS
PENDING_MS = DAY_MS
# Recordings may arrive days after the meeting.
MEETING_MS = 90 * DAY_MS
# How long the operator has for what could not be read or handled.
TROUBLED_MS = 90 * DAY_MS
# Commits stay small because other writes wait for them.
BATCH = 500


class Janitor:
    """Deletes old records, at start and every hour.

    ``clocks_agree`` is asked each time. If it returns False nothing is deleted: it may not be as late as it
    seems.
    """

    def __init__(self, store: Store, now: Now, clocks_agree: Callable[[], Awaitable[bool]]) -> None:
        self._store = store
        self._now = now
        self._clocks_agree = clocks_agree

    async def run(self) -> None:
        """Delete old records now and every hour, until cancelled."""
        while True:
            try:
                await self.tidy()
            except StoreError as error:
                log.warning("janitor: %s", error)
            await asyncio.sleep(PERIOD_S)

    async def tidy(self) -> int:
        """Delete old records once and return how many there were."""
        if not await self._clocks_agree():
            return 0
        await self._date()
        old = await self._old()
        for start in range(0, len(old), BATCH):
            await self._store.commit(*old[start : start + BATCH])
        if old:
            log.info("janitor: %d old records deleted", len(old))
        return len(old)

    async def _date(self) -> None:
        """Note when records that are set aside were first seen."""
        now = self._now()
        new = [each for each in await self._store.all(SetAside) if not each.seen_at]
        await self._store.commit(*(Put(replace(each, seen_at=now)) for each in new))

    async def _old(self) -> list[Delete]:
        now = self._now()
        cursor = await self._store.get(Cursor, "mattermost")
        # While Mattermost is unreachable the cursor does not move. Items handled since then must be kept, or
        # their posts would be handled again.
        seen = min(now, cursor.at if cursor else now)
        old: list[Record] = [
            item
            for item in await self._store.find(Item, "state", ItemState.DONE)
            if item.done_at < min(now, seen) - ITEM_MS
        ]
        old += await self._unread(now)
        old += [notice for notice in await self._store.all(Notice) if self._said(notice, now)]
        old += [ticket for ticket in await self._store.all(Ticket) if ticket.expires_at < now - TICKET_MS]
        old += [asked for asked in await self._store.all(Pending) if asked.asked_at < now - PENDING_MS]
        old += [asked for asked in await self._store.all(Question) if asked.expires_at < now - TICKET_MS]
        old += [newest for newest in await self._store.all(Recent) if newest.created_at < now - DAY_MS]
        old += [lost for lost in await self._store.find(LostLink, "told", True) if lost.at < now - MEETING_MS]
        old += await self._old_meetings(now)
        return [Delete(type(record), record.id) for record in old]

    async def _unread(self, now: int) -> list[Record]:
        """What nobody has looked after: items that were given up or that no key opens, and records that were
        set aside."""
        items = [
            *await self._store.find(Item, "state", ItemState.DEAD),
            *(item for item in await self._store.find(Item, "state", ItemState.WAITING) if item.error),
        ]
        asides = await self._store.all(SetAside)
        return [
            *(item for item in items if max(item.received_at, item.done_at) < now - TROUBLED_MS),
            *(aside for aside in asides if aside.seen_at < now - TROUBLED_MS),
        ]

    async def _old_meetings(self, now: int) -> list[Record]:
        old: list[Record] = []
        for meeting in await self._store.find(Meeting, "open", False):
            if meeting.created_at < now - MEETING_MS:
                old += [meeting, *await self._store.find(Announcement, "meeting", meeting.id)]
        return old

    def _said(self, notice: Notice, now: int) -> bool:
        if notice.waiting and not notice.held:
            # No key opens it.
            return notice.created_at < now - TROUBLED_MS
        kept_ms = MEETING_MS if notice.lasting else HELD_MS if notice.held else NOTICE_MS
        return notice.created_at < now - kept_ms
