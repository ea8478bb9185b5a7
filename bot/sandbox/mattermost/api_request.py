"""A parsed API request."""

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
class ApiRequest:
    """A request, its sender and its JSON body. Lookups raise the real server's refusals."""

    world: World
    http: web.Request
    sender: User | None
    body: Any = field(default=None)

    @property
    def user(self) -> User:
        """The sender. Refused with 401 if there is none."""
        if self.sender is None:
            raise unauthenticated()
        return self.sender

    @property
    def json(self) -> Json:
        """The body. Refused if it is not an object."""
        if not isinstance(self.body, dict):
            raise bad_body("body")
        return self.body

    @property
    def list(self) -> list[str]:
        """The body. Refused if it is not an array of strings."""
        if not isinstance(self.body, list) or not all(isinstance(one, str) for one in self.body):
            raise bad_body("body")
        return self.body

    def text(self, name: str) -> str:
        """A string field of the body, `""` if missing."""
        value = self.json.get(name) or ""
        if not isinstance(value, str):
            raise bad_body(name)
        return value

    def number(self, name: str, default: int) -> int:
        """A number from the query string."""
        value = self.http.query.get(name, "")
        if not value:
            return default
        if not value.isdigit():
            raise bad_parameter(name)
        return int(value)

    def part(self, name: str) -> str:
        """A path parameter."""
        return self.http.match_info[name]

    def id(self, name: str) -> str:
        """A path parameter that must be an id."""
        value = self.part(name)
        if len(value) != ID_LENGTH or not value.isalnum():
            raise bad_parameter(name)
        return value

    def named_user(self) -> User:
        """The user named in the path; `me` is the sender."""
        if self.part("user_id") == "me":
            return self.user
        return self.world.directory.user(self.id("user_id"))

    def self_user(self) -> User:
        """The user named in the path. Refused unless that is the sender or the sender is an admin."""
        user = self.named_user()
        if user is not self.user and not self.user.is_admin:
            raise denied()
        return user

    def team(self) -> Team:
        """The team named in the path. Refused unless the sender is a member or an admin."""
        team = self.world.directory.team(self.id("team_id"))
        if self.user.id not in self.world.directory.team_members[team.id] and not self.user.is_admin:
            raise denied()
        return team

    def channel(self) -> Channel:
        """The channel named in the path. Refused unless the sender may read it."""
        channel = self.world.channels.by_id.get(self.id("channel_id"))
        # Nobody is a member of an unknown channel, so the answer is 403 and not 404.
        if channel is None or not self.world.may_read(self.user, channel):
            raise denied()
        return channel

    def post(self) -> Post:
        """The post named in the path. Refused unless the sender may read it."""
        post = self.world.history.post(self.id("post_id"))
        if not self.world.may_read(self.user, self.world.channels.channel(post.channel_id)):
            raise denied()
        return post


ID_LENGTH = 26

Handler = Callable[[ApiRequest], Awaitable[web.StreamResponse]]


@dataclass(frozen=True, slots=True)
class Route:
    """An API route. `open` routes need no token."""

    method: str
    path: str
    handler: Handler
    open: bool = False


def parse(data: bytes) -> Any:
    """The body as JSON, None if it is empty or invalid."""
    try:
        return json.loads(data) if data else None
    except ValueError:
        return None
