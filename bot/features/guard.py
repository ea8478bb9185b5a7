"""What stands before a new meeting: one that was just started here, or a channel full of people."""

from __future__ import annotations

import logging

from bot import texts
from bot.commands import Request
from bot.context import Context, Job
from bot.errors import MattermostError
from bot.features import questions
from bot.features.questions import Choice
from bot.markdown import escape, safe_url
from bot.records import Announcement, Meeting, Recent
from bot.stores import Change

log = logging.getLogger(__name__)

DUPLICATE = "duplicate"
CROWD = "crowd"


async def ask_about_duplicate(ctx: Context, job: Job, request: Request) -> list[Change]:
    """The question whether to join the meeting that was just posted here; nothing if there is none.

    Requests of one channel are handled one after the other: ten at once are one meeting and nine questions.
    """
    meeting = await _just_posted(ctx, request.channel_id)
    if meeting is None or "new" in request.choices:
        return []
    text = texts.DUPLICATE.format(
        who=escape(meeting.host_name), topic=escape(meeting.topic), url=safe_url(meeting.join_url)
    )
    choices = [Choice("existing", texts.BUTTON_EXISTING, "primary"), Choice("new", texts.BUTTON_NEW)]
    return questions.ask(ctx, job, request, DUPLICATE, text, choices, about=meeting.id)


async def ask_about_crowd(ctx: Context, job: Job, request: Request) -> list[Change]:
    """The question whether so many people are really meant; nothing if there are few."""
    limit = ctx.config.meetings.confirm_above
    if not limit or "yes" in request.choices or request.channel_type == "D":
        return []
    try:
        count = await ctx.mattermost.channel_member_count(request.channel_id)
    except MattermostError as error:
        log.info("mattermost: members were not counted: %s", error)
        return []
    if count <= limit:
        return []
    text = texts.CROWD.format(count=count)
    choices = [Choice("yes", texts.BUTTON_YES, "primary"), Choice("no", texts.BUTTON_NO)]
    return questions.ask(ctx, job, request, CROWD, text, choices)


async def existing_answer(ctx: Context, meeting_id: str) -> str:
    """What somebody reads who joins the meeting that is there already."""
    meeting = await ctx.store.get(Meeting, meeting_id)
    if meeting is None or not meeting.open:
        return texts.DUPLICATE_GONE
    return texts.DUPLICATE_JOIN.format(topic=escape(meeting.topic), url=safe_url(meeting.join_url))


def recent(announcement: Announcement) -> Recent:
    """What the guard remembers of the newest meeting of a channel."""
    return Recent(
        id=announcement.channel_id, meeting=announcement.meeting, created_at=announcement.created_at
    )


async def _just_posted(ctx: Context, channel_id: str) -> Meeting | None:
    newest = await ctx.store.get(Recent, channel_id)
    if newest is None or ctx.now() - newest.created_at >= ctx.config.meetings.duplicate_window_ms:
        return None
    meeting = await ctx.store.get(Meeting, newest.meeting)
    return meeting if meeting is not None and meeting.open else None
