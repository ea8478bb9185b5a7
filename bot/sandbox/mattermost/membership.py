"""Creating, joining and leaving channels, with the system messages and events."""

from __future__ import annotations

from bot.sandbox.mattermost import posting
from bot.sandbox.mattermost.records import Channel, Json, User
from bot.sandbox.mattermost.wire import encode_text
from bot.sandbox.mattermost.world import World


def join(world: World, channel: Channel, user: User, by: User) -> Json:
    """Add a user to a channel, with a system message if they are new; returns the membership."""
    known = world.channels.has(channel.id, user.id)
    member = world.channels.join(channel, user)
    if known:
        return member
    data = {"team_id": channel.team_id, "user_id": user.id}
    world.tell_channel("user_added", data, channel.id)
    if user is by:
        text, kind = f"{user.username} joined the channel.", "system_join_channel"
        props: Json = {"username": user.username}
    else:
        text, kind = f"{user.username} added to the channel by {by.username}.", "system_add_to_channel"
        props = {
            "addedUserId": user.id,
            "addedUsername": user.username,
            "userId": by.id,
            "username": by.username,
        }
    posting.create(world, by, channel, text, type=kind, props=props)
    return member


def leave(world: World, channel: Channel, user: User, by: User) -> None:
    """Remove a user from a channel, with a system message if `by` can read it."""
    if not world.channels.leave(channel, user):
        return
    world.tell_user("user_removed", {"channel_id": channel.id, "remover_id": by.id}, user.id)
    world.tell_channel("user_removed", {"remover_id": by.id, "user_id": user.id}, channel.id)
    if world.may_read(by, channel):
        props = {"removedUserId": user.id, "removedUsername": user.username}
        text = f"{user.username} was removed from the channel."
        posting.create(world, by, channel, text, type="system_remove_from_channel", props=props)


def direct(world: World, one: User, other: User) -> Channel:
    """The direct channel of two users, created if needed."""
    channel, made = world.channels.direct(one, other)
    if made:
        world.tell_channel("direct_added", {"teammate_id": other.id}, channel.id)
    return channel


def group(world: World, users: list[User]) -> Channel:
    """The group channel of these users, created if needed."""
    channel, made = world.channels.group(users)
    if made:
        ids = encode_text([user.id for user in users])
        world.tell_channel("group_added", {"teammate_ids": ids}, channel.id)
    return channel


def convert(world: World, channel: Channel, by: User) -> None:
    """Make a public channel private, or a private one public."""
    channel.type, channel.update_at = ("P" if channel.type == "O" else "O"), world.now()
    kind = "private" if channel.type == "P" else "public"
    text = f"This channel has been converted to a {kind.title()} Channel."
    posting.create(
        world, by, channel, text, type="system_change_chan_privacy", props={"username": by.username}
    )
    world.tell_channel("channel_updated", {"channel": encode_text(channel)}, channel.id)


def archive(world: World, channel: Channel) -> None:
    channel.delete_at = channel.update_at = world.now()
    data = {"channel_id": channel.id, "delete_at": channel.delete_at}
    world.tell_channel("channel_deleted", data, channel.id)


def unarchive(world: World, channel: Channel) -> None:
    channel.delete_at = 0
    world.tell_channel("channel_restored", {"channel_id": channel.id}, channel.id)
