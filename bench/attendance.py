"""What an event costs when many people are in a meeting: ``python -m bench.attendance``.

The time (µs) from a participant's webhook, when its handler begins, to its change in the store's memory, in
meetings that so many people are in. What counts is how the rows differ; the figures belong to the machine.
"""

from __future__ import annotations

import asyncio
import statistics
import sys
import tempfile
import time
from pathlib import Path
from types import SimpleNamespace
from typing import cast

from bot.core.context import Context
from bot.domain.meetings import Joined
from bot.domain.records import Meeting
from bot.features import lifecycle
from bot.stores import Put
from bot.stores.opening import open_store

SIZES = (5, 40, 60, 1_000, 5_000)
EVENTS = 300


async def measure(size: int) -> float:
    """The median time of an event (µs)."""
    with tempfile.TemporaryDirectory() as folder:
        store = await open_store(f"tinydb:{Path(folder) / 'bench.db'}")
        url = "https://zoom.us/j/1"
        meeting = Meeting(id="m", uuid="u==", zoom_id=1, topic="t", join_url=url, created_at=1)
        await store.commit(Put(meeting))
        ctx = cast(Context, SimpleNamespace(store=store))

        async def come(session: str) -> float:
            began = time.perf_counter()
            changes = await lifecycle.change(ctx, "m", Joined(session, session, 1_700_000_000_000))
            committed = asyncio.ensure_future(store.commit(*changes))
            # Until it waits for the disk.
            await asyncio.sleep(0)
            took = time.perf_counter() - began
            await committed
            return took

        for number in range(size):
            await come(f"person{number}@people.example")
        full = await store.get(Meeting, "m")
        assert full is not None
        took = []
        for number in range(EVENTS):
            took.append(await come(f"late{number}@people.example"))
            # So that it stays as large as it is.
            await store.commit(Put(full))
        await store.close()
    return statistics.median(took) * 1e6


async def main() -> None:
    """Print a row for each size."""
    for size in SIZES:
        sys.stdout.write(f"{size:>6} people  {await measure(size):>8.0f} µs an event\n")


if __name__ == "__main__":
    asyncio.run(main())
