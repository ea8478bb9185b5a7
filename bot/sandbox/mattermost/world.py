"""Everything that the server knows, and what happens in it. No HTTP here."""

from __future__ import annotations

import time
from collections.abc import Callable, Container
from typing import Any

from bot.sandbox.faults import Faults
from bot.sandbox.mattermost.attachments import Action
from bot.sandbox.mattermost.changes import Changes
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
from bot.sandbox.mattermost.rooms import Rooms
from bot.sandbox.mattermost.wire import encode_text, event

MAX_CALLS = 100_000


class World:
    """The state of one server, shared by its parts."""

    def __init__(self, clock_offset_ms: int = 0, auth_timeout: float = 5.0) -> None:
        # What the server's clock goes by, in ms, and how far it is off.
        self.clock: Callable[[], int] = lambda: time.time_ns() // 1_000_000
        self.clock_offset_ms = clock_offset_ms
        self.auth_timeout = auth_timeout
        self.dedupe_ms = 30_000
        self.trigger_life = 3.0
        self.allow_overrides = True
        self.show_email_address = True
        self.sends_root_id = False
        self.site_url = ""
        self.faults = Faults()
        self.changes = Changes()
        self.directory = Directory(self.now)
        self.rooms = Rooms(self.now)
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
        """The server's clock, in ms."""
        return self.clock() + self.clock_offset_ms

    def record(self, method: str, path: str, user_id: str, body: Any) -> Call:
        """Remember a request; of very many the older half is forgotten."""
        if len(self.calls) >= MAX_CALLS:
            del self.calls[: MAX_CALLS // 2]
        call = Call(method, path, user_id, 0, body)
        self.calls.append(call)
        self.changes.tell()
        return call

    def may_read(self, user: User, channel: Channel) -> bool:
        """Whether an account sees what is written in a channel."""
        return user.is_admin or self.rooms.has(channel.id, user.id)

    def may_see(self, user: User, channel: Channel) -> bool:
        """Whether an account may know of a channel: public ones of its teams, and its own."""
        in_team = user.id in self.directory.team_members.get(channel.team_id, {})
        return self.may_read(user, channel) or (channel.type == "O" and in_team)

    def tell_channel(self, name: str, data: Json, channel_id: str, *, omit: str = "") -> None:
        """Tell an event to the members of a channel."""
        opened = event(name, data, channel_id=channel_id, omit=omit)
        self.hub.tell(opened, self._members(channel_id), omit=omit)
        self.changes.tell()

    def tell_user(self, name: str, data: Json, user_id: str, *, channel_id: str = "") -> None:
        """Tell an event to one user."""
        self.hub.tell(event(name, data, user_id=user_id, channel_id=channel_id), (user_id,))
        self.changes.tell()

    def typing(self, user: User, channel_id: str, parent_id: str) -> None:
        """Somebody types."""
        channel = self.rooms.channel(channel_id)
        if not self.rooms.has(channel.id, user.id):
            raise denied()
        self.tell_channel("typing", {"parent_id": parent_id, "user_id": user.id}, channel.id, omit=user.id)

    def show(self, ephemeral: Ephemeral) -> None:
        """Show a text to one person."""
        self.ephemerals.append(ephemeral)
        data = {"post": encode_text(ephemeral.post)}
        self.tell_user("ephemeral_message", data, ephemeral.user_id, channel_id=ephemeral.channel_id)

    def _members(self, channel_id: str) -> Container[str]:
        return self.rooms.members.get(channel_id, {})
