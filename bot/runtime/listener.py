"""Writes requests to the inbox: from Mattermost's socket, and missed ones from the channels' history."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from dataclasses import dataclass
from functools import partial

from bot.clock import Now
from bot.core.inbox import Inbox
from bot.domain.records import Cursor, Item
from bot.errors import EventError, MattermostError, StoreError
from bot.features import moved
from bot.mattermost import Mattermost, Socket
from bot.mattermost.decoding import decode_aside
from bot.mattermost.events import POSTED, USER_UPDATED, Message, Posted, post_id_in, read_posted
from bot.mattermost.frames import Event, RawEvent
from bot.mattermost.socket import Deliver
from bot.runtime.catch_up import OVERLAP_MS, CatchUp
from bot.runtime.identity import Identity, IdentityWatch
from bot.runtime.imports import Imports
from bot.runtime.requests import Requests
from bot.runtime.unread import UnreadChannels
from bot.stores import Put, Store
from bot.stores.claims import ALONE, Claims, leading

log = logging.getLogger(__name__)

CURSOR = "mattermost"
# How many requests may be in the process of being saved, and how long shutdown waits for them (s).
MAX_WRITING = 256
STOP_S = 0.2
# How much of the history is read again if the cursor lies in the future because a clock was wrong.
REREAD_MS = 60 * 60_000


@dataclass(frozen=True, slots=True)
class ListenerTimings:
    """In seconds: how often the cursor is saved and the channels are read although nothing seems missed, how
    long to wait after a failed catch-up, and before saving a request that is another process's."""

    cursor_s: float = 2.0
    catch_up_period_s: float = 300.0
    retry_s: float = 5.0
    others_s: float = 0.2


DEFAULT_LISTENER_TIMINGS = ListenerTimings()


class Listener:
    """Takes in every request once. The cursor never passes an unsaved one. ``on_event`` gets other events, as
    far as their names are among ``events``."""

    def __init__(
        self,
        socket: Socket,
        mattermost: Mattermost,
        store: Store,
        inbox: Inbox,
        identity: Identity,
        watch: IdentityWatch,
        now: Now,
        *,
        missed_ms: int,
        timings: ListenerTimings = DEFAULT_LISTENER_TIMINGS,
        on_event: Deliver,
        events: frozenset[str],
        claims: Claims = ALONE,
    ) -> None:
        self._claims = claims
        self.socket = socket
        self._mattermost = mattermost
        self._store = store
        self._inbox = inbox
        self._identity = identity
        self._requests = Requests(inbox, identity, mattermost.unreadable)
        self._watch = watch
        self._now = now
        self._timings = timings
        self._on_event = on_event
        self._events = events | {POSTED, USER_UPDATED}
        # Set while something may have been missed. Gaps are counted, because one may open during a catch-up.
        self._missed = asyncio.Event()
        self._caught_up = asyncio.Event()
        self._writing: set[asyncio.Task[bool]] = set()
        # The last request of each channel that is being saved.
        self._last: dict[str, asyncio.Task[bool]] = {}
        self.unread = UnreadChannels(store, now, retry_s=timings.retry_s, cap_s=timings.catch_up_period_s)
        self._catch_up = CatchUp(
            mattermost,
            inbox,
            self.unread,
            identity.account.id,
            now,
            item_of=self._requests.item_of,
            notice_own=self._notice_own,
        )
        self.imports = Imports(mattermost, now, missed_ms)
        # Seen, saved, and when the bot first started: older posts are ignored (ms, server's clock).
        self._seen = self._cursor = self._since = 0
        self._gaps = self.catch_ups = self.caught = 0
        # Why the last catch-up failed; empty if it did not.
        self.failure = ""

    async def run(self) -> None:
        """Listen until cancelled. Raises what :meth:`bot.mattermost.Socket.run` raises."""
        await self._read_cursor()
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(leading(self._claims, self._lead))
                tasks.create_task(self._listen())
        finally:
            await self._settled(STOP_S)

    async def _listen(self) -> None:
        await self.socket.run(
            self._deliver, self._connected, names=self._events, passes=self._requests.is_talk
        )

    async def _lead(self) -> None:
        """Read the history, until cancelled. One process does that for all."""
        await self._read_cursor()
        await self.unread.load()
        if self.socket.state.open_since:
            # What happened before this process led, another one may have missed.
            self._note_gap()
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._catch_up_when_due())
            tasks.create_task(self._read_unread_when_due())
            tasks.create_task(self._keep_cursor())

    async def _read_cursor(self) -> None:
        known = await self._store.get(Cursor, CURSOR)
        if known is None:
            return
        now = self._server_now()
        self._since = known.since
        self._cursor = self._seen = known.at if known.at <= now else max(known.since, now - REREAD_MS)

    def _server_now(self) -> int:
        return self._now() + self._mattermost.server_offset

    async def _settled(self, timeout_s: float | None = None) -> None:
        """Wait until every request received so far is saved."""
        if self._writing:
            await asyncio.wait(set(self._writing), timeout=timeout_s)

    async def caught_up(self) -> None:
        """Wait until the first catch-up is done. From then on, no request is missed."""
        await self._caught_up.wait()

    async def save_cursor(self, timeout_s: float | None = None) -> None:
        """Save how far requests were taken in; give up after ``timeout_s`` seconds."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(timeout_s):
                await self._save_cursor()

    async def _save_cursor(self) -> None:
        self._advance(self._requests.take_newest_talk())
        seen = self._seen
        await self._settled()
        if not self._claims.leads or self._missed.is_set() or seen <= self._cursor:
            return
        await self._store.commit(Put(Cursor(id=CURSOR, at=seen, since=self._since)))
        self._cursor = seen

    async def _connected(self, resumed: bool) -> None:
        if not resumed:
            self._note_gap()

    def _note_gap(self) -> None:
        self._gaps += 1
        self._missed.set()

    async def _deliver(self, event: Event) -> None:
        if self._requests.is_talk(event):
            # It had to wait behind others.
            return
        if event.name == USER_UPDATED:
            await self._watch.note(event)
            return
        try:
            posted = await _read_posted(event)
        except EventError as error:
            self._mattermost.unreadable.note(post_id_in(event), str(error))
            return
        if posted is None:
            await self._on_event(event)
            return
        if posted.message.user_id == self._identity.account.id:
            await self._notice_own(posted.message)
        elif item := await self._live_item(posted):
            await self._write(item)
        self._advance(posted.message.create_at)

    def _advance(self, create_at: int) -> None:
        """Everything up to a post of this time (ms, server's clock) was seen."""
        # Later posts must not be skipped because the server's clock ran ahead for a moment.
        self._seen = max(self._seen, min(create_at, self._server_now()))

    async def _live_item(self, posted: Posted) -> Item | None:
        create_at, offset = posted.message.create_at, self._mattermost.server_offset
        item = self._requests.item_of(posted, self._asked_at(create_at))
        if item is None or await self.imports.is_import(create_at, self._seen - OVERLAP_MS):
            return None
        corrected = offset != self._mattermost.server_offset
        return self._requests.item_of(posted, self._asked_at(create_at)) if corrected else item

    def _asked_at(self, create_at: int) -> int:
        """When a post was written, by our clock."""
        return min(self._now(), create_at - self._mattermost.server_offset)

    async def _notice_own(self, post: Message) -> None:
        if item := await moved.copy_in(self._store, self._inbox, post):
            await self._write(item)

    async def _write(self, item: Item) -> None:
        """Save an item in the background; items saved at the same time share one disk write."""
        while len(self._writing) >= MAX_WRITING:
            await asyncio.wait(set(self._writing), return_when=asyncio.FIRST_COMPLETED)
        self._last[item.queue] = task = asyncio.create_task(self._add(item, self._last.get(item.queue)))
        self._writing.add(task)
        task.add_done_callback(partial(self._written, item.queue))

    async def _add(self, item: Item, before: asyncio.Task[bool] | None) -> bool:
        if before is not None and self._claims.shared:
            # A shared store does not keep the order of what is saved at the same time.
            await asyncio.wait({before})
        if not self._claims.owns(item.queue):
            # Whoever has to work on it is to be the first.
            await asyncio.sleep(self._timings.others_s)
        return await self._inbox.add(item)

    def _written(self, queue: str, task: asyncio.Task[bool]) -> None:
        self._writing.discard(task)
        if self._last.get(queue) is task:
            del self._last[queue]
        if task.cancelled() or task.exception() is not None:
            log.error("mattermost: a request could not be written down; looking again")
            self._note_gap()

    async def _keep_cursor(self) -> None:
        while True:
            await asyncio.sleep(self._timings.cursor_s)
            await self.save_cursor()

    async def _catch_up_when_due(self) -> None:
        while True:
            # Not only when something was missed: a socket that answers pings may still deliver no events.
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._timings.catch_up_period_s):
                    await self._missed.wait()
            try:
                await self.catch_up()
                self.failure = ""
            except (MattermostError, StoreError) as error:
                self.failure = str(error)
                log.warning("mattermost: could not catch up: %s; trying again", error)
                self._note_gap()
                await asyncio.sleep(self._timings.retry_s)

    async def _read_unread_when_due(self) -> None:
        while True:
            try:
                self.caught += await self._catch_up.read_unread()
            except StoreError as error:
                log.warning("mattermost: could not catch up: %s; trying again", error)
                await asyncio.sleep(self._timings.retry_s)

    async def catch_up(self) -> None:
        """Take in what was posted in every channel since the cursor, then advance the cursor."""
        gap, began = self._gaps, self._now()
        if self._cursor:
            # The account may have been renamed meanwhile.
            with contextlib.suppress(MattermostError):
                await self._watch.look_at_self()
            self.caught += await self._catch_up.read(max(self._since, self._cursor - OVERLAP_MS))
        else:
            await self._watch.look_at_self()
        # Added only now: the answers have updated the offset, in case one of the clocks was changed.
        began += self._mattermost.server_offset
        if self._cursor:
            self._seen = max(self._seen, began - OVERLAP_MS)
        else:
            self._since = began
            self._seen = max(self._seen, began)
        self.catch_ups += 1
        self._caught_up.set()
        if gap == self._gaps:
            self._missed.clear()
        await self.save_cursor()


async def _read_posted(event: Event) -> Posted | None:
    if isinstance(event, RawEvent):
        return await decode_aside(read_posted, event, event.size)
    return read_posted(event)
