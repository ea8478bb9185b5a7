"""Creating, editing and deleting posts, with the real server's checks and events."""

from __future__ import annotations

from itertools import islice
from typing import Any

from msgspec import UNSET, structs

from bot.sandbox.mattermost import attachments, checks, mentions
from bot.sandbox.mattermost.records import Channel, Ephemeral, FileInfo, Json, Post, Reaction, User
from bot.sandbox.mattermost.wire import encode_text, event, new_id
from bot.sandbox.mattermost.world import World


def create(
    world: World,
    user: User,
    channel: Channel,
    message: str,
    *,
    root_id: str = "",
    props: Json | None = None,
    type: str = "",
    file_ids: list[str] | None = None,
    pending_post_id: str = "",
    create_at: int = 0,
) -> Post:
    """Create a post and send its events. Raises `Refusal` where the real server refuses. `create_at` (ms) is
    for posts that were written earlier."""
    known = _seen(world, pending_post_id)
    if known is not None:
        return known
    checks.check_new(world, user, channel, message, root_id)
    cleaned, actions = attachments.clean(props or {})
    checks.check_props(cleaned)
    if user.is_bot:
        cleaned = dict(sorted((cleaned | {"from_bot": "true"}).items()))
    now = create_at or world.now()
    post = Post(
        id=new_id(),
        create_at=now,
        update_at=now,
        user_id=user.id,
        channel_id=channel.id,
        root_id=root_id,
        parent_id=root_id,
        message=message,
        type=type,
        props=cleaned,
        metadata=attachments.embeds(cleaned),
    )
    _attach(world, post, file_ids or [])
    world.history.add(post)
    if actions:
        world.actions[post.id] = actions
    if pending_post_id:
        _remember(world, pending_post_id, post)
    _count(world, channel, post)
    shown = structs.replace(post, pending_post_id=pending_post_id, reply_count=_replies(world, post))
    _announce(world, user, channel, shown)
    return shown if pending_post_id else post


def edit(world: World, post: Post, patch: Json) -> Post:
    """Change a post's message, props (replaced as a whole) or is_pinned."""
    message = patch.get("message")
    if isinstance(message, str) and len(message) > world.max_post_size:
        raise checks.too_long(world)
    now = max(world.now(), post.create_at)
    former = structs.replace(post, id=new_id(), original_id=post.id, update_at=now, delete_at=now)
    world.history.add_copy(former)
    if isinstance(patch.get("props"), dict):
        post.props, actions = attachments.clean(patch["props"])
        checks.check_props(post.props)
        world.actions[post.id] = actions
        kept = {key: value for key, value in post.metadata.items() if key != "embeds"}
        post.metadata = attachments.embeds(post.props) | kept
    if isinstance(message, str) and message != post.message:
        post.message = message
        post.edit_at = now
    if isinstance(patch.get("is_pinned"), bool):
        post.is_pinned = patch["is_pinned"]
    world.history.touch(post, now)
    channel = world.channels.channel(post.channel_id)
    channel.last_post_at = max(channel.last_post_at, now)
    shown = structs.replace(post, reply_count=_replies(world, post))
    world.tell_channel("post_edited", {"post": encode_text(shown)}, post.channel_id)
    return shown


def delete(world: World, post: Post, by: User) -> None:
    """Delete a post and, if it is a root, its replies."""
    shown = structs.replace(post)
    post.props = dict(sorted((post.props | {"deleteBy": by.id}).items()))
    world.history.delete(post, max(world.now(), post.create_at))
    world.actions.pop(post.id, None)
    world.tell_channel("post_deleted", {"post": encode_text(shown)}, post.channel_id)


def ephemeral(
    world: World,
    user_id: str,
    channel_id: str,
    text: str,
    *,
    author_id: str = "",
    root_id: str = "",
    props: Json | None = None,
) -> Post:
    """Show a post to one user only. Nothing is stored but its buttons."""
    cleaned, actions = attachments.clean(props or {})
    now = world.now()
    post = Post(
        id=new_id(),
        create_at=now,
        update_at=now,
        user_id=author_id or user_id,
        channel_id=channel_id,
        root_id=root_id,
        parent_id=root_id,
        message=text,
        type="system_ephemeral",
        props=cleaned,
        metadata=attachments.embeds(cleaned),
    )
    if actions:
        world.actions[post.id] = actions
    world.show(Ephemeral(user_id, channel_id, text, post))
    return post


def react(world: World, user: User, post: Post, emoji: str) -> Reaction:
    """Add a user's emoji reaction."""
    now = world.now()
    reaction = Reaction(user_id=user.id, post_id=post.id, emoji_name=emoji, create_at=now, update_at=now)
    given = [one for one in post.metadata.get("reactions", []) if not _same(one, user, emoji)]
    post.metadata = post.metadata | {"reactions": [*given, reaction]}
    post.has_reactions = True
    world.history.touch(post, now)
    world.tell_channel("reaction_added", {"reaction": encode_text(reaction)}, post.channel_id)
    return reaction


def unreact(world: World, user: User, post: Post, emoji: str) -> None:
    """Remove a user's emoji reaction."""
    given: list[Any] = post.metadata.get("reactions", [])
    gone = [one for one in given if _same(one, user, emoji)]
    kept = [one for one in given if not _same(one, user, emoji)]
    post.metadata = {key: value for key, value in post.metadata.items() if key != "reactions"}
    if kept:
        post.metadata["reactions"] = kept
    post.has_reactions = True if kept else UNSET
    world.history.touch(post, world.now())
    for reaction in gone:
        world.tell_channel("reaction_removed", {"reaction": encode_text(reaction)}, post.channel_id)


def _seen(world: World, pending_post_id: str) -> Post | None:
    moment, post_id = world.pending.get(pending_post_id, (0, ""))
    if not post_id or world.now() - moment > world.dedupe_ms:
        world.pending.pop(pending_post_id, None)
        return None
    return structs.replace(world.history.post(post_id), pending_post_id=pending_post_id)


def _remember(world: World, pending_post_id: str, post: Post) -> None:
    pending = world.pending
    pending[pending_post_id] = (post.create_at, post.id)
    for oldest in [*islice(pending, 2)]:
        if pending[oldest][0] < post.create_at - world.dedupe_ms:
            del pending[oldest]


def _attach(world: World, post: Post, file_ids: list[str]) -> None:
    infos: list[FileInfo] = []
    for file_id in file_ids:
        info = world.files[file_id][0] if file_id in world.files else None
        if info is not None and not info.post_id and info.user_id == post.user_id:
            info.post_id = post.id
            infos.append(info)
    if infos:
        post.file_ids = [info.id for info in infos]
        post.metadata = post.metadata | {"files": infos}


def _count(world: World, channel: Channel, post: Post) -> None:
    channel.last_post_at = max(channel.last_post_at, post.create_at)
    if not post.type:
        channel.total_msg_count += 1
        channel.total_msg_count_root += not post.root_id
    if post.root_id:
        world.history.touch(world.history.posts[post.root_id], post.create_at)


def _replies(world: World, post: Post) -> int:
    return world.history.reply_count(post.root_id or post.id)


def _announce(world: World, user: User, channel: Channel, post: Post) -> None:
    if not world.hub.everybody():
        world.changes.tell()
        return
    sender = _sender(world, user, post)
    data: Json = {
        "channel_display_name": f"@{user.username}" if channel.type == "D" else channel.display_name,
        "channel_name": channel.name,
        "channel_type": channel.type,
        "post": encode_text(post),
        "sender_name": sender,
        "set_online": True,
        "team_id": channel.team_id,
    }
    if post.file_ids is not UNSET:
        data["otherFile"] = "true"
    members = world.channels.members[channel.id]
    mentioned = _mentioned(world, user, channel, post)
    world.hub.tell(event("posted", data, channel_id=channel.id), members.keys() - mentioned)
    # Only mentioned users get `mentions`, and each sees only their own id in it.
    for user_id in mentioned & world.hub.everybody():
        mine = data | {"mentions": encode_text([user_id])}
        world.hub.tell(event("posted", mine, channel_id=channel.id), (user_id,))
    world.changes.tell()


def _sender(world: World, user: User, post: Post) -> str:
    override = post.props.get("override_username")
    if world.allow_overrides and override and post.props.get("from_webhook") == "true":
        return str(override)
    return "System" if post.type.startswith("system_") else f"@{user.username}"


def _mentioned(world: World, user: User, channel: Channel, post: Post) -> set[str]:
    members = world.channels.members[channel.id]
    if post.type.startswith("system_"):
        found: set[str] = set()
    elif channel.type == "D":
        found = set(members)
    else:
        found = _named(world, members, mentions.names(mentions.texts_of(post.message, post.props)))
    if post.props.get("from_webhook") != "true":
        found.discard(user.id)
    return found


def _named(world: World, members: dict[str, Json], names: set[str]) -> set[str]:
    if names & mentions.EVERYBODY:
        return set(members)
    users = (world.directory.find(name) for name in names)
    return {user.id for user in users if user is not None and user.id in members}


def _same(reaction: Reaction, user: User, emoji: str) -> bool:
    return reaction.user_id == user.id and reaction.emoji_name == emoji
