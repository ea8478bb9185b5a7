"""Where to send follow-ups to a meeting: under its posts, or to its host alone."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from msgspec.structs import replace

from bot.core.context import Context
from bot.domain import sessions
from bot.domain.announcements import is_lost
from bot.domain.records import Announcement, LinkedAccount, Meeting, Notice
from bot.features.membership import has_left
from bot.messages.card import Card
from bot.messages.content import Content
from bot.stores import Change, Put, Update
from bot.zoom import ACCOUNT
from bot.zoom.webhooks import MeetingObject, Webhook, with_uuid


@dataclass(frozen=True, slots=True)
class Destination:
    """Where to send a follow-up: under an announcement's post or, without one, to a person."""

    announcement: Announcement | None = None
    user_id: str = ""

    @property
    def id(self) -> str:
        """The id of the announcement or the person."""
        return self.announcement.id if self.announcement else self.user_id


@dataclass(frozen=True, slots=True)
class Followup:
    """A follow-up for one destination, sent once: ``key`` is the same if Zoom sends the event again."""

    key: str
    destination: Destination

    @property
    def id(self) -> str:
        """The id of its notice."""
        return f"{self.key}/{self.destination.id}"


def key_of(kind: str, *parts: str) -> str:
    """A follow-up's key, always the same for the same parts."""
    return f"{kind}:" + hashlib.sha256("\n".join(parts).encode()).hexdigest()[:24]


async def meetings_of(ctx: Context, about: MeetingObject) -> list[Meeting]:
    """Find the announced meetings with this uuid. If there are none, match by number where that is certain.

    Meetings announced by a pasted link are never among them. Otherwise anybody who knows a meeting's number
    could get its recording.
    """
    found = await ctx.store.find(Meeting, "uuid", about.uuid) if about.uuid else []
    if not any(sessions.is_own(each) or sessions.is_bound(each) for each in found):
        # No event told of the session while it took place.
        same_number = await ctx.store.find(Meeting, "zoom_id", about.zoom_id) if about.zoom_id else []
        found = list({each.id: each for each in [*found, *same_number]}.values())
    return [each for each in found if each.host_id and sessions.belongs(each, about.session)]


def named(webhook: Webhook, meetings: Sequence[Meeting]) -> Webhook:
    """The webhook with the uuid of the session that these meetings show, if Zoom left it out. What tells of
    the same news with its uuid is then known to be the same."""
    shown = {sessions.bound_uuid(each) for each in meetings}
    return with_uuid(webhook, shown.pop()) if len(shown) == 1 and not webhook.meeting.uuid else webhook


def bind_all(meetings: Sequence[Meeting], about: MeetingObject) -> list[Change]:
    """Return the changes after which these meetings' posts get no follow-ups of another session."""

    def bound(now: Meeting) -> Meeting:
        return sessions.bind(now, about.uuid) if sessions.may_bind(now, about.uuid) else now

    unbound = [each for each in meetings if not sessions.is_own(each) and not sessions.is_bound(each)]
    return [Update(Meeting, each.id, bound) for each in unbound if about.uuid]


async def destinations_of(
    ctx: Context, meetings: Sequence[Meeting], about: MeetingObject, *, to_host: bool
) -> list[Destination]:
    """All destinations of these meetings, except channels that a followed meeting's subscriber has left."""
    if to_host:
        return [Destination(user_id=host) for host in await hosts_of(ctx, meetings, about)]
    return [
        Destination(announcement)
        for meeting in meetings
        for announcement in await ctx.store.find(Announcement, "meeting", meeting.id)
        if not is_lost(announcement) and await _is_fed(ctx, meeting, announcement)
    ]


async def hosts_of(ctx: Context, meetings: Sequence[Meeting], about: MeetingObject) -> list[str]:
    """The Mattermost users who are the host at Zoom. Account-level apps know them from their first use. They
    find them by e-mail only if they have never used the bot."""
    if ctx.config.zoom.app == "user":
        links = await ctx.store.find(LinkedAccount, "zoom_user_id", about.host_id) if about.host_id else []
        known = [link.id for link in links if link.id != ACCOUNT]
    else:
        known = await ctx.zoom_people.holders(about.host_id)
    if known := known or list(dict.fromkeys(each.host_id for each in meetings if _is_host(each, about))):
        return known
    if ctx.config.zoom.app == "user" or not about.host_id or not about.host_email:
        return []
    return await ctx.zoom_people.with_email(about.host_email, about.host_id)


async def unsaid(ctx: Context, key: str, destinations: Sequence[Destination]) -> list[Followup]:
    """The follow-ups for the destinations that have not received this one yet."""
    followups = [Followup(key, each) for each in destinations]
    return [each for each in followups if await ctx.store.get(Notice, each.id) is None]


def say(
    ctx: Context,
    followup: Followup,
    said: Card | Content,
    *,
    file_ids: Sequence[str] = (),
) -> Put:
    """Return the change that sends a follow-up."""
    above = followup.destination.announcement
    if above is not None:
        return ctx.below(followup.id, above, said, file_ids=file_ids)
    return ctx.tell_of_meeting(followup.id, followup.destination.user_id, said, file_ids=file_ids)


async def say_again(
    ctx: Context, key: str, destinations: Sequence[Destination], said: Card | Content
) -> list[Change]:
    """Return the changes after which the follow-ups that were sent already say this."""
    changes: list[Change] = []
    for followup in (Followup(key, each) for each in destinations):
        fresh = say(ctx, followup, said).record
        if isinstance(fresh, Notice) and await ctx.store.get(Notice, followup.id) is not None:
            changes.append(Update(Notice, followup.id, partial(_saying, fresh.sealed_body)))
    return changes


def _saying(sealed_body: str, now: Notice) -> Notice | None:
    # One that was never posted because its place is gone has no post to change.
    return replace(now, sealed_body=sealed_body, waiting=True) if now.waiting or now.post_id else None


async def _is_fed(ctx: Context, meeting: Meeting, announcement: Announcement) -> bool:
    """Whether an announcement gets follow-ups. It does not if a followed meeting's subscriber has left."""
    followed = meeting.kind == "recurring"
    return not (followed and await has_left(ctx, announcement.channel_id, announcement.user_id))


def _is_host(meeting: Meeting, about: MeetingObject) -> bool:
    """Whether ``meeting.host_id`` is certainly the host at Zoom. Its creator is. Somebody else may have
    shared it or subscribed a channel to it, and an e-mail address proves nothing: people choose theirs."""
    return meeting.host_zoom_id == about.host_id and meeting.kind not in ("recurring", "joined")
