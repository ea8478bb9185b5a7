"""Meetings that a request may have left at Zoom without our learning of it: noted, looked for, deleted."""

from __future__ import annotations

from bot.core.context import Context, Job
from bot.core.declarations import Changes, Hook, hook
from bot.domain.grammar import Request
from bot.domain.records import Meeting, Orphan
from bot.messages import texts
from bot.stores import Change, Put


@hook(Hook.CREATION_IN_DOUBT)
def look_later(ctx: Context, job: Job, request: Request, changes: Changes) -> list[Change]:
    """Search Zoom for what this request may have made; the meeting that ``changes`` announce stays."""
    return [note(ctx, job, request, keep=_announced(changes))]


def note(ctx: Context, job: Job, request: Request, *, keep: int) -> Change:
    """Have every meeting with this request's marker deleted, except the number ``keep``."""
    return Put(
        Orphan(id=job.reference, user_id=request.user_id, marker=marker(job), keep=keep, created_at=ctx.now())
    )


def marker(job: Job) -> str:
    """The sentence in a meeting's agenda by which it is found again."""
    return texts.AGENDA.format(reference=job.reference)


def _announced(changes: Changes) -> int:
    """The number of the meeting that the changes announce, 0 if they announce none."""
    for change in changes:
        if isinstance(change, Put) and isinstance(change.record, Meeting):
            return change.record.zoom_id
    return 0
