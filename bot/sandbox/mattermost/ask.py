"""A request to the API, read."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from bot.sandbox.mattermost.records import Channel, Json, Post, Team, User
from bot.sandbox.mattermost.refusals import bad_body, bad_parameter, denied, unauthenticated
from bot.sandbox.mattermost.world import World


@dataclass(slots=True)
class Ask:
    """Who asks for what; the lookups raise the refusal that the real server would answer."""

    world: World
    request: web.Request
    sender: User | None
    body: Any = field(default=None)

    @property
    def user(self) -> User:
        """Who asks; 401 if nobody."""
        if self.sender is None:
            raise unauthenticated()
        return self.sender

    @property
    def json(self) -> Json:
        """The body, which must be an object."""
        if not isinstance(self.body, dict):
            raise bad_body("body")
        return self.body

    @property
    def list(self) -> list[str]:
        """The body, which must be an array of strings."""
        if not isinstance(self.body, list) or not all(isinstance(one, str) for one in self.body):
            raise bad_body("body")
        return self.body

    def text(self, name: str) -> str:
        """A string of the body; `""` if it is not there."""
        value = self.json.get(name) or ""
        if not isinstance(value, str):
            raise bad_body(name)
        return value

    def number(self, name: str, default: int) -> int:
        """A number of the query."""
        value = self.request.query.get(name, "")
        if not value:
            return default
        if not value.isdigit():
            raise bad_parameter(name)
        return int(value)

    def part(self, name: str) -> str:
        """A part of the path."""
        return self.request.match_info[name]

    def id(self, name: str) -> str:
        """A part of the path that must be an id."""
        value = self.part(name)
        if len(value) != ID_LENGTH or not value.isalnum():
            raise bad_parameter(name)
        return value

    def named_user(self) -> User:
        """The user of the path; `me` is who asks."""
        if self.part("user_id") == "me":
            return self.user
        return self.world.directory.user(self.id("user_id"))

    def self_user(self) -> User:
        """The same, if that is who asks or an admin asks."""
        user = self.named_user()
        if user is not self.user and not self.user.is_admin:
            raise denied()
        return user

    def team(self) -> Team:
        """The team of the path, of which who asks must be a member."""
        team = self.world.directory.team(self.id("team_id"))
        if self.user.id not in self.world.directory.team_members[team.id] and not self.user.is_admin:
            raise denied()
        return team

    def channel(self) -> Channel:
        """The channel of the path, whose posts who asks may read."""
        channel = self.world.rooms.channels.get(self.id("channel_id"))
        # Nobody is in a channel that is not there.
        if channel is None or not self.world.may_read(self.user, channel):
            raise denied()
        return channel

    def post(self) -> Post:
        """The post of the path, which who asks may read."""
        post = self.world.history.post(self.id("post_id"))
        if not self.world.may_read(self.user, self.world.rooms.channel(post.channel_id)):
            raise denied()
        return post


ID_LENGTH = 26

Handler = Callable[[Ask], Awaitable[web.StreamResponse]]


@dataclass(frozen=True, slots=True)
class Route:
    """A path of the API and who answers it; `open` ones need no token."""

    method: str
    path: str
    handler: Handler
    open: bool = False


def parse(data: bytes) -> Any:
    """The JSON of a body, None if there is none or it is none."""
    try:
        return json.loads(data) if data else None
    except ValueError:
        return None
