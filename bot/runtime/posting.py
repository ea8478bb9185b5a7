"""Writes each post exactly once, even if Mattermost's answer is lost.

The bot recognizes its posts by their ``zoombot_id`` prop. If it is unclear whether Mattermost accepted a post
(the answer was lost, the process died), the bot searches the channel for it before it posts again. The
server's own guard, ``pending_post_id``, works only for 30 seconds and within one server process.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from bot.clock import Now, now_ms
from bot.errors import (
    MattermostCertificateError,
    MattermostError,
    MattermostRateLimitError,
    MattermostTokenError,
)
from bot.mattermost import Mattermost, Post
from bot.mattermost.errors import AWAY, asked_wait
from bot.retrying import Backoff, retrying

log = logging.getLogger(__name__)

T = TypeVar("T")

# Errors after which a call is retried for as long as they last.
PASSING = (*AWAY, MattermostTokenError, MattermostCertificateError)
# The search for a post begins this long before it was requested, because clocks differ and get adjusted.
SEARCH_SLACK_MS = 15 * 60_000


@dataclass(frozen=True, slots=True)
class NewPost:
    """A post to write. ``created_at`` (ms, our clock) is when it was requested."""

    id: str
    channel_id: str
    message: str
    props: dict[str, Any]
    root_id: str = ""
    created_at: int = 0
    file_ids: tuple[str, ...] = ()


class Posting:
    """Creates and edits the bot's posts, at most 32 at once, and waits while Mattermost is unreachable."""

    def __init__(
        self,
        mattermost: Mattermost,
        bot_id: str,
        *,
        override: dict[str, str],
        now: Now = now_ms,
        base_s: float = 0.5,
        cap_s: float = 30.0,
    ) -> None:
        self._mattermost = mattermost
        self._bot_id = bot_id
        self._override = override
        self._now = now
        self._backoff = Backoff(base_s, cap_s, least=0.5)
        self._slots = asyncio.Semaphore(32)
        # How many calls were retried since the start.
        self.retries = 0

    async def write(self, new_post: NewPost, *, doubtful: bool) -> str:
        """Create the post and return its id; ``doubtful`` means that it may exist already.

        Raises :class:`MattermostError` only if a retry does not help.
        """
        doubt = doubtful

        async def attempt() -> str:
            nonlocal doubt
            if doubt and (found := await self._find(new_post)):
                return found
            doubt = True
            return (await self._create(new_post)).id

        return await self.persist(attempt)

    async def edit(self, post_id: str, message: str, props: dict[str, Any]) -> None:
        """Edit one of the bot's posts. Raises :class:`MattermostError` only if a retry does not help."""
        await self.persist(
            lambda: self._mattermost.update_post(post_id, message=message, props=props | self._override)
        )

    async def persist(self, call: Callable[[], Awaitable[T]]) -> T:
        """Return what ``call`` returns, retrying it while it fails with one of :data:`PASSING`."""

        async def once() -> T:
            async with self._slots:
                return await call()

        return await retrying(
            once, self._backoff, on=PASSING, asks_for=asked_wait(), on_retry=self._note_retry
        )

    def _note_retry(self, error: BaseException, failures: int) -> None:
        if not isinstance(error, MattermostRateLimitError):
            log.warning("mattermost: %s; trying again", error)
        self.retries += 1

    async def _create(self, new_post: NewPost) -> Post:
        try:
            return await self._send(new_post, new_post.root_id)
        except MattermostError as error:
            # The thread's root is gone, so post to the channel instead.
            if error.status != 400 or not new_post.root_id:
                raise
            return await self._send(new_post, "")

    async def _send(self, new_post: NewPost, root_id: str) -> Post:
        return await self._mattermost.create_post(
            channel_id=new_post.channel_id,
            message=new_post.message,
            root_id=root_id,
            props=new_post.props | {"zoombot_id": new_post.id} | self._override,
            pending_post_id=f"{self._bot_id}:{new_post.id}",
            file_ids=new_post.file_ids,
        )

    async def _find(self, new_post: NewPost) -> str:
        asked_at = min(new_post.created_at, self._now())
        since = asked_at + self._mattermost.server_offset - SEARCH_SLACK_MS
        async for page in self._mattermost.posts_since(new_post.channel_id, since):
            for post in page:
                if post.user_id == self._bot_id and post.props and post.props.zoombot_id == new_post.id:
                    return post.id
        return ""
