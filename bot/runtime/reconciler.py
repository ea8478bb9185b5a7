"""What webhooks did not tell: every few minutes Zoom is asked about each meeting that is still open."""

from __future__ import annotations

import asyncio
import logging

from bot.core.context import Context
from bot.domain.meetings import Ended, Expired, MeetingEvent, Started
from bot.domain.records import Meeting, Status
from bot.errors import MattermostError, StoreError, ZoomError, ZoomNotFoundError
from bot.features import lifecycle

log = logging.getLogger(__name__)

PERIOD_S = 300.0
# Calls to Zoom at once.
PARALLEL = 4
# A meeting that nobody started by then is over.
EXPIRE_MS = 24 * 60 * 60_000
# One that was shared may have been meant for another day.
JOINED_EXPIRE_MS = 30 * EXPIRE_MS
# Meetings that are asked about before the next are looked at.
BATCH = 100


class Reconciler:
    """Closes what ended unseen, with Zoom's own times, and expires what never began."""

    def __init__(self, ctx: Context, *, period_s: float = PERIOD_S) -> None:
        self._ctx = ctx
        self._period_s = period_s
        self._slots = asyncio.Semaphore(PARALLEL)
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
        """Ask once about everything that is open."""
        meetings = await self._ctx.store.find(Meeting, "open", True)
        for start in range(0, len(meetings), BATCH):
            async with asyncio.TaskGroup() as tasks:
                for meeting in meetings[start : start + BATCH]:
                    tasks.create_task(self._check(meeting))

    async def _check(self, meeting: Meeting) -> None:
        try:
            await self._compare(meeting)
        except StoreError as error:
            log.warning("reconciler: meeting %s: %s", meeting.zoom_id, error)
        except Exception:
            # The others are asked about all the same.
            log.exception("reconciler: meeting %s could not be checked", meeting.zoom_id)

    async def _compare(self, meeting: Meeting) -> None:
        async with self._slots:
            try:
                event = await self._ask(meeting)
            except (ZoomError, MattermostError) as error:
                log.info("reconciler: meeting %s stays as it is: %s", meeting.zoom_id, error)
                event = self._expired(meeting)
        if event is None:
            return
        changes = await lifecycle.change(self._ctx, meeting.id, event)
        await self._ctx.store.commit(*changes)
        if not isinstance(event, Started) or meeting.status is Status.WAITING:
            self.mended += 1
            log.info("reconciler: meeting %s: %s", meeting.zoom_id, type(event).__name__)

    async def _ask(self, meeting: Meeting) -> MeetingEvent | None:
        """What Zoom knows that the record does not; None if it is as it was."""
        caller = await self._ctx.caller(meeting.host_id)
        try:
            webinar = meeting.kind == "webinar"
            info = await self._ctx.zoom.meeting(caller, meeting.zoom_id, webinar=webinar)
        except ZoomNotFoundError:
            return await self._past(meeting) or self._gone(meeting)
        if info.status == "started" and info.uuid == meeting.uuid:
            # Zoom says when it was to begin, not when it did; that comes with its end.
            return Started(self._ctx.now(), presumed=True) if meeting.status is Status.WAITING else None
        # It is not going on: either it was (a personal room stays, its occurrences pass), or not yet.
        return await self._past(meeting) or self._expired(meeting)

    async def _past(self, meeting: Meeting) -> Ended | None:
        caller = await self._ctx.caller(meeting.host_id)
        try:
            past = await self._ctx.zoom.past_meeting(caller, meeting.uuid)
        except ZoomNotFoundError:
            return None
        return Ended(at=past.end_ms, started_at=past.start_ms) if past.end_ms else None

    def _gone(self, meeting: Meeting) -> MeetingEvent | None:
        """Zoom no longer knows it, and has not said when it ended: it may say so a little later."""
        if meeting.status is Status.WAITING:
            return Expired()
        began = meeting.started_at or meeting.created_at
        late = self._ctx.now() - began > EXPIRE_MS
        return Ended(at=self._ctx.now(), presumed=True) if late else None

    def _expired(self, meeting: Meeting) -> Expired | None:
        patience = JOINED_EXPIRE_MS if meeting.kind == "joined" else EXPIRE_MS
        waited = meeting.status is Status.WAITING and self._ctx.now() - meeting.created_at > patience
        return Expired() if waited else None
