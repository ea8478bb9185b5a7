"""Data that the server keeps, with the fields and key order of Mattermost's JSON. Times are in ms."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import msgspec
from msgspec import UNSET, UnsetType

Json = dict[str, Any]


class User(msgspec.Struct, kw_only=True, eq=False):
    """An account. `password` is never sent to clients."""

    id: str
    create_at: int
    update_at: int
    delete_at: int = 0
    username: str
    email: str
    first_name: str = ""
    last_name: str = ""
    nickname: str = ""
    roles: str = "system_user"
    is_bot: bool = False
    password: str = "demo"  # noqa: S105

    @property
    def is_admin(self) -> bool:
        return "system_admin" in self.roles.split()

    def json(self) -> Json:
        """The body of `GET /users/{id}`."""
        body: Json = {
            "id": self.id,
            "create_at": self.create_at,
            "update_at": self.update_at,
            "delete_at": self.delete_at,
            "username": self.username,
            "auth_data": "",
            "auth_service": "",
            "email": self.email,
            "nickname": self.nickname,
            "first_name": self.first_name,
            "last_name": self.last_name,
            "position": "",
            "roles": self.roles,
            "notify_props": dict(_NOTIFY),
            "last_password_update": self.create_at,
            "locale": "en",
            "timezone": {
                "automaticTimezone": "",
                "manualTimezone": "",
                "useAutomaticTimezone": "true",
            },
        }
        if self.is_bot:
            body |= {"is_bot": True, "bot_description": "meeting bot"}
        return body | {"disable_welcome_email": False}


class Team(msgspec.Struct, kw_only=True, eq=False):
    """A team. Its members are in `Directory.team_members`."""

    id: str
    create_at: int
    update_at: int
    delete_at: int = 0
    display_name: str
    name: str
    description: str = ""
    email: str = ""
    type: str = "O"
    company_name: str = ""
    allowed_domains: str = ""
    invite_id: str = ""
    allow_open_invite: bool = False
    scheme_id: str | None = None
    group_constrained: bool | None = None
    policy_id: str | None = None


class Channel(msgspec.Struct, kw_only=True, eq=False):
    """A channel. `type` is O (public), P (private), D (direct) or G (group); D and G have no team."""

    id: str
    create_at: int
    update_at: int
    delete_at: int = 0
    team_id: str = ""
    type: str
    display_name: str = ""
    name: str
    header: str = ""
    purpose: str = ""
    last_post_at: int = 0
    total_msg_count: int = 0
    extra_update_at: int = 0
    creator_id: str = ""
    scheme_id: str | None = None
    props: Json | None = None
    group_constrained: bool | None = None
    shared: bool = False
    total_msg_count_root: int = 0
    policy_id: str | None = None


class Post(msgspec.Struct, kw_only=True, eq=False):
    """A post as clients see it. The callbacks of its buttons are in `World.actions`."""

    id: str
    create_at: int
    update_at: int
    edit_at: int = 0
    delete_at: int = 0
    is_pinned: bool = False
    user_id: str
    channel_id: str
    root_id: str = ""
    parent_id: str = ""
    original_id: str = ""
    message: str = ""
    type: str = ""
    props: Json = {}
    hashtags: str = ""
    file_ids: list[str] | UnsetType = UNSET
    pending_post_id: str = ""
    has_reactions: bool | UnsetType = UNSET
    reply_count: int = 0
    last_reply_at: int = 0
    participants: None = None
    metadata: Json = {}


class Reaction(msgspec.Struct, kw_only=True, eq=False):
    """An emoji reaction to a post."""

    user_id: str
    post_id: str
    emoji_name: str
    create_at: int
    update_at: int
    delete_at: int = 0
    remote_id: str = ""


class FileInfo(msgspec.Struct, kw_only=True, eq=False):
    """An uploaded file's metadata. Its content is in `World.files`."""

    id: str
    user_id: str
    post_id: str = ""
    create_at: int
    update_at: int
    delete_at: int = 0
    name: str
    extension: str
    size: int
    mime_type: str = "application/octet-stream"
    has_preview_image: bool = False
    mini_preview: None = None


class Command(msgspec.Struct, kw_only=True, eq=False):
    """A slash command of a team."""

    id: str
    token: str
    create_at: int
    update_at: int
    delete_at: int = 0
    creator_id: str
    team_id: str
    trigger: str
    method: str = "P"
    username: str = ""
    icon_url: str = ""
    auto_complete: bool = True
    auto_complete_desc: str = ""
    auto_complete_hint: str = ""
    display_name: str = ""
    description: str = ""
    url: str
    plugin_id: str = ""


@dataclass(slots=True)
class Call:
    """A recorded API request. `path` excludes the server's sub-path; `status` is 0 until it is answered."""

    method: str
    path: str
    user_id: str
    status: int
    json: Any


@dataclass(slots=True, frozen=True)
class Ephemeral:
    """A post shown to one user only. Iterates as (user_id, channel_id, text)."""

    user_id: str
    channel_id: str
    text: str
    post: Post

    def __iter__(self) -> Iterator[str]:
        return iter((self.user_id, self.channel_id, self.text))


@dataclass(slots=True)
class Dialog:
    """A dialog shown to a user. `trigger_id` is the client's part of the trigger id."""

    trigger_id: str
    user_id: str
    channel_id: str
    url: str
    dialog: Json


_NOTIFY = {
    "channel": "true",
    "comments": "never",
    "desktop": "mention",
    "desktop_sound": "true",
    "email": "true",
    "first_name": "false",
    "mention_keys": "",
    "push": "mention",
    "push_status": "away",
}
