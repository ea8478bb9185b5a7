"""Meetings that Zoom made without our learning of it: found by their marker, and deleted.

Either the answer was lost, or the process died before it was written down. Zoom may list such a meeting a
little later than it made it, hence several looks, further and further apart.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass

from bot.core.context import Context
from bot.domain.records import Orphan
from bot.errors import MattermostError, StoreError, ZoombotError, ZoomError
from bot.stores import Delete
from bot.zoom import Caller

log = logging.getLogger(__name__)

TICK_S = 2.0
# A look every so many seconds, until so many seconds after the first.
PAUSES_S = ((5.0, 30.0), (15.0, 120.0), (60.0, float("inf")))
# What did not appear within this time was never made.
APPEAR_MS = 10 * 60_000
# While Zoom cannot be asked (it is away, the person is not linked): this long.
GIVE_UP_MS = 24 * 60 * 60_000


@dataclass(slots=True)
class _Search:
    """When an orphan was first looked for by this process, and when it will be again; the loop's time."""

    began: float
    due: float


class Orphans:
    """Looks for what the ``Orphan`` records name: often at first, later once a minute, for ten minutes.

    A look costs the lists of each person's meetings once, however many orphans there are.
    """

    def __init__(self, ctx: Context, *, tick_s: float = TICK_S) -> None:
        self._ctx = ctx
        self._tick_s = tick_s
        self._searches: dict[str, _Search] = {}
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
        self._searches = {each.id: self._searches.get(each.id, _Search(now, now)) for each in orphans}
        for user_id in {each.user_id for each in orphans if self._searches[each.id].due <= now}:
            theirs = [each for each in orphans if each.user_id == user_id]
            looked = await self._search(user_id, theirs)
            for each in theirs:
                self._put_off(self._searches[each.id], now, looked=looked)

    def _put_off(self, search: _Search, now: float, *, looked: bool) -> None:
        if not looked:
            # The pauses count from the first look that could be made: the person may connect at any moment.
            search.began = now
        pause = next(pause for pause, until in PAUSES_S if now - search.began < until)
        search.due = now + pause

    async def _search(self, user_id: str, orphans: list[Orphan]) -> bool:
        """Whether it could be looked for them."""
        looked = True
        try:
            await self._remove(user_id, orphans)
        except (ZoomError, MattermostError) as error:
            log.info("orphans: %d are not looked for now: %s", len(orphans), error)
            looked = False
        except ZoombotError:
            log.exception("orphans: %d cannot be looked for", len(orphans))
        patience_ms = APPEAR_MS if looked else GIVE_UP_MS
        old = [each.id for each in orphans if self._ctx.now() - each.created_at > patience_ms]
        if old:
            await self._ctx.store.commit(*(Delete(Orphan, id) for id in old))
        return looked

    async def _remove(self, user_id: str, orphans: list[Orphan]) -> None:
        caller = await self._ctx.caller(user_id)
        for meeting in await self._ctx.zoom.meetings(caller):
            if any(each.marker in meeting.agenda and each.keep != meeting.id for each in orphans):
                await self._delete(caller, meeting.id)

    async def _delete(self, caller: Caller, number: int) -> None:
        try:
            await self._ctx.zoom.delete_meeting(caller, number)
        except ZoomError as error:
            # Somebody may be in it. The others are looked for all the same.
            log.info("orphans: meeting %s is not deleted: %s", number, error)
            return
        self.removed += 1
        log.info("orphans: meeting %s deleted", number)
