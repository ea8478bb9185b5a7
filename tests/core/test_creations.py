"""Whoever waits for what is at Zoom waits for just that, and costs no more for it."""

from __future__ import annotations

import asyncio

from bot.core.creations import PendingCreations


async def test_a_wait_ends_with_the_flights_that_were_under_way() -> None:
    creations = PendingCreations()
    for name in "ab":
        creations.begin(name)
    waiting = asyncio.ensure_future(creations.settled(60))
    await asyncio.sleep(0)
    creations.begin("later")
    creations.end("b")
    await asyncio.sleep(0)
    assert not waiting.done()
    creations.end("a")
    await waiting
    assert creations


async def test_nothing_under_way_is_nothing_to_wait_for() -> None:
    creations = PendingCreations()
    await creations.settled(60)
    creations.begin("a")
    creations.end("a")
    creations.end("a")
    assert not creations
    await creations.settled(60)


async def test_a_wait_is_bounded() -> None:
    creations = PendingCreations()
    creations.begin("a")
    await creations.settled(0)
    creations.end("a")
    assert not creations


async def test_many_who_wait_for_many_make_no_more_tasks() -> None:
    creations = PendingCreations()
    for number in range(500):
        creations.begin(str(number))
    waiting = [asyncio.ensure_future(creations.settled(60)) for _ in range(100)]
    await asyncio.sleep(0)
    assert len(asyncio.all_tasks()) == 101
    for number in range(500):
        creations.end(str(number))
    await asyncio.wait(waiting)
