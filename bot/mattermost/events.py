"""Parses what the bot needs from Mattermost's events. Pure.

A ``posted`` event contains the post as JSON inside JSON. Most posts are talk: of those, a :class:`Glance` is
all that is read.
"""

from __future__ import annotations

import re
from typing import TypeVar

import msgspec

from bot.errors import EventError
from bot.mattermost.frames import Data, Event, RawEvent
from bot.mattermost.models import Message, Props, User
from bot.mattermost.nesting import decode_nested

__all__ = [
    "CHANNEL_RESTORED",
    "POSTED",
    "POST_DELETED",
    "USER_ADDED",
    "USER_UPDATED",
    "Glance",
    "Message",
    "Posted",
    "Props",
    "deleted_post",
    "glance_at",
    "post_id_in",
    "read_posted",
    "read_user",
    "reopened_channel",
]

T = TypeVar("T")


class Posted(msgspec.Struct, frozen=True):
    """A new post and its channel. ``sender_name`` comes without the @ that Mattermost puts before it."""

    message: Message
    channel_type: str = ""
    channel_name: str = ""
    sender_name: str = ""
    team_id: str = ""


class Glance(msgspec.Struct, frozen=True, gc=False):
    """What tells whether a post asks for anything. ``create_at`` is in ms, on the server's clock."""

    user_id: str
    message: str = ""
    create_at: int = 0


class _PostId(msgspec.Struct):
    id: str


POSTED = "posted"
POST_DELETED = "post_deleted"
CHANNEL_RESTORED = "channel_restored"
USER_ADDED = "user_added"
USER_UPDATED = "user_updated"

_data = msgspec.json.Decoder(Data)
_messages = msgspec.json.Decoder(Message)
_glance = msgspec.json.Decoder(Glance).decode
_post_ids = msgspec.json.Decoder(_PostId)
_NOTHING = Data()

# A post's id comes first. In undecoded data the post is a string inside the JSON.
_ID = re.compile(r'\\?"id\\?":\\?"([a-z0-9]{26})\\?"')


def glance_at(data: Data) -> Glance | None:
    """A look at the new post in an event's data; None if it cannot be parsed as easily."""
    try:
        return _glance(data.post)
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        return None


def read_posted(event: Event) -> Posted | None:
    """The new post in an event, or None for other events; :class:`EventError` if it cannot be parsed."""
    if event.name != POSTED:
        return None
    data = _data_of(event)
    message = _parsed(_messages, data.post)
    return Posted(
        message=message,
        channel_type=data.channel_type,
        channel_name=data.channel_name,
        sender_name=data.sender_name.removeprefix("@"),
        team_id=data.team_id,
    )


def post_id_in(event: Event) -> str:
    """The id of the post in an event that cannot be parsed, or the event's number."""
    text = event.raw.decode(errors="replace") if isinstance(event, RawEvent) else _data_of(event).post
    found = _ID.search(text)
    return found[1] if found else f"in event {event.seq}"


def read_user(event: Event) -> User | None:
    """The changed account in an event, or None for other events; :class:`EventError` if it cannot be parsed.
    Its e-mail address may be left out."""
    if event.name != USER_UPDATED:
        return None
    user = _data_of(event).user
    if user is None:
        raise EventError("an event of Mattermost is not as it should be: it has no user")
    return user


def deleted_post(event: Event) -> str:
    """The id of the post that was deleted, empty for other events; :class:`EventError` if it cannot be
    parsed."""
    if event.name != POST_DELETED:
        return ""
    return _parsed(_post_ids, _data_of(event).post).id


def reopened_channel(event: Event, bot_id: str) -> str:
    """The channel in which the bot may post again, because it was restored or the bot was added. Empty for
    other events; :class:`EventError` if it cannot be parsed."""
    if event.name == CHANNEL_RESTORED:
        return _data_of(event).channel_id
    if event.name == USER_ADDED and _data_of(event).user_id == bot_id and event.broadcast is not None:
        return event.broadcast.channel_id
    return ""


def _data_of(event: Event) -> Data:
    if isinstance(event, RawEvent):
        return _parsed(_data, event.raw)
    return event.data or _NOTHING


def _parsed(decoder: msgspec.json.Decoder[T], data: bytes | str) -> T:
    try:
        return decode_nested(decoder, data)
    except (msgspec.MsgspecError, UnicodeError) as error:
        raise EventError(f"an event of Mattermost is not as it should be: {type(error).__name__}") from None
