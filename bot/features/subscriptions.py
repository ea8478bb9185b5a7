"""``subscribe``, ``unsubscribe``, ``subscriptions``: a channel follows a recurring meeting.

Each time the meeting starts, it gets a new post in the channel.
"""

from __future__ import annotations

from bot.core.context import Context, Job
from bot.core.declarations import Changes, Where, command
from bot.domain.grammar import MEETING_ID, NOTHING, Request, meeting_number
from bot.domain.records import Subscription
from bot.features import gates
from bot.features.lookup import FoundMeeting, hosted, look_up
from bot.messages.cards import spaced
from bot.messages.catalogue import catalogue
from bot.messages.content import Content, Lines, Table, text
from bot.stores import Delete, Put
from bot.zoom.addresses import number_in_link


@command(
    "subscribe",
    takes=MEETING_ID,
    where=Where.CHANNEL,
    gates=(gates.may_post,),
    usage="subscribe-usage",
    asks="subscribe-asks",
    help="subscribe-help",
    position=60,
)
async def subscribe(ctx: Context, job: Job, request: Request) -> Changes:
    """Let the channel follow a meeting, if the person is its host or an administrator."""
    number = _number_in(ctx, request)
    if not number:
        return [ctx.tell(job, request, text("subscribe-bad-link"))]
    seen = await look_up(ctx, request.user_id, number)
    if seen is None or not (seen.hosted or await ctx.is_admin(request.user_id)):
        # The same answer in both cases: it must not reveal whether the meeting exists.
        return [ctx.tell(job, request, text("subscribe-denied", id=spaced(number)))]
    if seen.personal:
        return [ctx.tell(job, request, text("subscribe-personal"))]
    return await _subscribe(ctx, job, request, seen)


@command(
    "unsubscribe",
    takes=MEETING_ID,
    where=Where.CHANNEL,
    usage="unsubscribe-usage",
    asks="unsubscribe-asks",
    help="unsubscribe-help",
    position=61,
)
async def unsubscribe(ctx: Context, job: Job, request: Request) -> Changes:
    """Stop following a meeting. Only its subscriber, its host or an administrator may do that."""
    number = _number_in(ctx, request)
    if not number:
        return [ctx.tell(job, request, text("unsubscribe-bad-link"))]
    known = await ctx.store.get(Subscription, _id(request.channel_id, number))
    if known is None:
        return [ctx.tell(job, request, text("not-subscribed", id=spaced(number)))]
    if not await _may_end(ctx, request.user_id, known):
        return [ctx.tell(job, request, text("unsubscribe-denied", who=known.user_name))]
    said = text("unsubscribed", topic=known.topic, id=spaced(number))
    return [Delete(Subscription, known.id), ctx.answer(job, request, said)]


@command(
    "subscriptions",
    takes=NOTHING,
    where=Where.CHANNEL,
    usage="subscriptions-usage",
    help="subscriptions-help",
    position=62,
)
async def show(ctx: Context, job: Job, request: Request) -> Changes:
    """List the meetings that the channel follows."""
    known = await ctx.store.find(Subscription, "channel_id", request.channel_id)
    if not known:
        return [ctx.answer(job, request, text("subscriptions-none"))]
    head: list[Content] = [text("subscriptions-meeting"), text("subscriptions-id"), text("subscriptions-by")]
    rows: list[list[Content]] = [
        [each.topic, spaced(each.zoom_id), each.user_name]
        for each in sorted(known, key=lambda each: each.created_at)
    ]
    return [ctx.answer(job, request, Lines([text("subscriptions"), Table(head, rows)], "\n\n"))]


async def _subscribe(ctx: Context, job: Job, request: Request, seen: FoundMeeting) -> Changes:
    info = seen.info
    id = _id(request.channel_id, info.id)
    topic = info.topic or catalogue().plain(text("default-topic"))
    if await ctx.store.get(Subscription, id):
        already = text("subscribed-already", topic=topic, id=spaced(info.id))
        return [ctx.answer(job, request, already)]
    subscription = Subscription(
        id=id,
        zoom_id=info.id,
        channel_id=request.channel_id,
        channel_type=request.channel_type,
        user_id=request.user_id,
        user_name=request.user_name,
        host_zoom_id=info.host_id,
        topic=topic,
        join_url=info.join_url,
        passcode=info.passcode,
        created_at=ctx.now(),
    )
    said = text("subscribed", topic=topic, id=spaced(info.id))
    return [Put(subscription), ctx.answer(job, request, said)]


def _number_in(ctx: Context, request: Request) -> int:
    """The meeting's number in the request, 0 if there is none. Any link will do, since it is not posted."""
    return number_in_link(request.argument, ctx.config.zoom.url) or meeting_number(request.argument)


async def _may_end(ctx: Context, user_id: str, known: Subscription) -> bool:
    if user_id == known.user_id or await ctx.is_admin(user_id):
        return True
    return bool(await hosted(ctx, user_id, [known]))


def _id(channel_id: str, number: int) -> str:
    return f"{channel_id}:{number}"
