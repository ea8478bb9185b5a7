"""The bench's own parts. That all of it runs is seen by ``.ci/run``."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

from bench.__main__ import BEGIN, END, PAGE, table
from bench.rows import Row
from bot.domain.records import Cursor
from bot.stores import Put
from bot.stores.opening import open_store
from bot.stores.writer import Limits


def test_a_row_shows_both_and_their_ratios() -> None:
    row = Row("ask", ("p50", "p99"), (2.0, 10.0), (3.0, 25.0), "≤ 1.10 ×")
    assert table([row]).splitlines()[2:] == [
        "| ask | p50, p99 | 2.00 · 10.0 ms | 3.00 · 25.0 ms | 1.50 × · 2.50 × | ≤ 1.10 × |"
    ]


def test_the_page_has_a_place_for_the_figures() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert 0 < page.index(BEGIN) < page.index(END)


async def test_a_disk_that_takes_longer_holds_up_what_is_written_and_not_the_loop(tmp_path: Path) -> None:
    store = await open_store(f"tinydb:{tmp_path / 'store.db'}", limits=Limits(extra_s=0.05))
    turns = 0

    async def turn() -> None:
        nonlocal turns
        while True:
            await asyncio.sleep(0)
            turns += 1

    turning = asyncio.create_task(turn())
    began = time.monotonic()
    await store.commit(Put(Cursor(id="a", at=1, since=1)))
    assert time.monotonic() - began >= 0.05
    assert turns > 10
    turning.cancel()
    await store.close()
