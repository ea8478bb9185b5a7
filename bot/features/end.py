"""``end``: the host or an administrator ends the channel's meeting."""

from __future__ import annotations

import logging

from msgspec.structs import replace

from bot.core.context import Context, Job
from bot.core.declarations import Changes, Where, command
from bot.domain import sessions
from bot.domain.grammar import NOTHING, Request
from bot.domain.meetings import Ended, Expired, apply
from bot.domain.records import Announcement, Meeting, Status
from bot.domain.sessions import Session
from bot.errors import NotLinkedError, ZoomError, ZoomLinkError, ZoomNotFoundError
from bot.features import gates, lifecycle, lost_links
from bot.features.findings import Finding, is_running, past_of
from bot.features.lookup import hosted
from bot.messages.cards import topic_of
from bot.messages.content import Text, ago, text
from bot.stores import Change, Update
from bot.zoom import Caller

log = logging.getLogger(__name__)

# Kinds that somebody other than the host may have posted here.
_SHARED = ("joined", "recurring")


@command("end", takes=NOTHING, where=Where.CHANNEL, usage="end-usage", help="end-help", position=40)
async def end(ctx: Context, job: Job, request: Request) -> Changes:
    """End the newest meeting here that the person may end. Tell them; its card tells everybody else."""
    here = await _announced_here(ctx, request)
    if begun := next((meeting for meeting in here if meeting.ended_by == job.id), None):
        # An interrupted attempt has chosen this meeting: end no other instead.
        return await _go_on(ctx, job, request, begun)
    if gates.is_missed(ctx, request):
        return [ctx.tell(job, request, text("end-missed", ago=ago(ctx.now() - request.asked_at)))]
    meetings = [meeting for meeting in here if meeting.open]
    if not meetings:
        return [ctx.tell(job, request, text("end-nothing"))]
    own = await _own(ctx, request.user_id, meetings)
    if own:
        return await _end(ctx, job, request, own[0], request.user_id)
    if await ctx.is_admin(request.user_id):
        return await _end(ctx, job, request, meetings[0], meetings[0].host_id)
    host = meetings[0].host_name
    denied = text("end-denied", host=host) if host else text("end-denied-shared")
    return [ctx.tell(job, request, denied)]


async def _go_on(ctx: Context, job: Job, request: Request, meeting: Meeting) -> Changes:
    """Finish an interrupted attempt. Zoom's webhook about its effect may have arrived already."""
    if not meeting.open:
        return [_done(ctx, job, request, meeting)]
    own = await _own(ctx, request.user_id, [meeting])
    return await _end(ctx, job, request, meeting, request.user_id if own else meeting.host_id)


async def _own(ctx: Context, user_id: str, meetings: list[Meeting]) -> list[Meeting]:
    """The meetings that the person created or hosts."""
    hosts = await hosted(ctx, user_id, meetings)
    return [
        meeting
        for meeting in meetings
        if meeting in hosts or (meeting.host_id == user_id and meeting.kind not in _SHARED)
    ]


async def _end(ctx: Context, job: Job, request: Request, meeting: Meeting, user_id: str) -> Changes:
    """End a meeting at Zoom on behalf of ``user_id``, and answer the request."""
    # If this attempt is interrupted after Zoom ended the meeting, the retry must not end the next one.
    await ctx.note_ahead(Update(Meeting, meeting.id, lambda now: replace(now, ended_by=job.id)))
    try:
        found = await _end_at_zoom(ctx, meeting, user_id)
    except (NotLinkedError, ZoomLinkError):
        host = (await ctx.people.get(user_id)).username
        gone = ctx.tell(job, request, text("end-host-gone", host=host))
        return [gone, lost_links.told(user_id)] if user_id == request.user_id else [gone]
    except ZoomError as error:
        log.warning("zoom: meeting %s was not ended: %s", meeting.zoom_id, error)
        return [ctx.tell(job, request, ctx.problem(error))]
    if isinstance(found, Text):
        return [ctx.tell(job, request, found)]
    changed = await lifecycle.change(ctx, meeting.id, found.event, Session(found.uuid))
    return [*changed, _done(ctx, job, request, apply(meeting, found.event))]


def _done(ctx: Context, job: Job, request: Request, meeting: Meeting) -> Change:
    key = "end-done" if meeting.ended_at else "end-deleted"
    return ctx.tell(job, request, text(key, kind=meeting.noun, topic=topic_of(meeting)))


async def _end_at_zoom(ctx: Context, meeting: Meeting, user_id: str) -> Finding | Text:
    """End or delete a meeting and return what came of it, or why there was nothing to end."""
    caller, webinar = await ctx.zoom_people.known_caller(user_id), meeting.is_webinar
    uuid, other = await _running(ctx, caller, meeting)
    if other:
        return await _past(ctx, caller, meeting) or _not_running(meeting)
    try:
        await ctx.zoom.end_meeting(caller, meeting.zoom_id, webinar=webinar)
    except ZoomNotFoundError:
        # Zoom may know it again in a minute. The reconciler closes it if not.
        unknown = text("end-unknown", kind=meeting.noun, topic=topic_of(meeting))
        return await _past(ctx, caller, meeting) or unknown
    except ZoomError as error:
        if type(error) is not ZoomError or error.status != 400:
            raise
        if meeting.status is Status.STARTED:
            # The meeting is over, and Zoom's webhook is still on its way.
            return await _past(ctx, caller, meeting) or _not_running(meeting)
        if not sessions.is_own(meeting):
            return _not_running(meeting)
        await ctx.zoom.delete_meeting(caller, meeting.zoom_id, webinar=webinar)
        return Finding(Expired())
    return await _past(ctx, caller, meeting) or Finding(Ended(ctx.now(), presumed=True), uuid)


def _not_running(meeting: Meeting) -> Text:
    key = "end-not-running" if meeting.status is Status.STARTED else "end-not-started"
    return text(key, kind=meeting.noun, topic=topic_of(meeting))


async def _running(ctx: Context, caller: Caller, meeting: Meeting) -> tuple[str, bool]:
    """The uuid of the session that runs under a number that others use too ("" if none does), and whether it
    is another session than the announced one: that is not to be ended from here."""
    if sessions.is_own(meeting):
        return "", False
    try:
        info = await ctx.zoom.meeting(caller, meeting.zoom_id, webinar=meeting.is_webinar)
    except ZoomNotFoundError:
        return "", False
    if info.status != "started":
        return "", False
    return info.uuid, not is_running(meeting, info, ctx.now())


async def _past(ctx: Context, caller: Caller, meeting: Meeting) -> Finding | None:
    """The end of the meeting by Zoom's clock; None if Zoom does not know it yet."""
    try:
        return await past_of(ctx, caller, meeting)
    except ZoomError:
        return None


async def _announced_here(ctx: Context, request: Request) -> list[Meeting]:
    """The meetings announced here, newest first; only those of the thread if one of them is open."""
    announced = await ctx.store.find(Announcement, "channel_id", request.channel_id)
    root = request.root_id
    thread = [each for each in announced if root and root in (each.root_id, each.post_id)]
    of_thread = await _newest_first(ctx, thread)
    if any(meeting.open for meeting in of_thread):
        return of_thread
    return await _newest_first(ctx, announced)


async def _newest_first(ctx: Context, announced: list[Announcement]) -> list[Meeting]:
    found = [await ctx.store.get(Meeting, each.meeting) for each in announced]
    known = [meeting for meeting in found if meeting is not None]
    return sorted(known, key=lambda meeting: meeting.created_at, reverse=True)
