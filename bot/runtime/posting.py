"""Writes each post exactly once, even if Mattermost's answer is lost.

The bot recognizes its posts by their ``zoombot_id`` prop. If it is unclear whether Mattermost accepted a post
(the answer was lost, the process died), the bot searches the channel for it before it posts again. The
server's own guard, ``pending_post_id``, works only for 30 seconds and within one server process.

Every post and every edit passes here, so this is also where they are made to fit the server's size limits. A
message that becomes several posts has one ``zoombot_id`` for each.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from bot.clock import Now, now_ms
from bot.errors import (
    MattermostBlockedError,
    MattermostCertificateError,
    MattermostError,
    MattermostRateLimitError,
    MattermostTokenError,
    MattermostUnreachableError,
)
from bot.mattermost import Mattermost, Post
from bot.mattermost.errors import AWAY, asked_wait
from bot.mattermost.post_size import PostSize
from bot.mattermost.refusals import Refusal, refusal_of
from bot.messages import fitting
from bot.messages.catalogue import catalogue
from bot.messages.content import text
from bot.retrying import Backoff, retrying
from bot.runtime.patience import Trial, Trials
from bot.stores.claims import ALONE

log = logging.getLogger(__name__)

T = TypeVar("T")

# Errors after which a call is retried for as long as Mattermost answers nothing else either.
PASSING = (*AWAY, MattermostTokenError, MattermostCertificateError)
# The search for a post begins this long before it was requested, because clocks differ and get adjusted.
SEARCH_SLACK_MS = 15 * 60_000


@dataclass(frozen=True, slots=True)
class NewPost:
    """A post to write. Before ``created_at`` (ms, our clock) it cannot have been posted.

    ``thread_only``: it belongs below ``root_id`` or nowhere. Otherwise it goes to the channel if the root was
    deleted.
    """

    id: str
    channel_id: str
    message: str
    props: dict[str, Any]
    root_id: str = ""
    created_at: int = 0
    file_ids: tuple[str, ...] = ()
    thread_only: bool = False


@dataclass(frozen=True, slots=True)
class Edit:
    """What one of the bot's posts is to say."""

    post_id: str
    message: str
    props: dict[str, Any]


class Posting:
    """Creates and edits the bot's posts, and waits while Mattermost is unreachable. At most 32 calls are made
    at once, besides those that have places of their own (:meth:`show`)."""

    def __init__(
        self,
        mattermost: Mattermost,
        bot_id: str,
        *,
        override: dict[str, str],
        now: Now = now_ms,
        base_s: float = 0.5,
        cap_s: float = 30.0,
        trials: Trials | None = None,
        assured: Callable[[], Awaitable[None]] = ALONE.assured,
    ) -> None:
        self._mattermost = mattermost
        self._bot_id = bot_id
        self._override = override
        self._now = now
        self._backoff = Backoff(base_s, cap_s, least=0.5)
        self._slots = asyncio.Semaphore(32)
        self._trials = trials or Trials(mattermost)
        self._size = PostSize(mattermost)
        # Awaited before each call: another process may have taken over what is to be posted.
        self._assured = assured
        # How many calls were retried since the start.
        self.retries = 0

    async def write(self, new_post: NewPost, *, doubtful: bool) -> str:
        """Create the post and return its id; ``doubtful`` means that it may exist already.

        A message that is too long for one post becomes several. Their first is the one that counts: it has
        the props, the files and the id. Raises :class:`MattermostError` only if a retry does not help.
        """
        ids: list[str] = []
        rest = new_post.message

        async def write_parts(limit: int) -> str:
            nonlocal rest
            if not ids and len(rest) <= limit and len(str(new_post.props)) <= fitting.MAX_PROPS // 2:
                # An estimate is enough: props that do not fit are far larger than any post needs.
                return await self._write(new_post, doubtful)
            # With a smaller limit only what is not posted yet is divided in another way.
            while rest or not ids:
                number = len(ids) + 1
                message, after = fitting.first(rest, limit, _shortened(), last=number == fitting.MAX_PARTS)
                if message or not after:
                    ids.append(await self._write(_part(new_post, number, message), doubtful))
                rest = after
            return ids[0]

        return await self._fitting(len(new_post.message), write_parts)

    async def edit(self, post_id: str, message: str, props: dict[str, Any]) -> None:
        """Edit one of the bot's posts. Raises :class:`MattermostError` only if a retry does not help."""
        await self.persist(lambda: self._edit(Edit(post_id, message, props)))

    async def show(
        self, newest: Callable[[], Awaitable[Edit | None]], turn: AbstractAsyncContextManager[None]
    ) -> None:
        """Make the edit that ``newest`` returns, in ``turn``; both anew for each try. None: there is nothing
        to edit any more. Raises :class:`MattermostError` only if a retry does not help.
        """

        async def once() -> None:
            edit = await newest()
            if edit is not None:
                await self._edit(edit)

        await self.persist(once, turn)

    async def persist(
        self, call: Callable[[], Awaitable[T]], turn: AbstractAsyncContextManager[None] | None = None
    ) -> T:
        """Return what ``call`` returns, retrying it while it fails with one of :data:`PASSING`.

        Each try is made in ``turn``, or else in one of the places that all share. Raises
        :class:`MattermostBlockedError` if Mattermost answers other calls, but not this one.
        """
        trial: Trial | None = None

        async def once() -> T:
            nonlocal trial
            try:
                async with turn or self._slots:
                    await self._assured()
                    return await call()
            except MattermostError as failure:
                error = _passing(failure)
                if error is None:
                    raise
                trial = trial or self._trials.begin()
                if await trial.is_hopeless(error):
                    raise MattermostBlockedError(
                        f"given up, because Mattermost answers other calls: {error}",
                        status=error.status,
                        code=error.code,
                    ) from None
                raise error from None

        return await retrying(
            once, self._backoff, on=PASSING, asks_for=asked_wait(), on_retry=self._note_retry
        )

    async def _edit(self, edit: Edit) -> None:
        props = fitting.props_that_fit(edit.props | self._override)

        async def write(limit: int) -> None:
            shorter = fitting.one(edit.message, limit, _shortened())
            await self._mattermost.update_post(edit.post_id, message=shorter, props=props)

        await self._fitting(len(edit.message), write)

    async def _fitting(self, length: int, write: Callable[[int], Awaitable[T]]) -> T:
        """Return what ``write`` returns for the most characters that the server takes."""
        limit = await self._size.limit(length)
        while True:
            try:
                return await write(limit)
            except MattermostError as error:
                # Only Mattermost's own answer is about the message's length.
                too_long = error.code and refusal_of(error) is Refusal.TOO_LONG
                limit = await self._size.smaller(min(limit, length)) if too_long else 0
                if not limit:
                    raise

    async def _write(self, new_post: NewPost, doubtful: bool) -> str:
        doubt = tried = doubtful

        async def attempt() -> str:
            nonlocal doubt, tried
            if doubt and (found := await self._find(new_post)):
                if tried:
                    await self._renew(found, new_post)
                return found
            doubt, tried = True, False
            try:
                return (await self._create(new_post)).id
            except MattermostError as error:
                # Only Mattermost's own answer says so, after a search found none from an earlier attempt.
                error.not_posted = bool(error.code)
                raise

        return await self.persist(attempt)

    async def _renew(self, post_id: str, new_post: NewPost) -> None:
        """Let a post that an earlier process made say what it is to say now."""
        try:
            await self._mattermost.update_post(post_id, message=new_post.message, props=self._props(new_post))
        except MattermostError as error:
            if _passing(error) is not None:
                raise
            log.info("mattermost: a post stays as an earlier process made it: %s", error)

    def _note_retry(self, error: BaseException, failures: int) -> None:
        if not isinstance(error, MattermostRateLimitError):
            log.warning("mattermost: %s; trying again", error)
        self.retries += 1

    async def _create(self, new_post: NewPost) -> Post:
        try:
            return await self._send(new_post, new_post.root_id)
        except MattermostError as error:
            refusal = refusal_of(error)
            if refusal is Refusal.ARCHIVED and await self._is_open(new_post.channel_id):
                raise MattermostUnreachableError(
                    "the channel is not archived, but Mattermost refuses posts as if it were",
                    status=error.status,
                    code=error.code,
                ) from None
            if refusal is not Refusal.THREAD_GONE or not new_post.root_id or new_post.thread_only:
                raise
        return await self._send(new_post, "")

    async def _is_open(self, channel_id: str) -> bool:
        """Whether a channel exists and is not archived, as after somebody has restored it."""
        try:
            return not (await self._mattermost.channel(channel_id)).delete_at
        except MattermostError:
            return False

    async def _send(self, new_post: NewPost, root_id: str) -> Post:
        return await self._mattermost.create_post(
            channel_id=new_post.channel_id,
            message=new_post.message,
            root_id=root_id,
            props=self._props(new_post),
            pending_post_id=f"{self._bot_id}:{new_post.id}",
            file_ids=new_post.file_ids,
        )

    def _props(self, new_post: NewPost) -> dict[str, Any]:
        return new_post.props | {"zoombot_id": new_post.id} | self._override

    async def _find(self, new_post: NewPost) -> str:
        since = min(new_post.created_at, self._now()) + self._mattermost.server_offset - SEARCH_SLACK_MS
        async for page in self._mattermost.posts_since(new_post.channel_id, since):
            for post in page:
                if post.user_id == self._bot_id and post.props and post.props.zoombot_id == new_post.id:
                    return post.id
        return ""


def _part(new_post: NewPost, number: int, message: str) -> NewPost:
    """One of the posts that a message becomes, counted from 1."""
    if number == 1:
        return replace(new_post, message=message, props=fitting.props_that_fit(new_post.props))
    kept = {key: value for key, value in new_post.props.items() if key == "zoombot_trigger"}
    return replace(new_post, id=f"{new_post.id}#{number}", message=message, props=kept, file_ids=())


def _passing(error: MattermostError) -> MattermostError | None:
    """The error as one after which a call is retried; None if a retry does not help.

    A permanent redirect is no answer of Mattermost's: a proxy may redirect everything during maintenance.
    """
    if error.status in (301, 308):
        return MattermostUnreachableError(str(error), status=error.status)
    return error if isinstance(error, PASSING) else None


def _shortened() -> str:
    return catalogue().markdown(text("shortened"))
