"""What several replicas on PostgreSQL cost and bring: ``python -m bench.replicas [--records N]``.

From a mention to its link with TinyDB, and with PostgreSQL and one, two and four replicas: how soon, one
mention after the other, and how many a second when many ask in many channels. Then the same with a store that
is full, and how soon a replica is ready on it. The bots are processes of their own; the sandbox and the
database run beside them. What counts are the ratios; the figures belong to the machine and its cores.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from random import Random

import aiohttp
import asyncpg
import msgspec

from bench.store import records
from bot.domain.records import Record
from bot.sandbox.stage import Stage
from bot.stores.indexes import Index, indexed
from bot.stores.postgresql.rows import entries_of, key_of
from bot.vault import Vault
from tests.chaos.crowd import Crowd
from tests.chaos.process import COMMAND_TOKEN, URL_SECRET, Bot
from tests.chaos.replicas import Bots

RECORDS = 1_000_000
ASKS = 100
AT_ONCE = 400
CHANNELS = 40
_BATCH = 20_000


@dataclass(frozen=True)
class Figures:
    """``p50_ms`` and ``p99_ms`` of mentions one after the other, and how many a second of many at once."""

    p50_ms: float
    p99_ms: float
    a_second: float


@asynccontextmanager
async def standing(bots: Bot | Bots, stage: Stage, *, link: bool = True) -> AsyncIterator[Crowd]:
    """A stage with a bot or replicas that run, and with linked people."""
    await bots.open()
    async with stage.opened(bots.public_url, URL_SECRET, COMMAND_TOKEN):
        bots.configure(stage)
        stage.zoom.daily_creates = 1_000_000
        crowd = Crowd(stage, Random(1), pause_s=1.0)  # noqa: S311
        crowd.settle_in()
        try:
            await bots.start()
            for each in bots.bots if isinstance(bots, Bots) else [bots]:
                await ready(each)
            if link:
                watching = asyncio.create_task(crowd.watch_for_ever())
                await crowd.link()
                watching.cancel()
            yield crowd
        finally:
            await bots.close()


async def ready(bot: Bot) -> float:
    """How soon (s) a process that was started is ready."""
    async with aiohttp.ClientSession() as http, asyncio.timeout(120):
        while True:
            try:
                async with http.get(f"http://127.0.0.1:{bot.admin_port}/readyz") as response:
                    if response.status == 200:
                        return time.monotonic() - bot.started_at
            except aiohttp.ClientError:
                pass
            await asyncio.sleep(0.02)


async def measure(stage: Stage) -> Figures:
    """Ask, and see when the posts are there."""
    mattermost = stage.mattermost
    channels = [
        mattermost.add_channel(f"room-{number}", members=("alice", "zoom")) for number in range(CHANNELS)
    ]
    took = []
    for number in range(ASKS + 10):
        began, before = time.perf_counter(), len(mattermost.world.history.posts)
        await mattermost.post("alice", channels[number % CHANNELS], f"@zoom topic {number}")
        await _posts(stage, before + 2)
        took.append((time.perf_counter() - began) * 1000)
    # The first ones find connections closed and caches empty.
    took = sorted(took[10:])
    began, before = time.perf_counter(), len(mattermost.world.history.posts)
    for number in range(AT_ONCE):
        await mattermost.post("alice", channels[number % CHANNELS], f"@zoom many {number}")
    await _posts(stage, before + 2 * AT_ONCE)
    return Figures(
        statistics.median(took),
        took[int(len(took) * 0.99)],
        AT_ONCE / (time.perf_counter() - began),
    )


async def _posts(stage: Stage, count: int) -> None:
    """Wait until there are so many posts."""
    posts = stage.mattermost.world.history.posts
    await stage.mattermost.wait_for(lambda: len(posts) >= count, 120)


async def with_tinydb() -> Figures:
    """One process with TinyDB."""
    with tempfile.TemporaryDirectory(prefix="zoombot-bench-") as folder:
        stage = Stage()
        async with standing(Bot(Path(folder)), stage):
            return await measure(stage)


async def with_replicas(count: int, size: int = 0) -> tuple[Figures, float]:
    """So many replicas on a store with the records of ``size`` people. Also how soon one is ready."""
    with tempfile.TemporaryDirectory(prefix="zoombot-bench-") as folder:
        bots = Bots(Path(folder), count, Random(1))  # noqa: S311
        try:
            if size:
                await fill(bots, size)
            stage = Stage()
            async with standing(bots, stage):
                figures = await measure(stage)
                await bots.bots[0].stop()
                await bots.bots[0].start()
                return figures, await ready(bots.bots[0])
        finally:
            bots.server.remove()


async def fill(bots: Bots, size: int) -> None:
    """Put the records of so many people into the database."""
    first = Stage()
    # The tables are made by the first start.
    async with standing(bots, first, link=False):
        pass
    connection = await asyncpg.connect(bots.store)
    indexes: dict[type[Record], Index] = {}
    rows: Iterator[Record] = records(size, Vault([bots.key]))
    while some := list(islice(rows, _BATCH)):
        documents, entries = [], []
        for record in some:
            index = indexes.setdefault(type(record), Index(indexed(type(record)).values()))
            body, key = msgspec.json.encode(record), key_of(record.id)
            found = entries_of(index, body)
            documents.append((record.table, key, body, found))
            entries += [(record.table, entry, key) for entry in found]
        await connection.copy_records_to_table("documents", schema_name="zoombot", records=documents)
        await connection.copy_records_to_table("entries", schema_name="zoombot", records=entries)
    await connection.execute("ANALYZE")
    await connection.close()


def say(name: str, figures: Figures, base: Figures, more: str = "") -> None:
    """Print a row, and its ratio to another."""
    print(  # noqa: T201
        f"{name:<34}{figures.p50_ms:>8.1f} ms{figures.p99_ms:>8.1f} ms{figures.a_second:>8.0f}/s"
        f"{figures.p50_ms / base.p50_ms:>8.2f} ×{figures.a_second / base.a_second:>7.2f} ×  {more}",
        flush=True,
    )


async def main(size: int) -> None:
    """Measure all, and print each row when it is there."""
    print(f"{os.cpu_count()} cores; p50, p99, mentions a second; ratio of p50 and of these", flush=True)  # noqa: T201
    tiny = await with_tinydb()
    say("TinyDB", tiny, tiny)
    one, soon = await with_replicas(1)
    say("PostgreSQL, 1 replica", one, tiny, f"ready in {soon:.2f} s")
    for count in (2, 4):
        figures, _ = await with_replicas(count)
        say(f"PostgreSQL, {count} replicas (to 1)", figures, one)
    if size:
        full, soon = await with_replicas(1, size)
        say(f"1 replica, {size:,} people (to none)", full, one, f"ready in {soon:.2f} s")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m bench.replicas", description=__doc__)
    parser.add_argument(
        "--records", type=int, default=RECORDS, help="people in the full store; 0 leaves it out"
    )
    sys.exit(asyncio.run(main(parser.parse_args().records)))
