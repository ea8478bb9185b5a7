"""An older copy of the store is put back: what was answered since is neither answered nor apologized for."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from bot.sandbox.mattermost import Post
from tests.conftest import MakeWorld, World
from tests.features.kit import settle


@pytest.fixture
async def world(make_world: MakeWorld) -> World:
    world = await make_world(meetings={"duplicate_window_ms": 0})
    await world.link("alice")
    return world


class Copy:
    """A copy of the store's file, and how to put it back."""

    def __init__(self, world: World) -> None:
        self._file = Path(world.config.store.url.removeprefix("tinydb:"))
        self._copy = self._file.with_suffix(".copy")
        with closing(sqlite3.connect(self._file)) as source, closing(sqlite3.connect(self._copy)) as target:
            source.backup(target)

    def put_back(self) -> None:
        for name in ("-wal", "-shm"):
            self._file.with_name(self._file.name + name).unlink(missing_ok=True)
        shutil.copy(self._copy, self._file)


async def answered(world: World) -> list[Post]:
    """Requests of every kind and place, each with its answer."""
    direct, group = world.direct("alice"), world.mattermost.group("alice", "bob", "zoom")
    asked = [
        await world.mattermost.post("alice", "dev", "@zoom standup"),
        # Answered by direct message.
        await world.mattermost.post("carol", "dev", "@zoom retro"),
        await world.mattermost.post("alice", "ops", "@zoom help"),
        await world.mattermost.post("alice", direct, "help"),
        await world.mattermost.post("alice", group, "@zoom plan"),
        # Answered in the channel.
        await world.mattermost.post("alice", "dev", "@zoom channel"),
    ]
    for post in asked:
        await world.answer_to(post)
    await settle(world)
    return asked


@pytest.mark.parametrize("later_s", [0, 3 * 24 * 3600])
async def test_what_was_answered_since_is_left_alone(world: World, later_s: int) -> None:
    await world.bot.listener.save_cursor()
    copy = Copy(world)
    asked = await answered(world)
    before = {post.id: [each.id for each in world.answers_to(post)] for post in asked}
    created = len(world.zoom.created)
    world.zoom.clock.advance(later_s)
    await world.stop()
    copy.put_back()
    unanswered = await world.mattermost.post("alice", "ops", "@zoom new")
    await world.start()
    await world.answer_to(unanswered)
    await settle(world)
    assert {post.id: [each.id for each in world.answers_to(post)] for post in asked} == before
    assert len(world.zoom.created) == created + 1


async def test_more_than_the_history_s_pages_hold_are_left_alone(world: World) -> None:
    await world.bot.listener.save_cursor()
    copy = Copy(world)
    await world.ask("alice", "dev", "@zoom first")
    for number in range(1_200):
        await world.mattermost.post("bob", "dev", f"talk {number}")
    await world.ask("alice", "dev", "@zoom last")
    await settle(world)
    await world.stop()
    copy.put_back()
    new = await world.mattermost.post("alice", "dev", "@zoom new")
    await world.start()
    await world.answer_to(new)
    await settle(world)
    topics = [post.props["meeting_topic"] for post in world.mattermost.bot_posts("dev")]
    assert topics == ["first", "last", "new"]
    assert len(world.zoom.created) == 3


async def test_an_answer_that_a_person_forges_hides_nothing(world: World) -> None:
    await world.stop()
    asked = await world.mattermost.post("alice", "dev", "@zoom standup")
    await world.mattermost.post("bob", "dev", "answered", props={"zoombot_trigger": asked.id})
    await world.start()
    assert "meeting_id" in (await world.answer_to(asked)).props
