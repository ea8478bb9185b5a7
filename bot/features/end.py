"""``end``: the meeting of this channel is over, says its host or an administrator."""

from __future__ import annotations

import logging

from bot import sentences, texts
from bot.commands import Request
from bot.context import Context, Job
from bot.errors import NotLinkedError, ZoomError, ZoomLinkError, ZoomNotFoundError
from bot.features import lifecycle, start
from bot.features.lookup import hosted
from bot.markdown import escape
from bot.meetings import Ended, Expired, MeetingEvent
from bot.records import Announcement, Meeting, Status
from bot.router import Changes, Router
from bot.zoom import Caller

log = logging.getLogger(__name__)

# Kinds that somebody else than their host may have brought here.
_SHARED = ("joined", "recurring")


def register(router: Router) -> None:
    """Register what this room handles."""
    router.command("end")(end)


async def end(ctx: Context, job: Job, request: Request) -> Changes:
    """End the newest meeting here that the person may end; its card then says so."""
    if start.is_missed(ctx, request):
        ago = texts.ago(ctx.now() - request.asked_at)
        return [ctx.tell(job, request, sentences.END_MISSED.format(ago=ago))]
    meetings = await _open_here(ctx, request)
    if not meetings:
        return [] if job.retried else [ctx.tell(job, request, sentences.END_NOTHING)]
    try:
        own = await _own(ctx, request.user_id, meetings)
    except ZoomError as error:
        return [ctx.tell(job, request, ctx.problem(error))]
    if own:
        return await _end(ctx, job, request, own[0], request.user_id)
    if await ctx.is_admin(request.user_id):
        return await _end(ctx, job, request, meetings[0], meetings[0].host_id)
    host = meetings[0].host_name
    denied = sentences.END_DENIED.format(host=escape(host)) if host else sentences.END_DENIED_SHARED
    return [ctx.tell(job, request, denied)]


async def _own(ctx: Context, user_id: str, meetings: list[Meeting]) -> list[Meeting]:
    """Those that the person made, or is the host of."""
    hosts = await hosted(ctx, user_id, meetings)
    return [
        meeting
        for meeting in meetings
        if meeting in hosts or (meeting.host_id == user_id and meeting.kind not in _SHARED)
    ]


async def _end(ctx: Context, job: Job, request: Request, meeting: Meeting, user_id: str) -> Changes:
    """End it at Zoom on behalf of ``user_id``, and answer."""
    topic = escape(meeting.topic)
    try:
        event = await _end_at_zoom(ctx, meeting, user_id)
    except (NotLinkedError, ZoomLinkError):
        host = escape((await ctx.people.get(user_id)).username)
        return [ctx.tell(job, request, sentences.END_HOST_GONE.format(host=host))]
    except ZoomError as error:
        log.warning("zoom: meeting %s was not ended: %s", meeting.zoom_id, error)
        return [ctx.tell(job, request, ctx.problem(error))]
    if event is None:
        return [ctx.tell(job, request, sentences.END_NOT_STARTED.format(topic=topic))]
    changes = await lifecycle.change(ctx, meeting.id, event)
    # The card is the answer, except where the person looks at something else.
    if request.response_url or not request.trigger:
        changes.append(ctx.tell(job, request, sentences.END_DONE.format(topic=topic)))
    return changes


async def _end_at_zoom(ctx: Context, meeting: Meeting, user_id: str) -> MeetingEvent | None:
    """End it, and say what became of it; None if it has not started and is not ours to delete."""
    caller, webinar = await ctx.caller(user_id), meeting.kind == "webinar"
    try:
        await ctx.zoom.end_meeting(caller, meeting.zoom_id, webinar=webinar)
    except ZoomNotFoundError:
        return await _past(ctx, caller, meeting) or _gone(ctx, meeting)
    except ZoomError as error:
        if type(error) is not ZoomError or error.status != 400:
            raise
        if meeting.status is Status.STARTED:
            # Over, and the news of it is still under way.
            return await _past(ctx, caller, meeting)
        if meeting.kind not in lifecycle.OURS:
            return None
        await ctx.zoom.delete_meeting(caller, meeting.zoom_id, webinar=webinar)
        return Expired()
    return await _past(ctx, caller, meeting) or Ended(ctx.now())


def _gone(ctx: Context, meeting: Meeting) -> MeetingEvent:
    return Ended(ctx.now()) if meeting.status is Status.STARTED else Expired()


async def _past(ctx: Context, caller: Caller, meeting: Meeting) -> Ended | None:
    """When it ended, by Zoom's clock, if Zoom knows already."""
    try:
        past = await ctx.zoom.past_meeting(caller, meeting.uuid)
    except ZoomError:
        return None
    return Ended(at=past.end_ms, started_at=past.start_ms) if past.end_ms else None


async def _open_here(ctx: Context, request: Request) -> list[Meeting]:
    """The open meetings that were announced here, newest first; those of the thread, if it has any."""
    announced = await ctx.store.find(Announcement, "channel_id", request.channel_id)
    root = request.root_id
    thread = [each for each in announced if root and root in (each.root_id, each.post_id)]
    for among in (thread, announced):
        found = [await ctx.store.get(Meeting, each.meeting) for each in among]
        if meetings := [meeting for meeting in found if meeting is not None and meeting.open]:
            return sorted(meetings, key=lambda meeting: meeting.created_at, reverse=True)
    return []
