"""A channel that cannot be read holds up nobody, is named, and is read once it can be."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import Any

import pytest

from bot.domain.reading import UnreadChannel
from bot.domain.records import Cursor, Item, ItemState
from bot.errors import MattermostError, MattermostUnreachableError
from bot.mattermost import Channel
from bot.runtime.janitor import Janitor
from bot.runtime.unread import MAX_UNREAD, UnreadChannels
from bot.sandbox.faults import Fault
from bot.sandbox.mattermost import Post
from bot.setup.findings import Level
from bot.setup.store import check_store
from bot.stores import Put
from bot.stores.opening import open_store
from tests.conftest import MakeWorld, World
from tests.features.kit import settle

DAY_S = 24 * 3600


@pytest.fixture
async def world(make_world: MakeWorld) -> World:
    world = await make_world(meetings={"duplicate_window_ms": 0})
    await world.link("alice")
    await world.stop()
    return world


def break_ops(world: World, **fault: Any) -> Fault:
    ops = world.mattermost.channel("ops").id
    fault = {"status": 500} | fault
    return world.mattermost.faults.add(times=-1, method="GET", path=f"{ops}/posts$", user="zoom", **fault)


async def ready(world: World) -> tuple[int, dict[str, str]]:
    address = f"http://127.0.0.1:{world.bot.admin_port}/readyz"
    async with world.http.get(address) as response:
        return response.status, (await response.json()).get("reasons", {})


async def cursor(world: World) -> int:
    found = await world.bot.ctx.store.get(Cursor, "mattermost")
    return found.at if found else 0


async def both_asked(world: World) -> tuple[Post, Post]:
    """A request in ops, which is read first, and an older one in dev."""
    in_dev = await world.mattermost.post("alice", "dev", "@zoom one")
    while world.mattermost.world.now() <= in_dev.create_at:
        await asyncio.sleep(0)
    return in_dev, await world.mattermost.post("alice", "ops", "@zoom two")


@pytest.mark.parametrize(
    "fault",
    [{}, {"status": 503}, {"status": 200, "body": "<html>"}, {"status": 0, "drop": True}, {"status": 400}],
    ids=str,
)
async def test_it_holds_up_neither_the_others_nor_the_cursor(world: World, fault: dict[str, Any]) -> None:
    in_dev, in_ops = await both_asked(world)
    broken = break_ops(world, **fault)
    await world.start()
    assert "meeting_id" in (await world.answer_to(in_dev)).props
    world.zoom.clock.advance(60)
    await world.bot.listener.catch_up()
    assert await cursor(world) > in_ops.create_at
    hits, dev = broken.hits, f"{world.mattermost.channel('dev').id}/posts"
    world.mattermost.clear_calls()
    await world.mattermost.wait_for(lambda: broken.hits > hits)
    # The others are not read again with it.
    assert [call for call in world.mattermost.calls if call.path.endswith(dev)] == []
    world.mattermost.faults.clear()
    assert "meeting_id" in (await world.answer_to(in_ops)).props
    await settle(world)
    for asked in (in_dev, in_ops):
        assert len(world.answers_to(asked)) == 1


async def test_it_is_named_until_it_can_be_read(world: World) -> None:
    _, in_ops = await both_asked(world)
    break_ops(world)
    await world.start()
    ops = world.mattermost.channel("ops")
    status, reasons = await ready(world)
    # All others are served.
    assert status == 200
    assert ops.id in reasons["mattermost channels"]
    assert ops.display_name in reasons["mattermost channels"]
    found = [each for each in await check_store(world.config) if each.level is Level.WRONG]
    assert [each.subject for each in found] == ["mattermost channels"]
    assert ops.id in found[0].text
    assert "500" in found[0].text or "in trouble" in found[0].text
    world.mattermost.faults.clear()
    await world.answer_to(in_ops)
    store = world.bot.ctx.store
    while await store.all(UnreadChannel):
        await asyncio.sleep(0)
    assert await ready(world) == (200, {})
    assert [each for each in await check_store(world.config) if each.level is Level.WRONG] == []


async def test_a_restart_reads_it_from_where_it_was_left(world: World) -> None:
    _, in_ops = await both_asked(world)
    break_ops(world)
    await world.start()
    world.zoom.clock.advance(300)
    await world.bot.listener.catch_up()
    await world.stop()
    world.mattermost.faults.clear()
    await world.start()
    assert "meeting_id" in (await world.answer_to(in_ops)).props


async def test_what_it_missed_for_too_long_gets_the_apology(world: World) -> None:
    _, in_ops = await both_asked(world)
    break_ops(world)
    await world.start()
    world.zoom.clock.advance(3600)
    world.mattermost.faults.clear()
    answer = await world.answer_to(in_ops)
    assert answer.channel_id == world.direct("alice").id


async def test_what_is_older_than_the_handled_items_is_passed_over(world: World) -> None:
    """Whether it was answered can no longer be told."""
    _, in_ops = await both_asked(world)
    break_ops(world)
    await world.start()
    world.zoom.clock.advance(2 * DAY_S)
    await world.bot.listener.catch_up()
    world.mattermost.faults.clear()
    store = world.bot.ctx.store
    while await store.all(UnreadChannel):
        await asyncio.sleep(0)
    await settle(world)
    assert world.answers_to(in_ops) == []


async def test_handled_items_are_cleaned_all_the_same(world: World) -> None:
    in_dev, _ = await both_asked(world)
    break_ops(world)
    await world.start()
    await world.answer_to(in_dev)
    await settle(world)
    world.zoom.clock.advance(4 * DAY_S)
    await world.bot.listener.catch_up()
    ctx = world.bot.ctx
    await Janitor(ctx.store, ctx.now, partial(ctx.clocks.look, ctx.mattermost, ctx.zoom)).tidy()
    assert await world.bot.ctx.store.find(Item, "state", ItemState.DONE) == []


async def test_a_channel_that_the_bot_has_left_is_forgotten(world: World) -> None:
    await both_asked(world)
    break_ops(world)
    await world.start()
    assert len(world.bot.listener.unread) == 1
    world.mattermost.leave("zoom", "ops", by="alice")
    world.mattermost.faults.clear()
    while len(world.bot.listener.unread):
        await asyncio.sleep(0)
    assert await world.bot.ctx.store.all(UnreadChannel) == []


async def test_slow_channels_do_not_delay_the_others(world: World) -> None:
    in_dev = await world.mattermost.post("alice", "dev", "@zoom one")
    slow = [world.mattermost.add_channel(f"slow-{n}", members=("alice", "zoom")) for n in range(3)]
    for channel in slow:
        while (await world.mattermost.post("alice", channel, "talk")).create_at <= in_dev.create_at:
            await asyncio.sleep(0)
        path = f"{channel.id}/posts$"
        world.mattermost.faults.add(times=-1, method="GET", path=path, user="zoom", delay=60)
    starting = asyncio.create_task(world.start())
    assert "meeting_id" in (await world.answer_to(in_dev)).props
    starting.cancel()
    await asyncio.gather(starting, return_exceptions=True)


async def test_a_post_from_the_gap_between_two_readings_is_not_missed(world: World) -> None:
    """While it is read again, all others are caught up, and the cursor passes what comes meanwhile."""
    _, in_ops = await both_asked(world)
    broken = break_ops(world)
    await world.start()
    await world.mattermost.wait_for(lambda: broken.hits >= 6)
    world.mattermost.faults.clear()
    # The answer is made now, and arrives later.
    slow = break_ops(world, status=0, delay=0.5, after=True)
    await world.mattermost.wait_for(lambda: slow.hits)
    slow.times = 0
    world.mattermost.deafen()
    # The socket misses this one.
    meanwhile = await world.mattermost.post("alice", "ops", "@zoom meanwhile")
    world.zoom.clock.advance(60)
    await world.bot.listener.catch_up()
    for asked in (in_ops, meanwhile):
        assert "meeting_id" in (await world.answer_to(asked)).props


async def test_there_are_never_too_many(world: World) -> None:
    store = await open_store(world.config.store.url)
    unread = UnreadChannels(store, lambda: 1_000, retry_s=60, cap_s=60)
    error = MattermostUnreachableError("Mattermost is in trouble")
    for number in range(MAX_UNREAD):
        await unread.add(Channel(f"c{number}", "O", f"Channel {number}"), 5, error)
    with pytest.raises(MattermostError):
        await unread.add(Channel("one more"), 5, error)
    assert len(await store.all(UnreadChannel)) == MAX_UNREAD
    assert "and 90 more" in unread.reason
    assert len(unread.reason) < 2_000
    # A known one may fail again, also where its name cannot be read.
    await unread.add(Channel("c0"), 7, MattermostUnreachableError("no answer"))
    assert unread.start_of("c0", 5) == 5
    known = await store.get(UnreadChannel, "c0")
    assert known is not None
    assert known.name == "Channel 0"
    await store.close()


async def test_each_try_waits_longer(world: World) -> None:
    store = await open_store(world.config.store.url)
    unread = UnreadChannels(store, lambda: 1_000, retry_s=5, cap_s=300)
    assert [unread._pause_s(failures) for failures in (1, 2, 3, 7, 1000)] == [5, 10, 20, 300, 300]
    await store.commit(Put(UnreadChannel(id="left", at=5, failing_since=5)))
    await unread.load()
    # What an earlier process left is tried at once.
    assert await asyncio.wait_for(unread.due(), 5) == ["left"]
    await store.close()
