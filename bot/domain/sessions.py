"""Which session at Zoom an announced meeting is about. Pure.

Each time a meeting takes place is a session with a uuid of its own. The number of a meeting that this bot
made has only the sessions that the announcement is about. The number of a personal room, and of a meeting
that was shared, also has sessions that nobody announced: such a session is the announced one only if it
began after the announcement, or if Zoom said that it was running at that time.
"""

from __future__ import annotations

from msgspec import Struct
from msgspec.structs import replace

from bot.domain.meeting_record import OURS
from bot.domain.records import Meeting

# Zoom tells its times in whole seconds.
SLACK_MS = 2_000
# Clocks may differ by as much as this: Zoom's own limit for webhooks.
DOUBT_MS = 5 * 60_000
# A personal room is announced for the session that begins within this time. What begins later is private.
ANNOUNCED_MS = 2 * 60 * 60_000
# A meeting that starts again within this time after its end is still the announced one.
AGAIN_MS = 24 * 60 * 60_000


class Session(Struct, frozen=True):
    """A session as Zoom tells of it. ``began`` and ``ended`` are in ms by Zoom's clock, 0 if unknown."""

    uuid: str = ""
    began: int = 0
    ended: int = 0


def is_own(meeting: Meeting) -> bool:
    """Whether this bot made the meeting, so that its number is about nothing else."""
    return meeting.kind in OURS


def is_bound(meeting: Meeting) -> bool:
    """Whether ``uuid`` names the session that the post shows, and not just the last that Zoom named."""
    return meeting.bound or meeting.begun or bool(meeting.ended_at)


def bound_uuid(meeting: Meeting) -> str:
    """The uuid of the session that the post shows; "" if that is not known."""
    return meeting.uuid if is_bound(meeting) else ""


def belongs(meeting: Meeting, session: Session) -> bool:
    """Whether the meeting's post is about this session. Both have the same number or the same uuid."""
    if session.uuid and session.uuid == meeting.uuid and (is_own(meeting) or is_bound(meeting)):
        return True
    if session.uuid and session.uuid in meeting.earlier:
        return True
    if is_own(meeting):
        return not 0 < session.ended < meeting.created_at - DOUBT_MS
    return not is_bound(meeting) and _began_after(meeting, session.began)


def shows(meeting: Meeting, session: Session) -> bool:
    """Whether the meeting's post shows this session, or shows it from now on."""
    if session.uuid and session.uuid in meeting.earlier:
        return False
    if is_bound(meeting) and not session.uuid:
        return _is_of_unnamed(meeting, session)
    if is_bound(meeting) and session.uuid != meeting.uuid:
        return starts_again(meeting, session)
    return belongs(meeting, session)


def _is_of_unnamed(meeting: Meeting, session: Session) -> bool:
    """Whether an event that leaves out its uuid is about the session that the post shows. A number has one
    session at a time; that of a room is known by when it began."""
    if meeting.told_end or 0 < session.ended < meeting.started_at:
        return False
    if is_own(meeting):
        return True
    return bool(session.began) and abs(session.began - meeting.told_start) <= SLACK_MS


def starts_again(meeting: Meeting, session: Session) -> bool:
    """Whether this is a later session of a meeting that the post says is over, or whose end was missed."""
    if not (meeting.may_start_again and is_bound(meeting) and session.uuid and session.began):
        return False
    if session.uuid == meeting.uuid or session.uuid in meeting.earlier:
        return False
    last = meeting.ended_at or max(meeting.started_at, meeting.alive_at, meeting.created_at)
    # Zoom tells whole seconds: the second session may seem to begin in the second in which the first ended.
    slack = SLACK_MS if meeting.ended_at else -1
    return last - slack <= session.began <= last + AGAIN_MS


def is_doubtful(meeting: Meeting, session: Session) -> bool:
    """Whether the session may belong to the meeting if Zoom's clock is behind ours. Zoom knows."""
    if is_own(meeting) or is_bound(meeting) or not session.began:
        return False
    return 0 < meeting.created_at - session.began <= DOUBT_MS and not belongs(meeting, session)


def is_awaited(meeting: Meeting, now: int) -> bool:
    """Whether a session that begins now (ms) would be the one that was announced."""
    return is_own(meeting) or (not is_bound(meeting) and _began_after(meeting, now))


def may_bind(meeting: Meeting, uuid: str) -> bool:
    """Whether the meeting's post may show the session with this uuid: it shows no other yet."""
    return is_own(meeting) or not is_bound(meeting) or meeting.uuid == uuid


def bind(meeting: Meeting, uuid: str) -> Meeting:
    """The meeting, whose post from now on is about the session with this uuid."""
    return meeting if meeting.bound and meeting.uuid == uuid else replace(meeting, uuid=uuid, bound=True)


def _began_after(meeting: Meeting, began: int) -> bool:
    if not began or began < meeting.created_at - SLACK_MS:
        return False
    return meeting.planned or began <= meeting.created_at + ANNOUNCED_MS
