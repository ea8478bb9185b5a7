"""``start [topic]``: a meeting, announced where it was asked for."""

from __future__ import annotations

import logging
from dataclasses import replace

from bot.core.context import Context, Job
from bot.core.registry import Changes, CommandHandler, Router
from bot.domain.grammar import Request
from bot.domain.meetings import Started, apply
from bot.domain.records import Announcement, Meeting, Orphan, Question
from bot.domain.topics import clean_topic
from bot.errors import NotLinkedError, ZoomError, ZoomLinkError, ZoomRateLimitError, ZoomUnreachableError
from bot.features import confirmations, connect, personal_room, policy, written_answers
from bot.messages import texts
from bot.stores import Change, Put
from bot.zoom import Caller, MeetingInfo

log = logging.getLogger(__name__)


def register(router: Router) -> None:
    """Register what this room handles."""

    async def go_on_with(ctx: Context, job: Job, request: Request, question: Question) -> Changes:
        return await go_on(ctx, job, request, question, router.commands[request.command])

    router.command("start")(start)
    router.answer(confirmations.DUPLICATE, confirmations.CROWD, personal_room.ROOM)(go_on_with)


async def start(ctx: Context, job: Job, request: Request) -> Changes:
    """Create a meeting at Zoom and announce it; privately ask first, or say why not, where need be."""
    if (answered := await written_answers.answer(ctx, job, request)) is not None:
        return answered
    changes = await _answer(ctx, job, request)
    # An earlier attempt may have made a meeting that Zoom did not list yet.
    return [*changes, orphan(ctx, job, request, _made(changes))] if job.retried else changes


async def _answer(ctx: Context, job: Job, request: Request) -> list[Change]:
    if refusal := await policy.refusal(ctx, request):
        return [ctx.tell(job, request, refusal)]
    if is_missed(ctx, request) and not job.retried:
        return [_apology(ctx, job, request)]
    try:
        return await _start(ctx, job, request)
    except (NotLinkedError, ZoomLinkError) as error:
        return [*await connect.ask_to_link(ctx, job, request, revoked=isinstance(error, ZoomLinkError))]
    except ZoomError as error:
        log.warning("zoom: no meeting for %s: %s", job.id, error, extra={"user": request.user_id})
        told = ctx.tell(job, request, ctx.problem(error))
        maybe_done = isinstance(error, ZoomUnreachableError) and error.maybe_done
        return [told, orphan(ctx, job, request)] if maybe_done else [told]


async def _start(ctx: Context, job: Job, request: Request) -> list[Change]:
    if not await connect.is_linked(ctx, request.user_id):
        raise NotLinkedError("no Zoom account is linked")
    ctx.creations.begin(job.id)
    caller = await ctx.caller(request.user_id)
    left = await _left_behind(ctx, job, caller) if job.retried else None
    if is_missed(ctx, request):
        if left is not None:
            await ctx.zoom.delete_meeting(caller, left.id)
        return [_apology(ctx, job, request)]
    if left is not None:
        return _announce(ctx, job, request, left)
    for ask in _QUESTIONS:
        if asked := await ask(ctx, job, request):
            return asked
    return await _create(ctx, job, request, caller)


async def _left_behind(ctx: Context, job: Job, caller: Caller) -> MeetingInfo | None:
    """What an earlier attempt made; None also where Zoom will not tell, since an orphan is noted anyway."""
    try:
        return await ctx.zoom.find_meeting(caller, marker(job))
    except (NotLinkedError, ZoomLinkError, ZoomUnreachableError, ZoomRateLimitError):
        raise
    except ZoomError as error:
        log.warning("zoom: %s is not looked for: %s", job.id, error)
        return None


# Asked in this order; the answer to one leads back here, and to the next.
_QUESTIONS = (confirmations.ask_about_duplicate, confirmations.ask_about_crowd, personal_room.ask_which_room)


async def go_on(
    ctx: Context, job: Job, request: Request, question: Question, command: CommandHandler
) -> Changes:
    """A question was answered: the request goes on where it stood."""
    match request.choices[-1]:
        case "existing" if not await policy.has_left(ctx, request):
            return [ctx.tell(job, request, await confirmations.existing_answer(ctx, question.about))]
        case "no":
            return [ctx.tell(job, request, texts.CROWD_CANCELLED)]
    return await command(ctx, job, request)


def is_missed(ctx: Context, request: Request) -> bool:
    """Whether it was asked for too long ago to start something now."""
    return ctx.now() - request.asked_at > ctx.config.mattermost.catch_up_ms


def meeting_record(
    ctx: Context, job: Job, request: Request, created: MeetingInfo, kind: str = "instant"
) -> Meeting:
    """What is remembered of a meeting that Zoom has just made."""
    return Meeting(
        id=job.reference,
        uuid=created.uuid,
        zoom_id=created.id,
        topic=created.topic,
        join_url=created.join_url,
        host_id=request.user_id,
        host_zoom_id=created.host_id,
        host_name=request.user_name,
        kind=kind,
        timezone=created.timezone,
        created_at=ctx.now(),
    )


def announced(ctx: Context, job: Job, request: Request, meeting: Meeting) -> list[Change]:
    """What is to be written so that a meeting is posted where it was asked for."""
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
    """The record of a meeting that was there already: it may be live.

    Zoom says when it was to begin, not when it did; that comes with its end.
    """
    return apply(meeting, Started(ctx.now(), presumed=True)) if info.status == "started" else meeting


def marker(job: Job) -> str:
    """The sentence in a meeting's agenda by which it is found again."""
    return texts.AGENDA.format(reference=job.reference)


async def topic_of(ctx: Context, request: Request) -> str:
    """The topic as asked, or the default one."""
    template = ctx.config.meetings.default_topic
    if topic := clean_topic(request.argument, ""):
        return topic
    if "{channel}" in template and not request.channel_name:
        channel = await ctx.mattermost.channel(request.channel_id)
        request.channel_name = channel.display_name
    title = template.replace("{user}", request.user_name).replace("{channel}", _channel_title(ctx, request))
    return clean_topic(title, texts.DEFAULT_TOPIC)


def _channel_title(ctx: Context, request: Request) -> str:
    if request.direct:
        return request.user_name
    if request.channel_type != "G":
        return request.channel_name
    names = (name.strip() for name in request.channel_name.split(","))
    return ", ".join(name for name in names if name and name != ctx.bot.username)


async def _create(ctx: Context, job: Job, request: Request, caller: Caller) -> list[Change]:
    if not await personal_room.wants_room(ctx, request):
        return _announce(ctx, job, request, await _create_unique(ctx, job, request, caller))
    room = await personal_room.room(ctx, caller)
    if room is None:
        created = await _create_unique(ctx, job, request, caller)
        off = ctx.tell(job, request, texts.PMI_OFF.format(zoom=ctx.config.zoom.url), part="off")
        return [*_announce(ctx, job, request, created), off]
    room = replace(room, topic=clean_topic(request.argument, room.topic))
    meeting = going_on(ctx, meeting_record(ctx, job, request, room, "personal"), room)
    return announced(ctx, job, request, meeting)


async def _create_unique(ctx: Context, job: Job, request: Request, caller: Caller) -> MeetingInfo:
    topic = await topic_of(ctx, request)
    return await ctx.zoom.create_meeting(caller, topic=topic, marker=marker(job))


def _announce(ctx: Context, job: Job, request: Request, created: MeetingInfo) -> list[Change]:
    log.info("meeting %s created for %s", created.id, job.id, extra={"channel": request.channel_id})
    changes = announced(ctx, job, request, meeting_record(ctx, job, request, created))
    return [*changes, orphan(ctx, job, request, created.id)] if created.doubtful else changes


def _apology(ctx: Context, job: Job, request: Request) -> Change:
    return ctx.tell(job, request, texts.MISSED.format(ago=texts.ago(ctx.now() - request.asked_at)))


def orphan(ctx: Context, job: Job, request: Request, keep: int = 0) -> Change:
    """What may have been made without our learning of it is looked for later, and deleted."""
    return Put(
        Orphan(
            id=job.reference,
            user_id=request.user_id,
            marker=marker(job),
            keep=keep,
            created_at=ctx.now(),
        )
    )


def _made(changes: list[Change]) -> int:
    """The number of the meeting that the changes announce, 0 if they announce none."""
    for change in changes:
        if isinstance(change, Put) and isinstance(change.record, Meeting):
            return change.record.zoom_id
    return 0
