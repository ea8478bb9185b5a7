"""Parses what the bot needs from Mattermost's events. Pure.

A ``posted`` event contains the post as JSON inside JSON. Thousands of other events arrive for each one that
matters; for those, only the name is checked.
"""

from __future__ import annotations

import re
from typing import TypeVar

import msgspec

from bot.errors import EventError
from bot.mattermost.frames import Event
from bot.mattermost.models import Message, Props, User
from bot.mattermost.nesting import decode_nested

__all__ = [
    "USER_UPDATED",
    "Message",
    "Posted",
    "Props",
    "deleted_post",
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


class _Data(msgspec.Struct):
    post: str
    channel_type: str = ""
    channel_display_name: str = ""
    sender_name: str = ""
    team_id: str = ""


class _Deleted(msgspec.Struct):
    post: str


class _PostId(msgspec.Struct):
    id: str


class _Reopened(msgspec.Struct):
    channel_id: str = ""
    user_id: str = ""


_data = msgspec.json.Decoder(_Data)
_messages = msgspec.json.Decoder(Message)
_deleted = msgspec.json.Decoder(_Deleted)
_post_ids = msgspec.json.Decoder(_PostId)
_reopened = msgspec.json.Decoder(_Reopened)

# The post is a string inside the JSON, and its id comes first.
_ID = re.compile(rb'\\"id\\":\\"([a-z0-9]{26})\\"')


USER_UPDATED = "user_updated"


class _UserData(msgspec.Struct):
    user: User


_users = msgspec.json.Decoder(_UserData)


def read_posted(event: Event) -> Posted | None:
    """The new post in an event, or None for other events; :class:`EventError` if it cannot be parsed."""
    if event.name != "posted":
        return None
    data = _parsed(_data, bytes(event.data))
    message = _parsed(_messages, data.post)
    return Posted(
        message=message,
        channel_type=data.channel_type,
        channel_name=data.channel_display_name,
        sender_name=data.sender_name.removeprefix("@"),
        team_id=data.team_id,
    )


def post_id_in(event: Event) -> str:
    """The id of the post in an event that cannot be parsed, or the event's number."""
    found = _ID.search(bytes(event.data))
    return found[1].decode() if found else f"in event {event.seq}"


def read_user(event: Event) -> User | None:
    """The changed account in an event, or None for other events; :class:`EventError` if it cannot be parsed.
    Its e-mail address may be left out."""
    if event.name != USER_UPDATED:
        return None
    try:
        return _users.decode(event.data).user
    except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
        raise EventError(f"an event of Mattermost is not as it should be: {type(error).__name__}") from None


def deleted_post(event: Event) -> str:
    """The id of the post that was deleted, empty for other events; :class:`EventError` if it cannot be
    parsed."""
    if event.name != "post_deleted":
        return ""
    return _parsed(_post_ids, _parsed(_deleted, bytes(event.data)).post).id


def reopened_channel(event: Event, bot_id: str) -> str:
    """The channel in which the bot may post again, because it was restored or the bot was added. Empty for
    other events; :class:`EventError` if it cannot be parsed."""
    match event.name:
        case "channel_restored":
            return _parsed(_reopened, bytes(event.data)).channel_id
        case "user_added" if _parsed(_reopened, bytes(event.data)).user_id == bot_id:
            return _parsed(_reopened, bytes(event.broadcast)).channel_id
    return ""


def _parsed(decoder: msgspec.json.Decoder[T], data: bytes | str) -> T:
    try:
        return decode_nested(decoder, data)
    except (msgspec.MsgspecError, UnicodeError) as error:
        raise EventError(f"an event of Mattermost is not as it should be: {type(error).__name__}") from None
