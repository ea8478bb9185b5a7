"""What the server checks before it takes a post or an edit."""

from __future__ import annotations

from bot.sandbox.mattermost.records import Channel, Json, Post, User
from bot.sandbox.mattermost.refusals import Refusal, denied
from bot.sandbox.mattermost.wire import encode_text
from bot.sandbox.mattermost.world import World

MAX_PROPS = 800_000


def check_new(world: World, user: User, channel: Channel, message: str, root_id: str) -> None:
    """Refuse a post that this user may not write."""
    if not world.may_read(user, channel):
        raise denied()
    if channel.delete_at:
        raise Refusal(
            400, "api.post.create_post.can_not_post_to_deleted.error", "Can not post to deleted channel."
        )
    if channel.type == "D" and world.no_direct & world.channels.members[channel.id].keys():
        raise Refusal(
            400,
            "api.post.create_post.can_not_post_in_restricted_dm.error",
            "Can not post in a restricted direct message channel.",
        )
    if root_id:
        root = world.history.posts.get(root_id)
        if root is None or root.delete_at or root.root_id or root.channel_id != channel.id:
            raise Refusal(400, "api.post.create_post.root_id.app_error", "Invalid RootId parameter.")
    if len(message) > world.max_post_size:
        raise too_long(world)


def check_props(props: Json) -> None:
    """Refuse props that are too large."""
    if len(encode_text(props)) > MAX_PROPS:
        raise Refusal(400, "model.post.is_valid.props.app_error", "Invalid props.")


def too_long(world: World) -> Refusal:
    """The refusal of a message that is longer than `MaxPostSize`."""
    return Refusal(
        400,
        "model.post.is_valid.message_length.app_error",
        f"Post Message property is longer than the permitted {world.max_post_size} characters.",
    )


def check_edit(world: World, post: Post | None, by: User) -> Post:
    """The post, if this user may edit it. A missing post is refused with 403, as by the real server."""
    if post is None or post.delete_at:
        raise denied()
    channel = world.channels.channel(post.channel_id)
    if not by.is_admin:
        member = world.channels.has(channel.id, by.id)
        if post.user_id != by.id or not member or "edit_post" not in world.permissions:
            raise denied()
    limit = world.post_edit_time_limit
    if limit != -1 and world.now() > post.create_at + limit * 1000:
        raise Refusal(
            400,
            "api.post.update_post.permissions_time_limit.app_error",
            f"Post edit is only allowed for {limit} seconds.",
        )
    if channel.delete_at:
        raise Refusal(
            400,
            "api.post.patch_post.can_not_update_post_in_deleted.error",
            "Can not update a post in a deleted channel.",
        )
    return post
