"""Items that cannot be handled: kept for the operator, and said to the person who asked."""

from __future__ import annotations

import logging

import msgspec
from msgspec.structs import replace

from bot.core.context import Context, Job
from bot.core.inbox import REQUEST, TASK, Inbox, UnopenedItemError, closed
from bot.core.registry import Registry
from bot.core.tasks import Task
from bot.domain.records import Item, ItemState
from bot.errors import VaultError
from bot.runtime.begun import UNOPENED
from bot.runtime.metrics import Metrics
from bot.stores import Change, Store

log = logging.getLogger(__name__)


class PuttingDown:
    """Ends items that another attempt would not help."""

    def __init__(
        self, ctx: Context, registry: Registry, inbox: Inbox, store: Store, metrics: Metrics
    ) -> None:
        self._ctx = ctx
        self._registry = registry
        self._inbox = inbox
        self._store = store
        self._metrics = metrics
        # The payloads that no key opens, by the item's id. They wait in the store until the key is put back.
        self.unopened: dict[str, str] = {}

    async def shut(self, item: Item, error: VaultError) -> None:
        """Go on without an item of which something does not open."""
        if isinstance(error, UnopenedItemError):
            await self._leave(item, error)
        else:
            await self.set_aside(item, type(error).__name__)

    async def _leave(self, item: Item, error: UnopenedItemError) -> None:
        log.error("item %s waits in the store: %s", item.id, error, extra={"item": item.id})
        self.unopened[item.id] = item.sealed
        # The next process has to know that the others of this queue went on.
        marked = replace(item, error=UNOPENED)
        await self._store.update(Item, item.id, lambda now: marked if now == item else None)

    async def set_aside(self, item: Item, failure: str) -> None:
        """Mark an item as dead, keep it for ``zoombot check``, and tell the person who asked."""
        log.error("item %s is set aside after %s", item.id, failure, extra={"item": item.id})
        self._metrics.items.labels(item.kind, "dead").inc()
        dead = replace(item, state=ItemState.DEAD, done_at=self._ctx.now(), error=failure)
        await self._store.commit(*await self._regrets(item), closed(item, dead))

    async def _regrets(self, item: Item) -> list[Change]:
        job = Job(item.id, retried=True, asked_at=item.asked_at)
        try:
            if item.kind == TASK:
                return await self._registry.set_aside(self._ctx, job, self._inbox.read(item, Task))
            if item.kind != REQUEST:
                return []
            return self._registry.give_up(self._ctx, job, self._inbox.read_request(item))
        except (VaultError, msgspec.MsgspecError):
            log.error("item %s cannot be read: nobody can be told", item.id, extra={"item": item.id})
            return []
