"""Deletes records that are no longer needed, which keeps the store from growing forever."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from msgspec.structs import replace

from bot.clock import Now
from bot.domain.records import (
    Announcement,
    Cursor,
    Guest,
    Item,
    ItemState,
    LostLink,
    Meeting,
    Notice,
    Pending,
    Question,
    Recent,
    Record,
    Seat,
    Ticket,
)
from bot.domain.upkeep import SetAside
from bot.errors import StoreError
from bot.stores import Delete, Put, Store

log = logging.getLogger(__name__)

HOUR_MS = 60 * 60_000
DAY_MS = 24 * HOUR_MS
FIRST_S = 60.0
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
BATCH = 200
# For how many times as long as it works the janitor rests.
REST = 4


@dataclass(frozen=True, slots=True)
class _Rule:
    """Which records of a kind are old. Only those with this value of an indexed field are looked at."""

    kind: type[Record]
    is_old: Callable[[Any], object]
    field: str = ""
    value: object = None


class Janitor:
    """Deletes old records, soon after the start and every hour.

    ``clocks_agree`` is asked each time. If it returns False nothing is deleted: it may not be as late as it
    seems.
    """

    def __init__(self, store: Store, now: Now, clocks_agree: Callable[[], Awaitable[bool]]) -> None:
        self._store = store
        self._now = now
        self._clocks_agree = clocks_agree

    async def run(self) -> None:
        """Delete old records soon and then every hour, until cancelled."""
        # A start has more urgent work.
        await asyncio.sleep(FIRST_S)
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
        count = 0
        for rule in await self._rules():
            async for page in self._leisurely(rule):
                old = [each for record in page if rule.is_old(record) for each in await self._with(record)]
                if old:
                    await self._store.commit(*(Delete(type(each), each.id) for each in old))
                count += len(old)
        if count:
            log.info("janitor: %d old records deleted", count)
        return count

    async def _leisurely(self, rule: _Rule) -> AsyncIterator[list[Record]]:
        """The pages of a rule. After each, people's requests have the machine for longer than it took."""
        began = time.monotonic()
        async for page in self._store.pages(rule.kind, rule.field, rule.value, size=BATCH):
            yield page
            await asyncio.sleep(REST * (time.monotonic() - began))
            began = time.monotonic()

    async def _date(self) -> None:
        """Note when records that are set aside were first seen."""
        now = self._now()
        new = [each for each in await self._store.all(SetAside) if not each.seen_at]
        await self._store.commit(*(Put(replace(each, seen_at=now)) for each in new))

    async def _rules(self) -> list[_Rule]:
        now = self._now()
        cursor = await self._store.get(Cursor, "mattermost")
        # While Mattermost is unreachable the cursor does not move. Items handled since then must be kept, or
        # their posts would be handled again.
        seen = min(now, cursor.at if cursor else now)
        troubled = now - TROUBLED_MS
        return [
            _Rule(Item, lambda item: item.done_at < seen - ITEM_MS, "state", ItemState.DONE),
            # What nobody has looked after: items that were given up or that no key opens, and what was set
            # aside.
            _Rule(Item, lambda item: max(item.received_at, item.done_at) < troubled, "state", ItemState.DEAD),
            _Rule(Item, lambda item: item.error and item.received_at < troubled, "state", ItemState.WAITING),
            _Rule(SetAside, lambda aside: 0 < aside.seen_at < troubled),
            _Rule(Notice, lambda notice: self._said(notice, now)),
            _Rule(Ticket, lambda ticket: ticket.expires_at < now - TICKET_MS),
            _Rule(Pending, lambda asked: asked.asked_at < now - PENDING_MS),
            _Rule(Question, lambda asked: asked.expires_at < now - TICKET_MS),
            _Rule(Recent, lambda newest: newest.created_at < now - DAY_MS),
            _Rule(LostLink, lambda lost: lost.at < now - MEETING_MS, "told", True),
            _Rule(Meeting, lambda meeting: meeting.created_at < now - MEETING_MS, "open", False),
        ]

    async def _with(self, record: Record) -> list[Record]:
        """The record, and what goes with it."""
        if isinstance(record, Meeting):
            await self._disperse(record)
            return [record, *await self._store.find(Announcement, "meeting", record.id)]
        return [record]

    async def _disperse(self, meeting: Meeting) -> None:
        """Delete the records of a meeting's sessions and people, which may be many, before its own."""
        for kind in (Seat, Guest):
            async for page in self._leisurely(_Rule(kind, bool, "meeting", meeting.id)):
                await self._store.commit(*(Delete(kind, each.id) for each in page))

    def _said(self, notice: Notice, now: int) -> bool:
        if notice.waiting and not notice.held:
            # No key opens it.
            return notice.created_at < now - TROUBLED_MS
        kept_ms = MEETING_MS if notice.lasting else HELD_MS if notice.held else NOTICE_MS
        return notice.created_at < now - kept_ms
