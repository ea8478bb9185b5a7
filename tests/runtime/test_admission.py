"""Whoever asks for a lot at once holds up nobody else, and is answered in order."""

from __future__ import annotations

import asyncio
from collections import Counter
from pathlib import Path

import pytest
from msgspec.structs import replace

from bot.core.context import Context, Job
from bot.core.declarations import Changes, command
from bot.domain.grammar import NOTHING, Request
from bot.domain.records import Item, ItemState
from bot.runtime.admission import DEFAULT_LIMITS as LIMITS
from bot.runtime.admission import Admission, Limits
from bot.runtime.worker import RetryPolicy
from tests.conftest import MakeWorld, World
from tests.features.kit import settle
from tests.runtime.test_worker import Bench, bench_of

NAMES = [f"{number:03}" for number in range(100)]


async def flood(bench: Bench, queues: int) -> asyncio.Event:
    """One person asks a hundred times, and Zoom does not answer until the event is set."""
    free = asyncio.Event()
    bench.on("slow")(lambda request: free.wait())
    await asyncio.gather(
        *(bench.add(name, f"queue{int(name) % queues}", "slow", sender="mallory") for name in NAMES)
    )
    return free


async def drained(bench: Bench) -> None:
    await bench.worker.idle()
    assert not await bench.store.has(Item, "state", ItemState.WAITING)


@pytest.mark.parametrize("queues", [1, 7, 100])
async def test_a_flood_of_one_person_holds_up_nobody(
    make_world: MakeWorld, tmp_path: Path, queues: int
) -> None:
    async with bench_of(await make_world(), tmp_path / "flood.db", retry_policy=RetryPolicy()) as bench:
        free = await flood(bench, queues)
        assert bench.worker.waiting == min(LIMITS.per_sender, LIMITS.per_sender_and_queue * queues)
        answered = asyncio.Event()
        bench.on("ask")(lambda request: answered.set())
        await bench.add("elsewhere", "another", "ask", sender="bob")
        await asyncio.wait_for(answered.wait(), 5)
        # In the same channel: behind the few that were admitted, not behind the hundred.
        await bench.add("here", "queue0", "ask", sender="bob")
        free.set()
        await drained(bench)
        mine = [name for name in bench.seen if name in NAMES]
        assert sorted(mine) == NAMES
        for queue in range(queues):
            of_queue = [name for name in mine if int(name) % queues == queue]
            assert of_queue == sorted(of_queue)
        before = bench.seen[: bench.seen.index("here")]
        assert (
            sum(name in NAMES and int(name) % queues == 0 for name in before) <= LIMITS.per_sender_and_queue
        )


async def test_what_comes_meanwhile_does_not_overtake(make_world: MakeWorld, tmp_path: Path) -> None:
    async with bench_of(await make_world(), tmp_path / "later.db", retry_policy=RetryPolicy()) as bench:
        free = await flood(bench, 1)
        bench.on("last")(lambda request: None)
        await bench.add("last", "queue0", "last", sender="mallory")
        free.set()
        await drained(bench)
        assert bench.seen == [*NAMES, "last"]


async def test_webhooks_of_one_meeting_have_a_limit_of_their_own(
    make_world: MakeWorld, tmp_path: Path
) -> None:
    few = Admission(Limits(per_queue=4))
    async with bench_of(await make_world(), tmp_path / "hooks.db", admission=few) as bench:
        for name in NAMES:
            await bench.add(name, "meeting")
        await drained(bench)
        assert bench.seen == NAMES
        assert few.held == 0


async def test_after_a_restart_all_may_have_been_begun(make_world: MakeWorld, tmp_path: Path) -> None:
    world, path = await make_world(), tmp_path / "left.db"
    async with bench_of(world, path, retry_policy=RetryPolicy()) as bench:
        await flood(bench, 3)
    async with bench_of(world, path, retry_policy=RetryPolicy()) as bench:
        jobs: list[Job] = []

        @command("slow", takes=NOTHING)
        async def note(ctx: Context, job: Job, request: Request) -> Changes:
            jobs.append(job)
            return []

        bench.registry.add(note.__declared__[0])  # type: ignore[attr-defined]
        assert await bench.worker.recover() == len(NAMES)
        await drained(bench)
        assert Counter(job.retried for job in jobs) == {True: len(NAMES)}


async def test_what_memory_has_no_room_for_is_read_again(make_world: MakeWorld, tmp_path: Path) -> None:
    few = Admission(Limits(per_sender=4, per_sender_and_queue=2, held=10))
    async with bench_of(
        await make_world(), tmp_path / "more.db", retry_policy=RetryPolicy(), admission=few
    ) as bench:
        free = await flood(bench, 3)
        assert few.held == 10
        free.set()
        await drained(bench)
        assert sorted(bench.seen) == NAMES
        assert few.held == 0


async def test_one_that_is_done_before_its_turn_is_skipped(make_world: MakeWorld, tmp_path: Path) -> None:
    few = Admission(Limits(per_sender_and_queue=1))
    async with bench_of(
        await make_world(), tmp_path / "done.db", retry_policy=RetryPolicy(), admission=few
    ) as bench:
        free = asyncio.Event()
        bench.on("slow")(lambda request: free.wait())
        for name in "abc":
            await bench.add(name, "queue", "slow", sender="mallory")
        await bench.store.update(Item, "post:b", lambda item: replace(item, state=ItemState.DONE))
        free.set()
        await drained(bench)
        assert bench.seen == ["a", "c"]


async def test_a_person_who_asks_in_every_channel_is_answered_in_all(world: World) -> None:
    channels = [world.mattermost.add_channel(f"room-{number}") for number in range(20)]
    for channel in channels:
        for name in ("alice", "bob", "zoom"):
            world.mattermost.join(world.mattermost.user(name), channel)
    await asyncio.gather(*(world.mattermost.post("alice", channel, "@zoom") for channel in channels))
    asked = await world.mattermost.post("bob", channels[0], "@zoom version")
    await world.answer_to(asked)
    await settle(world)
    assert len(world.zoom.created) == len(channels)
