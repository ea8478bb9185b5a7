"""Meetings that Zoom made without our learning of it: found by their marker, and deleted.

Either the answer was lost, or the process died before it was written down. Zoom may list such a meeting a
little later than it made it, hence several looks, further and further apart.
"""

from __future__ import annotations

import asyncio
import logging

from bot.context import Context
from bot.errors import MattermostError, StoreError, ZoombotError, ZoomError
from bot.records import Orphan
from bot.stores import Delete

log = logging.getLogger(__name__)

TICK_S = 2.0
FIRST_PAUSE_S = 5.0
LAST_PAUSE_S = 120.0
# What did not appear within this time was never made.
APPEAR_MS = 10 * 60_000
# While Zoom cannot be asked (it is away, the person is not linked): this long.
GIVE_UP_MS = 24 * 60 * 60_000


class Orphans:
    """Looks for what the ``Orphan`` records name: at once, after 5, 10, 20 s … until 10 minutes are over.

    A look costs the lists of each person's meetings once, however many orphans there are.
    """

    def __init__(self, ctx: Context, *, tick_s: float = TICK_S, first_pause_s: float = FIRST_PAUSE_S) -> None:
        self._ctx = ctx
        self._tick_s = tick_s
        self._first_pause_s = first_pause_s
        # When each is due (the loop's time), and the pause after that.
        self._due: dict[str, tuple[float, float]] = {}
        self.removed = 0

    async def run(self) -> None:
        """Look when it is time, until cancelled."""
        while True:
            try:
                await self.look()
            except StoreError as error:
                log.warning("orphans: %s", error)
            await asyncio.sleep(self._tick_s)

    async def look(self) -> None:
        """Look for those that are due; whoever's lists are read is looked through for all of theirs."""
        orphans = await self._ctx.store.all(Orphan)
        now = asyncio.get_running_loop().time()
        first = (now, self._first_pause_s)
        self._due = {orphan.id: self._due.get(orphan.id, first) for orphan in orphans}
        for user_id in {orphan.user_id for orphan in orphans if self._due[orphan.id][0] <= now}:
            theirs = [orphan for orphan in orphans if orphan.user_id == user_id]
            await self._search(user_id, theirs)
            for orphan in theirs:
                _, pause = self._due[orphan.id]
                self._due[orphan.id] = (now + pause, min(2 * pause, LAST_PAUSE_S))

    async def _search(self, user_id: str, orphans: list[Orphan]) -> None:
        patience_ms = APPEAR_MS
        try:
            await self._remove(user_id, orphans)
        except (ZoomError, MattermostError) as error:
            log.info("orphans: %d are not looked for now: %s", len(orphans), error)
            patience_ms = GIVE_UP_MS
        except ZoombotError:
            log.exception("orphans: %d cannot be looked for", len(orphans))
        old = [orphan.id for orphan in orphans if self._ctx.now() - orphan.created_at > patience_ms]
        if old:
            await self._ctx.store.commit(*(Delete(Orphan, id) for id in old))

    async def _remove(self, user_id: str, orphans: list[Orphan]) -> None:
        zoom = self._ctx.zoom
        caller = await self._ctx.caller(user_id)
        for meeting in await zoom.meetings(caller):
            if any(each.marker in meeting.agenda and each.keep != meeting.id for each in orphans):
                await zoom.delete_meeting(caller, meeting.id)
                self.removed += 1
                log.info("orphans: meeting %s deleted", meeting.id)
