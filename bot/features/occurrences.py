"""Occurrences of followed meetings: each one gets a new post in every channel that follows the meeting."""

from __future__ import annotations

import hashlib
import logging

from msgspec.structs import replace

from bot.core.context import Context, Job
from bot.core.declarations import Changes, webhook
from bot.domain.meetings import MeetingEvent, apply
from bot.domain.records import Announcement, Meeting, Notice, Subscription
from bot.domain.sessions import SLACK_MS, Session
from bot.errors import NotLinkedError, ZoomError, ZoomLinkError
from bot.features import lifecycle, policy
from bot.features.lookup import look_up
from bot.features.membership import has_left
from bot.messages.cards import spaced
from bot.messages.content import text
from bot.stores import Change, Delete, Put, Update
from bot.zoom import MeetingInfo
from bot.zoom.webhooks import MeetingObject, Webhook, meeting_event, session_of

log = logging.getLogger(__name__)


@webhook("meeting.started", "meeting.participant_joined")
async def begin(ctx: Context, job: Job, webhook: Webhook) -> Changes:
    """Apply the webhook to the announced meetings, and post the occurrence in each channel that follows the
    meeting and does not show it yet."""
    about = webhook.meeting
    event = meeting_event(webhook, about)
    if event is None:
        return []
    meetings = await lifecycle.meant_by(ctx, about, event)
    changes = await lifecycle.change_all(ctx, meetings, event, about.uuid)
    return [*changes, *await _announce_all(ctx, meetings, about, event)]


async def _announce_all(
    ctx: Context, meetings: list[Meeting], about: MeetingObject, event: MeetingEvent
) -> list[Change]:
    followed = await ctx.store.find(Subscription, "zoom_id", about.zoom_id)
    if not followed or not about.uuid:
        return []
    shown = await _channels_of(ctx, meetings)
    changes: list[Change] = []
    for subscription in followed:
        if subscription.channel_id not in shown:
            changes += await _announce(ctx, _id(subscription, about.uuid), subscription, about, event)
    return changes


async def _channels_of(ctx: Context, meetings: list[Meeting]) -> set[str]:
    """The channels where an earlier event or a request has announced these meetings."""
    found = [await ctx.store.find(Announcement, "meeting", meeting.id) for meeting in meetings]
    return {announcement.channel_id for each in found for announcement in each}


async def _announce(
    ctx: Context, id: str, subscription: Subscription, about: MeetingObject, event: MeetingEvent
) -> list[Change]:
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
    if seen is None or not (seen.hosted or await ctx.is_admin(subscription.user_id)):
        return _drop(ctx, id, subscription, "subscription-gone")
    if _is_over(ctx, seen.info, subscription, session_of(about, event)):
        return []
    newest = replace(subscription, topic=seen.info.topic or subscription.topic, join_url=seen.info.join_url)
    known = Update(Subscription, newest.id, lambda now: newest if now != newest else None)
    return [known, *_post(ctx, id, newest, about, event)]


def _post(
    ctx: Context, id: str, subscription: Subscription, about: MeetingObject, event: MeetingEvent
) -> list[Change]:
    meeting = Meeting(
        id=id,
        uuid=about.uuid,
        zoom_id=subscription.zoom_id,
        topic=about.topic or subscription.topic,
        join_url=subscription.join_url,
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
    return late and not (info.status == "started" and info.uuid == session.uuid)


def _id(subscription: Subscription, uuid: str) -> str:
    return hashlib.sha256(f"{subscription.id}\n{uuid}".encode()).hexdigest()[:20]
