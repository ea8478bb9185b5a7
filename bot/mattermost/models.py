"""The answers of Mattermost's API v4, reduced to the fields the bot reads. Times are ms since the epoch."""

from __future__ import annotations

from typing import Any

import msgspec

from bot.mattermost.nesting import decode_nested

# What Mattermost's own database takes, in runes.
MAX_POST_SIZE = 16_383


class User(msgspec.Struct, frozen=True):
    """A person or a bot."""

    id: str
    username: str
    email: str = ""
    roles: str = ""
    is_bot: bool = False
    update_at: int = 0
    delete_at: int = 0

    @property
    def is_system_admin(self) -> bool:
        """Whether this account administers the whole server."""
        return "system_admin" in self.roles.split()


class Team(msgspec.Struct, frozen=True):
    """A team that the bot is in."""

    id: str


class Channel(msgspec.Struct, frozen=True):
    """``type`` is O (public), P (private), D (direct) or G (group); D and G have no ``team_id``."""

    id: str
    type: str = ""
    display_name: str = ""
    team_id: str = ""
    last_post_at: int = 0
    delete_at: int = 0


class Member(msgspec.Struct, frozen=True):
    """A user in a channel."""

    user_id: str
    roles: str = ""
    scheme_admin: bool = False

    @property
    def is_channel_admin(self) -> bool:
        """Whether this member administers the channel."""
        return self.scheme_admin or "channel_admin" in self.roles.split()


class Post(msgspec.Struct, frozen=True):
    """A post. ``type`` is empty for posts by people and bots, ``system_…`` otherwise."""

    id: str
    channel_id: str = ""
    user_id: str = ""
    root_id: str = ""
    message: str = ""
    type: str = ""
    create_at: int = 0
    edit_at: int = 0
    delete_at: int = 0
    # Set in the copies that Mattermost keeps of a post's earlier versions.
    original_id: str = ""
    given_props: dict[str, Any] | None = msgspec.field(default=None, name="props")

    @property
    def props(self) -> dict[str, Any]:
        """The post's props; imported posts may have ``null`` there."""
        return self.given_props or {}


class Props(msgspec.Struct, frozen=True):
    """The props of a post that the bot reads. Anybody can set them to anything."""

    from_bot: Any = None
    from_webhook: Any = None
    from_plugin: Any = None
    # Set by the Wrangler plugin in the copies that it makes of moved posts.
    wrangler: Any = None
    # Our own: the record that the post shows, and the post that it answers.
    zoombot_id: Any = None
    zoombot_trigger: Any = None

    @property
    def by_machine(self) -> bool:
        """Whether a bot, an incoming webhook or a plugin wrote it."""
        return any(flag in (True, "true") for flag in (self.from_bot, self.from_webhook, self.from_plugin))

    @property
    def is_copy(self) -> bool:
        """Whether it is the copy of a post that was moved or copied elsewhere."""
        return self.wrangler in (True, "true")


class Message(msgspec.Struct, frozen=True):
    """A post with only the fields that tell whether somebody asks for something. Events and the channels'
    history are read as this. Times are in ms, on the server's clock."""

    id: str
    channel_id: str
    user_id: str
    message: str = ""
    root_id: str = ""
    type: str = ""
    create_at: int = 0
    edit_at: int = 0
    delete_at: int = 0
    # Set in the copies that Mattermost keeps of a post's earlier versions.
    original_id: str = ""
    props: Props | None = None

    @property
    def by_person(self) -> bool:
        """Whether a person wrote it, and not the system, a bot, a webhook or a plugin."""
        return not self.type and not (self.props and self.props.by_machine)

    @property
    def is_copy(self) -> bool:
        """Whether it is the copy of a post that was moved or copied elsewhere."""
        return self.props is not None and self.props.is_copy


_messages = msgspec.json.Decoder(Message)


class PostList(msgspec.Struct, frozen=True):
    """Posts by id. ``order`` has the requested ones, newest first; ``posts`` has thread roots as well. Each
    post is decoded by itself, so that one that cannot be read does not hide the others."""

    order: list[str] = []
    posts: dict[str, msgspec.Raw] = {}

    def ordered(self) -> list[Message]:
        """The requested posts that can be read, newest first."""
        return self.read()[0]

    def read(self) -> tuple[list[Message], dict[str, str]]:
        """The requested posts that can be read, newest first, and why each of the others cannot, by id."""
        found: list[Message] = []
        unreadable: dict[str, str] = {}
        for id in self.order:
            if id not in self.posts:
                continue
            try:
                found.append(decode_nested(_messages, bytes(self.posts[id])))
            except (msgspec.MsgspecError, UnicodeError) as error:
                unreadable[id] = type(error).__name__
        return found, unreadable


class Settings(msgspec.Struct, frozen=True):
    """What is read from ``GET /config/client``. Its values are strings."""

    given_post_size: str = msgspec.field(default="", name="MaxPostSize")

    @property
    def max_post_size(self) -> int:
        """The most characters (runes) of a post's message."""
        return int(self.given_post_size) if self.given_post_size.isdecimal() else MAX_POST_SIZE


class Stats(msgspec.Struct, frozen=True):
    """The answer of ``GET /channels/{id}/stats``."""

    member_count: int


class FileInfo(msgspec.Struct, frozen=True):
    """An uploaded file."""

    id: str


class Upload(msgspec.Struct, frozen=True):
    """The answer of ``POST /files``."""

    file_infos: list[FileInfo]
