"""Links of people who left Mattermost have a bounded life."""

from __future__ import annotations

import pytest

from bot.domain.records import LinkedAccount, Pending, Preference
from bot.features import departed
from bot.stores import Put
from tests.conftest import MakeWorld, World, two_hosts
from tests.features.kit import settle

DAY_S = 24 * 3600


@pytest.fixture
async def world(make_world: MakeWorld) -> World:
    return await two_hosts(await make_world())


async def linked(world: World) -> set[str]:
    links = await world.bot.ctx.store.all(LinkedAccount)
    return {
        name for name in ("alice", "bob") if world.mattermost.user(name).id in {each.id for each in links}
    }


async def days_later(world: World, days: int) -> None:
    """Days pass, and whoever left is looked for once."""
    world.zoom.clock.advance(days * DAY_S)
    world.bot.worker.timer.fire()
    await settle(world)


async def test_a_month_after_they_left_their_link_and_what_belongs_to_it_is_gone(world: World) -> None:
    ctx, bob = world.bot.ctx, world.mattermost.user("bob").id
    await ctx.store.commit(Put(Preference(id=bob, pmi="always")))
    world.mattermost.disable("bob")
    await days_later(world, 5)
    assert await linked(world) == {"alice", "bob"}
    await days_later(world, 26)
    assert await linked(world) == {"alice"}
    assert await ctx.store.get(Preference, bob) is None
    assert await ctx.store.find(Pending, "user_id", bob) == []
    # Zoom has the tokens back.
    assert len(world.zoom.revoked) == 1
    # Once gone, nobody asks again; the others are looked at every day.
    await days_later(world, 2)
    assert await linked(world) == {"alice"}


async def test_who_comes_back_in_time_stays_linked(world: World) -> None:
    world.mattermost.disable("bob")
    await days_later(world, 20)
    world.mattermost.enable("bob")
    await days_later(world, 20)
    assert await linked(world) == {"alice", "bob"}


async def test_many_are_asked_about_in_batches_and_a_refusal_ends_no_link(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(departed, "BATCH", 1)
    world.mattermost.disable("bob")
    world.mattermost.faults.add(403, times=1, method="POST", path="/users/ids")
    await days_later(world, 40)
    assert await linked(world) == {"alice", "bob"}
    await days_later(world, 1)
    assert await linked(world) == {"alice"}
    asked = [call.json for call in world.mattermost.calls if call.path == "/users/ids"]
    assert all(len(ids) == 1 for ids in asked)


async def test_an_account_that_was_deleted_for_good_counts_from_the_first_look(world: World) -> None:
    bob = world.mattermost.user("bob")
    world.mattermost.world.directory.erase(bob)
    await days_later(world, 40)
    assert bob.id in await ids(world)
    # A server that answers without somebody once, as after a wrong restore, ends no link.
    world.mattermost.world.directory.users[bob.id] = bob
    await days_later(world, 1)
    del world.mattermost.world.directory.users[bob.id]
    await days_later(world, 1)
    await days_later(world, 29)
    assert bob.id in await ids(world)
    await days_later(world, 2)
    assert await ids(world) == {world.mattermost.user("alice").id}


async def test_people_whom_the_bot_may_not_see_stay_linked(world: World) -> None:
    bob = world.mattermost.user("bob")
    world.mattermost.world.directory.erase(bob)
    world.mattermost.faults.add(403, times=-1, method="GET", path=rf"/users/{bob.id}$")
    for _ in range(3):
        await days_later(world, 40)
    assert bob.id in await ids(world)


async def ids(world: World) -> set[str]:
    return {each.id for each in await world.bot.ctx.store.all(LinkedAccount)}
