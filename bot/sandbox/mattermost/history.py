"""The posts of all channels, indexed so that no query scans all of them."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice

from msgspec import UNSET, structs

from bot.sandbox.mattermost.records import Json, Post
from bot.sandbox.mattermost.refusals import no_post

SINCE_LIMIT = 1000


class History:
    """Posts indexed by id, channel, thread and time of last change."""

    def __init__(self) -> None:
        self.posts: dict[str, Post] = {}
        self._live: dict[str, dict[str, Post]] = {}
        self._all: dict[str, list[Post]] = {}
        # Per channel, ordered by update_at: a changed post moves to the end.
        self._changed: dict[str, dict[str, Post]] = {}
        self._replies: dict[str, dict[str, Post]] = {}

    def add(self, post: Post) -> None:
        newest = self._all.get(post.channel_id, [])[-1:]
        self._keep(post)
        self._all.setdefault(post.channel_id, []).append(post)
        self._live.setdefault(post.channel_id, {})[post.id] = post
        if newest and post.create_at < newest[0].create_at:
            self._sort(post.channel_id)
        if post.root_id:
            self._replies.setdefault(post.root_id, {})[post.id] = post

    def add_copy(self, copy: Post) -> None:
        """Keep the previous version of an edited post; only `since` returns it."""
        self._keep(copy)

    def touch(self, post: Post, now: int) -> None:
        """Mark the post as changed at `now` (ms)."""
        post.update_at = now
        changed = self._changed[post.channel_id]
        changed[post.id] = changed.pop(post.id)

    def delete(self, post: Post, now: int) -> None:
        """Delete the post and, if it is a root, its replies. Only `since` still returns them."""
        for gone in [post, *self.replies(post.id)]:
            gone.delete_at = now
            self.touch(gone, now)
            self._live[gone.channel_id].pop(gone.id, None)
        self._replies.pop(post.id, None)
        if post.root_id:
            self._replies.get(post.root_id, {}).pop(post.id, None)

    def post(self, post_id: str) -> Post:
        """The post with this id. Refused with 404 if there is none or it was deleted."""
        post = self.posts.get(post_id)
        if post is None or post.delete_at:
            raise no_post()
        return post

    def replies(self, root_id: str) -> list[Post]:
        """The replies to a root post, oldest first."""
        return list(self._replies.get(root_id, {}).values())

    def reply_count(self, root_id: str) -> int:
        return len(self._replies.get(root_id, {}))

    def in_channel(self, channel_id: str, *, include_deleted: bool = False) -> list[Post]:
        """The channel's posts, oldest first."""
        if include_deleted:
            return list(self._all.get(channel_id, ()))
        return list(self._live.get(channel_id, {}).values())

    def everything(self) -> Iterable[Post]:
        """All posts that are not deleted, grouped by channel."""
        for live in self._live.values():
            yield from live.values()

    def since(self, channel_id: str, moment: int) -> Json:
        """Posts changed strictly after `moment` (ms): at most 1,000, without a sign that there are more."""
        found: list[Post] = []
        for post in reversed(self._changed.get(channel_id, {}).values()):
            if post.update_at <= moment:
                break
            found.append(post)
        return self._listing(sorted(found[-SINCE_LIMIT:], key=lambda post: -post.create_at))

    def page(self, channel_id: str, page: int, per_page: int) -> Json:
        """One page of the channel's posts, newest first."""
        live = self._live.get(channel_id, {})
        skip = page * per_page
        found = list(islice(reversed(live.values()), max(skip - 1, 0), skip + per_page + 1))
        newer = found.pop(0).id if skip and found else ""
        older = found.pop().id if len(found) > per_page else ""
        return self._listing(found, newer=newer, older=older)

    def around(self, channel_id: str, post_id: str, *, before: bool, page: int, per_page: int) -> Json:
        """One page of the posts before or after a post, newest first."""
        ids = list(self._live.get(channel_id, {}))
        if post_id not in ids:
            return self._listing([])
        at = ids.index(post_id)
        if before:
            end = max(at - page * per_page, 0)
            start = max(end - per_page, 0)
        else:
            start = min(at + 1 + page * per_page, len(ids))
            end = min(start + per_page, len(ids))
        found = [self.posts[known] for known in reversed(ids[start:end])]
        newer = ids[end] if end < len(ids) else ""
        return self._listing(found, newer=newer, older=ids[start - 1] if start else "")

    def thread(self, post_id: str) -> Json:
        """A root post and its replies, given the id of any of them."""
        post = self.post(post_id)
        root = self.posts.get(post.root_id, post)
        return self._listing([root, *self.replies(root.id)])

    def _sort(self, channel_id: str) -> None:
        """Put a post that was written earlier in its place."""
        self._all[channel_id].sort(key=lambda post: post.create_at)
        for posts, when in ((self._live, "create_at"), (self._changed, "update_at")):
            ordered = sorted(posts[channel_id].values(), key=lambda post: int(getattr(post, when)))
            posts[channel_id] = {post.id: post for post in ordered}

    def _keep(self, post: Post) -> None:
        self.posts[post.id] = post
        self._changed.setdefault(post.channel_id, {})[post.id] = post

    def _listing(self, posts: list[Post], *, newer: str = "", older: str = "") -> Json:
        shown = {post.id: _shown(post) for post in posts}
        # The roots of listed replies are included, but are not in `order`.
        for post in posts:
            root = self.posts.get(post.root_id)
            if root is not None and root.id not in shown:
                shown[root.id] = _shown(root)
        return {
            "order": [post.id for post in posts],
            "posts": dict(sorted(shown.items())),
            "next_post_id": newer,
            "prev_post_id": older,
        }


def _shown(post: Post) -> Post:
    """A deleted post keeps its props but loses its message, metadata and files."""
    if not post.delete_at:
        return post
    return structs.replace(post, message="", metadata={}, file_ids=UNSET)
