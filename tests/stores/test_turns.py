"""Changes that look something up first: their order, and what goes wrong with one."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from bot.errors import StoreError
from bot.stores import turns
from bot.stores.sqlite import Key
from bot.stores.turns import Turns


class Desk:
    """Notes what is looked up and done. A look-up waits until it is let go."""

    def __init__(self) -> None:
        self.looked_up: list[list[Key]] = []
        self.done: list[str] = []
        self.free = asyncio.Event()
        self.error: Exception | None = None
        self.turns = Turns(self.load, lambda: self.done.append("unloaded"))

    async def load(self, keys: list[Key]) -> None:
        self.looked_up.append(keys)
        await self.free.wait()
        if self.error:
            raise self.error

    def work(self, name: str) -> Callable[[], str]:
        def work() -> str:
            self.done.append(name)
            if name == "bad":
                raise ZeroDivisionError
            return name

        return work

    def take(self, name: str) -> asyncio.Task[str]:
        return asyncio.create_task(self.turns.take([("table", name)], self.work(name)))


@pytest.fixture
def desk() -> Desk:
    return Desk()


async def test_those_that_wait_are_looked_up_together_and_done_in_order(desk: Desk) -> None:
    first = desk.take("1")
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    later = [desk.take("2"), desk.take("3")]
    await asyncio.sleep(0)
    assert desk.turns.busy
    desk.free.set()
    assert await asyncio.gather(first, *later) == ["1", "2", "3"]
    assert desk.looked_up == [[("table", "1")], [("table", "2"), ("table", "3")]]
    assert desk.done == ["1", "unloaded", "2", "3", "unloaded"]
    await desk.turns.finish()
    assert not desk.turns.busy


async def test_one_that_fails_and_one_whose_caller_goes_away_do_not_disturb_the_others(desk: Desk) -> None:
    tasks = [desk.take(name) for name in ("bad", "left", "2")]
    await asyncio.sleep(0)
    tasks[1].cancel()
    desk.free.set()
    results = await asyncio.gather(*tasks, return_exceptions=True)
    assert [type(each) for each in results] == [ZeroDivisionError, asyncio.CancelledError, str]
    assert desk.done == ["bad", "left", "2", "unloaded"]


async def test_what_cannot_be_looked_up_is_said_to_each(desk: Desk) -> None:
    desk.error = StoreError("the disk")
    tasks = [desk.take("1"), desk.take("2")]
    await asyncio.sleep(0)
    desk.free.set()
    results = await asyncio.gather(*tasks, return_exceptions=True)
    assert [str(each) for each in results] == ["the disk", "the disk"]
    # What was looked up before it failed is let go, too.
    assert desk.done == ["unloaded"]
    desk.error = None
    assert await desk.take("3") == "3"


async def test_whoever_waits_for_those_before_waits_for_no_later_one(desk: Desk) -> None:
    first = desk.take("1")
    await asyncio.sleep(0)
    passed = asyncio.create_task(desk.turns.passed())
    desk.free.set()
    await passed
    assert desk.done[0] == "1"
    await first
    await desk.turns.passed()


async def test_those_that_are_too_many_are_refused(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turns, "WAITING", 2)
    tasks = [desk.take("1"), desk.take("2")]
    await asyncio.sleep(0)
    for task in tasks:
        # One whose caller is gone waits, too.
        task.cancel()
    with pytest.raises(StoreError, match="2 changes wait"):
        await desk.take("3")
    desk.free.set()
    await desk.turns.finish()
    assert await desk.take("4") == "4"
    assert desk.done == ["1", "2", "unloaded", "4", "unloaded"]
