"""A process that writes until it is killed: says the number of each commit once it is durable."""

from __future__ import annotations

import asyncio
import itertools
import sys

from bot.stores import Delete, Put
from bot.stores.opening import open_store
from tests.stores.kinds import Other, Thing

_PARALLEL = 8


async def main(url: str) -> None:
    """Each commit puts a pair of records, and removes the pair of 50 commits ago."""
    store = await open_store(url)
    numbers = itertools.count()

    async def write() -> None:
        for number in numbers:
            old = f"{number - 50}"
            await store.commit(
                Put(Thing(id=f"{number}", number=number, note="x" * 300)),
                Put(Other(id=f"{number}", at=number)),
                Delete(Thing, old),
                Delete(Other, old),
            )
            print(number, flush=True)  # noqa: T201 what the parent reads

    await asyncio.gather(*(write() for _ in range(_PARALLEL)))


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
