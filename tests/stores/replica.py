"""A replica that claims everything and does nothing with it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager

from bot.stores.claims import DEFAULT_CLAIM_TIMINGS, Claims, ClaimTimings, IsMine, Work
from bot.stores.opening import open_claims, open_store


class Idle:
    """A :class:`bot.stores.claims.Holder` that does nothing."""

    async def take_up(self, is_mine: IsMine, own: Callable[[], None], *, begun: bool) -> None:
        own()

    async def let_go(self, is_leaving: IsMine) -> None:
        pass

    async def abandon(self) -> None:
        pass

    def hear(self, work: Iterable[Work]) -> None:
        pass

    def note_creation(self, id: str, *, begun: bool) -> None:
        pass


@asynccontextmanager
async def replica(url: str, timings: ClaimTimings = DEFAULT_CLAIM_TIMINGS) -> AsyncIterator[Claims]:
    """The claims of a replica that leads."""
    store = await open_store(url)
    claims = open_claims(store, timings)
    running = asyncio.create_task(claims.run(Idle()))
    try:
        await claims.leads_is(True)
        yield claims
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        await claims.close()
        await store.close()
