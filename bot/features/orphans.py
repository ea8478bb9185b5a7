"""Orphans: meetings that Zoom created without the bot's knowledge. Find them by their marker and delete them.

Either Zoom's answer was lost, or the process died before it stored the meeting. Zoom may list a meeting a
little after it was created, so the bot searches several times, at growing intervals. Each person has one
task: a search reads the lists of their meetings once, however many orphans they have.
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

# The pause between searches (s), and how long after the first search that worked it applies (s).
PAUSES_S = ((5.0, 30.0), (15.0, 120.0), (60.0, float("inf")))
# A meeting that has not appeared within this time was never created.
APPEAR_MS = 10 * 60_000
# The limit while the bot cannot ask Zoom (Zoom is away, or the person is not linked).
GIVE_UP_MS = 24 * 60 * 60_000


class Search(msgspec.Struct):
    """Whose meetings to search. ``began`` is when a search first worked (ms), 0 if none has."""

    user_id: str
    began: int = 0


@hook(Hook.CREATION_IN_DOUBT)
def look_later(ctx: Context, job: Job, request: Request, changes: Changes) -> list[Change]:
    """Schedule a search for what this request may have created. The meeting in ``changes`` is kept."""
    return note(ctx, job, request, keep=_announced(changes))


def note(ctx: Context, job: Job, request: Request, *, keep: int) -> list[Change]:
    """Schedule the deletion of every meeting with this request's marker, except the number ``keep``."""
    orphan = Orphan(
        id=job.reference, user_id=request.user_id, marker=marker(job), keep=keep, created_at=ctx.now()
    )
    return [Put(orphan), search(ctx, Search(request.user_id))]


def search(ctx: Context, about: Search, due_at: int = 0) -> Put:
    """Schedule a search of a person's meetings, at once or at ``due_at`` (ms)."""
    id = f"orphans:{about.user_id}"
    return ctx.task(id, "remove_orphans", about, queue=id, due_at=due_at)


def marker(job: Job) -> str:
    """The sentence in a meeting's agenda that identifies it."""
    return catalogue().plain(text("agenda", reference=job.reference))


@task("remove_orphans", Search)
async def remove_orphans(ctx: Context, job: Job, about: Search) -> Changes:
    """Search for a person's orphans, drop those that are too old, and search for the rest again later."""
    orphans = await ctx.store.find(Orphan, "user_id", about.user_id)
    looked = await _look(ctx, about.user_id, orphans)
    now, patience_ms = ctx.now(), APPEAR_MS if looked else GIVE_UP_MS
    old = [each for each in orphans if now - each.created_at > patience_ms and not ctx.clocks.trouble]
    changes: list[Change] = [Delete(Orphan, each.id) for each in old]
    if len(old) < len(orphans):
        # The pauses count from the first search that works: the person may connect at any moment.
        again = Search(about.user_id, began=(about.began or now) if looked else 0)
        changes.append(search(ctx, again, now + pause_ms(now, again.began)))
    return changes


def pause_ms(now: int, began: int) -> int:
    """How long to wait until the next search."""
    since_s = (now - began) / 1000 if began else 0.0
    return int(1000 * next(pause for pause, until in PAUSES_S if since_s < until))


async def _look(ctx: Context, user_id: str, orphans: list[Orphan]) -> bool:
    """Search a person's meetings and delete orphans. Returns False if the search did not work."""
    try:
        caller = await ctx.zoom_people.known_caller(user_id)
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
        # Somebody may be in it. Go on with the others.
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
