"""Meetings that Zoom made without the bot learning of it: found by their marker, and deleted.

Either the answer was lost, or the process died before it was written down. Zoom may list such a meeting a
little later than it made it, so it is looked for several times, further and further apart. There is one task
for each person: a look reads the lists of their meetings once, however many orphans there are.
"""

from __future__ import annotations

import logging

import msgspec

from bot.core.context import Context, Job
from bot.core.declarations import Changes, Hook, hook, task
from bot.domain.grammar import Request
from bot.domain.records import Meeting, Orphan
from bot.errors import MattermostError, ZoombotError, ZoomError
from bot.messages.catalogue import catalogue
from bot.messages.content import text
from bot.stores import Change, Delete, Put
from bot.zoom import Caller

log = logging.getLogger(__name__)

# A look every so many seconds, until so many seconds after the first that could be made.
PAUSES_S = ((5.0, 30.0), (15.0, 120.0), (60.0, float("inf")))
# What did not appear within this time was never made.
APPEAR_MS = 10 * 60_000
# While Zoom cannot be asked (it is away, the person is not linked): this long.
GIVE_UP_MS = 24 * 60 * 60_000


class Search(msgspec.Struct):
    """Whose meetings are looked through; ``began`` is when that first worked (ms), 0 if it never did."""

    user_id: str
    began: int = 0


@hook(Hook.CREATION_IN_DOUBT)
def look_later(ctx: Context, job: Job, request: Request, changes: Changes) -> list[Change]:
    """Search Zoom for what this request may have made; the meeting that ``changes`` announce stays."""
    return note(ctx, job, request, keep=_announced(changes))


def note(ctx: Context, job: Job, request: Request, *, keep: int) -> list[Change]:
    """Have every meeting with this request's marker deleted, except the number ``keep``."""
    orphan = Orphan(
        id=job.reference, user_id=request.user_id, marker=marker(job), keep=keep, created_at=ctx.now()
    )
    return [Put(orphan), search(ctx, Search(request.user_id))]


def search(ctx: Context, about: Search, due_at: int = 0) -> Put:
    """Have a person's meetings looked through, at once or at ``due_at`` (ms)."""
    id = f"orphans:{about.user_id}"
    return ctx.task(id, "remove_orphans", about, queue=id, due_at=due_at)


def marker(job: Job) -> str:
    """The sentence in a meeting's agenda by which it is found again."""
    return catalogue().plain(text("agenda", reference=job.reference))


@task("remove_orphans", Search)
async def remove_orphans(ctx: Context, job: Job, about: Search) -> Changes:
    """Look for a person's orphans, forget those that are too old, and look again later for the rest."""
    orphans = await ctx.store.find(Orphan, "user_id", about.user_id)
    looked = await _look(ctx, about.user_id, orphans)
    now, patience_ms = ctx.now(), APPEAR_MS if looked else GIVE_UP_MS
    old = [each for each in orphans if now - each.created_at > patience_ms]
    changes: list[Change] = [Delete(Orphan, each.id) for each in old]
    if len(old) < len(orphans):
        # The pauses count from the first look that could be made: the person may connect at any moment.
        again = Search(about.user_id, began=(about.began or now) if looked else 0)
        changes.append(search(ctx, again, now + pause_ms(now, again.began)))
    return changes


def pause_ms(now: int, began: int) -> int:
    """How long to wait until the next look."""
    since_s = (now - began) / 1000 if began else 0.0
    return int(1000 * next(pause for pause, until in PAUSES_S if since_s < until))


async def _look(ctx: Context, user_id: str, orphans: list[Orphan]) -> bool:
    """Whether the person's meetings could be looked through."""
    try:
        caller = await ctx.caller(user_id)
        for meeting in await ctx.zoom.meetings(caller):
            if any(each.marker in meeting.agenda and each.keep != meeting.id for each in orphans):
                await _delete(ctx, caller, meeting.id)
    except (ZoomError, MattermostError) as error:
        log.info("orphans: %d are not looked for now: %s", len(orphans), error)
        return False
    except ZoombotError:
        log.exception("orphans: %d cannot be looked for", len(orphans))
        return False
    return True


async def _delete(ctx: Context, caller: Caller, number: int) -> None:
    try:
        await ctx.zoom.delete_meeting(caller, number)
    except ZoomError as error:
        # Somebody may be in it. The others are looked for all the same.
        log.info("orphans: meeting %s is not deleted: %s", number, error)
        return
    ctx.counts["orphans_removed"] += 1
    log.info("orphans: meeting %s deleted", number)


def _announced(changes: Changes) -> int:
    """The number of the meeting that the changes announce, 0 if they announce none."""
    for change in changes:
        if isinstance(change, Put) and isinstance(change.record, Meeting):
            return change.record.zoom_id
    return 0
