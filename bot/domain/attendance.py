"""Who is in a meeting, and how many people came. Pure.

Each time somebody comes in is a session of its own. The latest sessions are kept, so that events which come
twice, late or out of order change nothing. Of older ones that are over, only a hash of the person is kept.
"""

from __future__ import annotations

import hashlib
from base64 import urlsafe_b64encode

from msgspec.structs import replace

from bot.domain.meeting_record import Meeting

# How many sessions are kept. People beyond that who are inside at the same time are only counted.
MAX_SESSIONS = 1000
# How many people are remembered whose sessions are no longer kept.
MAX_CAME = 4000


def come_in(meeting: Meeting, session: str, person: str) -> Meeting:
    """The meeting after a person came in."""
    if session not in meeting.joined:
        meeting = _with_room(meeting)
        if len(meeting.joined) >= MAX_SESSIONS:
            return replace(_remembered(meeting, {person}), uncounted=meeting.uncounted + 1)
    return replace(meeting, joined=_with(meeting.joined, session, person))


def go_out(meeting: Meeting, session: str, person: str) -> Meeting:
    """The meeting after a person left."""
    if session in meeting.left:
        return replace(meeting, left=_with(meeting.left, session, person))
    if session not in meeting.joined and meeting.uncounted:
        return replace(meeting, uncounted=meeting.uncounted - 1)
    meeting = _with_room(meeting)
    return replace(meeting, left=_with(meeting.left, session, person))


def present(meeting: Meeting) -> int:
    """How many people are in the meeting."""
    inside = {person for session, person in meeting.joined.items() if session not in meeting.left}
    return len(inside) + meeting.uncounted


def attended(meeting: Meeting) -> int:
    """How many people were in it at any time; at least so many if ``meeting.more_came``."""
    # Zoom may say less about a person when they leave than when they joined.
    known = {*(meeting.left | meeting.joined).values()}
    return len({*map(_hash, known), *meeting.came} if meeting.came else known)


def _with_room(meeting: Meeting) -> Meeting:
    """The meeting with room for one more session if older ones are over."""
    if len(meeting.joined) < MAX_SESSIONS and len(meeting.left) < MAX_SESSIONS:
        return meeting
    over = list(meeting.left)[: MAX_SESSIONS // 2]
    kept = _remembered(meeting, {meeting.joined.get(each, meeting.left[each]) for each in over})
    gone = set(over)
    joined = {session: person for session, person in meeting.joined.items() if session not in gone}
    left = {session: person for session, person in meeting.left.items() if session not in gone}
    return replace(kept, joined=joined, left=left)


def _remembered(meeting: Meeting, people: set[str]) -> Meeting:
    new = set(map(_hash, people)).difference(meeting.came)
    if not new:
        return meeting
    if len(meeting.came) + len(new) > MAX_CAME:
        return replace(meeting, more_came=True)
    return replace(meeting, came=sorted([*meeting.came, *new]))


def _with(sessions: dict[str, str], session: str, person: str) -> dict[str, str]:
    # The result must not depend on which of two names came first.
    return {**sessions, session: min(person, sessions.get(session, person))}


def _hash(person: str) -> str:
    return urlsafe_b64encode(hashlib.sha256(person.encode()).digest()[:6]).decode()
