"""When to ask Zoom for the recording and summary of a session. :mod:`bot.features.asking` asks.

Zoom repeats a webhook for 85 minutes at most, and tells of a recording before it can be watched. So Zoom is
asked a few times within the day after the end, and once more after each start of the bot.
"""

from __future__ import annotations

import zlib

import msgspec

from bot.core.context import Context
from bot.domain import sessions
from bot.domain.records import Meeting
from bot.stores import Change, Insert, Put
from bot.zoom.webhooks import Webhook

# A start asks about the meetings that ended within this time.
LATELY_MS = 24 * 60 * 60_000
# How many sessions are asked about at once.
PARALLEL = 4


class News(msgspec.Struct):
    """Which session's news to ask for: the id of the meeting's record, and the session's uuid ("": the last
    session of a meeting that the bot made). ``pauses_s`` are those before further looks. ``away`` counts the
    looks in a row at which Zoom could not be reached. ``told`` is the webhook of a recording that could not
    be watched yet."""

    meeting: str
    uuid: str = ""
    pauses_s: tuple[float, ...] = ()
    away: int = 0
    told: Webhook | None = None


def after_end(ctx: Context, meeting: Meeting, uuid: str, ended_at: int) -> list[Change]:
    """Return the changes that have Zoom asked a few times after a session's end (ms), each session once."""
    first, *others = ctx.timings.news_s
    return [*_order(ctx, News(meeting.id, uuid, tuple(others)), "end", ended_at + int(first * 1000))]


def at_start(ctx: Context, meeting: Meeting) -> list[Change]:
    """Return the changes that have Zoom asked once, now; what an earlier start ordered counts as this."""
    orders = _order(ctx, News(meeting.id, sessions.bound_uuid(meeting)), "start", 0)
    return [Put(each.record) for each in orders]


def once_ready(ctx: Context, meeting: Meeting, told: Webhook) -> list[Change]:
    """Return the changes that have Zoom asked until a recording can be watched, at most a day."""
    first, *others = ctx.timings.ready_s
    about = News(meeting.id, told.meeting.uuid, tuple(others), told=told)
    return [*_order(ctx, about, "ready", ctx.now() + int(first * 1000))]


def queue_of(about: News) -> str:
    """The queue of the tasks about one meeting. All meetings share a few: a start of the bot asks about all
    that ended within a day, and people's own requests must not wait for Zoom's limits because of that."""
    return f"news:{zlib.crc32(about.meeting.encode()) % PARALLEL}"


def _order(ctx: Context, about: News, why: str, due_at: int) -> list[Insert]:
    meetings = ctx.config.meetings
    if meetings.post_recordings == "none" and not meetings.summaries:
        return []
    id = f"news:{about.meeting}:{about.uuid}:{why}"
    return [Insert(ctx.task(id, "ask_for_news", about, queue=queue_of(about), due_at=due_at).record)]
