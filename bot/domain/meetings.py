"""Change a meeting's record by Zoom's events. Pure.

Zoom delivers at least once and in any order. Each field therefore only ever changes in one direction, and
the status is computed from the fields: events that come twice, late or out of order give the same record.
"""

from __future__ import annotations

from msgspec import Struct
from msgspec.structs import replace

from bot.domain.attendance import attended, come_in, go_out, move, present
from bot.domain.crowd import Moved
from bot.domain.records import Meeting, Status

# How many earlier sessions are remembered.
MAX_EARLIER = 50


class Details(Struct, frozen=True):
    """What a card says of a meeting besides its course, as Zoom tells it. Empty: Zoom does not say."""

    topic: str = ""
    join_url: str = ""
    # None: Zoom does not say.
    passcode: str | None = None


class Started(Struct, frozen=True):
    """The meeting began; ``at`` in ms, by Zoom's clock, or by ours if ``presumed``, until Zoom says."""

    at: int
    presumed: bool = False


class Ended(Struct, frozen=True):
    """The meeting ended; ``started_at`` is 0 where Zoom did not say it. ``presumed`` as above."""

    at: int
    started_at: int = 0
    presumed: bool = False


class Joined(Struct, frozen=True):
    """A person came in, in a session of their own; ``at`` in ms, by Zoom's clock, 0 if unknown."""

    session: str
    person: str
    at: int = 0


class Left(Struct, frozen=True):
    """A session ended."""

    session: str
    person: str


class RecordingOn(Struct, frozen=True):
    """Its recording began, or went on; ``at`` in ms, by Zoom's clock."""

    at: int


class RecordingOff(Struct, frozen=True):
    """Its recording stopped, or paused."""

    at: int


class Expired(Struct, frozen=True):
    """Nobody started it, and it is too late to."""


class GivenUp(Struct, frozen=True):
    """Zoom no longer tells about it: it is presumed to be over. What shows that it goes on after ``at`` (ms)
    opens it again."""

    at: int


MeetingEvent = Started | Ended | Joined | Left | Moved | RecordingOn | RecordingOff | Expired | GivenUp


def apply(meeting: Meeting, event: MeetingEvent) -> Meeting:
    """The meeting after the event: the same object if nothing changed, a new revision if the post changes."""
    changed = _settle(_take(meeting, event))
    if changed == meeting:
        return meeting
    if _course(changed) != _course(meeting):
        return _with_urgent_revision(changed)
    return replace(changed, revision=meeting.revision + (_people(changed) != _people(meeting)))


def start_again(meeting: Meeting, uuid: str) -> Meeting:
    """The meeting before the first event of its next session, which has this uuid."""
    return replace(
        meeting,
        uuid=uuid,
        bound=True,
        earlier=[*meeting.earlier, meeting.uuid][-MAX_EARLIER:],
        expired=False,
        given_up_at=0,
        alive_at=0,
        ended_by="",
        told_start=0,
        told_end=0,
        presumed_start=0,
        presumed_end=0,
        joined={},
        left={},
        crowd="",
        seats=0,
        guests=0,
        inside=0,
        uncounted=0,
        more_came=False,
        came=[],
        recording_on_at=0,
        recording_off_at=0,
        started_at=0,
        ended_at=0,
    )


def describe(meeting: Meeting, details: Details) -> Meeting:
    """The meeting with what Zoom says of it now: the same object if nothing changed."""
    passcode = meeting.passcode if details.passcode is None else details.passcode
    topic = meeting.topic if meeting.named else details.topic or meeting.topic
    changed = replace(meeting, topic=topic, join_url=details.join_url or meeting.join_url, passcode=passcode)
    return meeting if changed == meeting else _with_urgent_revision(changed)


def is_recorded(meeting: Meeting) -> bool:
    """Whether it is being recorded now."""
    return meeting.status is Status.STARTED and meeting.recording_on_at > meeting.recording_off_at


def is_presumed_over(meeting: Meeting) -> bool:
    """Whether it is over as far as anybody can tell, but neither its end nor that it never began is known."""
    return meeting.status is Status.ENDED and not meeting.ended_at and (meeting.begun or not meeting.expired)


def _with_urgent_revision(changed: Meeting) -> Meeting:
    return replace(changed, revision=changed.revision + 1, urgent_revision=changed.revision + 1)


def _course(meeting: Meeting) -> tuple[Status, int, int, bool, tuple[bool, bool]]:
    """The part of a post that an event can change, except the number of people."""
    over = is_presumed_over(meeting), is_presumed_over(meeting) and meeting.begun
    return meeting.status, meeting.started_at, meeting.ended_at, is_recorded(meeting), over


def _people(meeting: Meeting) -> int:
    """The number of people that a post shows."""
    count = {Status.STARTED: present, Status.ENDED: attended}.get(meeting.status)
    return count(meeting) if count else 0


def _take(meeting: Meeting, event: MeetingEvent) -> Meeting:
    match event:
        case Started(at):
            return _begin(_alive(meeting, at), event)
        case Ended():
            return _end(meeting, event)
        case Joined(session, person, at):
            return come_in(_alive(meeting, at), session, person)
        case Left(session, person):
            return go_out(meeting, session, person)
        case Moved(at):
            return move(_alive(meeting, at), event)
        case RecordingOn(at):
            return replace(_alive(meeting, at), recording_on_at=max(meeting.recording_on_at, at))
        case RecordingOff(at):
            return replace(meeting, recording_off_at=max(meeting.recording_off_at, at))
        case Expired():
            return replace(meeting, expired=True)
        case GivenUp(at):
            return replace(meeting, given_up_at=max(meeting.given_up_at, at))


def _begin(meeting: Meeting, event: Started) -> Meeting:
    if event.presumed:
        return replace(meeting, presumed_start=_earlier(meeting.presumed_start, event.at))
    return replace(meeting, told_start=_earlier(meeting.told_start, event.at))


def _end(meeting: Meeting, event: Ended) -> Meeting:
    if event.presumed:
        told_start = _earlier(meeting.told_start, event.started_at)
        return replace(meeting, told_start=told_start, presumed_end=max(meeting.presumed_end, event.at))
    told_start = _earlier(meeting.told_start, event.started_at)
    return replace(meeting, told_start=told_start, told_end=max(meeting.told_end, event.at))


def _alive(meeting: Meeting, at: int) -> Meeting:
    return replace(meeting, alive_at=max(meeting.alive_at, at))


def _settle(meeting: Meeting) -> Meeting:
    meeting = replace(
        meeting,
        started_at=meeting.told_start or meeting.presumed_start,
        ended_at=meeting.told_end or meeting.presumed_end,
    )
    status = _status(meeting)
    return replace(meeting, status=status, open=status is not Status.ENDED)


def _status(meeting: Meeting) -> Status:
    if meeting.ended_at:
        return Status.ENDED
    if meeting.begun:
        gone = meeting.given_up_at and meeting.alive_at <= meeting.given_up_at
        return Status.ENDED if gone else Status.STARTED
    return Status.ENDED if meeting.expired or meeting.given_up_at else Status.WAITING


def _earlier(known: int, at: int) -> int:
    return min(known, at) if known and at else known or at
