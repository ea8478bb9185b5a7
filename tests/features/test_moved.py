"""A thread is moved or copied elsewhere: no second meeting, and every post shows how the meeting goes."""

from __future__ import annotations

import asyncio

import pytest

from bot.domain.records import Announcement
from bot.sandbox.mattermost import Post
from bot.sandbox.zoom import Meeting
from tests.conftest import MakeWorld, World, two_hosts
from tests.features.kit import replies, settle


@pytest.fixture
async def world(make_world: MakeWorld) -> World:
    return await two_hosts(await make_world(meetings={"duplicate_window_ms": 0}))


async def in_a_thread(world: World) -> tuple[Post, Post, Meeting]:
    """A thread whose root asks for a meeting, and the meeting's post in it."""
    root = await world.mattermost.post("bob", "dev", "we should talk")
    asked = await world.mattermost.post("alice", "dev", "@zoom standup", root_id=root.id)
    post = await world.answer_to(asked)
    await settle(world)
    return root, post, world.zoom.meetings[post.props["meeting_id"]]


def status(world: World, post: Post) -> str:
    found = world.mattermost.world.history.posts[post.id]
    return str(found.props["meeting_status"])


def card_in(world: World, copies: list[Post]) -> Post:
    (card,) = [post for post in copies if post.user_id == world.mattermost.bot_id]
    return card


async def shows(world: World, post: Post, expected: str) -> None:
    await world.shows(post, lambda post: post.props["meeting_status"] == expected)


async def taken_up(world: World, card: Post) -> None:
    """Wait until the announcement goes on at this post, and pass the time after which its original is gone."""
    store = world.bot.ctx.store
    while not await store.find(Announcement, "post_id", card.id):
        await asyncio.sleep(0)
    await settle(world)
    world.zoom.clock.advance(60)
    world.bot.worker.timer.fire()
    await settle(world)


async def test_a_moved_meeting_is_no_second_one_and_goes_on_where_it_is(world: World) -> None:
    root, _, meeting = await in_a_thread(world)
    await world.zoom.start(meeting.id)
    await settle(world)
    card = card_in(world, await world.mattermost.move_thread(root.id, "town-square"))
    await taken_up(world, card)
    await world.zoom.end(meeting.id)
    await shows(world, card, "ENDED")
    await settle(world)
    assert len(world.zoom.created) == 1
    assert len(world.mattermost.bot_posts()) == 1


async def test_a_meeting_that_is_moved_twice_goes_on(world: World) -> None:
    root, _, meeting = await in_a_thread(world)
    first = await world.mattermost.move_thread(root.id, "town-square")
    await taken_up(world, card_in(world, first))
    card = card_in(world, await world.mattermost.move_thread(first[0].id, "ops"))
    await taken_up(world, card)
    await world.zoom.start(meeting.id)
    await shows(world, card, "STARTED")
    await world.zoom.end(meeting.id)
    await shows(world, card, "ENDED")
    assert len(world.zoom.created) == 1


async def test_what_comes_after_the_end_is_below_the_moved_post(world: World) -> None:
    root, _, meeting = await in_a_thread(world)
    card = card_in(world, await world.mattermost.move_thread(root.id, "town-square"))
    await taken_up(world, card)
    await world.zoom.start(meeting.id)
    await world.zoom.end(meeting.id)
    await world.zoom.record(meeting.id)
    await settle(world)
    moved_root = world.mattermost.world.history.posts[card.root_id]
    below = [post for post in replies(world, moved_root) if post.id != card.id]
    assert below
    assert {post.id for post in world.mattermost.bot_posts()} == {card.id, *(post.id for post in below)}
    assert world.mattermost.bot_posts("dev") == []


async def test_it_is_ended_from_the_place_where_it_is_now(world: World) -> None:
    root, _, meeting = await in_a_thread(world)
    await world.zoom.start(meeting.id)
    copies = await world.mattermost.move_thread(root.id, "ops")
    await taken_up(world, card_in(world, copies))
    await world.mattermost.post("alice", "ops", "@zoom end", root_id=copies[0].id)
    await shows(world, card_in(world, copies), "ENDED")


async def test_a_copied_meeting_is_shown_in_both_places(world: World) -> None:
    root, post, meeting = await in_a_thread(world)
    card = card_in(world, await world.mattermost.copy_thread(root.id, "town-square"))
    await taken_up(world, card)
    await world.zoom.start(meeting.id)
    await world.zoom.end(meeting.id)
    for each in (card, post):
        await shows(world, each, "ENDED")
    await settle(world)
    assert len(world.zoom.created) == 1
    assert len(world.mattermost.bot_posts()) == 2


async def test_what_is_moved_while_the_bot_is_away_goes_on_as_well(world: World) -> None:
    root, _, meeting = await in_a_thread(world)
    await world.stop()
    card = card_in(world, await world.mattermost.move_thread(root.id, "town-square"))
    await world.zoom.start(meeting.id)
    await world.start()
    await shows(world, card, "STARTED")
    await taken_up(world, card)
    assert len(world.zoom.created) == 1


@pytest.mark.parametrize("moves", [True, False])
async def test_an_edit_that_was_on_its_way_takes_nothing_back(world: World, moves: bool) -> None:
    root, post, meeting = await in_a_thread(world)
    slow = world.mattermost.faults.add(times=1, method="PUT", path=f"{post.id}/patch$", delay=0.5)
    await world.zoom.start(meeting.id)
    await world.mattermost.wait_for(lambda: slow.hits)
    tool = world.mattermost.move_thread if moves else world.mattermost.copy_thread
    card = card_in(world, await tool(root.id, "town-square"))
    await taken_up(world, card)
    await shows(world, card, "STARTED")
    await world.zoom.end(meeting.id)
    await shows(world, card, "ENDED")


async def test_a_tool_that_leaves_no_mark_takes_the_post_along_as_well(world: World) -> None:
    """Mattermost's own "move thread" leaves none."""
    post, meeting = await world.meeting()
    await settle(world)
    copy = await world.mattermost.post("zoom", "ops", post.message, props=dict(post.props))
    await world.mattermost.delete(post.id)
    await taken_up(world, copy)
    await world.zoom.start(meeting.id)
    await shows(world, copy, "STARTED")


async def test_the_bot_s_own_posts_are_no_copies(world: World) -> None:
    post, meeting = await world.meeting()
    await world.zoom.start(meeting.id)
    await settle(world)
    await world.stop()
    await world.start()
    await settle(world)
    await world.zoom.end(meeting.id)
    await shows(world, post, "ENDED")
    assert len(world.mattermost.bot_posts()) == 1


async def test_a_person_who_sets_our_prop_moves_nothing(world: World) -> None:
    post, meeting = await world.meeting()
    forged = await world.mattermost.post("bob", "ops", "mine", props={"zoombot_id": post.props["zoombot_id"]})
    await world.zoom.start(meeting.id)
    await shows(world, post, "STARTED")
    assert world.mattermost.world.history.posts[forged.id].message == "mine"
