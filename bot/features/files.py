"""Chats and transcripts: fetched from Zoom, uploaded to Mattermost, posted under the meeting.

The bytes are never stored here. The fetch of each file is an inbox item of its own, so that a slow download
holds up no other news of the meeting, and one that the process did not survive is done again. What cannot be
had, or is not taken, is said to stay in Zoom.
"""

from __future__ import annotations

import asyncio
import logging
import zlib
from collections.abc import Sequence
from dataclasses import dataclass

import msgspec

from bot.core.context import Context, Job
from bot.core.inbox import WEBHOOK
from bot.core.registry import Changes, Router
from bot.domain.records import Item
from bot.errors import (
    MattermostError,
    ZoomError,
    ZoomRateLimitError,
    ZoomTooLargeError,
    ZoomUnreachableError,
)
from bot.features.destinations import News, Place, hosts_of, key_of, meetings_of, places_of, say, unsaid
from bot.mattermost.errors import AWAY, asked_wait
from bot.messages import sentences
from bot.messages.markdown import escape
from bot.retrying import Backoff, retrying
from bot.stores import Put
from bot.zoom.addresses import host_of
from bot.zoom.artifacts import File, read_recording
from bot.zoom.webhooks import MeetingObject, Webhook, read_meeting

log = logging.getLogger(__name__)

MAX_BYTES = 20 * 1024 * 1024
# Lanes of fetches, and so downloads at once, each of them whole in memory.
PARALLEL = 4
PAUSES_S = (0.5, 3.0, 10.0, 30.0)
UPLOADS = 10
UPLOAD_BASE_S = 1.0
UPLOAD_CAP_S = 30.0
# A handler has 120 s: what has not come, or not gone, by then is given up in time to say so.
DOWNLOAD_S = 75.0
FETCH_S = 100.0

# Inner events, which no webhook of Zoom's carries.
CHAT = "zoombot.chat"
TRANSCRIPT = "zoombot.transcript"


@dataclass(frozen=True, slots=True)
class _Kind:
    """A kind of file: Zoom's name for it, its own name, and what is said above it or in its place."""

    type: str
    name: str
    text: str
    kept: str


_KINDS = {
    CHAT: _Kind("CHAT", "chat.txt", sentences.FILE_CHAT, sentences.FILE_CHAT_KEPT),
    TRANSCRIPT: _Kind(
        "TRANSCRIPT", "transcript.vtt", sentences.FILE_TRANSCRIPT, sentences.FILE_TRANSCRIPT_KEPT
    ),
}


def register(router: Router) -> None:
    """Register what this room handles."""
    router.webhook(CHAT, TRANSCRIPT)(fetch)


async def order(ctx: Context, webhook: Webhook, files: Sequence[File], event: str) -> Changes:
    """What is to be written so that each of these files of a webhook is fetched, once."""
    if not ctx.config.meetings.transcripts:
        return []
    items = [_item(ctx, webhook, file, event) for file in files]
    return [Put(item) for item in items if not await ctx.inbox.has(item.id)]


def _item(ctx: Context, webhook: Webhook, file: File, event: str) -> Item:
    about = read_meeting(webhook)
    alone = {**webhook.object, "recording_files": [msgspec.to_builtins(file)]}
    inner = msgspec.structs.replace(webhook, event=event, payload={**webhook.payload, "object": alone})
    # Waiting for its turn in a lane, a fetch uses up none of its handler's time.
    lane = f"fetch:{zlib.crc32(about.uuid.encode()) % PARALLEL}"
    return ctx.inbox.item(_key(about, file, event), WEBHOOK, lane, inner)


async def fetch(ctx: Context, job: Job, webhook: Webhook) -> Changes:
    """Fetch the one file of an inner event, and say under every post of the meeting that it is there, or
    that it stays in Zoom."""
    about, kind = read_meeting(webhook), _KINDS[webhook.event]
    (file,) = read_recording(webhook).files(kind.type)
    meetings = await meetings_of(ctx, about)
    to_host = ctx.config.meetings.post_recordings == "host-only"
    places = await places_of(ctx, meetings, about, to_host=to_host)
    unposted = await unsaid(ctx, _key(about, file, webhook.event), places)
    if not unposted:
        return []
    topic, hosts = escape(meetings[0].topic), await hosts_of(ctx, meetings, about)
    until = asyncio.get_running_loop().time() + FETCH_S
    # While Mattermost is away, nothing is fetched that it could not take.
    await ctx.mattermost.me()
    try:
        async with asyncio.timeout(DOWNLOAD_S):
            content = await _download(ctx, file.download_url or "", webhook.download_token or "", hosts)
    except (ZoomError, TimeoutError) as error:
        log.warning("zoom: a file stays there: %r", error)
        why = sentences.KEPT_LARGE if isinstance(error, ZoomTooLargeError) else sentences.KEPT_UNHAD
        return [_keep(ctx, news, kind, topic, why) for news in unposted]
    return [await _post(ctx, news, kind, topic, content, until) for news in unposted] if content else []


def _keep(ctx: Context, news: News, kind: _Kind, topic: str, why: str) -> Put:
    return say(ctx, news, kind.kept.format(topic=topic, why=why))


async def _post(ctx: Context, news: News, kind: _Kind, topic: str, content: bytes, until: float) -> Put:
    """A file belongs to one post: it is uploaded for each place anew. ``until`` is the loop's time."""
    try:
        async with asyncio.timeout_at(until):
            file_id = await _upload(ctx, news.place, kind.name, content)
    except (MattermostError, TimeoutError) as error:
        log.warning("mattermost: a file was not taken: %r", error)
        # One that is away is waited for; one that answers, and takes no file, is not.
        await ctx.mattermost.me()
        return _keep(ctx, news, kind, topic, sentences.KEPT_UNTAKEN)
    return say(ctx, news, kind.text.format(topic=topic), file_ids=[file_id])


async def _upload(ctx: Context, place: Place, name: str, content: bytes) -> str:
    """The file's id. An upload that took effect after all leaves a file that no post names."""
    channel_id = await _channel_of(ctx, place)

    async def once() -> str:
        return await ctx.mattermost.upload_file(channel_id, name, content)

    return await retrying(
        once,
        Backoff(UPLOAD_BASE_S, UPLOAD_CAP_S, UPLOADS),
        on=AWAY,
        asks_for=asked_wait(UPLOAD_CAP_S),
    )


async def _channel_of(ctx: Context, place: Place) -> str:
    if place.announcement is not None:
        return place.announcement.channel_id
    return await ctx.mattermost.direct_channel(place.user_id)


async def _download(ctx: Context, url: str, token: str, hosts: Sequence[str]) -> bytes:
    """The file's bytes; :class:`ZoomError` where Zoom does not give them, for as often as it is asked."""
    for pause in PAUSES_S:
        try:
            return await _download_once(ctx, url, token, hosts)
        except (ZoomUnreachableError, ZoomRateLimitError) as error:
            log.info("zoom: a file was not downloaded yet: %s", error)
            await asyncio.sleep(pause)
    return await _download_once(ctx, url, token, hosts)


async def _download_once(ctx: Context, url: str, token: str, hosts: Sequence[str]) -> bytes:
    """With the webhook's token, which lives for a day; else with the host's own."""
    allowed = (host_of(ctx.config.zoom.url),)
    failure = ZoomError("there is no token for it")
    if token:
        try:
            return await ctx.zoom.download(url, token, limit=MAX_BYTES, allowed_hosts=allowed)
        except (ZoomUnreachableError, ZoomRateLimitError, ZoomTooLargeError):
            raise
        except ZoomError as error:
            failure = error
    if hosts:
        caller = await ctx.caller(hosts[0])
        return await ctx.zoom.download_as(caller, url, limit=MAX_BYTES, allowed_hosts=allowed)
    raise failure


def _key(about: MeetingObject, file: File, event: str) -> str:
    return key_of(event, about.uuid, str(file.id or file.download_url))
