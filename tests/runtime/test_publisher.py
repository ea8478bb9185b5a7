"""New posts of a channel are made in the order in which they were asked for, and nothing else waits for them."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest
from msgspec import structs

from bot.core.registry import Registry
from bot.domain.records import Announcement, Notice
from bot.runtime.answers_first import AnswersFirst
from bot.runtime.edit_turns import EditTurns
from bot.runtime.posting import Posting
from bot.runtime.publisher import Publisher
from bot.sandbox.mattermost import Channel, Post
from bot.stores.notifying import NotifyingStore
from bot.stores.opening import open_store
from tests.conftest import MakeWorld, World
from tests.features.kit import planned, settle

POSTS = r"/posts$"


@pytest.fixture
async def world(make_world: MakeWorld) -> World:
    """A bot that asks nothing before a second meeting; bob is linked."""
    world = await make_world(start=False, meetings={"duplicate_window_ms": 0})
    world.timings = replace(world.timings, post_retry_s=0.02)
    await world.start()
    await world.link("bob")
    return world


async def ask_all(world: World, channel: str | Channel, *messages: str) -> list[Post]:
    """Ask one after the other, without waiting for an answer."""
    return [await world.mattermost.post("bob", channel, message) for message in messages]


def answered(world: World, asked: list[Post], channel: str | Channel) -> list[int]:
    """Which of what was asked each post in the channel answers, in their order."""
    triggers = [post.id for post in asked]
    posts = world.mattermost.bot_posts(channel)
    return [triggers.index(post.props["zoombot_trigger"]) for post in posts]


@pytest.mark.parametrize(("status", "times"), [(500, 1), (500, 4), (429, 1), (0, 1), (403, 2)])
async def test_a_post_that_is_refused_once_keeps_its_place(world: World, status: int, times: int) -> None:
    headers, page = {"Retry-After": "0"}, "<html>" if status == 403 else None
    world.mattermost.faults.add(
        status,
        times=times,
        method="POST",
        path=POSTS,
        text="first",
        headers=headers,
        body=page,
        drop=not status,
    )
    asked = await ask_all(world, "dev", "@zoom first", "@zoom second", "@zoom third")
    for each in asked:
        await world.answer_to(each)
    await settle(world)
    assert answered(world, asked, "dev") == [0, 1, 2]


async def test_answers_and_meetings_of_a_channel_are_in_one_order(world: World) -> None:
    number = planned(world, "bob").id
    world.mattermost.faults.add(503, times=3, method="POST", path=POSTS, text="first")
    asked = await ask_all(
        world, "dev", "@zoom first", f"@zoom subscribe {number}", "@zoom second", "@zoom subscriptions"
    )
    for each in asked:
        await world.answer_to(each)
    await settle(world)
    assert answered(world, asked, "dev") == [0, 1, 2, 3]


async def test_a_meeting_in_a_direct_channel_stands_before_a_later_private_answer(world: World) -> None:
    channel = world.direct("bob")
    fault = world.mattermost.faults.add(503, times=3, method="POST", path=POSTS, text="first")
    first = await world.mattermost.post("bob", channel, "start first")
    await world.mattermost.wait_for(lambda: fault.hits)
    # It was asked for in a channel, but it is answered in the same place.
    second = await world.mattermost.post("bob", "dev", "@zoom help")
    for each in (first, second):
        await world.answer_to(each)
    await settle(world)
    assert answered(world, [first, second], channel) == [0, 1]


async def test_the_order_holds_over_a_restart(world: World) -> None:
    world.mattermost.faults.add(503, times=-1, method="POST", path=POSTS, user="zoom")
    asked = await ask_all(world, "dev", *(f"@zoom number {n}" for n in range(6)))
    await world.zoom.wait_for(lambda: len(world.zoom.created) == 6)
    await world.bot.worker.idle()
    await world.stop()
    world.mattermost.faults.clear()
    await world.start()
    for each in asked:
        await world.answer_to(each)
    await settle(world)
    assert answered(world, asked, "dev") == [0, 1, 2, 3, 4, 5]


async def test_a_stuck_channel_holds_up_no_other_and_no_edit(world: World) -> None:
    post, meeting = await world.meeting("bob", topic="running")
    world.mattermost.faults.add(503, times=-1, method="POST", path=POSTS, text="stuck")
    await ask_all(world, "dev", "@zoom stuck", "@zoom behind")
    assert "meeting_id" in (await world.ask("bob", "town-square", "@zoom elsewhere")).props
    await world.zoom.start(meeting.id)
    await world.shows(post, lambda post: post.props["meeting_status"] == "STARTED")
    assert [each.id for each in world.mattermost.bot_posts("dev")] == [post.id]
    world.mattermost.faults.clear()


async def test_an_edit_that_fails_holds_up_no_new_post(world: World) -> None:
    post, meeting = await world.meeting("bob")
    fault = world.mattermost.faults.add(503, times=-1, method="PUT", path=post.id)
    await world.zoom.start(meeting.id)
    await world.mattermost.wait_for(lambda: fault.hits)
    assert "meeting_id" in (await world.ask("bob", "dev", "@zoom next")).props
    world.mattermost.faults.clear()
    await world.shows(post, lambda post: post.props["meeting_status"] == "STARTED")


async def test_a_change_before_the_post_is_made_is_shown_in_it(world: World) -> None:
    away = world.mattermost.faults.add(503, times=-1, method="POST", path=POSTS, text="standup")
    asked = await world.mattermost.post("bob", "dev", "@zoom standup")
    await world.mattermost.wait_for(lambda: away.hits)
    await world.zoom.start(world.zoom.created[0])
    await world.zoom.settle()
    await world.bot.worker.idle()
    world.mattermost.faults.clear()
    post = await world.answer_to(asked)
    await world.shows(post, lambda post: post.props["meeting_status"] == "STARTED")
    await settle(world)
    assert await world.bot.ctx.store.find(Announcement, "stale", True) == []


async def test_what_the_full_queues_refuse_is_posted_once_there_is_room(world: World, tmp_path: Path) -> None:
    store = NotifyingStore(await open_store(f"tinydb:{tmp_path / 'full.db'}"))
    ctx = replace(world.bot.ctx, store=store)
    posting = Posting(ctx.mattermost, ctx.bot.id, override={})
    publisher = Publisher(ctx, Registry(), store, posting, EditTurns(AnswersFirst(ctx.inbox)), max_waiting=3)
    bob = world.mattermost.user("bob").id
    said = [ctx.tell_user(f"notice-{number}", bob, f"number {number}") for number in range(10)]
    await store.commit(*said)
    assert publisher.waiting == 3
    async with asyncio.timeout(10):
        while await store.has(Notice, "waiting", True):
            await publisher.idle()
    posts = [post.message for post in world.mattermost.bot_posts(world.direct("bob"))]
    assert sorted(posts) == sorted(f"number {number}" for number in range(10))
    await publisher.close(1.0)
    await store.close()


async def test_what_is_looked_for_again_is_queued_once_and_held_records_are_left(world: World) -> None:
    """Another process may not have told of it; what Mattermost refuses has its own pace."""
    world.mattermost.faults.add(503, method="POST", path="/posts$", user="zoom", times=-1)
    asked = await world.mattermost.post("carol", "dev", "@zoom standup")
    publisher = world.bot.publisher
    while not (left := await publisher.left()):
        await world.bot.ctx.mattermost.me()
    for _ in range(20):
        publisher.take_up(left, begun=False)
    # The one that is being tried, and the one that has just been queued.
    assert publisher.waiting <= 2
    held = [structs.replace(record, id=f"{record.id}held", held=True) for record in left]
    publisher.take_up(held, begun=False)
    assert publisher.waiting <= 2
    world.mattermost.faults.clear()
    await world.answer_to(asked)
    await publisher.idle()
    assert len(world.answers_to(asked)) == 1
