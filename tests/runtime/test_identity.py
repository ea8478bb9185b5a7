"""The bot account is renamed, and so are the administrators that the configuration names."""

from __future__ import annotations

import dataclasses

import pytest

from bot.core.account import OwnAccount
from bot.domain.identities import NamedAdmin
from bot.features.lost_links import keepers
from bot.mattermost import User
from tests.conftest import MakeWorld, World
from tests.features.kit import direct, settle, told

# The bot's own name.


async def follows(world: World) -> None:
    """The bot answers to the new name, and to the old one no longer."""
    answer = await world.ask("bob", "dev", "@meet standup")
    assert answer.props["meeting_topic"] == "standup"
    ignored = await world.mattermost.post("bob", "dev", "@zoom retro")
    await world.ask("bob", "town-square", "@meet sync")
    await settle(world)
    assert world.answers_to(ignored) == []


async def test_a_renamed_bot_answers_to_its_new_name(world: World) -> None:
    world.mattermost.rename("zoom", "meet")
    await follows(world)
    said = await told(world, "bob", world.direct("bob"), "help")
    assert "@meet standup" in said
    assert "@zoom" not in said


async def test_a_renaming_that_no_event_told_of_is_noticed(world: World) -> None:
    world.mattermost.rename("zoom", "meet", tell=False)
    await world.bot.identity.look()
    await follows(world)


async def test_the_bot_looks_at_its_account_by_itself(make_world: MakeWorld) -> None:
    world = await make_world(start=False)
    world.timings = dataclasses.replace(world.timings, identity_s=0.01)
    await world.start()
    world.mattermost.rename("zoom", "meet", tell=False)
    world.mattermost.clear_calls()
    await world.mattermost.wait_for(
        lambda: sum(call.path == "/api/v4/users/me" for call in world.mattermost.calls) > 1
    )
    assert "/oauth2/connect" in (await world.ask("bob", "dev", "@meet standup")).message


async def test_a_renaming_while_the_bot_was_away_is_known_before_the_history_is_read(world: World) -> None:
    world.mattermost.faults.add(status=503, times=3, method="GET", path="/websocket$")
    await world.mattermost.forget_connections()
    before = await world.mattermost.post("bob", "dev", "hello")
    await world.mattermost.drop_sockets("zoom")
    await world.mattermost.forget_connections()
    old = await world.mattermost.post("bob", "dev", "@zoom early")
    world.zoom.clock.advance(1)
    world.mattermost.rename("zoom", "meet", tell=False)
    world.zoom.clock.advance(1)
    new = await world.mattermost.post("bob", "town-square", "@meet late")
    later = await world.mattermost.post("bob", "town-square", "@zoom never")
    assert (await world.answer_to(new)).props["meeting_topic"] == "late"
    assert (await world.answer_to(old)).props["meeting_topic"] == "early"
    await settle(world)
    assert world.answers_to(later) == world.answers_to(before) == []


async def test_another_person_is_renamed_and_shown_by_the_new_name(world: World) -> None:
    await world.ask("bob", world.direct("bob"), "help")
    await world.bot.ctx.people.get(world.mattermost.user("bob").id)
    world.mattermost.rename("bob", "robert")
    await world.ask("robert", "dev", "@zoom standup")
    assert (await world.bot.ctx.people.get(world.mattermost.user("robert").id)).username == "robert"


async def test_a_group_s_topic_names_the_bot_by_none_of_its_names(make_world: MakeWorld) -> None:
    """Mattermost keeps the names that the members had when the group was made."""
    world = await make_world(meetings={"duplicate_window_ms": 0})
    await world.link("bob")
    group = world.mattermost.group("alice", "bob", "zoom")
    world.mattermost.rename("zoom", "meet")
    assert (await world.ask("bob", group, "@meet")).props["meeting_topic"] == "alice, bob"
    await world.stop()
    await world.start()
    assert (await world.ask("bob", group, "@meet")).props["meeting_topic"] == "alice, bob"


def test_an_answer_older_than_the_event_before_it_changes_nothing() -> None:
    account = OwnAccount(User(id="b", username="zoom", update_at=1))
    assert account.see(User(id="b", username="meet", update_at=5))
    assert not account.see(User(id="b", username="zoom", update_at=1))
    assert not account.see(User(id="c", username="other", update_at=9))
    assert account.username == "meet"
    assert account.names_at(4) == ("meet", "zoom")
    assert account.names_at(5) == ("meet",)


# The administrators.


async def with_dora(world: World) -> World:
    dora = world.mattermost.add_user("dora")
    for channel in ("dev", "town-square"):
        world.mattermost.join(dora, channel)
    await world.start()
    return world


async def may(world: World, name: str) -> bool:
    """Whether a person may use an administrator's command."""
    answer = await world.ask(name, world.direct(name), "channel list")
    return "Only a system administrator" not in answer.message


@pytest.fixture
async def ruled(make_world: MakeWorld) -> World:
    """Dora administers by the configuration."""
    return await with_dora(await make_world(start=False, mattermost={"admins": ("dora",)}))


async def test_a_renamed_administrator_stays_one_and_who_takes_the_name_is_none(ruled: World) -> None:
    assert await may(ruled, "dora")
    for restart in (False, True):
        if not restart:
            ruled.mattermost.rename("dora", "dorothea")
            eve = ruled.mattermost.add_user("eve")
            ruled.mattermost.rename(eve, "dora")
        else:
            await ruled.stop()
            await ruled.start()
        assert await may(ruled, "dorothea")
        assert not await may(ruled, "dora")


async def test_a_name_that_is_added_counts_from_the_next_start_and_one_that_goes_no_longer(
    ruled: World,
) -> None:
    await ruled.stop()
    mattermost = dataclasses.replace(ruled.config.mattermost, admins=("carol",))
    ruled.config = dataclasses.replace(ruled.config, mattermost=mattermost)
    await ruled.start()
    assert await may(ruled, "carol")
    assert not await may(ruled, "dora")
    assert [known.id for known in await ruled.bot.ctx.store.all(NamedAdmin)] == ["carol"]


async def test_a_name_that_nobody_has_is_a_warning_and_no_one_s(
    make_world: MakeWorld, caplog: pytest.LogCaptureFixture
) -> None:
    world = await make_world(mattermost={"admins": ("nobody", "bob")})
    assert "there is no user @nobody" in caplog.text
    assert await may(world, "bob")
    world.mattermost.add_user("nobody")
    await world.bot.identity.look()
    assert not await may(world, "nobody")


async def test_who_could_not_be_looked_up_at_start_is_looked_up_later(
    make_world: MakeWorld, caplog: pytest.LogCaptureFixture
) -> None:
    world = await make_world(start=False, mattermost={"admins": ("bob", "carol")})
    world.mattermost.faults.add(status=503, times=3, method="GET", path="/users/username/bob")
    await world.start()
    assert "@bob is not looked up yet" in caplog.text
    assert not await may(world, "bob")
    assert await may(world, "carol")
    await world.bot.identity.look()
    assert await may(world, "bob")


async def test_a_start_does_not_wait_long_for_the_administrators(make_world: MakeWorld) -> None:
    world = await make_world(start=False, mattermost={"admins": ("bob",)})
    world.timings = dataclasses.replace(world.timings, admins_s=0.05)
    world.mattermost.faults.add(delay=2, times=1, method="GET", path="/users/username/bob")
    await world.start()
    assert not await may(world, "bob")


async def test_the_kept_administrators_are_told_of_a_lost_link(make_world: MakeWorld) -> None:
    """The name may be somebody else's by then."""
    world = await with_dora(
        await make_world(start=False, zoom={"app": "account"}, mattermost={"admins": ("dora",)})
    )
    world.mattermost.rename("dora", "dorothea")
    world.mattermost.rename(world.mattermost.add_user("eve"), "dora")
    assert keepers(world.bot.ctx, "") == [world.mattermost.user("dorothea").id]
    assert direct(world, "dora") == []
