"""Who is in a meeting, and how many people came. Pure.

Each time somebody comes in is a session of its own. All sessions are kept, so that events which come twice,
late or out of order change nothing: those of a few people in the meeting's record, those of many in records
of their own (:mod:`bot.domain.crowd`).
"""

from __future__ import annotations

from msgspec.structs import replace

from bot.domain.crowd import Moved, hash_of
from bot.domain.meeting_record import Meeting

# How many sessions a meeting's record holds.
MAX_HELD = 50


def come_in(meeting: Meeting, session: str, person: str) -> Meeting:
    """The meeting after a person came in."""
    return replace(meeting, joined=_with(meeting.joined, session, person))


def go_out(meeting: Meeting, session: str, person: str) -> Meeting:
    """The meeting after a person left."""
    return replace(meeting, left=_with(meeting.left, session, person))


def move(meeting: Meeting, moved: Moved) -> Meeting:
    """The meeting after an event of a session that has a record of its own, or is only counted."""
    return replace(
        meeting,
        seats=meeting.seats + moved.seats,
        guests=meeting.guests + moved.guests,
        inside=meeting.inside + moved.inside,
        uncounted=max(meeting.uncounted + moved.uncounted, 0),
        more_came=meeting.more_came or moved.uncounted > 0,
    )


def is_full(meeting: Meeting) -> bool:
    """Whether its sessions are too many for one record."""
    return max(len(meeting.joined), len(meeting.left)) >= MAX_HELD


def present(meeting: Meeting) -> int:
    """How many people are in the meeting."""
    held = {person for session, person in meeting.joined.items() if session not in meeting.left}
    return len(held) + meeting.inside + meeting.uncounted


def attended(meeting: Meeting) -> int:
    """How many people were in it at any time; at least so many if ``meeting.more_came``."""
    # Zoom may say less about a person when they leave than when they joined.
    held = {*(meeting.left | meeting.joined).values()}
    return meeting.guests + len({*map(hash_of, held), *meeting.came} if meeting.came else held)


def _with(sessions: dict[str, str], session: str, person: str) -> dict[str, str]:
    # The result must not depend on which of two names came first.
    return {**sessions, session: min(person, sessions.get(session, person))}
