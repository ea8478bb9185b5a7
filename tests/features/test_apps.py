"""Apps of a whole account: one authorization, or none, for everybody."""

from __future__ import annotations

import dataclasses

import pytest

from tests.conftest import MakeWorld
from tests.features.kit import App, as_app, connect, told


async def test_server_to_server_needs_no_linking_and_finds_people_by_email(make_world: MakeWorld) -> None:
    world = await as_app(await make_world(start=False), "server-to-server")
    answer = await world.ask("carol", "dev", "@zoom standup")
    meeting = world.zoom.meetings[answer.props["meeting_id"]]
    assert meeting.host_id == world.zoom.user("carol@demo.example").id
    said = await world.ask("carol", world.direct("carol"), "connect")
    assert "need to connect anything" in said.message


async def test_an_account_is_connected_once_by_an_administrator(make_world: MakeWorld) -> None:
    world = await make_world(start=False)
    world.zoom.app = "account"
    world.config = dataclasses.replace(
        world.config, zoom=dataclasses.replace(world.config.zoom, app="account")
    )
    await world.start()
    before = await world.ask("bob", "dev", "@zoom standup")
    assert "administrator" in before.message
    refused = await world.ask("bob", world.direct("bob"), "connect")
    assert "/oauth2/connect" not in refused.message
    invited = await world.ask("alice", world.direct("alice"), "connect")
    await connect(world, "alice", invited.message)
    answer = await world.ask("bob", "dev", "@zoom standup")
    assert world.zoom.meetings[answer.props["meeting_id"]].host_id == world.zoom.user("bob@demo.example").id


async def test_whom_zoom_does_not_know_is_told_so(make_world: MakeWorld) -> None:
    world = await as_app(await make_world(start=False), "server-to-server")
    world.mattermost.add_user("dave")
    world.mattermost.join("dave", "dev")
    said = await world.ask("dave", "dev", "@zoom standup")
    assert "`dave@demo.example`" in said.message
    assert said.channel_id == world.direct("dave").id


@pytest.mark.parametrize("app", ["account", "server-to-server"])
@pytest.mark.parametrize(
    "words", ["join me", "join 123 4567 8901", "webinar town hall", "subscribe 12345678901"]
)
async def test_the_address_that_zoom_does_not_know_is_named_whatever_was_asked(
    make_world: MakeWorld, app: App, words: str
) -> None:
    world = await as_app(await make_world(start=False), app)
    world.mattermost.user("bob").email = "bob@elsewhere.example"
    assert "`bob@elsewhere.example`" in await told(world, "bob", "dev", f"@zoom {words}")


async def test_without_an_account_there_is_nothing_to_set(make_world: MakeWorld) -> None:
    world = await make_world()
    for words in ("settings", "settings pmi always"):
        assert "/oauth2/connect" in await told(world, "carol", world.direct("carol"), words)


async def test_who_need_not_connect_may_set_things(make_world: MakeWorld) -> None:
    world = await as_app(await make_world(start=False), "server-to-server")
    assert "personal room" in await told(world, "carol", world.direct("carol"), "settings pmi always")


@pytest.mark.parametrize("app", ["account", "server-to-server"])
@pytest.mark.parametrize("words", ["standup", "join me", "webinar town hall"])
async def test_a_hidden_e_mail_address_is_the_administrator_s_business(
    make_world: MakeWorld, app: App, words: str
) -> None:
    world = await make_world(start=False)
    world.mattermost.world.show_email_address = False
    await as_app(world, app)
    said = await told(world, "bob", "dev", f"@zoom {words}")
    assert "doesn't show me your e-mail address" in said
    assert "zoombot check" in said
