"""What Zoom answers about a meeting's session when it is asked, instead of telling by a webhook."""

from __future__ import annotations

from dataclasses import dataclass

from bot.core.context import Context
from bot.domain import sessions
from bot.domain.meetings import Ended, MeetingEvent
from bot.domain.records import Meeting
from bot.errors import ZoomError, ZoomNotFoundError
from bot.zoom import Caller, MeetingInfo


@dataclass(frozen=True, slots=True)
class Finding:
    """An event that the record lacks, and the uuid of the session that it is about ("" if unknown)."""

    event: MeetingEvent
    uuid: str = ""


def is_running(meeting: Meeting, info: MeetingInfo, now: int) -> bool:
    """Whether the session that Zoom says is running is the one that was announced."""
    if info.status != "started":
        return False
    if sessions.is_own(meeting) or not sessions.is_bound(meeting):
        return sessions.is_awaited(meeting, now)
    return info.uuid == meeting.uuid


async def past_of(ctx: Context, caller: Caller, meeting: Meeting) -> Finding | None:
    """The end of the announced session; None if Zoom knows none. Raises :class:`bot.errors.ZoomError`, also
    if that cannot be told, because another session took place later.

    Until an event has told which session it is, ``uuid`` may be that of an earlier one: then Zoom is asked
    by number for the last session.
    """
    which = meeting.uuid if sessions.is_bound(meeting) and meeting.uuid else meeting.zoom_id
    try:
        past = await ctx.zoom.past_meeting(caller, which)
    except ZoomNotFoundError:
        return None
    session = sessions.Session(past.uuid, past.start_ms, past.end_ms)
    if _is_later(meeting, session):
        raise ZoomError("only the last session is told, and the announced one would be before it")
    if not past.end_ms or not sessions.belongs(meeting, session) or await _was_over(ctx, meeting, past.uuid):
        return None
    return Finding(Ended(at=past.end_ms, started_at=past.start_ms), past.uuid)


def _is_later(meeting: Meeting, session: sessions.Session) -> bool:
    """Whether another session of the number took place after the announcement."""
    unclear = not sessions.is_own(meeting) and not sessions.is_bound(meeting)
    return unclear and session.began > meeting.created_at and not sessions.belongs(meeting, session)


async def _was_over(ctx: Context, meeting: Meeting, uuid: str) -> bool:
    """Whether another post shows that this session ended before the meeting was announced."""
    shown = await ctx.store.find(Meeting, "uuid", uuid) if uuid else []
    others = [each for each in shown if each.id != meeting.id and sessions.is_bound(each)]
    return any(0 < each.told_end <= meeting.created_at for each in others)
