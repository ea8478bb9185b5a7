"""The server's state and the events it sends. No HTTP here."""

from __future__ import annotations

import time
from collections.abc import Callable, Container
from typing import Any

from bot.sandbox.faults import Faults
from bot.sandbox.mattermost.attachments import Action
from bot.sandbox.mattermost.changes import Changes
from bot.sandbox.mattermost.channels import Channels
from bot.sandbox.mattermost.directory import Directory
from bot.sandbox.mattermost.history import History
from bot.sandbox.mattermost.hub import Hub
from bot.sandbox.mattermost.records import (
    Call,
    Channel,
    Command,
    Dialog,
    Ephemeral,
    FileInfo,
    Json,
    User,
)
from bot.sandbox.mattermost.refusals import denied
from bot.sandbox.mattermost.wire import encode_text, event

MAX_CALLS = 100_000


class World:
    """The state of one server."""

    def __init__(self, clock_offset_ms: int = 0, auth_timeout: float = 5.0) -> None:
        # The source of the server's time in ms, and the offset added to it.
        self.clock: Callable[[], int] = lambda: time.time_ns() // 1_000_000
        self.clock_offset_ms = clock_offset_ms
        self.auth_timeout = auth_timeout
        self.dedupe_ms = 30_000
        self.trigger_life = 3.0
        self.allow_overrides = True
        self.show_email_address = True
        # As a new server has them: anybody may sign in with a password, and addresses are not verified.
        self.verify_email = False
        self.password_sign_in = True
        self.sends_root_id = True
        # False as before 6.1.
        self.lists_all_channels = True
        # In runes, and in seconds; -1 means no limit.
        self.max_post_size = 16383
        self.post_edit_time_limit = -1
        # What everybody's roles allow, of what tests take away.
        self.permissions = {"create_direct_channel", "edit_post"}
        # The ids of users whom nobody may write to directly, as after they have left the last common team.
        self.no_direct: set[str] = set()
        self.site_url = ""
        self.faults = Faults()
        self.changes = Changes()
        self.directory = Directory(self.now)
        self.channels = Channels(self.now)
        self.history = History()
        self.hub = Hub()
        self.actions: dict[str, dict[str, Action]] = {}
        self.commands: dict[str, Command] = {}
        self.dialogs: list[Dialog] = []
        self.ephemerals: list[Ephemeral] = []
        self.files: dict[str, tuple[FileInfo, bytes]] = {}
        self.pending: dict[str, tuple[int, str]] = {}
        self.calls: list[Call] = []
        self.unknown: list[str] = []

    def now(self) -> int:
        """The server's time, in ms since the epoch."""
        return self.clock() + self.clock_offset_ms

    def record(self, method: str, path: str, user_id: str, body: Any) -> Call:
        """Record a request. The older half is dropped when there are `MAX_CALLS`."""
        if len(self.calls) >= MAX_CALLS:
            del self.calls[: MAX_CALLS // 2]
        call = Call(method, path, user_id, 0, body)
        self.calls.append(call)
        self.changes.tell()
        return call

    def may_read(self, user: User, channel: Channel) -> bool:
        """Whether the user can read the channel's posts."""
        return user.is_admin or self.channels.has(channel.id, user.id)

    def may_see(self, user: User, channel: Channel) -> bool:
        """Whether the user can see the channel: it is public in one of their teams, or they can read it."""
        in_team = user.id in self.directory.team_members.get(channel.team_id, {})
        return self.may_read(user, channel) or (channel.type == "O" and in_team)

    def tell_channel(self, name: str, data: Json, channel_id: str, *, omit: str = "") -> None:
        """Send an event to the members of a channel, except `omit`."""
        opened = event(name, data, channel_id=channel_id, omit=omit)
        self.hub.tell(opened, self._members(channel_id), omit=omit)
        self.changes.tell()

    def tell_user(self, name: str, data: Json, user_id: str, *, channel_id: str = "") -> None:
        """Send an event to one user."""
        self.hub.tell(event(name, data, user_id=user_id, channel_id=channel_id), (user_id,))
        self.changes.tell()

    def typing(self, user: User, channel_id: str, parent_id: str) -> None:
        """Send the typing event. Refused to users who are not in the channel."""
        channel = self.channels.channel(channel_id)
        if not self.channels.has(channel.id, user.id):
            raise denied()
        self.tell_channel("typing", {"parent_id": parent_id, "user_id": user.id}, channel.id, omit=user.id)

    def show(self, ephemeral: Ephemeral) -> None:
        """Record an ephemeral post and send it to its user."""
        self.ephemerals.append(ephemeral)
        data = {"post": encode_text(ephemeral.post)}
        self.tell_user("ephemeral_message", data, ephemeral.user_id, channel_id=ephemeral.channel_id)

    def _members(self, channel_id: str) -> Container[str]:
        return self.channels.members.get(channel_id, {})
