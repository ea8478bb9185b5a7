"""Tasks that are due later: done when their time comes, once, and not before."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import msgspec
import pytest

from bot.core.context import Context, Job
from bot.core.declarations import Changes, TaskDeclaration
from bot.domain.records import Item, ItemState, Notice
from bot.runtime.timer import Timer
from bot.runtime.worker import RetryPolicy
from bot.stores import Put
from tests.conftest import MakeWorld
from tests.runtime.test_worker import Bench, bench_of


class About(msgspec.Struct):
    """What the tasks of these tests are about."""

    name: str
    times: int = 0


class Clock:
    """A time that only the test moves."""

    def __init__(self) -> None:
        self.ms = 1_000_000

    def __call__(self) -> int:
        return self.ms


def item(id: str, due_at: int) -> Item:
    return Item(id=id, kind="task", queue="queue", asked_at=1, received_at=1, due_at=due_at)


@asynccontextmanager
async def running(timer: Timer) -> AsyncIterator[None]:
    task = asyncio.create_task(timer.run())
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def test_the_earliest_comes_first_and_nothing_before_its_time() -> None:
    clock, taken = Clock(), list[str]()
    timer = Timer(lambda item: taken.append(item.id), clock)
    for id, due_at in (("late", 3_000_000), ("early", 2_000_000), ("now", 1_000_000)):
        timer.add(item(id, due_at))
    timer.fire()
    assert taken == ["now"]
    clock.ms = 2_999_999
    timer.fire()
    assert taken == ["now", "early"]
    clock.ms = 3_000_000
    timer.fire()
    assert taken == ["now", "early", "late"]
    assert timer.waiting == 0


async def test_an_item_is_held_once_and_handed_over_at_its_newest_time() -> None:
    clock, taken = Clock(), list[int]()
    timer = Timer(lambda item: taken.append(item.due_at), clock)
    for due_at in (2_000_000, 2_000_000, 3_000_000):
        timer.add(item("same", due_at))
    assert timer.waiting == 1
    clock.ms = 2_500_000
    timer.fire()
    assert taken == []
    # Brought forward, and then due.
    timer.add(item("same", 2_400_000))
    timer.fire()
    clock.ms = 9_000_000
    timer.fire()
    assert taken == [2_400_000]
    assert timer.waiting == 0


async def test_an_earlier_task_wakes_a_timer_that_sleeps() -> None:
    clock, taken = Clock(), asyncio.Queue[str]()
    timer = Timer(lambda item: taken.put_nowait(item.id), clock, longest_sleep_s=60.0)
    timer.add(item("in an hour", clock.ms + 3_600_000))
    async with running(timer):
        await asyncio.sleep(0)
        timer.add(item("at once", clock.ms))
        assert await asyncio.wait_for(taken.get(), 5) == "at once"


async def test_a_clock_that_is_moved_on_is_noticed() -> None:
    clock, taken = Clock(), asyncio.Queue[str]()
    timer = Timer(lambda item: taken.put_nowait(item.id), clock, longest_sleep_s=0.01)
    timer.add(item("in an hour", clock.ms + 3_600_000))
    async with running(timer):
        await asyncio.sleep(0)
        clock.ms += 3_600_000
        assert await asyncio.wait_for(taken.get(), 5) == "in an hour"


@pytest.fixture
async def bench(make_world: MakeWorld, tmp_path: Path) -> AsyncIterator[Bench]:
    world = await make_world()
    async with bench_of(world, tmp_path / "tasks.db") as made, running(made.worker.timer):
        yield made


def note(about: About) -> Put:
    return Put(Notice(id=f"{about.name} {about.times}", sealed_body="", waiting=False, created_at=1))


async def test_a_task_is_done_and_ticked_off(bench: Bench) -> None:
    async def do(ctx: Context, job: Job, about: About) -> Changes:
        return [note(about)]

    bench.registry.add(TaskDeclaration("do", About, do))
    await bench.store.commit(bench.ctx.task("task:1", "do", About("first"), queue="q"))
    await bench.worker.idle()
    assert await bench.store.get(Notice, "first 0")
    done = await bench.store.get(Item, "task:1")
    assert done is not None
    assert (done.state, done.sealed) == (ItemState.DONE, "")


async def test_a_task_that_is_due_later_waits_also_over_a_restart(bench: Bench) -> None:
    async def do(ctx: Context, job: Job, about: About) -> Changes:
        return [note(about)]

    bench.registry.add(TaskDeclaration("do", About, do))
    later = bench.ctx.now() + 3_600_000
    await bench.store.commit(bench.ctx.task("task:1", "do", About("first"), queue="q", due_at=later))
    await bench.worker.idle()
    assert await bench.store.all(Notice) == []
    await bench.worker.recover()
    await bench.worker.idle()
    assert await bench.store.all(Notice) == []
    assert bench.worker.timer.waiting >= 1
    # Brought forward.
    await bench.store.commit(bench.ctx.task("task:1", "do", About("first"), queue="q"))
    await bench.worker.idle()
    assert await bench.store.get(Notice, "first 0")


async def test_a_task_puts_itself_off_until_it_is_through(bench: Bench) -> None:
    async def do(ctx: Context, job: Job, about: About) -> Changes:
        if about.times == 3:
            return [note(about)]
        later = msgspec.structs.replace(about, times=about.times + 1)
        return [ctx.task(job.id, "do", later, queue="q", due_at=ctx.now() + 5)]

    bench.registry.add(TaskDeclaration("do", About, do))
    written = asyncio.Event()
    bench.store.watch(Notice, lambda notice: written.set())
    await bench.store.commit(bench.ctx.task("task:1", "do", About("again"), queue="q"))
    await asyncio.wait_for(written.wait(), 10)
    await bench.worker.idle()
    assert [each.id for each in await bench.store.all(Notice)] == ["again 3"]
    done = await bench.store.get(Item, "task:1")
    assert done is not None
    assert done.state is ItemState.DONE


async def test_a_task_that_is_written_anew_while_it_is_done_is_done_again(bench: Bench) -> None:
    begun, free = asyncio.Event(), asyncio.Event()

    async def do(ctx: Context, job: Job, about: About) -> Changes:
        begun.set()
        await free.wait()
        return [note(about)]

    bench.registry.add(TaskDeclaration("do", About, do))
    await bench.store.commit(bench.ctx.task("task:1", "do", About("one"), queue="q"))
    await begun.wait()
    await bench.store.commit(bench.ctx.task("task:1", "do", About("two"), queue="q"))
    free.set()
    await bench.worker.idle()
    assert sorted(each.id for each in await bench.store.all(Notice)) == ["one 0", "two 0"]


async def test_a_task_that_fails_for_good_is_set_aside_and_its_feature_told(bench: Bench) -> None:
    async def do(ctx: Context, job: Job, about: About) -> Changes:
        raise LookupError("a bug")

    async def regret(ctx: Context, job: Job, about: About) -> Changes:
        return [note(msgspec.structs.replace(about, name="regret"))]

    bench.registry.add(TaskDeclaration("do", About, do, regret))
    await bench.store.commit(bench.ctx.task("task:1", "do", About("bad"), queue="q"))
    await bench.worker.idle()
    dead = await bench.store.get(Item, "task:1")
    assert dead is not None
    assert (dead.state, dead.error) == (ItemState.DEAD, "LookupError")
    assert await bench.store.get(Notice, "regret 0")


async def test_a_task_of_no_feature_is_ticked_off(bench: Bench) -> None:
    await bench.store.commit(bench.ctx.task("task:1", "unknown", About("x"), queue="q"))
    await bench.worker.idle()
    done = await bench.store.get(Item, "task:1")
    assert done is not None
    assert done.state is ItemState.DONE


async def test_a_task_that_is_written_anew_while_it_fails_for_good_is_not_set_aside(bench: Bench) -> None:
    tries = 0

    async def do(ctx: Context, job: Job, about: About) -> Changes:
        nonlocal tries
        tries += 1
        if about.name == "good":
            return [note(about)]
        if tries == 4:
            await bench.store.commit(ctx.task("task:1", "do", About("good"), queue="q"))
        raise LookupError("a bug")

    bench.registry.add(TaskDeclaration("do", About, do))
    await bench.store.commit(bench.ctx.task("task:1", "do", About("bad"), queue="q"))
    await bench.worker.idle()
    assert await bench.store.get(Notice, "good 0")
    done = await bench.store.get(Item, "task:1")
    assert done is not None
    assert done.state is ItemState.DONE


@pytest.mark.parametrize("announces", [True, False])
async def test_webhooks_wait_for_a_task_that_may_have_made_a_meeting_before_a_restart(
    make_world: MakeWorld, tmp_path: Path, announces: bool
) -> None:
    world, free = await make_world(), asyncio.Event()

    async def do(ctx: Context, job: Job, about: About) -> Changes:
        await free.wait()
        return []

    path = tmp_path / "tasks.db"
    async with bench_of(world, path, retry_policy=RetryPolicy()) as first:
        first.registry.add(TaskDeclaration("do", About, do, announces=announces))
        await first.store.commit(first.ctx.task("task:1", "do", About("x"), queue="q"))
    assert not world.bot.ctx.creations
    async with bench_of(world, path, retry_policy=RetryPolicy()) as again:
        again.registry.add(TaskDeclaration("do", About, do, announces=announces))
        assert await again.worker.recover() == 1
        assert bool(world.bot.ctx.creations) is announces
        free.set()
        await again.worker.idle()
        assert not world.bot.ctx.creations
