"""Ask Zoom for the recording and summary of a session, in case their webhooks were lost or came too early.

What was posted already is not posted again: the answers are handled like the webhooks.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable
from typing import Any

import msgspec

from bot.core.context import Context, Job
from bot.core.declarations import Changes, task
from bot.domain import sessions
from bot.domain.records import Meeting
from bot.errors import (
    MattermostError,
    ZoomError,
    ZoomNotFoundError,
    ZoomRateLimitError,
    ZoomUnreachableError,
)
from bot.features import recordings, summaries
from bot.features.news import News, queue_of
from bot.stores import Change
from bot.zoom import Caller
from bot.zoom.artifacts import finished
from bot.zoom.webhooks import Webhook

log = logging.getLogger(__name__)

# Where Zoom does not say when a recording can be watched, it is linked this long after Zoom told of it.
PATIENCE_MS = 60 * 60_000
# These pass.
_AWAY = (ZoomUnreachableError, ZoomRateLimitError)
# The pauses before Zoom is asked again after those, in seconds.
_AWAY_S = (60.0, 300.0, 900.0, 3600.0)


@task("ask_for_news", News)
async def ask_for_news(ctx: Context, job: Job, about: News) -> Changes:
    """Ask Zoom for what it has published of a session, and post what is new. Then look again later."""
    meeting = await ctx.store.get(Meeting, about.meeting)
    if meeting is None or not meeting.host_id or not (about.uuid or sessions.is_own(meeting)):
        # The number of a room or of a shared meeting also has sessions that nobody announced.
        return []
    changes: list[Change] = []
    away = False
    try:
        caller = await ctx.zoom_people.known_caller(meeting.host_id)
        changes += await _recording(ctx, job, caller, meeting, about)
        changes += await _summary(ctx, job, caller, meeting, about.uuid)
    except (ZoomError, MattermostError) as error:
        away = isinstance(error, _AWAY)
        log.info("zoom: whether there is news of meeting %s is not known: %s", meeting.zoom_id, error)
    return [*changes, *_again(ctx, job, about, away=away)]


def _again(ctx: Context, job: Job, about: News, *, away: bool) -> list[Change]:
    """The next look, if there is one: soon while Zoom cannot be reached, which counts as none."""
    if away and about.away < len(_AWAY_S):
        pause_s, later = _AWAY_S[about.away], msgspec.structs.replace(about, away=about.away + 1)
    elif about.pauses_s:
        pause_s, *others = about.pauses_s
        later = msgspec.structs.replace(about, pauses_s=tuple(others), away=0)
    else:
        return []
    due_at = ctx.now() + int(pause_s * 1000)
    return [ctx.task(job.id, "ask_for_news", later, queue=queue_of(about), due_at=due_at)]


async def _recording(ctx: Context, job: Job, caller: Caller, meeting: Meeting, about: News) -> list[Change]:
    if ctx.config.meetings.post_recordings == "none":
        return []
    uuid = about.uuid
    found = await _asked(ctx.zoom.recording(caller, uuid or meeting.zoom_id))
    if found is None and about.told and ctx.now() - about.told.at >= PATIENCE_MS:
        # Zoom never says that it can be watched. A link that may be early is better than none.
        return [*await recordings.post_recording(ctx, job, finished(about.told))]
    if not found:
        return []
    asked = {"id": meeting.zoom_id, "uuid": uuid, "host_id": meeting.host_zoom_id}
    payload = {"object": _whole(found, asked)}
    link = Webhook(event="recording.completed", payload=payload)
    files = Webhook(event="recording.transcript_completed", payload=payload)
    return [
        *await recordings.post_recording(ctx, job, link),
        *await recordings.post_transcript(ctx, job, files),
    ]


async def _summary(ctx: Context, job: Job, caller: Caller, meeting: Meeting, uuid: str) -> list[Change]:
    if not ctx.config.meetings.summaries:
        return []
    found = await _asked(ctx.zoom.summary(caller, uuid or meeting.zoom_id))
    if not found:
        return []
    asked = {"meeting_id": meeting.zoom_id, "meeting_uuid": uuid, "meeting_host_id": meeting.host_zoom_id}
    webhook = Webhook(event="meeting.summary_completed", payload={"object": _whole(found, asked)})
    return [*await summaries.post_summary(ctx, job, webhook)]


def _whole(found: dict[str, Any], asked: dict[str, Any]) -> dict[str, Any]:
    """Zoom's answer, with what was asked for in place of what it leaves out."""
    return asked | {name: value for name, value in found.items() if value not in (None, "")}


async def _asked(call: Awaitable[dict[str, Any]]) -> dict[str, Any] | None:
    """Zoom's answer; empty if there is nothing, None if Zoom does not tell this (its plan, or a scope)."""
    try:
        return await call
    except ZoomNotFoundError:
        return {}
    except _AWAY:
        raise
    except ZoomError as error:
        log.info("zoom: there may be news: %s", error)
        return None
