"""The sandbox's Zoom: its clock, and what is due at some time of it."""

from __future__ import annotations

import asyncio

from bot.sandbox.zoom.clock import Clock


async def test_what_is_due_happens_in_order_and_finds_its_own_time() -> None:
    clock, seen = Clock(), list[tuple[str, int]]()
    began = clock.now_ms()

    def act(name: str) -> None:
        seen.append((name, round((clock.now_ms() - began) / 1000)))

    clock.at(began + 60_000, lambda: act("minute"))
    clock.at(began + 30_000, lambda: clock.at(began + 45_000, lambda: act("set on the way")))
    clock.at(began + 3_600_000, lambda: act("hour"))
    clock.advance(-30)
    assert seen == []
    clock.advance(120)
    assert seen == [("set on the way", 45), ("minute", 60)]
    assert round((clock.now_ms() - began) / 1000) == 90
    clock.stop()
    clock.advance(3600)
    assert len(seen) == 2


async def test_what_is_due_happens_without_anybody_moving_the_clock() -> None:
    clock = Clock()
    async with asyncio.timeout(10):
        await clock.until(clock.now_ms() + 20)


async def test_who_waits_for_a_time_goes_on_when_it_is_passed() -> None:
    clock = Clock()
    waiting = asyncio.create_task(clock.until(clock.now_ms() + 3_600_000))
    await asyncio.sleep(0)
    assert not waiting.done()
    clock.advance(3600)
    async with asyncio.timeout(10):
        await waiting
