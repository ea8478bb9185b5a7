"""The inbox's other end: in order within a conversation, side by side otherwise, and nothing is dropped."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

import msgspec
import pytest

from bot.core.context import Context, Job
from bot.core.declarations import Changes, Command
from bot.core.inbox import REQUEST, TASK, Inbox
from bot.core.registry import Registry
from bot.domain.grammar import Request
from bot.domain.records import Item, ItemState, Notice
from bot.errors import MattermostUnreachableError
from bot.runtime.admission import Admission
from bot.runtime.metrics import Metrics
from bot.runtime.queues import Queues
from bot.runtime.worker import RetryPolicy, Worker
from bot.setup.store import check_store
from bot.stores import Put
from bot.stores.notifying import NotifyingStore
from bot.stores.opening import open_store
from tests.conftest import MakeWorld, World

IMPATIENT = RetryPolicy(handler_s=0.2, pauses_s=(0.0, 0.0, 0.0), away_s=0.0)


@dataclass
class Bench:
    """A worker with handlers of our own, on a store of its own."""

    ctx: Context
    store: NotifyingStore
    worker: Worker
    registry: Registry
    metrics: Metrics
    seen: list[str] = field(default_factory=list)

    def on(self, command: str) -> Callable[[Callable[[Request], object]], None]:
        """Handle a command by an async function of the request."""

        def register(handler: Callable[[Request], object]) -> None:
            async def handle(ctx: Context, job: Job, request: Request) -> Changes:
                outcome = handler(request)
                if asyncio.iscoroutine(outcome):
                    await outcome
                self.seen.append(request.argument)
                return []

            self.registry.add(Command(command, handle, takes=None))

        return register

    def item(self, id: str, queue: str, command: str = "note", sender: str = "") -> Item:
        request = Request(
            command=command, argument=id, trigger=id, user_id="user", user_name="alice", channel_id=queue
        )
        return self.ctx.inbox.item(f"post:{id}", REQUEST, queue, request, sender=sender)

    async def add(self, id: str, queue: str, command: str = "note", sender: str = "") -> None:
        await self.ctx.inbox.add(self.item(id, queue, command, sender))

    async def state(self, id: str) -> ItemState | None:
        item = await self.store.get(Item, f"post:{id}")
        return item.state if item else None


@asynccontextmanager
async def bench_of(
    world: World,
    path: Path,
    *,
    max_waiting: int = 1000,
    retry_policy: RetryPolicy = IMPATIENT,
    admission: Admission | None = None,
) -> AsyncIterator[Bench]:
    store = NotifyingStore(await open_store(f"tinydb:{path}"))
    ctx = world.bot.ctx
    ctx = replace(ctx, store=store, inbox=Inbox(store, ctx.vault, ctx.now))
    metrics, registry = Metrics(), Registry()
    worker = Worker(
        ctx,
        registry,
        ctx.inbox,
        store,
        metrics,
        retry_policy,
        max_waiting=max_waiting,
        admission=admission,
    )
    bench = Bench(ctx, store, worker, registry, metrics)
    bench.on("note")(lambda request: None)
    try:
        yield bench
    finally:
        await worker.close(0.05)
        await store.close()


@pytest.fixture
async def bench(make_world: MakeWorld, tmp_path: Path) -> AsyncIterator[Bench]:
    world = await make_world()
    async with bench_of(world, tmp_path / "worker.db") as made:
        yield made


async def test_one_conversation_is_handled_in_order(bench: Bench) -> None:
    async def dawdle(request: Request) -> None:
        # The first takes longest: without queues it would come last.
        for _ in range(50 - 5 * int(request.argument)):
            await asyncio.sleep(0)

    bench.on("dawdle")(dawdle)
    for number in range(10):
        await bench.add(str(number), "queue", "dawdle")
    await bench.worker.idle()
    assert bench.seen == [str(number) for number in range(10)]


async def test_a_stuck_conversation_holds_up_no_other(bench: Bench) -> None:
    free = asyncio.Event()
    bench.on("stick")(lambda request: free.wait())
    await bench.add("stuck", "one", "stick")
    await bench.add("behind", "one")
    for number in range(20):
        await bench.add(f"other{number}", f"queue{number}")
    while len(bench.seen) < 20:
        await asyncio.sleep(0)
    assert "behind" not in bench.seen
    free.set()
    await bench.worker.idle()
    assert bench.seen[-2:] == ["stuck", "behind"]


async def test_a_handler_that_hangs_is_ended(bench: Bench) -> None:
    bench.on("hang")(lambda request: asyncio.Event().wait())
    await bench.add("hanging", "queue", "hang")
    await bench.add("next", "queue")
    await bench.worker.idle()
    assert await bench.state("hanging") is ItemState.DEAD
    assert bench.seen == ["next"]


async def test_a_handler_that_raises_is_tried_again_and_then_set_aside(bench: Bench) -> None:
    tries = 0

    def fail(request: Request) -> None:
        nonlocal tries
        tries += 1
        raise RuntimeError("a bug")

    bench.on("fail")(fail)
    await bench.add("failing", "queue", "fail")
    await bench.add("next", "queue")
    await bench.worker.idle()
    assert tries == 4
    assert await bench.state("failing") is ItemState.DEAD
    assert await bench.state("next") is ItemState.DONE
    assert b'zoombot_items_total{kind="request",outcome="dead"} 1.0' in bench.metrics.text()[0]
    assert b"zoombot_retries_total 3.0" in bench.metrics.text()[0]
    # Whoever asked is told, once.
    (notice,) = await bench.store.all(Notice)
    assert notice.trigger == "failing"
    assert '"key":"failed"' in bench.ctx.vault.open(notice.id, notice.sealed_body)


async def test_the_doctor_shows_what_was_set_aside(make_world: MakeWorld, tmp_path: Path) -> None:
    world = await make_world()
    path = tmp_path / "doctor.db"
    async with bench_of(world, path) as bench:

        def fail(request: Request) -> None:
            raise LookupError("a bug")

        bench.on("fail")(fail)
        await bench.add("failing", "queue", "fail")
        await bench.worker.idle()
    config = replace(world.config, store=replace(world.config.store, url=f"tinydb:{path}"))
    findings = [str(finding) for finding in await check_store(config)]
    assert any("1 requests were given up" in finding and "LookupError" in finding for finding in findings)


async def test_one_failure_is_forgiven(bench: Bench) -> None:
    tries = 0

    def fail_once(request: Request) -> None:
        nonlocal tries
        tries += 1
        if tries == 1:
            raise RuntimeError("bad luck")

    bench.on("fail")(fail_once)
    await bench.add("lucky", "queue", "fail")
    await bench.worker.idle()
    assert await bench.state("lucky") is ItemState.DONE


async def test_mattermost_away_is_no_failure(bench: Bench) -> None:
    tries = 0

    def away(request: Request) -> None:
        nonlocal tries
        tries += 1
        if tries < 20:
            raise MattermostUnreachableError("away")

    bench.on("ask")(away)
    await bench.add("patient", "queue", "ask")
    await bench.worker.idle()
    assert await bench.state("patient") is ItemState.DONE


async def test_what_cannot_be_written_down_sets_its_item_aside(bench: Bench) -> None:
    async def handle(ctx: Context, job: Job, request: Request) -> Changes:
        # Half a surrogate pair is not text that a disk takes.
        return [Put(Notice(id="bad", sealed_body="\ud800", created_at=1))]

    bench.registry.add(Command("bad", handle, takes=None))
    await bench.add("bad", "queue", "bad")
    await bench.add("next", "queue")
    await bench.worker.idle()
    assert await bench.state("bad") is ItemState.DEAD
    assert await bench.store.get(Notice, "bad") is None
    assert bench.seen == ["next"]


@pytest.mark.parametrize("kind", [REQUEST, TASK])
async def test_an_item_that_does_not_open_waits_until_it_does(
    bench: Bench, kind: str, caplog: pytest.LogCaptureFixture
) -> None:
    item = bench.item("locked", "queue")
    await bench.store.insert(msgspec.structs.replace(item, kind=kind, sealed="sealed by nobody"))
    await bench.add("next", "queue")
    await bench.worker.idle()
    assert await bench.state("locked") is ItemState.WAITING
    assert await bench.worker.recover() == 1
    await bench.worker.idle()
    assert bench.seen == ["next"]
    assert len([each for each in caplog.records if "post:locked" in each.getMessage()]) == 1
    # As after a restart with the key.
    await bench.store.commit(Put(item))
    await bench.worker.idle()
    assert bench.seen == ["next", "locked"]


async def test_a_handler_that_needs_what_does_not_open_is_tried_once(bench: Bench) -> None:
    tries = 0

    async def handle(ctx: Context, job: Job, request: Request) -> Changes:
        nonlocal tries
        tries += 1
        ctx.vault.open("question", "sealed by nobody")
        return []

    bench.registry.add(Command("bad", handle, takes=None))
    await bench.add("bad", "queue", "bad")
    await bench.worker.idle()
    assert (tries, await bench.state("bad")) == (1, ItemState.DEAD)


async def test_what_arrives_twice_is_handled_once(bench: Bench) -> None:
    assert await bench.ctx.inbox.add(bench.item("same", "queue"))
    assert not await bench.ctx.inbox.add(bench.item("same", "queue"))
    await bench.worker.idle()
    assert not await bench.ctx.inbox.add(bench.item("same", "queue"))
    await bench.worker.idle()
    assert bench.seen == ["same"]


async def test_a_flood_beyond_what_memory_takes_is_handled_in_order_and_once(
    make_world: MakeWorld, tmp_path: Path
) -> None:
    world = await make_world()
    async with bench_of(world, tmp_path / "flood.db", max_waiting=10) as bench:
        free = asyncio.Event()
        bench.on("slow")(lambda request: free.wait())
        names = [f"{number:03}" for number in range(200)]
        await asyncio.gather(*(bench.add(name, f"queue{int(name) % 3}", "slow") for name in names))
        assert bench.worker.waiting == 10
        free.set()
        while await bench.store.find(Item, "state", ItemState.WAITING):
            await bench.worker.idle()
            await asyncio.sleep(0)
        assert sorted(bench.seen) == names
        for queue in range(3):
            mine = [name for name in bench.seen if int(name) % 3 == queue]
            assert mine == sorted(mine)


async def test_what_an_earlier_process_left_is_taken_up_in_order(
    make_world: MakeWorld, tmp_path: Path
) -> None:
    world = await make_world()
    path = tmp_path / "left.db"
    async with bench_of(world, path, retry_policy=RetryPolicy()) as bench:
        free = asyncio.Event()
        bench.on("stick")(lambda request: free.wait())
        await bench.add("first", "queue", "stick")
        for number in range(5):
            await bench.add(f"later{number}", "queue")
    async with bench_of(world, path, retry_policy=RetryPolicy()) as again:
        again.on("stick")(lambda request: None)
        assert again.worker.waiting == 0
        assert await again.worker.recover() == 6
        assert again.worker.oldest_s >= 0
        await again.worker.idle()
        assert again.seen == ["first", *(f"later{number}" for number in range(5))]


async def test_what_only_waited_in_an_earlier_process_is_not_retried(
    make_world: MakeWorld, tmp_path: Path
) -> None:
    world = await make_world()
    path = tmp_path / "left.db"
    async with bench_of(world, path, retry_policy=RetryPolicy()) as bench:
        free, stuck = asyncio.Event(), asyncio.Event()

        async def stick(request: Request) -> None:
            stuck.set()
            await free.wait()

        bench.on("stick")(stick)
        await bench.add("first", "queue", "stick")
        await stuck.wait()
        for number in range(3):
            await put(bench, number)
    retried: dict[str, bool] = {}

    async def handle(ctx: Context, job: Job, request: Request) -> Changes:
        retried[request.argument] = job.retried
        return []

    async with bench_of(world, path, retry_policy=RetryPolicy()) as again:
        for name in ("stick", "look"):
            again.registry.add(Command(name, handle, takes=None))
        await again.worker.recover()
        await again.worker.idle()
    assert retried == {"first": True, "later0": False, "later1": False, "later2": False}


async def put(bench: Bench, number: int) -> None:
    """Write an item that certainly arrived later than the ones before it."""
    item = bench.item(f"later{number}", "queue", "look")
    at = bench.ctx.now() + 10 + number
    await bench.ctx.inbox.add(msgspec.structs.replace(item, received_at=at, asked_at=at))


async def test_what_did_not_fit_into_memory_is_not_retried(make_world: MakeWorld, tmp_path: Path) -> None:
    world, retried = await make_world(), []
    async with bench_of(world, tmp_path / "full.db", max_waiting=2) as bench:

        async def handle(ctx: Context, job: Job, request: Request) -> Changes:
            retried.append(job.retried)
            return []

        bench.registry.add(Command("look", handle, takes=None))
        await bench.worker.recover()
        for number in range(9):
            await put(bench, number)
        while len(retried) < 9:
            await bench.worker.idle()
            await asyncio.sleep(0)
    assert retried == [False] * 9


async def test_a_lane_ends_with_its_last_job_and_leaves_nothing() -> None:
    queues = Queues("test")
    done: list[int] = []

    async def job(number: int) -> None:
        done.append(number)
        if number == 1:
            raise RuntimeError("ends nothing else")

    for number in range(3):
        assert queues.offer("queue", partial(job, number))
    await queues.idle()
    assert done == [0, 1, 2]
    assert queues.waiting == 0
    await queues.close(1.0)
    assert not queues.offer("queue", lambda: job(4))


async def test_lanes_that_close_cancel_what_does_not_end() -> None:
    queues = Queues("test")
    cancelled = asyncio.Event()

    async def hang() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            cancelled.set()

    queues.offer("queue", hang)
    queues.offer("queue", hang)
    await asyncio.sleep(0)
    await queues.close(0.01)
    assert cancelled.is_set()
