"""Jobs in their queues, and requests under way."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator

import pytest

from bot.core.creations import PendingCreations
from bot.runtime.queues import Job, Queues


class Log:
    """Jobs that note what they do, and wait where they are told to."""

    def __init__(self) -> None:
        self.said: list[str] = []
        self.reached: dict[str, asyncio.Event] = {}
        self.gates: dict[str, asyncio.Event] = {}

    def job(self, name: str, *, gated: bool = False) -> Job:
        reached = self.reached[name] = asyncio.Event()
        gate = self.gates[name] = asyncio.Event()
        if not gated:
            gate.set()

        async def run() -> None:
            reached.set()
            await gate.wait()
            self.said.append(name)

        return run


@pytest.fixture
async def queues() -> AsyncIterator[Queues]:
    queues = Queues("test", max_waiting=100)
    yield queues
    await queues.close(0)


@pytest.fixture
def log() -> Log:
    return Log()


async def fail() -> None:
    raise ValueError("a fault of ours")


async def cancelled_within() -> None:
    waiting: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    waiting.cancel()
    await waiting


async def test_a_lane_runs_its_jobs_one_at_a_time_and_in_order(queues: Queues, log: Log) -> None:
    first = log.job("1", gated=True)
    assert all(queues.offer("a", job) for job in (first, log.job("2"), log.job("3")))
    await log.reached["1"].wait()
    assert queues.waiting == 3
    assert not log.reached["2"].is_set()
    log.gates["1"].set()
    await queues.idle()
    assert log.said == ["1", "2", "3"]
    assert queues.waiting == 0


async def test_a_stuck_lane_holds_up_no_other(queues: Queues, log: Log) -> None:
    queues.offer("stuck", log.job("never", gated=True))
    queues.offer("free", log.job("1"))
    queues.offer("free", log.job("2", gated=True))
    await log.reached["2"].wait()
    assert log.said == ["1"]


@pytest.mark.parametrize("broken", [fail, cancelled_within])
async def test_a_job_that_fails_ends_nothing_else(
    queues: Queues, log: Log, broken: Job, caplog: pytest.LogCaptureFixture
) -> None:
    queues.offer("a", broken)
    queues.offer("a", log.job("next"))
    await queues.idle()
    assert log.said == ["next"]
    assert queues.waiting == 0
    assert [record.levelno for record in caplog.records] == [logging.ERROR]


async def test_an_empty_lane_can_be_used_again(queues: Queues, log: Log) -> None:
    for name in ("1", "2"):
        queues.offer("a", log.job(name))
        await queues.idle()
    assert log.said == ["1", "2"]


async def test_a_job_can_offer_another_to_its_own_lane(queues: Queues, log: Log) -> None:
    async def first() -> None:
        assert queues.offer("a", log.job("2"))
        log.said.append("1")

    queues.offer("a", first)
    await queues.idle()
    assert log.said == ["1", "2"]


async def test_one_job_too_many_is_refused_until_there_is_room(log: Log) -> None:
    queues = Queues("test", max_waiting=2)
    assert queues.offer("a", log.job("1", gated=True))
    assert queues.offer("b", log.job("2"))
    assert not queues.offer("b", log.job("3"))
    assert not queues.offer("c", log.job("4"))
    log.gates["1"].set()
    await queues.idle()
    assert queues.offer("c", log.job("5"))
    await queues.idle()
    assert sorted(log.said) == ["1", "2", "5"]
    await queues.close(0)


async def test_whoever_was_refused_is_asked_again_once_half_the_room_is_free(log: Log) -> None:
    asked: list[int] = []

    async def on_room() -> None:
        asked.append(small.waiting)
        if len(asked) == 1:
            raise RuntimeError("asked once more")

    small = Queues("test", max_waiting=4, on_room=on_room)
    for number in range(5):
        assert small.offer("queue", log.job(str(number))) is (number < 4)
    await small.idle()
    assert asked == [2, 1]
    await small.close(1.0)


async def test_without_jobs_it_is_idle(queues: Queues) -> None:
    async with asyncio.timeout(1):
        await queues.idle()


async def test_a_close_lets_running_jobs_end_and_begins_no_other(queues: Queues, log: Log) -> None:
    queues.offer("a", log.job("running", gated=True))
    queues.offer("a", log.job("waiting"))
    await log.reached["running"].wait()
    closing = asyncio.create_task(queues.close(10))
    # One turn of the loop: the close has begun.
    await asyncio.sleep(0)
    assert not queues.offer("a", log.job("late"))
    log.gates["running"].set()
    await closing
    assert log.said == ["running"]
    assert queues.waiting == 0


async def test_a_close_cancels_what_does_not_end_in_time(queues: Queues, log: Log) -> None:
    queues.offer("a", log.job("stuck", gated=True))
    queues.offer("a", log.job("waiting"))
    await log.reached["stuck"].wait()
    await queues.close(0)
    assert log.said == []
    assert queues.waiting == 0
    await queues.idle()


async def test_a_close_before_the_first_turn_leaves_nothing_waiting(queues: Queues, log: Log) -> None:
    queues.offer("a", log.job("never"))
    await queues.close(0)
    assert (log.said, queues.waiting) == ([], 0)
    await queues.idle()


# Requests under way.


async def test_flights_settle_when_all_have_landed() -> None:
    creations = PendingCreations()
    assert not creations
    creations.begin("1")
    creations.begin("2")
    assert creations
    settled = asyncio.create_task(creations.settled(100))
    await asyncio.sleep(0)
    creations.end("1")
    await asyncio.sleep(0)
    assert not settled.done()
    creations.end("2")
    await asyncio.wait_for(settled, 5)
    assert not creations


async def test_flights_are_not_waited_for_longer_than_said() -> None:
    creations = PendingCreations()
    creations.begin("1")
    await creations.settled(0)
    assert creations


async def test_a_later_flight_is_not_waited_for() -> None:
    creations = PendingCreations()
    creations.begin("1")
    settled = asyncio.create_task(creations.settled(100))
    await asyncio.sleep(0)
    creations.begin("2")
    creations.end("1")
    await asyncio.wait_for(settled, 5)
    assert creations


async def test_where_nothing_is_under_way_nothing_is_waited_for() -> None:
    creations = PendingCreations()
    creations.end("unknown")
    await creations.settled(100)


async def test_a_flight_that_begins_twice_lands_for_those_who_wait() -> None:
    creations = PendingCreations()
    creations.begin("1")
    settled = asyncio.create_task(creations.settled(100))
    await asyncio.sleep(0)
    creations.begin("1")
    creations.end("1")
    await asyncio.wait_for(settled, 5)
    assert not creations


async def test_whoever_stops_waiting_leaves_the_flights_alone() -> None:
    creations = PendingCreations()
    creations.begin("1")
    settled = asyncio.create_task(creations.settled(100))
    await asyncio.sleep(0)
    settled.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asyncio.wait_for(settled, 5)
    assert creations


async def test_what_is_broken_off_is_cancelled_or_called_and_new_jobs_are_taken() -> None:
    queues, said, never = Queues("test"), list[str](), asyncio.Event()
    began = asyncio.Event()

    async def stuck() -> None:
        began.set()
        try:
            await never.wait()
        finally:
            said.append("cancelled")

    async def waiting() -> None:
        said.append("called")

    queues.offer("one", stuck)
    queues.offer("one", waiting)
    await began.wait()
    await queues.break_off()
    assert said == ["cancelled", "called"]
    assert queues.waiting == 0
    queues.offer("one", waiting)
    await queues.idle()
    assert said == ["cancelled", "called", "called"]


async def test_only_the_queues_that_leave_are_waited_for() -> None:
    queues, free, never = Queues("test"), asyncio.Event(), asyncio.Event()

    async def until(event: asyncio.Event) -> None:
        await event.wait()

    queues.offer("leaving", lambda: until(free), "channel")
    queues.offer("staying", lambda: until(never))
    drained = asyncio.ensure_future(queues.drained(lambda queue: queue == "channel"))
    await asyncio.sleep(0)
    assert not drained.done()
    free.set()
    await drained
    assert queues.waiting == 1
    await queues.close(0)
