"""Passes what this process has claimed to the parts that do it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable

from bot.core.creations import PendingCreations
from bot.domain.records import Item, Meeting
from bot.runtime.publisher import Publisher
from bot.runtime.worker import Worker
from bot.stores.claims import Claims, IsMine, Work, queue_of

log = logging.getLogger(__name__)


class Claiming:
    """The :class:`bot.stores.claims.Holder` of the worker and the publisher."""

    def __init__(
        self, claims: Claims, worker: Worker, publisher: Publisher, creations: PendingCreations
    ) -> None:
        self.claims = claims
        self._worker = worker
        self._publisher = publisher
        self._creations = creations
        creations.on_change = lambda item, begun: claims.tell_creation(item, begun=begun)

    async def run(self) -> None:
        """Claim work and pass it on, until cancelled."""
        await self.claims.run(self)

    async def take_up(self, is_mine: IsMine, own: Callable[[], None], *, begun: bool) -> None:
        """See :class:`bot.stores.claims.Holder`, as for all that follows."""
        items = [item for item in await self._worker.left() if is_mine(item.queue)]
        records = [record for record in await self._publisher.left() if is_mine(queue_of(record))]
        own()
        self._worker.take_up(items, begun=begun)
        self._publisher.take_up(records, begun=begun)
        if (items or records) and begun:
            log.info("took up %d things that others had left", len(items) + len(records))

    async def let_go(self, is_leaving: IsMine) -> None:
        """Finish what runs."""
        await asyncio.gather(self._worker.let_go(is_leaving), self._publisher.let_go(is_leaving))

    async def abandon(self) -> None:
        """Break everything off."""
        await asyncio.gather(self._worker.abandon(), self._publisher.abandon())

    def hear(self, work: Iterable[Work]) -> None:
        """Take what another process wrote."""
        for record in work:
            if isinstance(record, Item):
                self._worker.take(record)
            elif isinstance(record, Meeting):
                self._publisher.note_meeting(record)
            else:
                self._publisher.take(record)

    def note_creation(self, id: str, *, begun: bool) -> None:
        """Let webhooks wait for a meeting that another process creates."""
        self._creations.hear(id, begun=begun)
