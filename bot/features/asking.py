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
from bot.errors import MattermostError, ZoomError, ZoomNotFoundError
from bot.features import recordings, summaries
from bot.features.news import News, queue_of
from bot.stores import Change
from bot.zoom import Caller
from bot.zoom.webhooks import Webhook

log = logging.getLogger(__name__)


@task("ask_for_news", News)
async def ask_for_news(ctx: Context, job: Job, about: News) -> Changes:
    """Ask Zoom for what it has published of a session, and post what is new. Then look again later."""
    meeting = await ctx.store.get(Meeting, about.meeting)
    if meeting is None or not meeting.host_id or not (about.uuid or sessions.is_own(meeting)):
        # The number of a room or of a shared meeting also has sessions that nobody announced.
        return []
    changes: list[Change] = []
    try:
        caller = await ctx.zoom_people.known_caller(meeting.host_id)
        changes += await _recording(ctx, job, caller, about.uuid or meeting.zoom_id)
        changes += await _summary(ctx, job, caller, about.uuid or meeting.zoom_id)
    except (ZoomError, MattermostError) as error:
        log.info("zoom: whether there is news of meeting %s is not known: %s", meeting.zoom_id, error)
    return [*changes, *_again(ctx, job, about)]


def _again(ctx: Context, job: Job, about: News) -> list[Change]:
    if not about.pauses_s:
        return []
    pause_s, *others = about.pauses_s
    later = msgspec.structs.replace(about, pauses_s=tuple(others))
    due_at = ctx.now() + int(pause_s * 1000)
    return [ctx.task(job.id, "ask_for_news", later, queue=queue_of(about), due_at=due_at)]


async def _recording(ctx: Context, job: Job, caller: Caller, which: str | int) -> list[Change]:
    if ctx.config.meetings.post_recordings == "none":
        return []
    found = await _asked(ctx.zoom.recording(caller, which))
    link = Webhook(event="recording.completed", payload={"object": found})
    files = Webhook(event="recording.transcript_completed", payload={"object": found})
    if not found:
        return []
    return [
        *await recordings.post_recording(ctx, job, link),
        *await recordings.post_transcript(ctx, job, files),
    ]


async def _summary(ctx: Context, job: Job, caller: Caller, which: str | int) -> list[Change]:
    found = await _asked(ctx.zoom.summary(caller, which)) if ctx.config.meetings.summaries else {}
    webhook = Webhook(event="meeting.summary_completed", payload={"object": found})
    return [*await summaries.post_summary(ctx, job, webhook)] if found else []


async def _asked(call: Awaitable[dict[str, Any]]) -> dict[str, Any]:
    """Zoom's answer; empty if there is nothing, or Zoom does not tell this (its plan, or a scope)."""
    try:
        return await call
    except ZoomNotFoundError:
        return {}
    except ZoomError as error:
        log.info("zoom: there may be news: %s", error)
        return {}
