"""Cloud recordings: post one message for each, with the link to watch it, and have its files fetched.

``post_recordings`` says who gets what: ``link``, ``link-and-passcode``, ``host-only`` or ``none``. Chats and
transcripts reveal as much as the recording and follow the same rule, unless ``transcripts`` turns them off.
"""

from __future__ import annotations

import logging

from bot.core.context import Context, Job
from bot.core.declarations import Changes, webhook
from bot.features import files
from bot.features.destinations import bind_all, destinations_of, key_of, meetings_of, say, unsaid
from bot.messages.cards import recording_card
from bot.stores import Change
from bot.zoom.artifacts import read_recording
from bot.zoom.webhooks import Webhook

log = logging.getLogger(__name__)


@webhook("recording.completed")
async def post_recording(ctx: Context, job: Job, webhook: Webhook) -> Changes:
    """Post the link to a recording, and have its chat fetched. The link never waits for a download."""
    mode = ctx.config.meetings.post_recordings
    about, recording = webhook.meeting, read_recording(webhook)
    meetings = await meetings_of(ctx, about)
    if mode == "none" or not meetings:
        return []
    chats = files.order(ctx, webhook, recording.files(files.CHAT), files.CHAT)
    changes: list[Change] = [*bind_all(meetings, about), *chats]
    if not recording.url:
        return changes
    destinations = await destinations_of(ctx, meetings, about, to_host=mode == "host-only")
    card = recording_card(
        meetings[0],
        recording.url,
        passcode=recording.password or "",
        with_passcode=mode != "link",
        began=recording.began,
        duration=recording.length,
    )
    for followup in await unsaid(ctx, key_of("recording", about.uuid, recording.url), destinations):
        log.info("recording of meeting %s", about.zoom_id, extra={"item": job.id})
        changes.append(say(ctx, followup, card))
    return changes


@webhook("recording.transcript_completed")
async def post_transcript(ctx: Context, job: Job, webhook: Webhook) -> Changes:
    """Have a transcript fetched."""
    recording = read_recording(webhook)
    meetings = await meetings_of(ctx, webhook.meeting)
    if ctx.config.meetings.post_recordings == "none" or not meetings:
        return []
    transcripts = files.order(ctx, webhook, recording.files(files.TRANSCRIPT), files.TRANSCRIPT)
    return [*bind_all(meetings, webhook.meeting), *transcripts]
