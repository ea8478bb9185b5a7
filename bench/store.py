"""Compares the store with TinyDB's own JSON storage, in one run: ``python -m bench.store [sizes…]``.

The ratios hold on other machines; the milliseconds do not.
"""

from __future__ import annotations

import asyncio
import statistics
import sys
import tempfile
import time
import tracemalloc
from collections.abc import Iterable
from pathlib import Path

from msgspec.structs import replace
from tinydb import TinyDB
from tinydb.table import Document

from bot.domain.records import Item, ItemState
from bot.stores import Delete, Put, Store
from bot.stores.opening import open_store

_SIZES = (100, 1_000, 10_000)
# Fewer, because each is slow.
_STOCK_WRITES = 30
_WRITES = 500
_TOGETHER = 2_000


def _item(number: int) -> Item:
    return Item(
        id=f"post:{number:026}",
        kind="post",
        queue=f"channel:{number % 50:026}",
        sealed="x" * 250,
        asked_at=number,
        received_at=number,
        state=ItemState.WAITING if number % 1000 == 0 else ItemState.DONE,
    )


def _median_ms(seconds: Iterable[float]) -> float:
    return statistics.median(seconds) * 1000


def _stock(directory: Path, size: int) -> float:
    """Median ms for one upsert with the stock storage."""
    with TinyDB(directory / "stock.json") as database:
        text = {"queue": "channel", "sealed": "x" * 250, "state": "done", "kind": "post"}
        database.insert_multiple(Document(text, number) for number in range(size))
        took = []
        for number in range(_STOCK_WRITES):
            start = time.perf_counter()
            database.upsert(Document({**text, "asked_at": number}, number))
            took.append(time.perf_counter() - start)
    return _median_ms(took)


async def _each(store: Store, size: int) -> list[float]:
    took = []
    for number in range(_WRITES):
        # With new content, because an unchanged record would not be written.
        item = replace(_item(number % size), error=str(number))
        start = time.perf_counter()
        await store.commit(Put(item))
        took.append(time.perf_counter() - start)
    return took


async def _ours(directory: Path, size: int) -> dict[str, float]:
    url = f"tinydb:{directory}/ours.db"
    store = await open_store(url)
    await store.commit(*(Put(_item(number)) for number in range(size)))
    await store.close()

    tracemalloc.start()
    store = await open_store(url)
    await store.find(Item, "state", ItemState.WAITING)
    memory = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()

    took = await _each(store, size)
    figures = {"memory": memory / size, "write": _median_ms(took), "worst": max(took) * 1000}
    start = time.perf_counter()
    await asyncio.gather(*(store.commit(Put(_item(size + number))) for number in range(_TOGETHER)))
    figures["together"] = (time.perf_counter() - start) / _TOGETHER * 1000
    start = time.perf_counter()
    await store.commit(*(Delete(Item, _item(size + number).id) for number in range(_TOGETHER)))
    figures["delete"] = (time.perf_counter() - start) / _TOGETHER * 1000
    await store.close()

    start = time.perf_counter()
    store = await open_store(url)
    figures["open"] = (time.perf_counter() - start) * 1000
    await store.close()
    return figures


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")


def main(sizes: Iterable[int]) -> None:
    """Measure each size and print one row for it."""
    _say("documents  stock ms  ours ms  worst ms    ratio  together ms  delete ms  open ms  bytes each")
    for size in sizes:
        with tempfile.TemporaryDirectory() as name:
            stock = _stock(Path(name), size)
            ours = asyncio.run(_ours(Path(name), size))
        _say(
            f"{size:9}  {stock:8.2f}  {ours['write']:7.2f}  {ours['worst']:8.2f}"
            f"  {stock / ours['write']:6.1f}x  {ours['together']:11.3f}"
            f"  {ours['delete']:9.4f}  {ours['open']:7.1f}  {ours['memory']:10.0f}"
        )


if __name__ == "__main__":
    main([int(size) for size in sys.argv[1:]] or _SIZES)
