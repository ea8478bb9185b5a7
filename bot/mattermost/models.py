"""The answers of Mattermost's API v4, reduced to the fields the bot reads. Times are ms since the epoch."""

from __future__ import annotations

from typing import Any

import msgspec


class User(msgspec.Struct, frozen=True):
    """A person or a bot."""

    id: str
    username: str
    email: str = ""
    roles: str = ""
    is_bot: bool = False
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


class PostList(msgspec.Struct, frozen=True):
    """Posts by id. ``order`` has the requested ones, newest first; ``posts`` has thread roots as well."""

    order: list[str] = []
    posts: dict[str, Post] = {}

    def ordered(self) -> list[Post]:
        """The requested posts, newest first."""
        return [self.posts[id] for id in self.order if id in self.posts]


class Stats(msgspec.Struct, frozen=True):
    """The answer of ``GET /channels/{id}/stats``."""

    member_count: int


class FileInfo(msgspec.Struct, frozen=True):
    """An uploaded file."""

    id: str


class Upload(msgspec.Struct, frozen=True):
    """The answer of ``POST /files``."""

    file_infos: list[FileInfo]
