"""Chats and transcripts: fetch them from Zoom, upload them to Mattermost, and post them under the meeting.

The bot never stores the bytes. Each file is fetched by its own inbox item. A slow download therefore delays
nothing else about the meeting, and a fetch interrupted by a crash runs again. If Zoom does not provide a file
or Mattermost does not accept it, the bot says that the file stays in Zoom.
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
from bot.domain.records import Meeting
from bot.errors import (
    MattermostError,
    ZoomError,
    ZoomForeignAddressError,
    ZoomLinkError,
    ZoomNotAFileError,
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
from bot.retrying import retrying
from bot.stores import Change, Insert, Put
from bot.zoom.addresses import host_of
from bot.zoom.artifacts import MAX_FILES, File, read_recording
from bot.zoom.errors import AccessRefusedError
from bot.zoom.webhooks import MeetingObject, Webhook

log = logging.getLogger(__name__)

MAX_BYTES = 20 * 1024 * 1024
# The number of fetch queues, and so of downloads at once. Each is held in memory as a whole.
PARALLEL = 4
# What no other try can change.
_FINAL = (ZoomTooLargeError, ZoomForeignAddressError, ZoomLinkError)
# How a transcript begins, and what an empty file may consist of.
_WEBVTT = b"WEBVTT"
_BLANK = b"\xef\xbb\xbf \t\r\n"
# Zoom's names for the two kinds of files that the bot fetches.
CHAT = "CHAT"
TRANSCRIPT = "TRANSCRIPT"


class Fetch(msgspec.Struct):
    """The payload of a ``fetch_file`` task: the webhook, reduced to one file, and the file's kind. ``tries``
    counts the downloads that failed; ``spent_s`` is how long they and the pauses took."""

    webhook: Webhook
    kind: str
    tries: int = 0
    spent_s: float = 0.0


@dataclass(frozen=True, slots=True)
class _Kind:
    """A kind of file: Zoom's name for it, the catalogue's name for it, and the file name."""

    type: str
    shown: str
    name: str


_KINDS = {
    CHAT: _Kind(CHAT, "chat", "chat.txt"),
    TRANSCRIPT: _Kind(TRANSCRIPT, "transcript", "transcript.vtt"),
}


def order(ctx: Context, webhook: Webhook, files: Sequence[File], kind: str) -> Changes:
    """Return the changes that fetch each of these files of a webhook, once."""
    if not ctx.config.meetings.transcripts:
        return []
    about = webhook.meeting
    ordered = [
        _order(ctx, _key(about, file, kind), about, Fetch(_alone(webhook, file), kind))
        for file in files[:MAX_FILES]
    ]
    return [Insert(each.record) for each in ordered]


async def left_out(
    ctx: Context, meetings: Sequence[Meeting], about: MeetingObject, files: Sequence[File], kind: str
) -> list[Change]:
    """Return the changes that say, once, that there are more files than the bot fetches."""
    if len(files) <= MAX_FILES or not ctx.config.meetings.transcripts:
        return []
    to_host = ctx.config.meetings.post_recordings == "host-only"
    destinations = await destinations_of(ctx, meetings, about, to_host=to_host)
    said = text("files-left", file=_KINDS[kind].shown, topic=topic_of(meetings[0]))
    followups = await unsaid(ctx, key_of(f"left.{kind}", about.uuid), destinations)
    return [say(ctx, each, said) for each in followups]


def _alone(webhook: Webhook, file: File) -> Webhook:
    """The webhook, reduced to this file."""
    alone = {**webhook.object, "recording_files": [msgspec.to_builtins(file)]}
    return msgspec.structs.replace(webhook, payload={**webhook.payload, "object": alone})


def _order(ctx: Context, id: str, about: MeetingObject, fetch: Fetch, due_at: int = 0) -> Put:
    # A fetch that waits in its queue does not use up its handler's time.
    queue = f"fetch:{zlib.crc32(about.uuid.encode()) % PARALLEL}"
    return ctx.task(id, "fetch_file", fetch, queue=queue, due_at=due_at)


@task("fetch_file", Fetch)
async def fetch_file(ctx: Context, job: Job, fetch: Fetch) -> Changes:
    """Fetch a file and post it under every post of the meeting, or say that it stays in Zoom."""
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
    # While Mattermost is away, fetch nothing: it could not be uploaded.
    await ctx.mattermost.me()
    try:
        async with asyncio.timeout(ctx.timings.download_s - fetch.spent_s):
            token = fetch.webhook.token
            content = await _download(ctx, kind, file.download_url or "", token, hosts)
    except (ZoomError, TimeoutError) as error:
        spent_s = fetch.spent_s + asyncio.get_running_loop().time() - began
        if again := _again(ctx, job, fetch, error, spent_s):
            return [again]
        log.warning("zoom: a file stays there: %r", error)
        key = "file-too-large" if isinstance(error, ZoomTooLargeError) else "file-not-fetched"
        return [say(ctx, each, text(key, file=kind.shown, topic=topic)) for each in unposted]
    if _is_empty(content):
        return [say(ctx, each, text("file-empty", file=kind.shown, topic=topic)) for each in unposted]
    until = began + ctx.timings.fetch_s
    return [await _post(ctx, followup, kind, topic, content, until) for followup in unposted]


def _again(
    ctx: Context, job: Job, fetch: Fetch, error: ZoomError | TimeoutError, spent_s: float
) -> Put | None:
    """Schedule the fetch again a little later; None if that cannot help, or the limits are reached."""
    # Zoom may refuse a file that is not ready yet, also as if the token were wrong.
    early = isinstance(error, AccessRefusedError)
    worth_it = isinstance(error, ZoomError) and (early or not isinstance(error, _FINAL))
    pause_s = next(iter(ctx.timings.download_pauses_s[fetch.tries :]), None)
    if not worth_it or pause_s is None or spent_s + pause_s >= ctx.timings.download_s:
        return None
    log.info("zoom: a file was not downloaded yet: %s", error)
    later = msgspec.structs.replace(fetch, tries=fetch.tries + 1, spent_s=spent_s + pause_s)
    return _order(ctx, job.id, fetch.webhook.meeting, later, ctx.now() + int(pause_s * 1000))


async def _post(
    ctx: Context, followup: Followup, kind: _Kind, topic: Content, content: bytes, until: float
) -> Put:
    """Upload a file and return the notice that posts it; ``until`` is in the event loop's time.

    A file belongs to one post, so each destination needs its own upload.
    """
    try:
        async with asyncio.timeout_at(until):
            file_id = await _upload(ctx, followup.destination, kind.name, content)
    except (MattermostError, TimeoutError) as error:
        log.warning("mattermost: a file was not taken: %r", error)
        # If Mattermost is away, this raises, and the worker waits for it. Otherwise it refused the file.
        await ctx.mattermost.me()
        return say(ctx, followup, text("file-not-taken", file=kind.shown, topic=topic))
    return say(ctx, followup, text("file-posted", file=kind.shown, topic=topic), file_ids=[file_id])


async def _upload(ctx: Context, destination: Destination, name: str, content: bytes) -> str:
    """Upload a file and return its id. A retry of an upload that did succeed leaves a file without a post."""
    channel_id = await _channel_of(ctx, destination)

    async def once() -> str:
        return await ctx.mattermost.upload_file(channel_id, name, content)

    return await retrying(
        once,
        ctx.timings.upload,
        on=AWAY,
        asks_for=asked_wait(ctx.timings.upload.cap_s),
    )


async def _channel_of(ctx: Context, destination: Destination) -> str:
    if destination.announcement is not None:
        return destination.announcement.channel_id
    return await ctx.mattermost.direct_channel(destination.user_id)


async def _download(ctx: Context, kind: _Kind, url: str, token: str, hosts: Sequence[str]) -> bytes:
    """Download a file with the webhook's token, which is valid for a day, or else with the host's own.

    Raises :class:`ZoomError` if Zoom does not provide the file, or sends something else in its place.
    """
    allowed = (host_of(ctx.config.zoom.url),)
    failure = ZoomError("there is no token for it")
    if token:
        try:
            content = await ctx.zoom.download(url, token, limit=MAX_BYTES, allowed_hosts=allowed)
            return _checked(kind, content)
        except ZoomError as error:
            if not _is_refusal(error):
                raise
            failure = error
    if not hosts:
        raise failure
    caller = await ctx.zoom_people.known_caller(hosts[0])
    try:
        content = await ctx.zoom.download_as(caller, url, limit=MAX_BYTES, allowed_hosts=allowed)
    except ZoomLinkError as error:
        # A host who is not connected says nothing about the event's token: it may open the file later.
        raise failure if token else error from None
    return _checked(kind, content)


def _is_refusal(error: ZoomError) -> bool:
    """Whether Zoom may give the file for another token. A refusal may also be a page without Zoom's JSON."""
    if isinstance(error, ZoomUnreachableError):
        return 400 <= error.status < 500
    return not isinstance(error, ZoomRateLimitError | ZoomTooLargeError | ZoomForeignAddressError)


def _is_empty(content: bytes) -> bool:
    return not content.strip(_BLANK)


def _checked(kind: _Kind, content: bytes) -> bytes:
    """The content, if it is what the file should be."""
    if kind.type == TRANSCRIPT and not _is_empty(content) and not content.lstrip(_BLANK).startswith(_WEBVTT):
        raise ZoomNotAFileError("Zoom sent something else in place of the transcript", status=200)
    return content


def _key(about: MeetingObject, file: File, kind: str) -> str:
    return key_of(f"zoombot.{kind.lower()}", about.uuid, str(file.id or file.download_url))
