"""Parses what the bot needs from Mattermost's events. Pure.

A ``posted`` event contains the post as JSON inside JSON. Thousands of other events arrive for each one that
matters; for those, only the name is checked.
"""

from __future__ import annotations

import msgspec

from bot.errors import EventError
from bot.mattermost.frames import Event


class Props(msgspec.Struct, frozen=True):
    """The props of a post that tell whether a machine wrote it."""

    from_bot: str | bool | None = None
    from_webhook: str | bool | None = None
    from_plugin: str | bool | None = None

    @property
    def by_machine(self) -> bool:
        """Whether a bot, an incoming webhook or a plugin wrote it."""
        return any(flag in (True, "true") for flag in (self.from_bot, self.from_webhook, self.from_plugin))


class Message(msgspec.Struct, frozen=True):
    """A post as the event contains it. Times are in ms, on the server's clock."""

    id: str
    channel_id: str
    user_id: str
    message: str = ""
    root_id: str = ""
    type: str = ""
    create_at: int = 0
    edit_at: int = 0
    props: Props | None = None

    @property
    def by_person(self) -> bool:
        """Whether a person wrote it, and not the system, a bot, a webhook or a plugin."""
        return not self.type and not (self.props and self.props.by_machine)


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


# Anybody can write a post whose props are nested thousands deep. Decoding it raises RecursionError.
_data = msgspec.json.Decoder(_Data)
_messages = msgspec.json.Decoder(Message)


def read_posted(event: Event) -> Posted | None:
    """The new post in an event, or None for other events; :class:`EventError` if it cannot be parsed."""
    if event.name != "posted":
        return None
    try:
        data = _data.decode(event.data)
        message = _messages.decode(data.post)
    except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
        raise EventError(f"an event of Mattermost is not as it should be: {type(error).__name__}") from None
    return Posted(
        message=message,
        channel_type=data.channel_type,
        channel_name=data.channel_display_name,
        sender_name=data.sender_name.removeprefix("@"),
        team_id=data.team_id,
    )
