"""Apply Zoom's webhooks (start, end, participants) to meeting records. The publisher updates the posts."""

from __future__ import annotations

import logging
from collections.abc import Sequence

import msgspec
from msgspec.structs import replace

from bot.core.context import Context, Job
from bot.core.declarations import Changes, Hook, hook, task, webhook
from bot.domain.meetings import Ended, MeetingEvent, RecordingOff, apply
from bot.domain.records import Announcement, Meeting, Status
from bot.errors import ZoomError, ZoomNotFoundError
from bot.messages.content import text
from bot.stores import Change, Delete, Insert, Update
from bot.zoom.webhooks import MeetingObject, Webhook, meeting_event

log = logging.getLogger(__name__)

# Clocks differ: an end may be this much earlier than the record's creation and still belong to it.
SLACK_MS = 60_000
# For this long after an announcement, a meeting that starts with the same number is assumed to be that one.
ANNOUNCED_MS = 2 * 60 * 60_000

# Kinds that only this bot creates, each for one announcement.
OURS = ("instant", "webinar")

_EVENTS = (
    "meeting.ended",
    "meeting.participant_left",
    "recording.started",
    "recording.resumed",
    "recording.paused",
    "recording.stopped",
)

# How long a webhook waits for the creations that were pending when it arrived.
CREATION_S = 30.0

_NOT_POSTED = {"instant": "not-posted", "webinar": "not-posted", "recurring": "subscription-not-posted"}


@webhook(*_EVENTS)
async def change_meeting(ctx: Context, job: Job, webhook: Webhook) -> Changes:
    """Apply a webhook to the announced meetings that it is about. ``occurrences`` handles the events that
    may also begin an occurrence of a followed meeting."""
    event = meeting_event(webhook, webhook.meeting)
    if event is None:
        return []
    return await change_all(ctx, await meant_by(ctx, webhook.meeting, event), event, webhook.meeting.uuid)


async def meant_by(ctx: Context, about: MeetingObject, event: MeetingEvent) -> list[Meeting]:
    """Find the announced meetings that a webhook is about. Wait for pending creations if necessary."""
    meetings = await find_meetings(ctx, about, event)
    if meetings or not ctx.creations:
        return meetings
    # Zoom's webhook may arrive before we have stored the meeting that Zoom has just created.
    await ctx.creations.settled(CREATION_S)
    return await find_meetings(ctx, about, event)


async def change_all(
    ctx: Context, meetings: Sequence[Meeting], event: MeetingEvent, uuid: str
) -> list[Change]:
    """Return the changes that apply an event to these meetings, and set their ``uuid``."""
    changes: list[Change] = []
    for meeting in meetings:
        log.info("%s of meeting %s", type(event).__name__, meeting.zoom_id)
        changes += await change(ctx, meeting.id, event, uuid=uuid)
    return changes


async def change(ctx: Context, meeting_id: str, event: MeetingEvent, *, uuid: str = "") -> list[Change]:
    """Return the changes that apply an event to a meeting's record and then update its posts."""

    def applied(now: Meeting) -> Meeting:
        bound = replace(now, uuid=uuid) if uuid and now.uuid != uuid else now
        return apply(bound, event)

    return [Update(Meeting, meeting_id, applied), *await mark_stale(ctx, meeting_id)]


async def mark_stale(ctx: Context, meeting_id: str) -> list[Change]:
    """Return the changes that make the publisher check every post of a meeting."""
    announcements = await ctx.store.find(Announcement, "meeting", meeting_id)
    return [Update(Announcement, announcement.id, _stale) for announcement in announcements]


async def find_meetings(ctx: Context, about: MeetingObject, event: MeetingEvent) -> list[Meeting]:
    """Find the records that a webhook is about: by ``uuid``, and by number among those not yet begun.

    A personal or recurring meeting has a new uuid each time it takes place, and may have been announced in
    several channels. A meeting that this bot did not announce, or announced long ago, never matches: a
    personal room that is used privately later does not show up in an old channel.
    """
    found = await ctx.store.find(Meeting, "uuid", about.uuid) if about.uuid else []
    known = {meeting.id for meeting in found}
    waiting = await ctx.store.find(Meeting, "awaits", about.zoom_id) if about.zoom_id else []
    return found + [
        meeting for meeting in waiting if meeting.id not in known and _may_mean(meeting, event, ctx.now())
    ]


class Unposted(msgspec.Struct):
    """The id of an announcement that Mattermost does not accept."""

    announcement: str


@hook(Hook.POST_REFUSED)
def drop_later(ctx: Context, announcement: Announcement) -> Changes:
    """Schedule the removal of an announcement that Mattermost will not accept."""
    id = f"unposted:{announcement.id}"
    # Only once, however often Mattermost refuses.
    return [Insert(ctx.task(id, "drop_unposted", Unposted(announcement.id), queue=id).record)]


@task("drop_unposted", Unposted)
async def drop_unposted(ctx: Context, job: Job, about: Unposted) -> Changes:
    """Remove an announcement that could not be posted, and tell the person who asked. Delete its meeting at
    Zoom if it was created for this announcement and nobody is in it."""
    announcement = await ctx.store.get(Announcement, about.announcement)
    meeting = await ctx.store.get(Meeting, announcement.meeting) if announcement else None
    if announcement is None or meeting is None:
        return []
    announcements = await ctx.store.find(Announcement, "meeting", meeting.id)
    unused = meeting.status is Status.WAITING and not any(each.post_id for each in announcements)
    if unused and meeting.kind in OURS:
        await _delete(ctx, meeting)
    # Delete the announcement, or it might still be posted after the next change.
    gone: list[Change] = [Delete(Announcement, announcement.id)]
    if len(announcements) == 1:
        gone.append(Delete(Meeting, meeting.id))
    said = text(_NOT_POSTED.get(meeting.kind, "not-shared"))
    told = ctx.tell_user(f"{job.id}/", announcement.user_id, said, trigger=announcement.trigger)
    return [told, *gone]


async def _delete(ctx: Context, meeting: Meeting) -> None:
    try:
        caller, webinar = await ctx.caller(meeting.host_id), meeting.kind == "webinar"
        await ctx.zoom.delete_meeting(caller, meeting.zoom_id, webinar=webinar)
    except ZoomNotFoundError:
        pass
    except ZoomError as error:
        log.warning("zoom: meeting %s was not deleted: %s", meeting.zoom_id, error)


def _may_mean(meeting: Meeting, event: MeetingEvent, now: int) -> bool:
    if isinstance(event, RecordingOff):
        # It may also arrive after the end, when the number may already be that of the next occurrence.
        return False
    if isinstance(event, Ended) and event.at < meeting.created_at - SLACK_MS:
        return False
    return meeting.kind in OURS or now - meeting.created_at <= ANNOUNCED_MS


def _stale(announcement: Announcement) -> Announcement:
    return replace(announcement, stale=True, marks=announcement.marks + 1)
