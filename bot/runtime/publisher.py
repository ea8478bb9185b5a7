"""Keeps the announcements' posts up to date with the records, and posts each notice once.

New posts of a channel are made one after the other, in the order in which they were asked for. Each post is
edited in a queue of its own, so an edit delays nothing else.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from functools import partial

from msgspec.structs import replace

from bot.core.context import Body, Context
from bot.core.registry import Registry
from bot.domain.records import Announcement, Meeting, Notice
from bot.errors import MattermostError
from bot.messages.card import card, shown
from bot.messages.cards import meeting_card
from bot.messages.catalogue import catalogue
from bot.messages.content import text
from bot.runtime.edit_turns import EditTurns
from bot.runtime.editing import Editing, Stale
from bot.runtime.posting import NewPost, Posting
from bot.runtime.queues import Queues
from bot.runtime.refusals import Refusals, read_body
from bot.stores.claims import ALONE, Claims, IsMine, queue_of
from bot.stores.notifying import NotifyingStore

log = logging.getLogger(__name__)

# How many posts and edits wait in memory.
MAX_WAITING = 100_000


class Publisher:
    """Posts announcements and notices as they are stored, and at start those left from an earlier run."""

    def __init__(
        self,
        ctx: Context,
        registry: Registry,
        store: NotifyingStore,
        posting: Posting,
        turns: EditTurns,
        *,
        max_waiting: int = MAX_WAITING,
        claims: Claims = ALONE,
    ) -> None:
        self._ctx = ctx
        self._claims = claims
        self._store = store
        self._posting = posting
        self._refusals = Refusals(ctx, registry, store, posting)
        self._turns = turns
        self._editing = Editing(
            store, posting, self._refusals, turns, self.owns, lambda held: self.on_taken(held)
        )
        # While the queues are full, what comes stays in the store.
        self._queues = Queues("publisher", max_waiting=max_waiting, on_room=self.recover)
        self._queued: set[str] = set()
        # Called with the id of a held record that Mattermost has taken.
        self.on_taken: Callable[[str], None] = _ignore
        store.watch(Meeting, self._note_meeting)
        store.watch(Announcement, self._note)
        store.watch(Notice, self._note)

    @property
    def waiting(self) -> int:
        """How many posts and edits are not made yet."""
        return self._queues.waiting

    async def recover(self) -> int:
        """Queue what another process left unposted, also what was held, and return how many posts that is."""
        found = await self.left()
        self.take_up(found, begun=True)
        return len(found)

    async def left(self) -> list[Announcement | Notice]:
        """What is not posted yet, or not up to date."""
        stale = await self._store.find(Announcement, "stale", True)
        return [*stale, *await self._store.find(Notice, "waiting", True)]

    def take_up(self, records: Iterable[Announcement | Notice], *, begun: bool) -> None:
        """Queue what another process left, or what nobody told of. Only what another process may have
        ``begun`` is tried although it is held."""
        for record in sorted(records, key=lambda record: record.created_at):
            if begun or not record.held:
                self.try_again(record)

    def take(self, record: Announcement | Notice) -> None:
        """Queue a record of this process if its post is out of date."""
        if _is_wanted(record) and not record.held:
            self.try_again(record, doubtful=False)

    def _note_meeting(self, meeting: Meeting) -> None:
        self.note_meeting(meeting)
        if self._claims.shared and 1 < meeting.revision == meeting.urgent_revision:
            # Its posts may be another process's.
            self._claims.tell(meeting)

    def _note(self, record: Announcement | Notice) -> None:
        if self.owns(record):
            self.take(record)
        elif _is_wanted(record):
            self._claims.tell(record)

    def owns(self, record: Announcement | Notice) -> bool:
        """Whether this process makes and edits the post of a record."""
        return self._claims.owns(queue_of(record))

    def try_again(self, record: Announcement | Notice, *, doubtful: bool = True) -> None:
        """Queue held records, and those of an earlier run. ``doubtful`` if they may have been posted."""
        if record.id in self._queued or not self.owns(record):
            return
        queue = self._queue_announcement if isinstance(record, Announcement) else self._queue_notice
        if queue(record, doubtful):  # type: ignore[arg-type]
            self._queued.add(record.id)

    async def idle(self) -> None:
        """Wait until every post is up to date."""
        await self._queues.idle()

    async def let_go(self, is_leaving: IsMine) -> None:
        """Finish the posts of queues that another process is to have. What waits in them is passed over."""
        await self._queues.drained(is_leaving)

    async def abandon(self) -> None:
        """Break everything off: other processes do it."""
        await self._queues.break_off()
        self._queued.clear()

    async def close(self, grace_s: float) -> None:
        """Let running posts and edits finish within ``grace_s`` seconds, then cancel them."""
        await self._queues.close(grace_s)

    def note_meeting(self, meeting: Meeting) -> None:
        """Let the edits go at once that have something urgent of this meeting to show."""
        # Of a new meeting no edit waits.
        if meeting.revision > 1:
            self._turns.note_meeting(meeting)

    def _queue_announcement(self, announcement: Announcement, doubtful: bool) -> bool:
        id, channel_id = announcement.id, announcement.channel_id
        job = partial(self._edit, id) if announcement.post_id else partial(self._announce, id, doubtful)
        return self._queues.offer(id if announcement.post_id else channel_id, job, channel_id)

    def _queue_notice(self, notice: Notice, doubtful: bool) -> bool:
        id, place = notice.id, "" if notice.post_id else notice.channel_id
        if place or notice.post_id:
            return self._queues.offer(place or id, partial(self._say, id, place, doubtful), queue_of(notice))
        return self._queues.offer(notice.user_id, partial(self._tell, id, doubtful))

    async def _announce(self, id: str, doubtful: bool) -> None:
        # A change that arrives from now on needs another job.
        self._queued.discard(id)
        stale = await self._editing.read(id)
        if stale is None:
            return
        announcement = stale.announcement
        if announcement.post_id:
            # It was posted and changed meanwhile. Edits hold up no new post.
            self.take(announcement)
            return
        try:
            post_id = await self._post(stale, doubtful)
        except MattermostError as error:
            await self._refusals.of_post(announcement, error)
        else:
            log.info("announced %s as post %s", announcement.meeting, post_id)
            self._turns.note_edited(id)
            await self._editing.note_shown(stale, post_id)
        await self._say_below(announcement)

    async def _edit(self, id: str) -> None:
        # A change that arrives from now on has another job. It does nothing if this edit shows the change.
        self._queued.discard(id)
        await self._editing.edit(id)

    async def _post(self, stale: Stale, doubtful: bool) -> str:
        announcement = stale.announcement
        message, props = shown(meeting_card(stale.meeting, announcement), catalogue())
        new_post = NewPost(
            id=announcement.id,
            channel_id=announcement.channel_id,
            message=message,
            props=props,
            root_id=announcement.root_id,
            created_at=announcement.created_at,
        )
        return await self._posting.write(new_post, doubtful=doubtful)

    async def _say_below(self, announcement: Announcement) -> None:
        """Queue the notices that waited until the announcement was posted or given up."""
        for notice in await self._store.find(Notice, "under", announcement.id):
            self.take(notice)

    async def _tell(self, id: str, doubtful: bool) -> None:
        """Answer ``/zoom``, or find the person's direct channel: the posts in it have one queue."""
        self._queued.discard(id)
        notice = await self._store.get(Notice, id)
        if notice is None or not notice.waiting or not self.owns(notice):
            return
        body = read_body(self._ctx, notice)
        if body is None:
            return
        if body.response_url and await self._respond(body):
            await self._note_said(notice, "")
            return
        try:
            channel_id = await self._posting.persist(
                lambda: self._ctx.mattermost.direct_channel(notice.user_id)
            )
        except MattermostError as error:
            await self._refusals.of_notice(notice, error)
            return
        self._queues.offer(channel_id, partial(self._say, id, channel_id, doubtful), notice.user_id)

    async def _say(self, id: str, channel_id: str, doubtful: bool) -> None:
        self._queued.discard(id)
        notice = await self._store.get(Notice, id)
        if notice is None or not notice.waiting or not self.owns(notice):
            return
        above = await self._store.get(Announcement, notice.under) if notice.under else None
        if above and not above.post_id and above.stale:
            # It is said once the announcement is posted or given up.
            return
        body = read_body(self._ctx, notice)
        if body is None:
            return
        try:
            post_id = await self._speak(notice, body, channel_id, above, doubtful)
        except MattermostError as error:
            await self._refusals.of_notice(notice, error, above)
        else:
            await self._note_said(notice, post_id)

    async def _note_said(self, said: Notice, post_id: str) -> None:
        def note(now: Notice) -> Notice:
            if now.sealed_body != said.sealed_body:
                # The notice was changed meanwhile; another job posts the new text.
                return replace(now, post_id=post_id, held=False)
            return replace(now, waiting=False, held=False, sealed_body="", post_id=post_id)

        await self._store.update(Notice, said.id, note)
        if said.held:
            self.on_taken(said.id)

    async def _speak(
        self, notice: Notice, body: Body, channel_id: str, above: Announcement | None, doubtful: bool
    ) -> str:
        """Post or edit a notice and return the post's id; empty if it has no place any more."""
        late = bool(body.until) and body.until < self._ctx.now()
        message, props = shown(card(text("private-late")) if late else body.card, catalogue())
        props["zoombot_trigger"] = notice.trigger
        if notice.post_id:
            await self._posting.edit(notice.post_id, message, props | {"zoombot_id": notice.id})
            return notice.post_id
        if notice.under and (above is None or await self._refusals.has_no_place(above)):
            return ""
        new_post = NewPost(
            id=notice.id,
            channel_id=channel_id,
            message=message,
            props=props,
            root_id=(above.root_id or above.post_id) if above else notice.root_id,
            created_at=max(notice.created_at, notice.refused_at),
            file_ids=tuple(body.file_ids),
            thread_only=above is not None,
        )
        return await self._posting.write(new_post, doubtful=doubtful)

    async def _respond(self, body: Body) -> bool:
        """Answer ``/zoom`` privately in the channel; False if Mattermost no longer takes the answer."""
        message, props = shown(body.card, catalogue())
        try:
            shown_as = self._ctx.shown_as()
            await self._ctx.mattermost.respond(body.response_url, message, props | shown_as)
        except MattermostError as error:
            log.info("a slash command is answered by direct message: %s", error)
            return False
        return True


def _ignore(id: str) -> None:
    pass


def _is_wanted(record: Announcement | Notice) -> bool:
    return record.stale if isinstance(record, Announcement) else record.waiting
