"""Cloud recordings: post one message for each, with the link to watch it, and have its files fetched.

``post_recordings`` says who gets what: ``link``, ``link-and-passcode``, ``host-only`` or ``none``. Chats and
transcripts reveal as much as the recording and follow the same rule, unless ``transcripts`` turns them off.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence

from bot.core.context import Context, Job
from bot.core.declarations import Changes, webhook
from bot.domain.records import Meeting
from bot.features import files, news
from bot.features.destinations import bind_all, destinations_of, key_of, meetings_of, say, unsaid
from bot.messages.cards import recording_card
from bot.stores import Change
from bot.zoom.artifacts import Recording, read_recording
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
    changes: list[Change] = [*bind_all(meetings, about)]
    changes += await _files(ctx, webhook, meetings, recording, files.CHAT)
    if not recording.ready:
        return [*changes, *news.once_ready(ctx, meetings[0], about.uuid)]
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
    transcripts = await _files(ctx, webhook, meetings, recording, files.TRANSCRIPT)
    return [*bind_all(meetings, webhook.meeting), *transcripts]


async def _files(
    ctx: Context, webhook: Webhook, meetings: Sequence[Meeting], recording: Recording, kind: str
) -> list[Change]:
    found = recording.files(kind)
    left = await files.left_out(ctx, meetings, webhook.meeting, found, kind)
    return [*files.order(ctx, webhook, found, kind), *left]
