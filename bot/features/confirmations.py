"""Gates that ask before a new meeting: another one was just started here, or the channel is crowded."""

from __future__ import annotations

import logging

from bot.core.context import Context, Job
from bot.domain.grammar import Request
from bot.domain.records import Announcement, Meeting, Recent
from bot.errors import MattermostError
from bot.features import questions
from bot.messages.cards import passcode_of, topic_of
from bot.messages.content import Code, Link, Text, text
from bot.stores import Change

log = logging.getLogger(__name__)

DUPLICATE = "duplicate"
CROWD = "crowd"


async def not_duplicate(ctx: Context, job: Job, request: Request) -> list[Change] | None:
    """Gate: ask whether to join the meeting that was just posted here instead.

    Requests in one channel are handled in order: ten at once give one meeting and nine questions.
    """
    newest = await _just_posted(ctx, request.channel_id)
    if newest is None or "new" in request.choices:
        return None
    meeting, _ = newest
    return questions.ask(
        ctx,
        job,
        request,
        DUPLICATE,
        await _duplicate(ctx, request, *newest),
        ["existing", "new"],
        preferred="existing",
        title=text("duplicate-title", topic=topic_of(meeting)),
        url=meeting.join_url,
        about=meeting.id,
    )


async def not_crowded(ctx: Context, job: Job, request: Request) -> list[Change] | None:
    """Gate: ask for confirmation if more than ``meetings.confirm_above`` people are in the channel. The bot
    is one of its members, and is not counted."""
    limit = ctx.config.meetings.confirm_above
    if not limit or "yes" in request.choices or request.channel_type == "D":
        return None
    try:
        count = await ctx.mattermost.channel_member_count(request.channel_id) - 1
    except MattermostError as error:
        log.info("mattermost: members were not counted: %s", error)
        return None
    if count <= limit:
        return None
    question = text("crowd", count=count, **await questions.place(ctx, request))
    title = text("crowd-title", count=count)
    return questions.ask(ctx, job, request, CROWD, question, ["yes", "no"], title=title, preferred="yes")


async def existing_answer(ctx: Context, meeting_id: str) -> Text:
    """The answer for somebody who chose the existing meeting."""
    meeting = await ctx.store.get(Meeting, meeting_id)
    if meeting is None or not meeting.open:
        return text("duplicate-gone")
    topic = Link(topic_of(meeting), meeting.join_url)
    if passcode := passcode_of(meeting):
        return text("duplicate-join-passcode", topic=topic, passcode=Code(passcode))
    return text("duplicate-join", topic=topic)


def recent(announcement: Announcement) -> Recent:
    """Build the record of a channel's newest meeting, for :func:`not_duplicate`."""
    return Recent(
        id=announcement.channel_id, meeting=announcement.meeting, created_at=announcement.created_at
    )


async def _duplicate(ctx: Context, request: Request, meeting: Meeting, announcement: Announcement) -> Text:
    place = await questions.place(ctx, request)
    topic = Link(topic_of(meeting), meeting.join_url)
    if announcement.user_id == request.user_id:
        return text("duplicate-own", kind=meeting.kind, topic=topic, **place)
    return text("duplicate-other", kind=meeting.kind, topic=topic, name=announcement.user_name, **place)


async def _just_posted(ctx: Context, channel_id: str) -> tuple[Meeting, Announcement] | None:
    newest = await ctx.store.get(Recent, channel_id)
    # The clock may have been put back.
    if newest is None or abs(ctx.now() - newest.created_at) >= ctx.config.meetings.duplicate_window_ms:
        return None
    meeting = await ctx.store.get(Meeting, newest.meeting)
    if meeting is None or not meeting.open:
        return None
    announcements = await ctx.store.find(Announcement, "meeting", meeting.id)
    return next(((meeting, each) for each in announcements if each.channel_id == channel_id), None)
