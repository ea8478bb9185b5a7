"""Channels and their members."""

from __future__ import annotations

import hashlib
from collections.abc import Callable

from bot.sandbox.mattermost.records import Channel, Json, User
from bot.sandbox.mattermost.refusals import no_channel
from bot.sandbox.mattermost.wire import new_id


class Channels:
    """All channels, indexed by id, name and member."""

    def __init__(self, now: Callable[[], int]) -> None:
        self._now = now
        self.by_id: dict[str, Channel] = {}
        self.members: dict[str, dict[str, Json]] = {}
        self._of_user: dict[str, dict[str, Channel]] = {}
        self._named: dict[tuple[str, str], Channel] = {}

    def add(
        self, name: str, kind: str, *, display_name: str = "", team_id: str = "", creator_id: str = ""
    ) -> Channel:
        """Create a channel without members."""
        now = self._now()
        channel = Channel(
            id=new_id(),
            create_at=now,
            update_at=now,
            team_id=team_id,
            type=kind,
            display_name=display_name,
            name=name,
            creator_id=creator_id,
        )
        self.by_id[channel.id] = channel
        self.members[channel.id] = {}
        self._named[team_id, name] = channel
        return channel

    def channel(self, channel_id: str) -> Channel:
        if channel_id not in self.by_id:
            raise no_channel()
        return self.by_id[channel_id]

    def named(self, team_id: str, name: str) -> Channel:
        """The team's channel with this name; the team id is `""` for direct and group channels."""
        if (team_id, name) not in self._named:
            raise no_channel()
        return self._named[team_id, name]

    def named_in(self, team_id: str, name: str) -> Channel:
        """The channel with this name in the team or in no team."""
        return self.named(team_id if (team_id, name) in self._named else "", name)

    def find(self, name: str) -> Channel:
        """The first channel with this name in any team."""
        for (_, known), channel in self._named.items():
            if known == name:
                return channel
        raise no_channel()

    def of_user(self, user_id: str) -> list[Channel]:
        """The user's channels, in the order they joined them."""
        return list(self._of_user.get(user_id, {}).values())

    def has(self, channel_id: str, user_id: str) -> bool:
        """Whether the user is a member of the channel."""
        return user_id in self.members.get(channel_id, {})

    def join(self, channel: Channel, user: User) -> Json:
        """Add the user to the channel and return the membership."""
        member = self.members[channel.id].get(user.id) or self._membership(channel, user)
        self.members[channel.id][user.id] = member
        self._of_user.setdefault(user.id, {})[channel.id] = channel
        return member

    def leave(self, channel: Channel, user: User) -> bool:
        """Remove the user from the channel. Returns whether they were a member."""
        self._of_user.get(user.id, {}).pop(channel.id, None)
        return self.members[channel.id].pop(user.id, None) is not None

    def direct(self, one: User, other: User) -> tuple[Channel, bool]:
        """The direct channel of two users, and whether it was just created."""
        return self._between("D", "__".join(sorted((one.id, other.id))), [one, other])

    def group(self, users: list[User]) -> tuple[Channel, bool]:
        """The group channel of three to eight users, and whether it was just created."""
        ids = "".join(sorted(user.id for user in users))
        return self._between("G", hashlib.sha1(ids.encode()).hexdigest(), users)  # noqa: S324

    def _between(self, kind: str, name: str, users: list[User]) -> tuple[Channel, bool]:
        if ("", name) in self._named:
            return self._named["", name], False
        label = ", ".join(sorted(user.username for user in users)) if kind == "G" else ""
        channel = self.add(name, kind, display_name=label, creator_id=users[0].id)
        for user in users:
            self.join(channel, user)
        return channel, True

    def _membership(self, channel: Channel, user: User) -> Json:
        return {
            "channel_id": channel.id,
            "user_id": user.id,
            "roles": "channel_user",
            "last_viewed_at": 0,
            "msg_count": 0,
            "mention_count": 0,
            "notify_props": {
                "desktop": "default",
                "email": "default",
                "ignore_channel_mentions": "default",
                "mark_unread": "all",
                "push": "default",
            },
            "last_update_at": self._now(),
            "scheme_guest": False,
            "scheme_user": True,
            "scheme_admin": False,
            "explicit_roles": "",
            "mention_count_root": 0,
            "msg_count_root": 0,
        }
