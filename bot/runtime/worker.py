"""Passes inbox items to the features: in order within each queue, and the queues in parallel."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Collection
from dataclasses import dataclass

import msgspec
from msgspec.structs import replace

from bot.core.context import Context, Job
from bot.core.inbox import REQUEST, TASK, WEBHOOK, Inbox, closed
from bot.core.registry import Registry
from bot.core.tasks import Task
from bot.domain.grammar import Request
from bot.domain.records import Item, ItemState
from bot.errors import FencedError, MattermostRateLimitError, MattermostUnreachableError, VaultError
from bot.runtime.admission import Admission
from bot.runtime.answers_first import AnswersFirst
from bot.runtime.begun import age
from bot.runtime.begun import begun as find_begun
from bot.runtime.metrics import Metrics
from bot.runtime.patience import Trial, Trials
from bot.runtime.putting_down import PuttingDown
from bot.runtime.queues import MAX_WAITING, Queues
from bot.runtime.timer import Timer
from bot.stores import Change
from bot.stores.claims import ALONE, Claims, IsMine
from bot.stores.notifying import NotifyingStore
from bot.zoom.webhooks import Webhook

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """In seconds: a handler's time limit, the pauses between its tries, and the pause while Mattermost is
    unreachable."""

    handler_s: float = 120.0
    pauses_s: tuple[float, ...] = (1.0, 5.0, 20.0)
    away_s: float = 5.0


DEFAULT_RETRY_POLICY = RetryPolicy()


class Worker:
    """Handles inbox items as they are written, and at start those that still wait."""

    def __init__(
        self,
        ctx: Context,
        registry: Registry,
        inbox: Inbox,
        store: NotifyingStore,
        metrics: Metrics,
        retry_policy: RetryPolicy = DEFAULT_RETRY_POLICY,
        *,
        max_waiting: int = MAX_WAITING,
        admission: Admission | None = None,
        trials: Trials | None = None,
        first: AnswersFirst | None = None,
        claims: Claims = ALONE,
    ) -> None:
        self._ctx = ctx
        self._claims = claims
        self._registry = registry
        self._inbox = inbox
        self._store = store
        self._metrics = metrics
        self._retry_policy = retry_policy
        self._trials = trials or Trials(ctx.mattermost)
        self._queues = Queues("worker", max_waiting=max_waiting)
        self._max_waiting = max_waiting
        # The items in the queues, by id, with the time of their arrival (ms).
        self._taken: dict[str, int] = {}
        self._putting_down = PuttingDown(ctx, registry, inbox, store, metrics)
        # While the queues are full, new items stay in the store. They are taken later, in order.
        self._full = False
        self._refused = False
        self._recovering = False
        self._admission = admission or Admission()
        self._first = first or AnswersFirst(inbox)
        # Items that another process may have begun.
        self._left: set[str] = set()
        self.timer = Timer(self.take, ctx.now)
        store.watch(Item, self._note)

    @property
    def waiting(self) -> int:
        """How many items are not handled yet."""
        return self._queues.waiting

    @property
    def oldest_s(self) -> float:
        """How long the oldest item has waited, in seconds; 0 if none waits."""
        oldest = min(self._taken.values(), default=0)
        return max(0.0, (self._ctx.now() - oldest) / 1000) if oldest else 0.0

    async def recover(self, *, begun: bool = True) -> int:
        """Queue all items that wait in the store, and return how many there are. ``begun``: another process
        may have begun some of them."""
        self._full = self._refused = self._recovering = True
        try:
            while self._refused:
                self._refused = False
                items = await self.left()
        finally:
            self._recovering = False
        self._full = False
        self.take_up(items, begun=begun)
        return len(items)

    async def left(self) -> list[Item]:
        """All items that wait in the store."""
        return await self._store.find(Item, "state", ItemState.WAITING)

    def take_up(self, items: Collection[Item], *, begun: bool) -> None:
        """Queue items that wait. ``begun``: another process may have begun some of them."""
        if begun:
            left = [item for item in items if item.id not in self._taken]
            self._left |= find_begun(left, self._ctx.now(), self._admission.per_sender)
        for item in sorted(items, key=age):
            self.take(item)

    async def idle(self) -> None:
        """Wait until no item is left in the queues."""
        await self._queues.idle()

    async def let_go(self, is_leaving: IsMine) -> None:
        """Finish what runs in queues that another process is to have. What waits in them is passed over."""
        await self._queues.drained(is_leaving)

    async def abandon(self) -> None:
        """Break everything off: other processes do it."""
        self._admission.forget()
        await self._queues.break_off()
        self._left.clear()

    async def close(self, grace_s: float) -> None:
        """Let running handlers finish within ``grace_s`` seconds. Other items stay in the store."""
        await self._queues.close(grace_s)

    def _note(self, item: Item) -> None:
        if self._claims.owns(item.queue):
            self.take(item)
        elif item.state is ItemState.WAITING:
            self._claims.tell(item)

    def take(self, item: Item) -> None:
        """Queue an item of this process if it waits, or when it is due."""
        if item.state is not ItemState.WAITING or item.id in self._taken:
            return
        if not self._claims.owns(item.queue):
            return
        if self._putting_down.unopened.get(item.id) == item.sealed:
            return
        if item.due_at > self._ctx.now():
            self.timer.add(item)
            return
        if self._full:
            self._refused = True
        elif self._admission.admit(item) and not self._queue(item):
            self._admission.leave(item)
            self._full = self._refused = True

    def _queue(self, item: Item) -> bool:
        retried = item.id in self._left
        if not self._queues.offer(item.queue, lambda: self._work(item, retried)):
            return False
        self._left.discard(item.id)
        if item.kind == WEBHOOK:
            self._first.begin()
        self._taken[item.id] = item.received_at
        if retried and self._may_announce(item):
            self._ctx.creations.begin(item.id)
        return True

    async def _take_held(self, done: Item) -> None:
        """Queue what had to wait because the source of ``done`` had too much in the queues."""
        while held := self._admission.take(done):
            queued = False
            try:
                item = await self._store.get(Item, held.id)
                queued = item is not None and self._take_late(item)
            finally:
                self._admission.fetched(held, queued=queued)
        if self._admission.overflowed(done):
            await self.recover(begun=False)

    def _take_late(self, item: Item) -> bool:
        """Queue an item that was held; False if it is done by now, or due later."""
        if item.state is not ItemState.WAITING or item.id in self._taken:
            return False
        if not self._claims.owns(item.queue):
            return False
        if item.due_at > self._ctx.now():
            self.timer.add(item)
            return False
        if self._queue(item):
            return True
        self._full = self._refused = True
        return False

    def _may_announce(self, item: Item) -> bool:
        """Whether an earlier attempt may have created a meeting for which webhooks already arrive."""
        if item.kind != TASK:
            return item.kind == REQUEST
        try:
            return self._registry.announces(self._inbox.read(item, Task))
        except (VaultError, msgspec.MsgspecError):
            # A task that cannot be read cannot run either.
            return False

    async def _work(self, item: Item, retried: bool) -> None:
        try:
            # It may be done by now: recovery can read an item just before its completion is written.
            now = await self._store.get(Item, item.id) if self._claims.owns(item.queue) else None
            if now is not None and now.state is ItemState.WAITING and now.due_at <= self._ctx.now():
                await self._try(now, retried)
        finally:
            self._taken.pop(item.id, None)
            if item.kind == WEBHOOK:
                self._first.end()
            self._admission.leave(item)
            self._ctx.creations.end(item.id)
        await self._take_held(item)
        if item.kind == TASK:
            await self._take_again(item)
        if self._full and not self._recovering and self._queues.waiting <= self._max_waiting // 2:
            await self.recover(begun=False)

    async def _take_again(self, item: Item) -> None:
        """Queue a task again if it was rescheduled while it ran, by itself or by another item."""
        now = await self._store.get(Item, item.id)
        if now is not None:
            self.take(now)

    async def _try(self, item: Item, retried: bool) -> None:
        failures = 0
        trial: Trial | None = None
        while True:
            try:
                if item.kind == WEBHOOK:
                    await self._first.turn(urgent=item.urgent)
                async with asyncio.timeout(self._retry_policy.handler_s):
                    changes = await self._handle(item, retried)
                await self._finish(item, changes)
            except (MattermostUnreachableError, MattermostRateLimitError) as error:
                trial = trial or self._trials.begin()
                if await trial.is_hopeless(error):
                    await self._putting_down.set_aside(item, type(error).__name__)
                    return
                # No answer could be posted anyway, so this queue waits until Mattermost is back.
                log.warning("item %s waits for Mattermost: %s", item.id, error, extra={"item": item.id})
                await asyncio.sleep(self._retry_policy.away_s)
            except VaultError as error:
                await self._putting_down.shut(item, error)
                return
            except FencedError:
                # Another process does it.
                return
            except Exception as error:
                log.exception("item %s failed, attempt %d", item.id, failures + 1, extra={"item": item.id})
                # While the store is away, it is no fault of the item.
                failures += self._store.writable
                if failures > len(self._retry_policy.pauses_s):
                    await self._putting_down.set_aside(item, type(error).__name__)
                    return
                await asyncio.sleep(self._pause_s(failures))
                self._metrics.retries.inc()
            else:
                return
            retried = True

    def _pause_s(self, failures: int) -> float:
        policy = self._retry_policy
        return policy.pauses_s[max(failures - 1, 0)] if self._store.writable else policy.away_s

    async def _handle(self, item: Item, retried: bool) -> list[Change]:
        job = Job(item.id, retried=retried, asked_at=item.asked_at)
        if item.kind == REQUEST:
            return await self._respond(job, self._inbox.read_request(item))
        if item.kind == TASK:
            return await self._registry.perform(self._ctx, job, self._inbox.read(item, Task))
        return await self._registry.receive(self._ctx, job, self._inbox.read(item, Webhook))

    async def _respond(self, job: Job, request: Request) -> list[Change]:
        if not request.user_name:
            request.user_name = (await self._ctx.people.get(request.user_id)).username
        return await self._registry.respond(self._ctx, job, request)

    async def _finish(self, item: Item, changes: list[Change]) -> None:
        done = replace(item, state=ItemState.DONE, sealed="", done_at=self._ctx.now(), error="")
        await self._store.commit(*changes, closed(item, done))
        self._metrics.items.labels(item.kind, "done").inc()
        self._metrics.handling.labels(item.kind).observe((self._ctx.now() - item.received_at) / 1000)
