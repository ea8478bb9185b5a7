"""The sandbox's Zoom: its clock and scheduled calls."""

from __future__ import annotations

import asyncio

from bot.sandbox.zoom.clock import Clock


async def test_scheduled_calls_run_in_order_and_see_their_own_time() -> None:
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


async def test_scheduled_calls_run_without_advancing_the_clock() -> None:
    clock = Clock()
    async with asyncio.timeout(10):
        await clock.until(clock.now_ms() + 20)


async def test_until_returns_when_the_clock_passes_the_time() -> None:
    clock = Clock()
    waiting = asyncio.create_task(clock.until(clock.now_ms() + 3_600_000))
    await asyncio.sleep(0)
    assert not waiting.done()
    clock.advance(3600)
    async with asyncio.timeout(10):
        await waiting
