"""Makes up for missed webhooks: asks Zoom about all open meetings every few minutes."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator

from bot.core.context import Context
from bot.domain.meetings import Expired, GivenUp, MeetingEvent, Started
from bot.domain.records import Meeting, Status
from bot.domain.sessions import Session
from bot.errors import MattermostError, StoreError
from bot.features import details, lifecycle
from bot.runtime.inquiry import Look, inquire, inquire_again

log = logging.getLogger(__name__)

PERIOD_S = 300.0
# How many calls to Zoom run at once.
PARALLEL = 4
# For how long to look again at a meeting that was closed because Zoom did not know it.
WATCH_MS = 24 * 60 * 60_000
# How many meetings are checked together.
BATCH = 100


class Reconciler:
    """Ends meetings whose end was missed, with Zoom's times, expires those that never started, and gives up
    those about which Zoom no longer tells anything."""

    def __init__(self, ctx: Context, *, period_s: float = PERIOD_S) -> None:
        self._ctx = ctx
        self._period_s = period_s
        self._slots = asyncio.Semaphore(PARALLEL)
        # By the ids of the meetings: what came of earlier looks, and until when (ms) one that was closed
        # because Zoom did not know it is looked at.
        self._looks: dict[str, Look] = {}
        self._closed: dict[str, int] = {}
        self._clocks_agree = False
        self.mended = 0

    async def run(self) -> None:
        """Reconcile now and every period, until cancelled."""
        while True:
            try:
                await self.reconcile()
            except (StoreError, MattermostError) as error:
                log.warning("reconciler: %s", error)
            await asyncio.sleep(self._period_s)

    async def reconcile(self) -> None:
        """Check every open meeting once, except those that Zoom was asked about in vain a short time ago."""
        known = self._looks
        looks: dict[str, Look] = {}
        async for meetings in self._meetings():
            if meetings and not looks:
                self._clocks_agree = await self._ctx.clocks.look(self._ctx.mattermost, self._ctx.zoom)
            looks |= {meeting.id: known.get(meeting.id, Look()) for meeting in meetings}
            async with asyncio.TaskGroup() as tasks:
                for meeting in meetings:
                    if (look := looks[meeting.id]).is_due(self._ctx.now()):
                        tasks.create_task(self._check(meeting, look))
        self._looks = looks

    async def _meetings(self) -> AsyncIterator[list[Meeting]]:
        yield await self._lately_closed()
        async for page in self._ctx.store.pages(Meeting, "open", True, size=BATCH):
            yield page

    async def _lately_closed(self) -> list[Meeting]:
        """The meetings that this process closed because Zoom did not know them: it may know them again."""
        now = self._ctx.now()
        found = [await self._ctx.store.get(Meeting, id) for id, until in self._closed.items() if now <= until]
        closed = {each.id: each for each in found if each and not each.open and not each.ended_at}
        for id in self._closed.keys() - closed.keys():
            # What it was closed for no longer counts.
            self._looks.pop(id, None)
        self._closed = {id: self._closed[id] for id in closed}
        return list(closed.values())

    async def _check(self, meeting: Meeting, look: Look) -> None:
        try:
            await self._compare(meeting, look)
        except StoreError as error:
            log.warning("reconciler: meeting %s: %s", meeting.zoom_id, error)
        except Exception:
            # The other meetings must still be checked.
            log.exception("reconciler: meeting %s could not be checked", meeting.zoom_id)

    async def _compare(self, meeting: Meeting, look: Look) -> None:
        async with self._slots:
            ask = inquire if meeting.open else inquire_again
            found = await ask(self._ctx, meeting, look)
        if info := look.take_info():
            renewed = await details.renew(self._ctx, meeting.id, details.details_of(info))
            await self._ctx.store.commit(*renewed)
        if found is None or (_rests_on_our_clock(found.event) and not self._clocks_agree):
            return
        if look.gone_at and isinstance(found.event, Expired | GivenUp):
            self._closed[meeting.id] = self._ctx.now() + WATCH_MS
        changes = await lifecycle.change(self._ctx, meeting.id, found.event, Session(found.uuid))
        await self._ctx.store.commit(*changes)
        if not isinstance(found.event, Started) or meeting.status is not Status.STARTED:
            self.mended += 1
            log.info("reconciler: meeting %s: %s", meeting.zoom_id, type(found.event).__name__)


def _rests_on_our_clock(event: MeetingEvent) -> bool:
    """Whether it closes a meeting because so much time has passed, and not because Zoom told its end."""
    return isinstance(event, Expired | GivenUp)
