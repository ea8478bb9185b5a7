"""What the operator may know of a replica's claims."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import asyncpg

from bot.clock import now_ms
from bot.domain.records import Item
from bot.stores import Put
from bot.stores.claims import Claims, ClaimTimings, Standing
from bot.stores.opening import open_store
from bot.stores.postgresql.replicas import group_of
from tests.stores.replica import replica
from tests.stores.server import new_database

# Nobody is dead for the others.
PATIENT = ClaimTimings(beat_s=0.03, dead_s=600.0, gone_s=600.0)
HASTY = ClaimTimings(beat_s=0.03, dead_s=0.5, gone_s=0.2, return_s=0.1)


async def becomes(claims: Claims, wanted: Callable[[Standing], bool]) -> Standing:
    """What it stands at once that is so."""
    async with asyncio.timeout(10):
        while not wanted(claims.standing()):
            await asyncio.sleep(0)
    return claims.standing()


async def test_an_item_of_nobody_is_told_until_it_is_claimed() -> None:
    url = new_database()
    store, other = await open_store(url), await asyncpg.connect(url)
    # One that has registered and claims nothing: half of the groups stay free for it.
    await other.execute("INSERT INTO zoombot.replicas (name) VALUES ('zoombot other 1')")
    async with replica(url, PATIENT) as claims:
        owners = "SELECT grouping FROM zoombot.claims WHERE owner IS NULL"
        async with asyncio.timeout(10):
            while len(free := {row["grouping"] for row in await other.fetch(owners)}) != 16:
                pass
        assert claims.standing().oldest_unclaimed_s == 0
        queue = next(f"q{n}" for n in range(1_000) if group_of(f"q{n}") in free)
        at = now_ms() - 90_000
        waits = Item(id="a", kind="request", queue=queue, asked_at=at, received_at=at)
        due = Item(id="b", kind="task", queue=queue, asked_at=at, received_at=at, due_at=now_ms() + 10**6)
        await store.commit(Put(due))
        await store.commit(Put(waits))
        standing = await becomes(claims, lambda now: now.oldest_unclaimed_s > 0)
        assert 90 <= standing.oldest_unclaimed_s < 150
        assert standing.processes == 2
        await other.execute("DELETE FROM zoombot.replicas WHERE name = 'zoombot other 1'")
        await becomes(claims, lambda now: now.oldest_unclaimed_s == 0 and now.processes == 1)
    await other.close()
    await store.close()


async def test_who_leads_and_what_was_taken_over_is_told() -> None:
    url = new_database()
    other = await asyncpg.connect(url)
    await (await open_store(url)).close()
    await other.execute("INSERT INTO zoombot.replicas (name) VALUES ('zoombot other 1')")
    await other.execute("UPDATE zoombot.claims SET owner = 1 WHERE grouping < 3")
    async with replica(url, HASTY) as claims:
        standing = await becomes(claims, lambda now: now.processes == 1)
        assert standing.taken_over == 3
        assert standing.leader == standing.number > 1
    await other.close()
