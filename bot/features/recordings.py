"""Cloud recordings: post one message for each, with the link to watch it, and have its files fetched.

``post_recordings`` says who gets what: ``link``, ``link-and-passcode``, ``host-only`` or ``none``. Chats and
transcripts reveal as much as the recording and follow the same rule, unless ``transcripts`` turns them off.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Sequence
from functools import partial, reduce

from msgspec.structs import replace

from bot.core.context import Context, Job
from bot.core.declarations import Changes, webhook
from bot.domain.records import Meeting, Recorded
from bot.features import files, news
from bot.features.destinations import (
    bind_all,
    destinations_of,
    key_of,
    meetings_of,
    named,
    say,
    say_again,
    unsaid,
)
from bot.messages.cards import recording_card
from bot.stores import Change, Update
from bot.zoom.artifacts import Recording, covered, read_recording
from bot.zoom.webhooks import Webhook

log = logging.getLogger(__name__)

# How many parts of a recording are remembered.
MAX_PARTS = 200


@webhook("recording.completed")
async def post_recording(ctx: Context, job: Job, webhook: Webhook) -> Changes:
    """Post the link to a recording, and have its chat fetched. The link never waits for a download."""
    mode = ctx.config.meetings.post_recordings
    meetings = await meetings_of(ctx, webhook.meeting)
    if mode == "none" or not meetings:
        return []
    webhook = named(webhook, meetings)
    about, recording = webhook.meeting, read_recording(webhook)
    changes: list[Change] = [*bind_all(meetings, about)]
    changes += await _files(ctx, webhook, meetings, recording, files.CHAT)
    if not recording.ready:
        return [*changes, *news.once_ready(ctx, meetings[0], webhook)]
    if not recording.url:
        return changes
    key, known = _known(meetings, about.uuid, recording)
    if known.link_hash and not recording.shared_url:
        # The reply has a better link already.
        return changes
    fresh = _together(known, Recorded(recording.spans, _hash(recording.shared_url)))
    destinations = await destinations_of(ctx, meetings, about, to_host=mode == "host-only")
    card = recording_card(
        meetings[0],
        recording.url,
        passcode=recording.password or "",
        with_passcode=mode != "link",
        began=fresh.parts[0][0] if fresh.parts else recording.began,
        duration=covered(fresh.parts),
    )
    if fresh != known:
        # It was begun again, and Zoom tells of another part of it.
        changes += await say_again(ctx, key, destinations, card)
        changes += [Update(Meeting, each.id, partial(_noted, key, fresh)) for each in meetings]
    for followup in await unsaid(ctx, key, destinations):
        log.info("recording of meeting %s", about.zoom_id, extra={"item": job.id})
        changes.append(say(ctx, followup, card))
    return changes


def _known(meetings: Sequence[Meeting], uuid: str, recording: Recording) -> tuple[str, Recorded]:
    """The key of a recording's follow-up, and what is known of it. A session has one, unless Zoom tells of
    another link."""
    key = key_of("recording", uuid)
    found = _recorded(meetings, key)
    if found.link_hash in ("", _hash(recording.shared_url)) or not recording.shared_url:
        return key, found
    other = key_of("recording", uuid, recording.shared_url)
    return other, _recorded(meetings, other)


def _recorded(meetings: Sequence[Meeting], key: str) -> Recorded:
    return reduce(_together, (each.recorded.get(key, Recorded()) for each in meetings))


def _together(one: Recorded, other: Recorded) -> Recorded:
    parts = sorted({*one.parts, *other.parts})[:MAX_PARTS]
    return Recorded(parts, one.link_hash or other.link_hash)


def _noted(key: str, fresh: Recorded, meeting: Meeting) -> Meeting:
    recorded = _together(meeting.recorded.get(key, Recorded()), fresh)
    return replace(meeting, recorded={**meeting.recorded, key: recorded})


def _hash(url: str) -> str:
    return hashlib.sha256(url.encode()).hexdigest()[:16] if url else ""


@webhook("recording.transcript_completed")
async def post_transcript(ctx: Context, job: Job, webhook: Webhook) -> Changes:
    """Have a transcript fetched."""
    recording = read_recording(webhook)
    meetings = await meetings_of(ctx, webhook.meeting)
    if ctx.config.meetings.post_recordings == "none" or not meetings:
        return []
    webhook = named(webhook, meetings)
    transcripts = await _files(ctx, webhook, meetings, recording, files.TRANSCRIPT)
    return [*bind_all(meetings, webhook.meeting), *transcripts]


async def _files(
    ctx: Context, webhook: Webhook, meetings: Sequence[Meeting], recording: Recording, kind: str
) -> list[Change]:
    found = recording.files(kind)
    left = await files.left_out(ctx, meetings, webhook.meeting, found, kind)
    return [*files.order(ctx, webhook, found, kind), *left]
