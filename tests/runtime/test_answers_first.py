"""What is handled lets go first what somebody waits for."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from bot.clock import now_ms
from bot.core.inbox import Inbox
from bot.runtime.answers_first import AnswersFirst, Courtesy
from bot.runtime.pace import EditLimits
from bot.stores.opening import open_store
from bot.vault import Vault, new_key
from tests.conftest import MakeWorld, World
from tests.features.kit import settle

# Longer than any test.
NEVER_S = 600.0
PATIENT = Courtesy(NEVER_S, urgent_s=0.0, pause_s=0.0)


@pytest.fixture
async def inbox(tmp_path: Path) -> AsyncIterator[Inbox]:
    store = await open_store(f"tinydb:{tmp_path / 'inbox.db'}")
    yield Inbox(store, Vault([new_key()]), now_ms)
    await store.close()


async def turn_of_the_loop() -> None:
    await asyncio.sleep(0)


async def test_a_handler_waits_while_something_is_written_down(inbox: Inbox) -> None:
    first = AnswersFirst(inbox, PATIENT)
    with inbox.receive():
        turn = asyncio.create_task(first.turn(urgent=False))
        with inbox.receive():
            await turn_of_the_loop()
        await turn_of_the_loop()
        assert not turn.done()
    await asyncio.wait_for(turn, 5)


async def test_handling_goes_on_although_there_is_always_something_to_write_down(inbox: Inbox) -> None:
    first = AnswersFirst(inbox, Courtesy(0.0, 0.0, 0.0))
    with inbox.receive():
        async with asyncio.timeout(5):
            await asyncio.gather(*(first.turn(urgent=False) for _ in range(100)))


async def test_what_is_urgent_does_not_stand_in_line(inbox: Inbox) -> None:
    first = AnswersFirst(inbox, PATIENT)
    with inbox.receive():
        line = [asyncio.create_task(first.turn(urgent=False)) for _ in range(3)]
        await turn_of_the_loop()
        await asyncio.wait_for(first.turn(urgent=True), 5)
        assert not any(each.done() for each in line)
    await asyncio.gather(*line)


async def test_a_turn_of_the_loop_begins_one_handler(inbox: Inbox) -> None:
    first, begun = AnswersFirst(inbox), 0

    async def handle() -> None:
        nonlocal begun
        await first.turn(urgent=False)
        begun += 1

    handlers = [asyncio.create_task(handle()) for _ in range(20)]
    before = begun
    while begun < 20:
        await turn_of_the_loop()
        assert begun - before <= 1
        before = begun
    await asyncio.gather(*handlers)


async def test_who_stops_waiting_stands_in_nobody_s_way(inbox: Inbox) -> None:
    first = AnswersFirst(inbox, PATIENT)
    with inbox.receive():
        turns = [asyncio.create_task(first.turn(urgent=False)) for _ in range(3)]
        await turn_of_the_loop()
        for gone in turns[:2]:
            gone.cancel()
    await asyncio.wait_for(turns[2], 5)


async def test_it_is_quiet_once_all_is_written_down_and_handled(inbox: Inbox) -> None:
    first = AnswersFirst(inbox)
    first.begin()
    quiet = asyncio.create_task(first.quiet())
    with inbox.receive():
        await turn_of_the_loop()
        first.end()
        await turn_of_the_loop()
        assert not quiet.done()
    await asyncio.wait_for(quiet, 5)
    assert not first.busy


@pytest.fixture
async def world(make_world: MakeWorld) -> World:
    """Eleven meetings that have begun, and a bot that lets others go first for ever."""
    world = await make_world(meetings={"duplicate_window_ms": 0})
    await world.link("bob")
    for number in range(11):
        await world.ask("bob", "dev", f"@zoom number {number}")
    for meeting in world.zoom.created:
        await world.zoom.start(meeting, host=False)
    await settle(world)
    # Afterwards it does not know when it edited what.
    await world.stop()
    edits = EditLimits(least_s=NEVER_S, most_s=NEVER_S)
    world.timings = replace(world.timings, courtesy=PATIENT, edits=edits)
    await world.start()
    world.mattermost.clear_calls()
    return world


async def crowd(world: World, people: int) -> None:
    """People come into the first ten meetings, all at the same time."""
    numbers = world.zoom.created
    await asyncio.gather(*(world.zoom.join(numbers[n % 10], f"Guest {n}") for n in range(people)))


def states(world: World) -> list[str]:
    """What the posts say of their meetings, in the order in which they were asked for."""
    return [str(post.props.get("meeting_status")) for post in world.mattermost.bot_posts("dev")]


async def test_who_comes_is_handled_after_all_webhooks_are_answered_and_after_what_is_urgent(
    world: World,
) -> None:
    with world.bot.ctx.inbox.receive():
        await crowd(world, 100)
        assert [each.status for each in world.zoom.deliveries[-100:]] == [200] * 100
        await world.ask("bob", "dev", "@zoom version")
        assert world.bot.worker.waiting == 100
        await world.zoom.end(world.zoom.created[10])
        await world.mattermost.wait_for(lambda: "ENDED" in states(world))
        assert world.bot.worker.waiting == 100
    await settle(world)
    assert world.bot.worker.waiting == 0


async def test_events_of_one_meeting_share_an_edit(world: World) -> None:
    # Nothing is handled until all have come, however they arrive.
    with world.bot.ctx.inbox.receive():
        await crowd(world, 100)
    await settle(world)
    assert len([call for call in world.mattermost.calls if call.path.endswith("/patch")]) == 10
    texts = [post.props["attachments"][0]["text"] for post in world.mattermost.bot_posts("dev")]
    assert texts == ["Live, 10 people in the meeting"] * 10 + ["Live"]
