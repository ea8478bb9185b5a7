"""Makes up for missed webhooks: asks Zoom about all open meetings every few minutes."""

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
# How many calls to Zoom run at once.
PARALLEL = 4
# A meeting that nobody starts within this time expires.
EXPIRE_MS = 24 * 60 * 60_000
# A meeting announced by ``join`` may be planned for a later day.
JOINED_EXPIRE_MS = 30 * EXPIRE_MS
# How many meetings are checked together.
BATCH = 100


class Reconciler:
    """Ends meetings whose end was missed, with Zoom's times, and expires those that never started."""

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
        """Check every open meeting once."""
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
            # The other meetings must still be checked.
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
        """Ask Zoom for the event that the record lacks; None if the record is up to date."""
        caller = await self._ctx.caller(meeting.host_id)
        try:
            webinar = meeting.kind == "webinar"
            info = await self._ctx.zoom.meeting(caller, meeting.zoom_id, webinar=webinar)
        except ZoomNotFoundError:
            return await self._past(meeting) or self._gone(meeting)
        if info.status == "started" and info.uuid == meeting.uuid:
            # Zoom gives only the planned start here. The actual start becomes known when the meeting ends.
            return Started(self._ctx.now(), presumed=True) if meeting.status is Status.WAITING else None
        # It is not running: either it has ended (a personal room outlasts its meetings) or not yet started.
        return await self._past(meeting) or self._expired(meeting)

    async def _past(self, meeting: Meeting) -> Ended | None:
        caller = await self._ctx.caller(meeting.host_id)
        try:
            past = await self._ctx.zoom.past_meeting(caller, meeting.uuid)
        except ZoomNotFoundError:
            return None
        return Ended(at=past.end_ms, started_at=past.start_ms) if past.end_ms else None

    def _gone(self, meeting: Meeting) -> MeetingEvent | None:
        """The event for a meeting that Zoom no longer knows; None while Zoom may still report its end."""
        if meeting.status is Status.WAITING:
            return Expired()
        began = meeting.started_at or meeting.created_at
        late = self._ctx.now() - began > EXPIRE_MS
        return Ended(at=self._ctx.now(), presumed=True) if late else None

    def _expired(self, meeting: Meeting) -> Expired | None:
        patience = JOINED_EXPIRE_MS if meeting.kind == "joined" else EXPIRE_MS
        waited = meeting.status is Status.WAITING and self._ctx.now() - meeting.created_at > patience
        return Expired() if waited else None
