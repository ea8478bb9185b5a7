"""``start [topic]``: create a meeting, and announce it in the request's channel."""

from __future__ import annotations

import logging
from dataclasses import replace

import msgspec

from bot.core.context import Context, Job
from bot.core.declarations import Changes, Where, answer, command
from bot.domain import sessions
from bot.domain.grammar import TOPIC, Request
from bot.domain.meetings import Started, apply
from bot.domain.records import Announcement, Meeting, Question
from bot.domain.topics import clean_topic
from bot.errors import NotLinkedError, ZoomError, ZoomLinkError, ZoomRateLimitError, ZoomUnreachableError
from bot.features import confirmations, gates, orphans, personal_room, policy, written_answers
from bot.messages.catalogue import catalogue
from bot.messages.content import text
from bot.stores import Change, Put
from bot.zoom import Caller, MeetingInfo

log = logging.getLogger(__name__)


async def fresh_or_begun(ctx: Context, job: Job, request: Request) -> Changes | None:
    """Gate: like ``fresh``, but let a retried request pass. It may have reached Zoom: look there first."""
    return None if job.retried else await gates.fresh(ctx, job, request)


async def not_begun(ctx: Context, job: Job, request: Request) -> Changes | None:
    """Gate: announce the meeting that an interrupted attempt created, or delete it if it is too late."""
    if not job.retried:
        return None
    caller = await ctx.caller(request.user_id)
    made = await _made_before(ctx, job, caller)
    if gates.is_missed(ctx, request):
        if made is not None:
            await ctx.zoom.delete_meeting(caller, made.id)
        return [gates.apology(ctx, job, request)]
    return None if made is None else _announce(ctx, job, request, made)


@command(
    "start",
    takes=TOPIC,
    where=Where.CHANNEL,
    gates=(
        written_answers.no_answer,
        gates.may_post,
        fresh_or_begun,
        gates.linked,
        not_begun,
        confirmations.not_duplicate,
        confirmations.not_crowded,
        personal_room.room_chosen,
    ),
    creates=True,
    announces=True,
)
async def start(ctx: Context, job: Job, request: Request) -> Changes:
    """Create a meeting at Zoom and announce it."""
    caller = await ctx.caller(request.user_id)
    if personal_room.ROOM not in request.choices:
        return _announce(ctx, job, request, await _create(ctx, job, request, caller))
    room = await personal_room.room(ctx, caller)
    if room is None:
        created = await _create(ctx, job, request, caller)
        off = ctx.tell(job, request, personal_room.off_at_zoom(ctx, "room-off"), part="off")
        return [*_announce(ctx, job, request, created), off]
    named = clean_topic(request.argument, "")
    made = meeting_record(ctx, job, request, replace(room, topic=named or room.topic), "personal")
    meeting = going_on(ctx, msgspec.structs.replace(made, named=bool(named)), room)
    return announced(ctx, job, request, meeting)


@answer(confirmations.DUPLICATE, "existing", "new")
@answer(confirmations.CROWD, "yes", "no")
@answer(personal_room.ROOM, "personal", "unique")
async def go_on(ctx: Context, job: Job, request: Request, question: Question) -> Changes:
    """Continue a request whose question was answered."""
    match request.choices[-1]:
        case "existing" if not await policy.has_left(ctx, request):
            return [ctx.tell(job, request, await confirmations.existing_answer(ctx, question.about))]
        case "no":
            return [ctx.tell(job, request, text("crowd-cancelled"))]
    return await ctx.requests.respond(ctx, job, request)


async def _made_before(ctx: Context, job: Job, caller: Caller) -> MeetingInfo | None:
    """Find what an earlier attempt created. None also if Zoom does not tell: a later search follows."""
    try:
        return await ctx.zoom.find_meeting(caller, orphans.marker(job))
    except (NotLinkedError, ZoomLinkError, ZoomUnreachableError, ZoomRateLimitError):
        raise
    except ZoomError as error:
        log.warning("zoom: %s is not looked for: %s", job.id, error)
        return None


def meeting_record(
    ctx: Context, job: Job, request: Request, created: MeetingInfo, kind: str = "instant"
) -> Meeting:
    """Build the record of a meeting that Zoom has just created."""
    return Meeting(
        id=job.reference,
        uuid=created.uuid,
        zoom_id=created.id,
        topic=created.topic,
        join_url=created.join_url,
        passcode=created.passcode,
        host_id=request.user_id,
        host_zoom_id=created.host_id,
        host_name=request.user_name,
        kind=kind,
        timezone=created.timezone,
        created_at=ctx.now(),
    )


def announced(ctx: Context, job: Job, request: Request, meeting: Meeting) -> list[Change]:
    """Return the changes that post a meeting in the request's channel or thread."""
    announcement = Announcement(
        id=job.reference,
        meeting=meeting.id,
        channel_id=request.channel_id,
        root_id=request.root_id,
        trigger=request.trigger,
        user_id=request.user_id,
        user_name=request.user_name,
        created_at=ctx.now(),
    )
    return [Put(meeting), Put(announcement), Put(confirmations.recent(announcement))]


def going_on(ctx: Context, meeting: Meeting, info: MeetingInfo) -> Meeting:
    """Mark an existing meeting as started if it is live. The post is then about the session that is running.

    Zoom says when it was scheduled to begin, not when it began. The end event says that.
    """
    if info.status != "started":
        return meeting
    return apply(sessions.bind(meeting, info.uuid), Started(ctx.now(), presumed=True))


async def topic_of(ctx: Context, request: Request) -> str:
    """The topic in the request, or the default one."""
    template = ctx.config.meetings.default_topic
    if topic := clean_topic(request.argument, ""):
        return topic
    if "{channel}" in template and not request.channel_name:
        channel = await ctx.mattermost.channel(request.channel_id)
        request.channel_name = channel.display_name
    title = template.replace("{user}", request.user_name).replace("{channel}", _channel_title(ctx, request))
    return clean_topic(title, catalogue().plain(text("default-topic")))


def _channel_title(ctx: Context, request: Request) -> str:
    if request.direct:
        return request.user_name
    if request.channel_type != "G":
        return request.channel_name
    names = (name.strip() for name in request.channel_name.split(","))
    own = {ctx.bot.username, *ctx.bot.former}
    return ", ".join(name for name in names if name and name not in own)


async def _create(ctx: Context, job: Job, request: Request, caller: Caller) -> MeetingInfo:
    topic = await topic_of(ctx, request)
    return await ctx.zoom.create_meeting(caller, topic=topic, marker=orphans.marker(job))


def _announce(ctx: Context, job: Job, request: Request, created: MeetingInfo) -> list[Change]:
    log.info("meeting %s created for %s", created.id, job.id, extra={"channel": request.channel_id})
    changes = announced(ctx, job, request, meeting_record(ctx, job, request, created))
    if not created.doubtful:
        return changes
    return [*changes, *orphans.note(ctx, job, request, keep=created.id)]
