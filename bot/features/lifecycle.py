"""Apply Zoom's webhooks (start, end, participants) to meeting records. The publisher updates the posts."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from msgspec.structs import replace

from bot.core.context import Context, Job
from bot.core.declarations import Changes, webhook
from bot.domain import sessions
from bot.domain.meetings import (
    Ended,
    GivenUp,
    Joined,
    Left,
    MeetingEvent,
    RecordingOff,
    RecordingOn,
    Started,
    apply,
    start_again,
)
from bot.domain.records import Announcement, Meeting
from bot.domain.sessions import Session
from bot.errors import MattermostError, ZoomError
from bot.features import crowds, news
from bot.features.crowds import Counts
from bot.stores import Change, Update
from bot.zoom.webhooks import MeetingObject, Webhook, meeting_event, session_of

log = logging.getLogger(__name__)

_EVENTS = (
    "meeting.ended",
    "meeting.participant_left",
    "recording.started",
    "recording.resumed",
    "recording.paused",
    "recording.stopped",
)

NO_SESSION = Session()

# How long a webhook waits for the creations that were pending when it arrived.
CREATION_S = 30.0


@webhook(*_EVENTS)
async def change_meeting(ctx: Context, job: Job, webhook: Webhook) -> Changes:
    """Apply a webhook to the announced meetings that it is about. ``occurrences`` handles the events that
    may also begin an occurrence of a followed meeting."""
    event = meeting_event(webhook, webhook.meeting, job.asked_at)
    if event is None:
        return []
    return await change_all(ctx, await meant_by(ctx, webhook.meeting, event), event, webhook.meeting)


async def meant_by(ctx: Context, about: MeetingObject, event: MeetingEvent) -> list[Meeting]:
    """Find the announced meetings that a webhook is about. Wait for pending creations if necessary."""
    meetings = await find_meetings(ctx, about, event)
    if not meetings and ctx.creations:
        # Zoom's webhook may arrive before we have stored the meeting that Zoom has just created.
        await ctx.creations.settled(CREATION_S)
        meetings = await find_meetings(ctx, about, event)
    return meetings or await _find_running(ctx, about, event)


async def change_all(
    ctx: Context, meetings: Sequence[Meeting], event: MeetingEvent, about: MeetingObject
) -> list[Change]:
    """Return the changes that apply an event to these meetings, and set their ``uuid``."""
    session = session_of(about, event)
    changes: list[Change] = []
    for meeting in meetings:
        log.info("%s of meeting %s", type(event).__name__, meeting.zoom_id)
        changes += await change(ctx, meeting.id, event, session)
    return changes


async def change(
    ctx: Context, meeting_id: str, event: MeetingEvent, session: Session = NO_SESSION
) -> list[Change]:
    """Return the changes that apply an event of a session to a meeting's record and then update its posts."""
    meeting = await ctx.store.get(Meeting, meeting_id)
    counts = await _counts(ctx, meeting, event, session) if meeting else Counts(event)

    def applied(now: Meeting) -> Meeting:
        ready = _ready(now, session)
        counts.require(ready)
        return apply(ready, counts.event) if ready else now

    changes = [*counts.changes, Update(Meeting, meeting_id, applied), *await mark_stale(ctx, meeting_id)]
    # Zoom tells no ends of some plans' meetings. They may have recordings all the same.
    if meeting is not None and (isinstance(event, Ended) or (isinstance(event, GivenUp) and meeting.begun)):
        changes += news.after_end(ctx, meeting, session.uuid or sessions.bound_uuid(meeting), event.at)
    return changes


def _ready(now: Meeting, session: Session) -> Meeting | None:
    """The meeting before an event of this session; None if its post does not show the session."""
    uuid = session.uuid
    if sessions.starts_again(now, session):
        return start_again(now, uuid)
    if uuid and (uuid in now.earlier or not sessions.may_bind(now, uuid)):
        # Since the event was found to be about this meeting, another session has turned out to be its.
        return None
    return sessions.bind(now, uuid) if uuid else now


async def _counts(ctx: Context, meeting: Meeting, event: MeetingEvent, session: Session) -> Counts:
    """What an event changes besides the meeting's record: something if many people are in it."""
    if not isinstance(event, Joined | Left) or sessions.starts_again(meeting, session):
        return Counts(event)
    meeting = await crowds.with_room(ctx.store, meeting)
    return await crowds.count(ctx.store, meeting, event) if meeting.crowd else Counts(event)


async def mark_stale(ctx: Context, meeting_id: str) -> list[Change]:
    """Return the changes that make the publisher check every post of a meeting."""
    announcements = await ctx.store.find(Announcement, "meeting", meeting_id)
    return [Update(Announcement, announcement.id, _stale) for announcement in announcements]


async def find_meetings(ctx: Context, about: MeetingObject, event: MeetingEvent) -> list[Meeting]:
    """Find the records that a webhook is about: by ``uuid``, and by number among those that may begin
    or start again.

    A personal or recurring meeting has a new uuid each time it takes place, and may have been announced in
    several channels. :mod:`bot.domain.sessions` says which sessions are those that were announced.
    """
    session = session_of(about, event)
    return [each for each in await _candidates(ctx, about, event) if sessions.shows(each, session)]


async def _candidates(ctx: Context, about: MeetingObject, event: MeetingEvent) -> list[Meeting]:
    """The records with the webhook's uuid, and those with its number that may begin or start again."""
    if not about.uuid:
        return await _numbered(ctx, about.zoom_id)
    found = await ctx.store.find(Meeting, "uuid", about.uuid)
    # A recording may stop after the end, when the number may already be that of the next occurrence.
    by_number = about.zoom_id and not isinstance(event, RecordingOff)
    waiting = await ctx.store.find(Meeting, "awaits", about.zoom_id) if by_number else []
    candidates = list({each.id: each for each in [*found, *waiting]}.values())
    if not any(sessions.is_bound(each) for each in found):
        return candidates
    # Another post shows this session already: one that was announced later is about a later session.
    return [each for each in candidates if sessions.is_bound(each) or sessions.is_own(each)]


async def _numbered(ctx: Context, number: int) -> list[Meeting]:
    """The records that an event without a uuid may be about: those with its number that may begin, or show a
    session. Nothing follows a pasted link, which does neither."""
    known = await ctx.store.find(Meeting, "zoom_id", number) if number else []
    return [each for each in known if each.awaits or sessions.is_bound(each)]


async def _find_running(ctx: Context, about: MeetingObject, event: MeetingEvent) -> list[Meeting]:
    """Find the records that a webhook may be about if Zoom's clock is behind ours. They were announced while
    Zoom said that nothing was running: what is running now began later."""
    if not isinstance(event, Started | Joined | RecordingOn):
        return []
    session, candidates = session_of(about, event), await _candidates(ctx, about, event)
    doubtful = [each for each in candidates if sessions.is_doubtful(each, session)]
    if not doubtful:
        return []
    try:
        caller = await ctx.zoom_people.known_caller(doubtful[0].host_id)
        info = await ctx.zoom.meeting(caller, about.zoom_id)
    except (ZoomError, MattermostError) as error:
        log.info("zoom: whether meeting %s is running is not known: %s", about.zoom_id, error)
        return []
    return doubtful if info.status == "started" and info.uuid == about.uuid else []


def _stale(announcement: Announcement) -> Announcement:
    return replace(announcement, stale=True, marks=announcement.marks + 1)
