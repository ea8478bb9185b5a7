"""Meetings whose post was moved or copied to another place, for example by the Wrangler plugin.

Such a tool posts the messages of a thread anew, under the same authors. If it moves them, it then deletes the
originals. The copy of the bot's post has the bot's ``zoombot_id`` but another post id. The announcement goes
on at the copy. If the original is still there a little later, it is kept up to date as well.
"""

from __future__ import annotations

import msgspec
from msgspec.structs import replace

from bot.core.context import Context, Job
from bot.core.declarations import Changes, task
from bot.core.inbox import Inbox
from bot.core.tasks import task as new_task
from bot.domain.records import Announcement, Item
from bot.errors import MattermostDeniedError, MattermostNotFoundError
from bot.mattermost.events import Message
from bot.stores import Insert, Store, Update

# The originals are deleted after the last copy was made.
DELETED_AFTER_MS = 30_000


class Copy(msgspec.Struct):
    """An announcement, and where the copy of its post is."""

    announcement: str
    post_id: str
    channel_id: str
    root_id: str


async def copy_in(store: Store, inbox: Inbox, post: Message) -> Item | None:
    """The inbox item that continues an announcement at this post of the bot; None if it is no copy."""
    id = post.props.zoombot_id if post.props else None
    announcement = await store.get(Announcement, id) if isinstance(id, str) else None
    # A post whose id is not stored yet is the original.
    if announcement is None or announcement.post_id in ("", post.id):
        return None
    copy = Copy(announcement.id, post.id, post.channel_id, post.root_id)
    return new_task(inbox, f"copy:{post.id}", "go_on_at_copy", copy, queue=f"copy:{announcement.id}")


@task("go_on_at_copy", Copy)
async def go_on_at_copy(ctx: Context, job: Job, about: Copy) -> Changes:
    """Continue an announcement at the copy of its post, and look at the original later."""
    announcement = await ctx.store.get(Announcement, about.announcement)
    if announcement is None or announcement.post_id in ("", about.post_id):
        return []
    original = Copy(announcement.id, announcement.post_id, announcement.channel_id, announcement.root_id)

    def moved(now: Announcement) -> Announcement:
        return _shown_at(now, about)

    id = f"original:{original.post_id}"
    later = ctx.task(id, "look_at_original", original, queue=id, due_at=ctx.now() + DELETED_AFTER_MS)
    return [Update(Announcement, announcement.id, moved), later]


@task("look_at_original", Copy)
async def look_at_original(ctx: Context, job: Job, about: Copy) -> Changes:
    """Keep the original up to date too if it was copied and not moved."""
    announcement = await ctx.store.get(Announcement, about.announcement)
    if announcement is None or announcement.post_id == about.post_id:
        return []
    try:
        await ctx.mattermost.post(about.post_id)
    except (MattermostNotFoundError, MattermostDeniedError):
        return []
    kept = replace(_shown_at(announcement, about), id=f"{announcement.id}-{about.post_id}")
    return [Insert(kept)]


def _shown_at(announcement: Announcement, copy: Copy) -> Announcement:
    return replace(
        announcement,
        post_id=copy.post_id,
        channel_id=copy.channel_id,
        root_id=copy.root_id,
        # Nothing is shown there yet.
        posted_revision=0,
        stale=True,
        marks=announcement.marks + 1,
        failed="",
        held=False,
    )
