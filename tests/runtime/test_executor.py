"""The executor whose threads nobody waits for."""

from __future__ import annotations

import asyncio
import threading

import pytest

from bot.runtime.executor import DaemonExecutor


async def test_calls_return_or_raise_as_ever() -> None:
    loop = asyncio.get_running_loop()
    executor = DaemonExecutor()
    assert await loop.run_in_executor(executor, divmod, 7, 2) == (3, 1)
    with pytest.raises(ZeroDivisionError):
        await loop.run_in_executor(executor, divmod, 7, 0)


async def test_what_does_not_fit_waits_for_its_turn() -> None:
    loop, gate = asyncio.get_running_loop(), threading.Event()
    executor = DaemonExecutor(limit=2)
    blocked = [loop.run_in_executor(executor, gate.wait, 10) for _ in range(2)]
    rest = [loop.run_in_executor(executor, abs, -number) for number in range(20)]
    await asyncio.sleep(0)
    assert not any(each.done() for each in rest)
    gate.set()
    assert await asyncio.gather(*rest) == list(range(20))
    assert await asyncio.gather(*blocked) == [True, True]


async def test_closing_waits_for_nobody_and_drops_what_waits() -> None:
    loop, gate, begun = asyncio.get_running_loop(), threading.Event(), threading.Event()
    executor = DaemonExecutor(limit=1)

    def hang() -> None:
        begun.set()
        gate.wait(10)

    hanging = executor.submit(hang)
    assert begun.wait(10)
    waiting = executor.submit(abs, -1)
    executor.shutdown()
    assert waiting.cancelled()
    assert not hanging.done()
    with pytest.raises(RuntimeError):
        await loop.run_in_executor(executor, abs, -1)
    gate.set()
