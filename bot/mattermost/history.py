"""Reads all posts written in a channel since a given time, however many there are.

``GET /channels/{id}/posts?since=`` returns at most 1,000 posts whose ``update_at`` is later. If there are
more, the database decides which 1,000 (the query applies its limit before its order), so a full answer shows
only that there may be more. In that case, the history is walked back page by page, then read forward.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from bot.errors import MattermostError
from bot.mattermost.errors import AnswerTooLargeError
from bot.mattermost.models import Message, PostList
from bot.mattermost.rest import decode

SINCE_LIMIT = 1000
PAGE = 200
# Two million posts. A server that never stops paging is broken.
MAX_PAGES = 10_000


@dataclass(frozen=True, slots=True)
class Page:
    """An answer of the server: the ids of its posts and those that can be read, newest first, and why each of
    the others cannot be read, by id."""

    ids: list[str]
    posts: list[Message]
    unreadable: dict[str, str]


# Fetches posts of one channel, with these query parameters.
Query = Mapping[str, Any]
Fetch = Callable[[Query], Awaitable[Page]]
_Page = tuple[Query, Page]


def read_page(body: bytes) -> Page:
    """Decode an answer post by post. Raises :class:`MattermostUnreachableError` if it is no list of posts."""
    listing = decode(body, PostList)
    return Page(listing.order, *listing.read())


async def read_since(fetch: Fetch, since_ms: int) -> AsyncIterator[list[Message]]:
    """Pages of the posts created after ``since_ms``, oldest first, with at most two answers in memory.

    A post may appear twice if posts are deleted during the reading. Raises what ``fetch`` raises.
    """
    # The server treats since=0 as no "since" at all.
    newest = await _fetch_since(fetch, max(since_ms, 1))
    if newest is not None:
        if page := created_after(newest, since_ms):
            yield page
        return
    async for page in _walk(fetch, since_ms):
        yield page


def created_after(page: Page, since_ms: int) -> list[Message]:
    """The posts created after ``since_ms``, oldest first, without deleted ones and copies of edits."""
    posts = [
        post
        for post in reversed(page.posts)
        if post.create_at > since_ms and not post.delete_at and not post.original_id
    ]
    return sorted(posts, key=lambda post: post.create_at)


async def _fetch_since(fetch: Fetch, since_ms: int) -> Page | None:
    """All posts since then, or None if there may be more."""
    try:
        page = await fetch({"since": since_ms})
    except AnswerTooLargeError:
        return None
    return page if len(page.ids) < SINCE_LIMIT else None


async def _walk(fetch: Fetch, since_ms: int) -> AsyncIterator[list[Message]]:
    # Kept instead of fetched again: posts written meanwhile would push others off the newest page.
    newest = await _fetch_page(fetch, "")
    seen: set[str] = set()
    async for page in _read_forward(fetch, since_ms, newest):
        posts = created_after(page, since_ms)
        unseen = [post for post in posts if post.id not in seen]
        seen = {post.id for post in posts}
        if unseen:
            yield unseen


async def _read_forward(fetch: Fetch, since_ms: int, newest: _Page) -> AsyncIterator[Page]:
    queries, oldest = await _walk_back(fetch, since_ms, newest)
    yield oldest
    for query in reversed(queries[1:]):
        yield await fetch(query)
    if queries:
        yield newest[1]


async def _walk_back(fetch: Fetch, since_ms: int, newest: _Page) -> tuple[list[Query], Page]:
    """The queries for all pages but the oldest, newest first, and the oldest page itself."""
    queries: list[Query] = []
    before = ""
    query, page = newest
    while len(queries) < MAX_PAGES:
        if not page.ids or any(post.create_at <= since_ms for post in page.posts):
            return queries, page
        anchor = _anchor(page)
        if anchor == before:
            break
        queries.append(query)
        before = anchor
        query, page = await _fetch_page(fetch, before)
    raise MattermostError("Mattermost does not page through the channel's history")


def _anchor(page: Page) -> str:
    """The id to pass as ``before`` for the next page.

    ``before=`` leaves out posts created in the same millisecond as the anchor. To lose none of the oldest
    millisecond, the anchor is the oldest post that is newer than it.
    """
    if not page.posts:
        return page.ids[-1]
    oldest = min(post.create_at for post in page.posts)
    younger = [post for post in page.posts if post.create_at > oldest]
    return min(younger or page.posts, key=lambda post: post.create_at).id


async def _fetch_page(fetch: Fetch, before: str) -> _Page:
    """The newest posts before the post ``before``, with their query. Asks for fewer if they are too large."""
    where: dict[str, Any] = {"before": before} if before else {"page": 0}
    size = PAGE
    while True:
        # Otherwise older servers add all replies of every thread.
        query = {**where, "per_page": size, "skipFetchThreads": "true"}
        try:
            return query, await fetch(query)
        except AnswerTooLargeError:
            if size == 1:
                raise
            size = max(1, size // 4)
