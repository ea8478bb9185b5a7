"""``join <id | link | me>``: share an existing meeting in the request's channel.

If the bot looked the meeting up at Zoom on the person's behalf, it keeps the card up to date. It posts a
pasted link without a lookup, and never shows anything there that Zoom says about the meeting: the number of
somebody's meeting is not secret, but what happens in it is.
"""

from __future__ import annotations

from msgspec.structs import replace

from bot.core.context import Context, Job
from bot.core.declarations import Changes, Where, command
from bot.domain.grammar import MEETING, Request, meeting_number
from bot.domain.records import Meeting
from bot.errors import NotLinkedError
from bot.features import connect, gates, personal_room, start
from bot.features.lookup import look_up
from bot.messages.cards import spaced
from bot.messages.catalogue import catalogue
from bot.messages.content import Text, text
from bot.zoom import MeetingInfo
from bot.zoom.addresses import JoinLink, NotJoinable, find_join_link

_REFUSED = {
    NotJoinable.FOREIGN: "join-bad-link",
    NotJoinable.HOST: "join-host-link",
    NotJoinable.PERSONAL: "join-personal-link",
    NotJoinable.REGISTRATION: "join-registration-link",
}


@command(
    "join",
    takes=MEETING,
    where=Where.CHANNEL,
    gates=(gates.may_post, gates.fresh),
    usage="join-usage",
    asks="join-asks",
    help="join-help",
    position=30,
    announces=True,
)
async def join(ctx: Context, job: Job, request: Request) -> Changes:
    """Post the meeting's card, or say privately why not."""
    meeting = await _meeting(ctx, job, request)
    if isinstance(meeting, Text):
        return [ctx.tell(job, request, meeting)]
    return start.announced(ctx, job, request, meeting)


async def _meeting(ctx: Context, job: Job, request: Request) -> Meeting | Text:
    """Find the meeting that the person wants to share, or return a message if it cannot be shared."""
    what = request.argument
    if what.lower() == "me":
        return await _own_room(ctx, job, request)
    found = find_join_link(what, ctx.config.zoom.url)
    if isinstance(found, JoinLink):
        return _pasted(ctx, job, found)
    number = meeting_number(what)
    if found not in (None, NotJoinable.FOREIGN) or not number:
        return text(_REFUSED[found or NotJoinable.FOREIGN])
    seen = await look_up(ctx, request.user_id, number, webinars=True)
    if seen is None or not (seen.hosted or ctx.config.zoom.app == "user"):
        return text("join-not-visible", id=spaced(number))
    return _known(ctx, job, request, seen.info, webinar=seen.webinar)


async def _own_room(ctx: Context, job: Job, request: Request) -> Meeting | Text:
    if not await connect.is_linked(ctx, request.user_id):
        raise NotLinkedError("no Zoom account is linked")
    caller = await ctx.caller(request.user_id)
    room = await personal_room.room(ctx, caller)
    if room is None:
        return personal_room.off_at_zoom(ctx, "join-no-room")
    return _known(ctx, job, request, await ctx.zoom.meeting(caller, room.id))


def _known(ctx: Context, job: Job, request: Request, info: MeetingInfo, *, webinar: bool = False) -> Meeting:
    meeting = Meeting(
        id=job.reference,
        uuid=info.uuid,
        zoom_id=info.id,
        topic=info.topic or _default_topic(),
        join_url=info.join_url,
        passcode=info.passcode,
        host_id=request.user_id,
        host_zoom_id=info.host_id,
        kind="joined",
        webinar=webinar,
        timezone=info.timezone,
        created_at=ctx.now(),
        # A number of which Zoom does not say what kind it is may be a room's.
        planned=bool(info.type) and not info.personal,
        planned_at=info.start_ms,
    )
    return start.going_on(ctx, meeting, info)


def _pasted(ctx: Context, job: Job, found: JoinLink) -> Meeting:
    """Build the record for a pasted link. It has no known host and is not open, so nothing tracks it."""
    meeting = Meeting(
        id=job.reference,
        uuid="",
        zoom_id=found.number,
        topic=_default_topic(),
        join_url=found.url,
        kind="joined",
        created_at=ctx.now(),
    )
    return replace(meeting, open=False)


def _default_topic() -> str:
    return catalogue().plain(text("default-topic"))
