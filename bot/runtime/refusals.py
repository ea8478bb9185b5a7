"""Decides what becomes of a post or an edit that Mattermost refuses.

It is dropped, or held until it may be possible again, and whoever waits for it is told. An announcement whose
post was deleted is not posted again.
"""

from __future__ import annotations

import logging
from collections.abc import Callable

import msgspec
from msgspec.structs import replace

from bot.core.context import Body, Context
from bot.core.registry import Registry
from bot.domain.announcements import is_lost, without_post
from bot.domain.records import Announcement, Meeting, Notice
from bot.errors import MattermostDeniedError, MattermostError, MattermostNotFoundError, VaultError
from bot.mattermost.refusals import PASSING, Refusal, refusal_of
from bot.runtime.posting import Posting
from bot.stores import Change, Update
from bot.stores.notifying import NotifyingStore

log = logging.getLogger(__name__)

# The refusals of an edit that need a look at the channel and the post: the server answers 403 for a post that
# was deleted, for a channel that the bot is no longer in, and for a missing permission.
_UNCLEAR = (Refusal.DENIED, Refusal.NOT_FOUND)


class Refusals:
    """Writes down what was refused."""

    def __init__(self, ctx: Context, registry: Registry, store: NotifyingStore, posting: Posting) -> None:
        self._ctx = ctx
        self._registry = registry
        self._store = store
        self._posting = posting

    async def of_post(self, announcement: Announcement, error: MattermostError) -> None:
        """Give up an announcement that was never posted, and let the person be told."""
        why = refusal_of(error)
        self._note("post", announcement.id, announcement.channel_id, error)
        failed = replace(announcement, failed=why.value)
        told = self._registry.post_refused(self._ctx, failed)

        def note(now: Announcement) -> Announcement:
            return replace(now, stale=False, failed=why.value)

        await self._store.update(Announcement, announcement.id, note, *told)

    async def of_edit(self, announcement: Announcement, meeting: Meeting, error: MattermostError) -> None:
        """Hold an edit, forget a deleted post, or say in a reply what the post cannot say."""
        why = await self._why_not_edited(announcement, error)
        self._note("edit", announcement.id, announcement.channel_id, error)
        said: list[Change] = []
        if why is not None and why not in PASSING:
            said = self._registry.edit_refused(self._ctx, announcement, meeting)

        def note(now: Announcement) -> Announcement | None:
            if now.post_id != announcement.post_id:
                # The post was moved meanwhile.
                return None
            if why is None:
                return without_post(now)
            held = why in PASSING
            # What changed meanwhile may be the end, which must be said too.
            return replace(now, stale=held or now.marks != announcement.marks, held=held)

        await self._store.update(Announcement, announcement.id, note, *said)

    async def of_notice(
        self, notice: Notice, error: MattermostError, above: Announcement | None = None
    ) -> None:
        """Hold a notice whose refusal may pass, or give it up. Tell the person who waits for it, once.

        ``above`` is the announcement that it replies to. Its post was deleted if its thread is gone.
        """
        why = refusal_of(error)
        if above is not None and why is Refusal.THREAD_GONE:
            log.info("reply %s is dropped: its post was deleted", notice.id)
            gone = Update(Announcement, above.id, without_post)
            await self._store.update(Notice, notice.id, _refused(notice, held=False), gone)
            return
        body = read_body(self._ctx, notice)
        public_answer = body is not None and body.origin is not None and bool(body.origin.user_id)
        held = why in PASSING and not public_answer and not notice.post_id
        self._note("notice", notice.id, notice.channel_id, error)
        told = self._registry.notice_refused(self._ctx, notice, body, why.value) if body else []
        at = self._ctx.now() if error.not_posted else 0
        await self._store.update(Notice, notice.id, _refused(notice, held=held, at=at), *told)

    async def has_no_place(self, announcement: Announcement) -> bool:
        """Whether nothing may be posted below an announcement. In a thread, Mattermost would take a reply
        although the announcement's post was deleted.

        Raises :class:`MattermostError` if that is unclear.
        """
        if is_lost(announcement) or not announcement.post_id:
            return True
        if not announcement.root_id or not await self._is_deleted(announcement):
            return False
        await self._store.update(Announcement, announcement.id, without_post)
        return True

    async def _is_deleted(self, announcement: Announcement) -> bool:
        try:
            await self._posting.persist(lambda: self._ctx.mattermost.post(announcement.post_id))
        except MattermostNotFoundError:
            return True
        except MattermostDeniedError:
            pass
        return False

    async def _why_not_edited(self, announcement: Announcement, error: MattermostError) -> Refusal | None:
        """Why an edit was refused; None if the post was deleted. ``OTHER`` if the bot may post, but not
        edit."""
        why = refusal_of(error)
        if why not in _UNCLEAR:
            return why
        try:
            if await self._is_deleted(announcement):
                return None
            return Refusal.OTHER if await self._is_member(announcement.channel_id) else Refusal.DENIED
        except MattermostError as unclear:
            log.info("mattermost: why an edit is refused is unclear: %s", unclear)
            return Refusal.DENIED

    async def _is_member(self, channel_id: str) -> bool:
        mattermost, bot_id = self._ctx.mattermost, self._ctx.bot.id
        try:
            member = await self._posting.persist(lambda: mattermost.channel_member(channel_id, bot_id))
        except MattermostDeniedError:
            return False
        return member is not None

    def _note(self, kind: str, id: str, channel_id: str, error: MattermostError) -> None:
        self._ctx.counts["posts_refused"] += 1
        log.warning("%s of %s refused: %s", kind, id, error, extra={"channel": channel_id})


def read_body(ctx: Context, notice: Notice) -> Body | None:
    """The content of a notice; None if it cannot be read. Its key may be put back: the next start tries
    again."""
    try:
        return msgspec.json.decode(ctx.vault.open(notice.id, notice.sealed_body), type=Body)
    except (VaultError, msgspec.MsgspecError) as error:
        log.error("notice %s is not posted, it cannot be read: %s", notice.id, type(error).__name__)
        return None


def _refused(notice: Notice, *, held: bool, at: int = 0) -> Callable[[Notice], Notice]:
    def note(now: Notice) -> Notice:
        if held:
            return replace(now, held=True, refused_at=at or now.refused_at)
        if now.sealed_body != notice.sealed_body:
            # The notice was changed meanwhile; another job posts the new text.
            return now
        return replace(now, waiting=False, held=False, sealed_body="")

    return note
