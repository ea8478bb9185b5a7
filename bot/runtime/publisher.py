"""Keeps the announcements' posts up to date with the records, and posts each notice once."""

from __future__ import annotations

import asyncio
import logging
import time
from typing import Any

import msgspec
from msgspec.structs import replace

from bot.core.context import Body, Context
from bot.core.registry import Registry
from bot.domain.records import Announcement, Meeting, Notice
from bot.errors import MattermostError, VaultError
from bot.messages.card import shown
from bot.messages.cards import meeting_card
from bot.messages.catalogue import catalogue
from bot.runtime.posting import NewPost, Posting
from bot.runtime.queues import Queues
from bot.stores.notifying import NotifyingStore

log = logging.getLogger(__name__)

# Edit a post at most once a second: people are reading it, and the server limits the rate.
EDIT_PAUSE_S = 1.0


class Publisher:
    """Posts announcements and notices as they are stored, and at start those left from an earlier run."""

    def __init__(
        self,
        ctx: Context,
        registry: Registry,
        store: NotifyingStore,
        posting: Posting,
        *,
        edit_pause_s: float = EDIT_PAUSE_S,
    ) -> None:
        self._ctx = ctx
        self._registry = registry
        self._store = store
        self._posting = posting
        self._edit_pause_s = edit_pause_s
        self._queues = Queues("publisher", max_waiting=100_000)
        self._queued: set[str] = set()
        self._shown_at: dict[str, float] = {}
        store.watch(Announcement, self._take_announcement)
        store.watch(Notice, self._take_notice)

    @property
    def waiting(self) -> int:
        """How many posts and edits are not made yet."""
        return self._queues.waiting

    async def recover(self) -> int:
        """Queue what an earlier process left unposted, and return how many posts that is."""
        announcements = await self._store.find(Announcement, "stale", True)
        notices = await self._store.find(Notice, "waiting", True)
        for announcement in announcements:
            self._take_announcement(announcement, doubtful=True)
        for notice in sorted(notices, key=lambda notice: notice.created_at):
            self._take_notice(notice, doubtful=True)
        return len(announcements) + len(notices)

    async def idle(self) -> None:
        """Wait until every post is up to date."""
        await self._queues.idle()

    async def close(self, grace_s: float) -> None:
        """Let running posts and edits finish within ``grace_s`` seconds, then cancel them."""
        await self._queues.close(grace_s)

    def _take_announcement(self, announcement: Announcement, *, doubtful: bool = False) -> None:
        if announcement.stale and announcement.id not in self._queued:
            self._queued.add(announcement.id)
            self._queues.offer(announcement.id, lambda: self._show(announcement.id, doubtful))

    def _take_notice(self, notice: Notice, *, doubtful: bool = False) -> None:
        if notice.waiting:
            queue = notice.user_id or notice.channel_id
            self._queues.offer(queue, lambda: self._say(notice.id, doubtful))

    async def _show(self, id: str, doubtful: bool) -> None:
        await self._rest(id)
        # A change that arrives from now on needs another job.
        self._queued.discard(id)
        announcement = await self._store.get(Announcement, id)
        if announcement is None or not announcement.stale:
            return
        meeting = await self._store.get(Meeting, announcement.meeting)
        if meeting is None:
            return
        try:
            post_id = await self._publish(announcement, meeting, doubtful)
        except MattermostError as error:
            await self._give_up(announcement, error)
            await self._say_below(announcement)
            return
        if meeting.open:
            self._shown_at[id] = time.monotonic()
        await self._note_shown(announcement, meeting.revision, post_id)
        await self._say_below(announcement)

    async def _publish(self, announcement: Announcement, meeting: Meeting, doubtful: bool) -> str:
        if announcement.post_id and announcement.posted_revision == meeting.revision:
            return announcement.post_id
        message, props = shown(meeting_card(meeting, announcement), catalogue())
        if announcement.post_id:
            await self._posting.edit(announcement.post_id, message, props)
            return announcement.post_id
        new_post = NewPost(
            id=announcement.id,
            channel_id=announcement.channel_id,
            message=message,
            props=props,
            root_id=announcement.root_id,
            created_at=announcement.created_at,
        )
        post_id = await self._posting.write(new_post, doubtful=doubtful)
        log.info("announced %s as post %s", announcement.meeting, post_id)
        return post_id

    async def _rest(self, id: str) -> None:
        """Pause between two edits of a post; changes that arrive meanwhile share one edit."""
        shown_at = self._shown_at.pop(id, float("-inf"))
        await asyncio.sleep(max(0.0, shown_at + self._edit_pause_s - time.monotonic()))

    async def _note_shown(self, shown: Announcement, revision: int, post_id: str) -> None:
        def note(now: Announcement) -> Announcement | None:
            if now.post_id != shown.post_id:
                # The post was moved meanwhile; another job edits it at its new place.
                return None
            return replace(
                now, post_id=post_id, posted_revision=revision, stale=now.marks != shown.marks, failed=""
            )

        await self._store.update(Announcement, shown.id, note)

    async def _give_up(self, announcement: Announcement, error: MattermostError) -> None:
        log.warning(
            "post of %s given up: %s", announcement.id, error, extra={"channel": announcement.channel_id}
        )

        def note(now: Announcement) -> Announcement | None:
            if now.post_id != announcement.post_id:
                # The post was moved meanwhile.
                return None
            return replace(now, stale=False, failed=type(error).__name__)

        refused = [] if announcement.post_id else self._registry.post_refused(self._ctx, announcement)
        await self._store.update(Announcement, announcement.id, note, *refused)

    async def _say_below(self, announcement: Announcement) -> None:
        """Queue the notices that waited until the announcement was posted or given up."""
        if not announcement.post_id:
            for notice in await self._store.find(Notice, "under", announcement.id):
                self._take_notice(notice)

    async def _say(self, id: str, doubtful: bool) -> None:
        notice = await self._store.get(Notice, id)
        if notice is None or not notice.waiting:
            return
        said, post_id = notice.sealed_body, notice.post_id
        try:
            if notice.under:
                root_id = await self._root_of(notice)
                if root_id is None:
                    return
                notice = replace(notice, root_id=root_id)
            post_id = await self._speak(notice, doubtful) if notice.root_id or not notice.under else ""
        except MattermostError as error:
            log.warning("notice %s given up: %s", notice.id, error)
        except (VaultError, msgspec.MsgspecError) as error:
            # The key may be put back. The next start tries again.
            log.error("notice %s is not posted, it cannot be read: %s", notice.id, type(error).__name__)
            return

        def note(now: Notice) -> Notice:
            if now.sealed_body != said:
                # The notice was changed meanwhile; another job posts the new text.
                return replace(now, post_id=post_id)
            return replace(now, waiting=False, sealed_body="", post_id=post_id)

        await self._store.update(Notice, notice.id, note)

    async def _root_of(self, notice: Notice) -> str | None:
        """The thread of the announcement above a notice; empty if it will have no post, None if not yet."""
        above = await self._store.get(Announcement, notice.under)
        if above is None or above.post_id:
            return (above.root_id or above.post_id) if above else ""
        return None if above.stale else ""

    async def _speak(self, notice: Notice, doubtful: bool) -> str:
        body = msgspec.json.decode(self._ctx.vault.open(notice.id, notice.sealed_body), type=Body)
        message, props = shown(body.card, catalogue())
        if (
            body.response_url
            and not notice.post_id
            and await self._respond(body.response_url, message, props)
        ):
            return ""
        props["zoombot_trigger"] = notice.trigger
        if notice.post_id:
            await self._posting.edit(notice.post_id, message, props | {"zoombot_id": notice.id})
            return notice.post_id
        channel_id = notice.channel_id or await self._posting.persist(
            lambda: self._ctx.mattermost.direct_channel(notice.user_id)
        )
        new_post = NewPost(
            id=notice.id,
            channel_id=channel_id,
            message=message,
            props=props,
            root_id=notice.root_id,
            created_at=notice.created_at,
            file_ids=tuple(body.file_ids),
        )
        return await self._posting.write(new_post, doubtful=doubtful)

    async def _respond(self, url: str, message: str, props: dict[str, Any]) -> bool:
        """Answer ``/zoom`` privately in the channel; False if Mattermost no longer takes the answer."""
        try:
            await self._ctx.mattermost.respond(url, message, props)
        except MattermostError as error:
            log.info("a slash command is answered by direct message: %s", error)
            return False
        return True
