"""What people are told if Mattermost refuses a post, an edit or a private answer of the bot's."""

from __future__ import annotations

import logging

import msgspec

from bot.core.context import Body, Context, Job
from bot.core.declarations import Changes, Hook, hook, task
from bot.domain import sessions
from bot.domain.records import Announcement, Meeting, Notice, Status
from bot.errors import MattermostDeniedError, ZoomError, ZoomNotFoundError
from bot.features import crowds
from bot.mattermost.refusals import PASSING, Refusal
from bot.messages.cards import end_card, topic_of
from bot.messages.content import text
from bot.stores import Change, Delete, Insert

log = logging.getLogger(__name__)

_NOT_POSTED = {"instant": "not-posted", "webinar": "not-posted", "recurring": "subscription-not-posted"}
# The bot is in the channel, but may not post there.
READ_ONLY = "readonly"


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
    if unused and sessions.is_own(meeting):
        await _delete(ctx, meeting)
    # Delete the announcement, or it might still be posted after the next change.
    gone: list[Change] = [Delete(Announcement, announcement.id)]
    if len(announcements) == 1:
        gone += [Delete(Meeting, meeting.id), *await crowds.removed(ctx.store, meeting.id)]
    said = text(_NOT_POSTED.get(meeting.kind, "not-shared"), why=await _why(ctx, announcement))
    told = ctx.tell_user(f"{job.id}/", announcement.user_id, said, trigger=announcement.trigger)
    return [told, *gone]


@hook(Hook.EDIT_REFUSED)
def say_end(ctx: Context, announcement: Announcement, meeting: Meeting) -> Changes:
    """Say the end of a meeting in a reply, because its post cannot be edited any more. Once for each end: a
    meeting that was said never to have started may have taken place after all."""
    if meeting.status is not Status.ENDED:
        return []
    how = "ended" if meeting.ended_at else "expired"
    said = ctx.below(f"{how}:{announcement.id}", announcement, end_card(meeting))
    return [Insert(said.record)]


@hook(Hook.NOTICE_REFUSED)
def explain_elsewhere(ctx: Context, notice: Notice, body: Body, why: str) -> Changes:
    """Say once that an answer was not delivered: a private one where the person asked, without what it says,
    and one in a channel or below a meeting's post in a direct message."""
    origin = body.origin
    if origin is None:
        return _lost_below(ctx, notice, why)
    id = f"elsewhere:{notice.trigger or notice.id}"
    if origin.user_id:
        told = ctx.tell_user(id, origin.user_id, text("answer-refused", why=why), trigger=notice.trigger)
        return [Insert(told.record)]
    said = text("private-held" if why in PASSING else "private-lost", who=origin.who)
    replied = ctx.reply(id, origin.channel_id, origin.root_id, said, trigger=notice.trigger)
    return [Insert(replied.record)]


def _lost_below(ctx: Context, notice: Notice, why: str) -> Changes:
    """Schedule a word about a reply below a meeting's post that is given up. What may pass is held."""
    if not notice.under or why in PASSING:
        return []
    id = f"unsaid:{notice.under}"
    # Once for each post: whatever is refused below it is at Zoom.
    return [Insert(ctx.task(id, "tell_unsaid", Unposted(notice.under), queue=id).record)]


@task("tell_unsaid", Unposted)
async def tell_unsaid(ctx: Context, job: Job, about: Unposted) -> Changes:
    """Tell the person who asked for a meeting that something below its post was not accepted."""
    announcement = await ctx.store.get(Announcement, about.announcement)
    meeting = await ctx.store.get(Meeting, announcement.meeting) if announcement else None
    if announcement is None or meeting is None:
        return []
    said = text("reply-lost", topic=topic_of(meeting))
    return [ctx.tell_user(f"{job.id}/", announcement.user_id, said, trigger=announcement.trigger)]


async def _why(ctx: Context, announcement: Announcement) -> str:
    """Why the post was refused, for the sentence about it."""
    if announcement.failed != Refusal.DENIED:
        return announcement.failed
    try:
        member = await ctx.mattermost.channel_member(announcement.channel_id, ctx.bot.id)
    except MattermostDeniedError:
        member = None
    return READ_ONLY if member else announcement.failed


async def _delete(ctx: Context, meeting: Meeting) -> None:
    try:
        caller, webinar = await ctx.zoom_people.known_caller(meeting.host_id), meeting.kind == "webinar"
        await ctx.zoom.delete_meeting(caller, meeting.zoom_id, webinar=webinar)
    except ZoomNotFoundError:
        pass
    except ZoomError as error:
        log.warning("zoom: meeting %s was not deleted: %s", meeting.zoom_id, error)
