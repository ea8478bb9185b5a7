"""Occurrences of followed meetings: each one gets a new post in every channel that follows the meeting."""

from __future__ import annotations

import hashlib
import logging

import msgspec
from msgspec.structs import replace

from bot.core.context import Context, Job
from bot.core.declarations import Changes, task, webhook
from bot.domain.meetings import MeetingEvent, apply
from bot.domain.records import Announcement, Meeting, Notice, Subscription
from bot.domain.sessions import SLACK_MS, Session
from bot.errors import NotLinkedError, ZoomError, ZoomLinkError
from bot.features import lifecycle, policy
from bot.features.lookup import look_up
from bot.features.membership import has_left
from bot.messages.cards import spaced
from bot.messages.content import text
from bot.stores import Change, Delete, Insert, Put, Update
from bot.zoom import MeetingInfo
from bot.zoom.webhooks import MeetingObject, Webhook, meeting_event, session_of

log = logging.getLogger(__name__)

# What Zoom does not show is looked at again this much later, before the channel stops following it.
AGAIN_MS = 2 * 60_000


class Unseen(msgspec.Struct):
    """The id of a subscription whose meeting Zoom did not show, and the webhook that told of its session."""

    subscription: str
    webhook: Webhook


@webhook("meeting.started", "meeting.participant_joined")
async def begin(ctx: Context, job: Job, webhook: Webhook) -> Changes:
    """Apply the webhook to the announced meetings, and post the occurrence in each channel that follows the
    meeting and does not show it yet."""
    about = webhook.meeting
    event = meeting_event(webhook, about, job.asked_at)
    if event is None:
        return []
    meetings = await lifecycle.meant_by(ctx, about, event)
    changes = await lifecycle.change_all(ctx, meetings, event, about)
    return [*changes, *await _announce_all(ctx, meetings, webhook, event)]


@task("look_at_followed_again", Unseen)
async def look_again(ctx: Context, job: Job, unseen: Unseen) -> Changes:
    """Post a followed meeting that Zoom did not show a little earlier. If it still does not, stop following
    it."""
    about = unseen.webhook.meeting
    event = meeting_event(unseen.webhook, about, job.asked_at)
    subscription = await ctx.store.get(Subscription, unseen.subscription)
    if event is None or subscription is None:
        return []
    id = _id(subscription, about.uuid)
    if await ctx.store.get(Announcement, id):
        # A later event has posted it.
        return []
    return await _announce(ctx, id, subscription, unseen.webhook, event, again=True)


async def _announce_all(
    ctx: Context, meetings: list[Meeting], webhook: Webhook, event: MeetingEvent
) -> list[Change]:
    about = webhook.meeting
    followed = await ctx.store.find(Subscription, "zoom_id", about.zoom_id)
    if not followed or not about.uuid:
        return []
    shown = await _channels_of(ctx, meetings)
    changes: list[Change] = []
    for subscription in followed:
        if subscription.channel_id not in shown:
            changes += await _announce(ctx, _id(subscription, about.uuid), subscription, webhook, event)
    return changes


async def _channels_of(ctx: Context, meetings: list[Meeting]) -> set[str]:
    """The channels where an earlier event or a request has announced these meetings."""
    found = [await ctx.store.find(Announcement, "meeting", meeting.id) for meeting in meetings]
    return {announcement.channel_id for each in found for announcement in each}


async def _announce(
    ctx: Context,
    id: str,
    subscription: Subscription,
    webhook: Webhook,
    event: MeetingEvent,
    *,
    again: bool = False,
) -> list[Change]:
    about = webhook.meeting
    if await has_left(ctx, subscription.channel_id, subscription.user_id):
        return _drop(ctx, id, subscription, "subscription-left")
    if await policy.is_restricted(ctx, subscription.channel_id, subscription.channel_type, copied=True):
        log.info("a followed meeting is not posted in a restricted channel")
        return []
    try:
        seen = await look_up(ctx, subscription.user_id, subscription.zoom_id, asked=False)
    except (NotLinkedError, ZoomLinkError):
        return await _unlinked(ctx, id, subscription)
    except ZoomError as error:
        log.warning("zoom: a followed meeting is posted as it was known: %s", error)
        return _post(ctx, id, subscription, about, event)
    if seen is None and not again:
        return [_later(ctx, id, subscription, webhook)]
    if seen is None or not (seen.hosted or await ctx.is_admin(subscription.user_id)):
        return _drop(ctx, id, subscription, "subscription-gone")
    missed = again and not _is_running(seen.info, about.uuid)
    if missed or _is_over(ctx, seen.info, subscription, session_of(about, event)):
        return []
    newest = replace(
        subscription,
        topic=seen.info.topic or subscription.topic,
        join_url=seen.info.join_url,
        passcode=seen.info.passcode,
    )
    known = Update(Subscription, newest.id, lambda now: newest if now != newest else None)
    return [known, *_post(ctx, id, newest, about, event)]


def _later(ctx: Context, id: str, subscription: Subscription, webhook: Webhook) -> Change:
    """The change that has a meeting looked at again which Zoom does not show now: it may know it again."""
    log.info("zoom: followed meeting %s is not shown; it is looked at again", subscription.zoom_id)
    unseen, id = Unseen(subscription.id, webhook), f"unseen:{id}"
    due_at = ctx.now() + AGAIN_MS
    return Insert(ctx.task(id, "look_at_followed_again", unseen, queue=id, due_at=due_at).record)


def _post(
    ctx: Context, id: str, subscription: Subscription, about: MeetingObject, event: MeetingEvent
) -> list[Change]:
    meeting = Meeting(
        id=id,
        uuid=about.uuid,
        zoom_id=subscription.zoom_id,
        topic=about.topic or subscription.topic,
        join_url=subscription.join_url,
        passcode=subscription.passcode,
        host_id=subscription.user_id,
        host_zoom_id=subscription.host_zoom_id,
        kind="recurring",
        bound=True,
        timezone=about.timezone,
        created_at=ctx.now(),
    )
    announcement = Announcement(
        id=id,
        meeting=id,
        channel_id=subscription.channel_id,
        user_id=subscription.user_id,
        user_name=subscription.user_name,
        created_at=ctx.now(),
    )
    return [Put(apply(meeting, event)), Put(announcement)]


def _drop(ctx: Context, id: str, subscription: Subscription, why: str) -> list[Change]:
    said = text(why, topic=subscription.topic, id=spaced(subscription.zoom_id))
    told = ctx.tell_user(f"dropped:{id}", subscription.user_id, said)
    return [Delete(Subscription, subscription.id), told]


async def _unlinked(ctx: Context, id: str, subscription: Subscription) -> list[Change]:
    if await ctx.store.get(Notice, f"unlinked:{id}"):
        return []
    said = text("subscription-unlinked", topic=subscription.topic, id=spaced(subscription.zoom_id))
    return [ctx.tell_user(f"unlinked:{id}", subscription.user_id, said)]


def _is_over(ctx: Context, info: MeetingInfo, subscription: Subscription, session: Session) -> bool:
    """Whether the session may be over: it began long ago, or before the channel followed the meeting, and
    Zoom does not say that it is running. Nobody needs the post then."""
    since = max(ctx.now() - ctx.config.mattermost.catch_up_ms, subscription.created_at - SLACK_MS)
    late = 0 < session.began < since
    return late and not _is_running(info, session.uuid)


def _is_running(info: MeetingInfo, uuid: str) -> bool:
    return info.status == "started" and info.uuid == uuid


def _id(subscription: Subscription, uuid: str) -> str:
    return hashlib.sha256(f"{subscription.id}\n{uuid}".encode()).hexdigest()[:20]
