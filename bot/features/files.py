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
from bot.core.declarations import Changes, task
from bot.errors import (
    MattermostError,
    ZoomError,
    ZoomRateLimitError,
    ZoomTooLargeError,
    ZoomUnreachableError,
)
from bot.features.destinations import (
    Destination,
    Followup,
    destinations_of,
    hosts_of,
    key_of,
    meetings_of,
    say,
    unsaid,
)
from bot.mattermost.errors import AWAY, asked_wait
from bot.messages.cards import topic_of
from bot.messages.content import Content, text
from bot.retrying import Backoff, retrying
from bot.stores import Insert, Put
from bot.zoom.addresses import host_of
from bot.zoom.artifacts import File, read_recording
from bot.zoom.webhooks import MeetingObject, Webhook

log = logging.getLogger(__name__)

MAX_BYTES = 20 * 1024 * 1024
# Lanes of fetches, and so downloads at once, each of them whole in memory.
PARALLEL = 4
PAUSES_S = (0.5, 3.0, 10.0, 30.0)
UPLOADS = 10
UPLOAD_BASE_S = 1.0
UPLOAD_CAP_S = 30.0
# A handler has 120 s: what has not come, or not gone, by then is given up in time to say so. All downloads of
# a file, with their pauses, have the first of these together; waiting for a turn in the queue is free.
DOWNLOAD_S = 75.0
FETCH_S = 100.0

# Zoom's names for the two kinds of files that are fetched.
CHAT = "CHAT"
TRANSCRIPT = "TRANSCRIPT"


class Fetch(msgspec.Struct):
    """One file of a recording: the webhook that told of it, with that file alone, and the file's kind.
    ``tries`` counts the downloads that got no answer, ``spent_s`` how long they and the pauses took."""

    webhook: Webhook
    kind: str
    tries: int = 0
    spent_s: float = 0.0


@dataclass(frozen=True, slots=True)
class _Kind:
    """A kind of file: Zoom's name for it, the catalogue's, and that of the file."""

    type: str
    shown: str
    name: str


_KINDS = {
    CHAT: _Kind(CHAT, "chat", "chat.txt"),
    TRANSCRIPT: _Kind(TRANSCRIPT, "transcript", "transcript.vtt"),
}


def order(ctx: Context, webhook: Webhook, files: Sequence[File], kind: str) -> Changes:
    """What is to be written so that each of these files of a webhook is fetched, once."""
    if not ctx.config.meetings.transcripts:
        return []
    about = webhook.meeting
    ordered = [
        _order(ctx, _key(about, file, kind), about, Fetch(_alone(webhook, file), kind)) for file in files
    ]
    return [Insert(each.record) for each in ordered]


def _alone(webhook: Webhook, file: File) -> Webhook:
    """The webhook with this file alone."""
    alone = {**webhook.object, "recording_files": [msgspec.to_builtins(file)]}
    return msgspec.structs.replace(webhook, payload={**webhook.payload, "object": alone})


def _order(ctx: Context, id: str, about: MeetingObject, fetch: Fetch, due_at: int = 0) -> Put:
    # Waiting for its turn in a queue, a fetch uses up none of its handler's time.
    queue = f"fetch:{zlib.crc32(about.uuid.encode()) % PARALLEL}"
    return ctx.task(id, "fetch_file", fetch, queue=queue, due_at=due_at)


@task("fetch_file", Fetch)
async def fetch_file(ctx: Context, job: Job, fetch: Fetch) -> Changes:
    """Fetch a file, and say under every post of the meeting that it is there, or that it stays in Zoom."""
    about, kind = fetch.webhook.meeting, _KINDS[fetch.kind]
    (file,) = read_recording(fetch.webhook).files(kind.type)
    meetings = await meetings_of(ctx, about)
    to_host = ctx.config.meetings.post_recordings == "host-only"
    destinations = await destinations_of(ctx, meetings, about, to_host=to_host)
    unposted = await unsaid(ctx, _key(about, file, fetch.kind), destinations)
    if not unposted:
        return []
    topic, hosts = topic_of(meetings[0]), await hosts_of(ctx, meetings, about)
    began = asyncio.get_running_loop().time()
    # While Mattermost is away, nothing is fetched that it could not take.
    await ctx.mattermost.me()
    try:
        async with asyncio.timeout(DOWNLOAD_S - fetch.spent_s):
            token = fetch.webhook.download_token or ""
            content = await _download(ctx, file.download_url or "", token, hosts)
    except (ZoomError, TimeoutError) as error:
        spent_s = fetch.spent_s + asyncio.get_running_loop().time() - began
        if again := _again(ctx, job, fetch, error, spent_s):
            return [again]
        log.warning("zoom: a file stays there: %r", error)
        key = "file-too-large" if isinstance(error, ZoomTooLargeError) else "file-not-fetched"
        return [say(ctx, each, text(key, file=kind.shown, topic=topic)) for each in unposted]
    until = began + FETCH_S
    return (
        [await _post(ctx, followup, kind, topic, content, until) for followup in unposted] if content else []
    )


def _again(
    ctx: Context, job: Job, fetch: Fetch, error: ZoomError | TimeoutError, spent_s: float
) -> Put | None:
    """The same fetch a little later; None where that makes no sense, or not any more."""
    worth_it = isinstance(error, ZoomUnreachableError | ZoomRateLimitError)
    if not worth_it or fetch.tries >= len(PAUSES_S) or spent_s + PAUSES_S[fetch.tries] >= DOWNLOAD_S:
        return None
    log.info("zoom: a file was not downloaded yet: %s", error)
    pause_s = PAUSES_S[fetch.tries]
    later = msgspec.structs.replace(fetch, tries=fetch.tries + 1, spent_s=spent_s + pause_s)
    return _order(ctx, job.id, fetch.webhook.meeting, later, ctx.now() + int(pause_s * 1000))


async def _post(
    ctx: Context, followup: Followup, kind: _Kind, topic: Content, content: bytes, until: float
) -> Put:
    """A file belongs to one post: it is uploaded for each place anew. ``until`` is the loop's time."""
    try:
        async with asyncio.timeout_at(until):
            file_id = await _upload(ctx, followup.destination, kind.name, content)
    except (MattermostError, TimeoutError) as error:
        log.warning("mattermost: a file was not taken: %r", error)
        # One that is away is waited for; one that answers, and takes no file, is not.
        await ctx.mattermost.me()
        return say(ctx, followup, text("file-not-taken", file=kind.shown, topic=topic))
    return say(ctx, followup, text("file-posted", file=kind.shown, topic=topic), file_ids=[file_id])


async def _upload(ctx: Context, destination: Destination, name: str, content: bytes) -> str:
    """The file's id. An upload that took effect after all leaves a file that no post names."""
    channel_id = await _channel_of(ctx, destination)

    async def once() -> str:
        return await ctx.mattermost.upload_file(channel_id, name, content)

    return await retrying(
        once,
        Backoff(UPLOAD_BASE_S, UPLOAD_CAP_S, UPLOADS),
        on=AWAY,
        asks_for=asked_wait(UPLOAD_CAP_S),
    )


async def _channel_of(ctx: Context, destination: Destination) -> str:
    if destination.announcement is not None:
        return destination.announcement.channel_id
    return await ctx.mattermost.direct_channel(destination.user_id)


async def _download(ctx: Context, url: str, token: str, hosts: Sequence[str]) -> bytes:
    """The file's bytes: with the webhook's token, which lives for a day; else with the host's own.

    :class:`ZoomError` where Zoom does not give them.
    """
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


def _key(about: MeetingObject, file: File, kind: str) -> str:
    return key_of(f"zoombot.{kind.lower()}", about.uuid, str(file.id or file.download_url))
