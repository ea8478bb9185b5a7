"""Apps of a whole account find people by e-mail: once. Nobody becomes another person by changing theirs."""

from __future__ import annotations

import asyncio
import dataclasses

import pytest

from bot.domain.identities import ZoomPerson
from bot.sandbox.zoom.models import Json
from tests.conftest import MakeWorld, World
from tests.features.kit import App, as_app, ask, direct, held, planned, settle, told

CHIEF = "chief@demo.example"


@pytest.fixture(params=["account", "server-to-server"])
async def office(request: pytest.FixtureRequest, make_world: MakeWorld) -> World:
    """A Zoom user is the chief, who has no account here. Bob has used the bot before, mallory has not."""
    return await opened(make_world, request.param)


async def opened(make_world: MakeWorld, app: App, **meetings: object) -> World:
    world = await as_app(await make_world(start=False, meetings={"duplicate_window_ms": 0, **meetings}), app)
    world.zoom.add_user(CHIEF)
    world.zoom.add_user("mallory@demo.example")
    world.mattermost.join(world.mattermost.add_user("mallory"), "dev")
    await world.meeting("bob")
    world.zoom.clear_calls()
    return world


def hosts(world: World) -> list[str]:
    return [world.zoom.meetings[number].host.email for number in world.zoom.created]


async def confirm(world: World, name: str, word: str = "change") -> str:
    """Alice, a system administrator, confirms whom a person's address leads to; what she reads at last."""
    (question,) = await ask(world, "alice", world.direct("alice"), f"connect @{name}")
    assert f"@{name}" in question.message
    return await choose(world, word)


async def choose(world: World, word: str) -> str:
    """Alice answers in words; what she reads then."""
    before = len(direct(world, "alice"))
    await world.mattermost.post("alice", world.direct("alice"), word)
    await world.mattermost.wait_for(lambda: len(direct(world, "alice")) > before)
    await settle(world)
    return direct(world, "alice")[-1]


# A changed address.


@pytest.mark.parametrize("words", ["standup", "join me", "webinar town hall", "subscribe {number}"])
async def test_who_takes_the_chief_s_address_gets_nothing_of_the_chief_s(office: World, words: str) -> None:
    meeting = planned(office, "chief")
    office.mattermost.change_email("bob", CHIEF)
    said = await told(office, "bob", "dev", "@zoom " + words.format(number=meeting.id))
    assert f"`{CHIEF}`" in said
    assert "administrator" in said
    assert "`connect @bob`" in said
    assert CHIEF not in hosts(office)


async def test_who_takes_the_chief_s_address_does_not_end_the_chief_s_meeting(office: World) -> None:
    meeting = planned(office, "chief")
    await ask(office, "alice", "town-square", f"@zoom subscribe {meeting.id}")
    await office.zoom.start(meeting.id)
    await settle(office)
    office.mattermost.change_email("bob", CHIEF)
    for words in ("end", f"unsubscribe {meeting.id}"):
        assert "administrator" in await told(office, "bob", "town-square", f"@zoom {words}")
    assert meeting.status == "started"


@pytest.mark.parametrize("app", ["account", "server-to-server"])
async def test_a_recording_for_the_host_alone_goes_to_nobody_who_took_the_address(
    make_world: MakeWorld, app: App
) -> None:
    world = await opened(make_world, app, post_recordings="host-only")
    meeting = planned(world, "chief")
    await ask(world, "alice", "dev", f"@zoom subscribe {meeting.id}")
    world.mattermost.change_email("bob", CHIEF)
    before = len(direct(world, "bob"))
    await held(world, meeting)
    await world.zoom.record(meeting.id)
    await settle(world)
    assert len(direct(world, "bob")) == before
    assert direct(world, "alice") == []


async def test_a_recording_goes_to_the_person_who_is_known_whatever_their_address_is(
    make_world: MakeWorld,
) -> None:
    world = await opened(make_world, "server-to-server", post_recordings="host-only")
    meeting = planned(world, "bob")
    await ask(world, "alice", "dev", f"@zoom subscribe {meeting.id}")
    world.mattermost.change_email("bob", "robert@demo.example")
    world.mattermost.change_email("mallory", "bob@demo.example")
    await held(world, meeting)
    await world.zoom.record(meeting.id)
    await settle(world)
    assert any("recording" in said for said in direct(world, "bob"))
    assert direct(world, "mallory") == []


async def test_an_address_that_nobody_has_at_zoom_or_that_leads_to_the_same_user_changes_nothing(
    office: World,
) -> None:
    office.mattermost.change_email("bob", "robert@demo.example")
    await ask(office, "bob", "dev", "@zoom one")
    office.zoom.user("bob@demo.example").email = "robert@demo.example"
    await ask(office, "bob", "dev", "@zoom two")
    office.zoom.clear_calls()
    await ask(office, "bob", "dev", "@zoom three")
    assert hosts(office) == ["robert@demo.example"] * 4
    assert len(office.zoom.calls) == 1


async def test_a_hidden_address_changes_nothing_for_who_is_known(office: World) -> None:
    office.mattermost.world.show_email_address = False
    office.bot.ctx.people.forget(office.mattermost.user("bob").id)
    await ask(office, "bob", "dev", "@zoom standup")
    assert hosts(office) == ["bob@demo.example"] * 2


async def test_it_costs_one_call_once(office: World) -> None:
    await ask(office, "bob", "dev", "@zoom again")
    assert [call.method for call in office.zoom.calls] == ["POST"]
    office.zoom.clear_calls()
    await ask(office, "carol", "dev", "@zoom first")
    assert [call.method for call in office.zoom.calls] == ["GET", "POST"]


async def test_what_is_kept_outlives_a_restart(office: World) -> None:
    office.mattermost.change_email("bob", CHIEF)
    await office.stop()
    await office.start()
    assert "`connect @bob`" in await told(office, "bob", "dev", "@zoom standup")


async def test_two_first_uses_at_once_are_one(office: World) -> None:
    asked = [
        await office.mattermost.post("carol", channel, "@zoom sync") for channel in ("dev", "town-square")
    ]
    await asyncio.gather(*(office.answer_to(each) for each in asked))
    known = await office.bot.ctx.store.all(ZoomPerson)
    assert len(known) == len({each.zoom_user_id for each in known}) == 2


# Somebody else's.


async def test_an_address_that_was_another_s_gives_nobody_their_zoom_user(office: World) -> None:
    office.mattermost.change_email("bob", "robert@demo.example")
    office.mattermost.change_email("mallory", "bob@demo.example")
    said = await told(office, "mallory", "dev", "@zoom standup")
    assert "somebody else has used" in said
    assert "`connect @mallory`" in said
    assert hosts(office) == ["bob@demo.example"]


# The way out.


async def test_an_administrator_confirms_the_new_account(office: World) -> None:
    office.mattermost.change_email("bob", CHIEF)
    await ask(office, "bob", "dev", "@zoom standup")
    (question,) = await ask(office, "alice", office.direct("alice"), "connect @bob")
    assert "`bob@demo.example`" in question.message
    assert f"`{CHIEF}`" in question.message
    assert f"@bob uses the Zoom account `{CHIEF}`" in await choose(office, "change")
    assert "confirmed" in direct(office, "bob")[-1]
    await ask(office, "bob", "dev", "@zoom retro")
    assert hosts(office)[-1] == CHIEF


async def test_an_administrator_may_keep_it_as_it_is(office: World) -> None:
    office.mattermost.change_email("bob", CHIEF)
    assert "Nothing was changed" in await confirm(office, "bob", "keep")
    assert "`connect @bob`" in await told(office, "bob", "dev", "@zoom standup")


async def test_what_was_confirmed_is_what_the_question_named(office: World) -> None:
    office.zoom.add_user("deputy@demo.example")
    office.mattermost.change_email("bob", "deputy@demo.example")
    await ask(office, "alice", office.direct("alice"), "connect @bob")
    office.mattermost.change_email("bob", CHIEF)
    assert "has been changed meanwhile" in await choose(office, "change")
    assert "`connect @bob`" in await told(office, "bob", "dev", "@zoom standup")


async def test_an_account_that_goes_to_another_person_leaves_the_first(office: World) -> None:
    office.mattermost.change_email("bob", "robert@demo.example")
    office.mattermost.change_email("mallory", "bob@demo.example")
    await confirm(office, "mallory")
    assert "no longer use it for you" in direct(office, "bob")[-1]
    await ask(office, "mallory", "dev", "@zoom standup")
    assert hosts(office) == ["bob@demo.example"] * 2
    assert "e-mail address" in await told(office, "bob", "dev", "@zoom retro")


async def test_an_account_that_was_made_anew_at_zoom_is_confirmed_too(office: World) -> None:
    del office.zoom.accounts.users[office.zoom.user("bob@demo.example").id]
    assert "`connect @bob`" in await told(office, "bob", "dev", "@zoom standup")
    office.zoom.add_user("bob@demo.example")
    await confirm(office, "bob")
    answer = await office.ask("bob", "dev", "@zoom standup")
    assert "meeting_id" in answer.props


async def test_only_administrators_confirm(office: World) -> None:
    office.mattermost.change_email("bob", CHIEF)
    for name in ("bob", "carol"):
        said = await told(office, name, office.direct(name), "connect @bob")
        assert "Only a system administrator" in said
    assert await told(office, "bob", office.direct("bob"), "change") != ""
    assert "`connect @bob`" in await told(office, "bob", "dev", "@zoom standup")


@pytest.mark.parametrize(
    ("name", "words"),
    [("nobody", "nobody here"), ("carol", "nothing to change"), ("dave", "Zoom has no account")],
)
async def test_where_there_is_nothing_to_confirm_that_is_said(office: World, name: str, words: str) -> None:
    office.mattermost.add_user("dave")
    assert words in await told(office, "alice", office.direct("alice"), f"connect @{name}")


async def test_where_people_link_their_own_accounts_these_words_are_a_topic(world: World) -> None:
    post = await world.ask("bob", "dev", "@zoom connect @carol")
    assert post.props["meeting_topic"] == "connect @carol"
    assert "`connect`" in await told(world, "bob", world.direct("bob"), "connect @carol")


# What the operator or Zoom changes.


async def test_another_zoom_account_begins_anew_and_another_app_of_the_same_does_not(office: World) -> None:
    people = office.zoom.accounts.users
    for number, (account_id, works) in enumerate([(office.zoom.account_id, False), ("another", True)]):
        await office.stop()
        zoom = dataclasses.replace(office.config.zoom, client_id=f"app-{number}")
        office.zoom.client_id = zoom.client_id
        office.config = dataclasses.replace(office.config, zoom=zoom)
        for user in people.values():
            user.account_id = account_id
        office.mattermost.user("bob").email = CHIEF
        await office.start()
        answer = await office.ask("bob", "dev", "@zoom standup")
        assert ("meeting_id" in answer.props) == works


async def test_when_the_account_removes_the_app_nothing_of_zoom_s_people_stays(make_world: MakeWorld) -> None:
    world = await opened(make_world, "account")
    assert await world.bot.ctx.store.all(ZoomPerson)
    await world.zoom.deauthorize("alice@demo.example")
    await settle(world)
    assert await world.bot.ctx.store.all(ZoomPerson) == []


async def test_in_a_user_s_app_an_address_proves_nothing_either(make_world: MakeWorld) -> None:
    """Carol follows the chief's meeting, which Zoom shows her, and takes the chief's address here."""
    world = await make_world(meetings={"post_recordings": "host-only"})
    await world.link("alice")
    chief = world.zoom.add_user(CHIEF)
    meeting = planned(world, "alice")
    await ask(world, "alice", "dev", f"@zoom subscribe {meeting.id}")
    await held(world, meeting)
    about: Json = {"id": meeting.id, "uuid": meeting.last.uuid, "host_id": chief.id, "host_email": CHIEF}
    world.mattermost.change_email("alice", CHIEF)
    payload: Json = {"object": about | {"share_url": "https://zoom.us/rec/share/1"}}
    await world.zoom.deliver("recording.completed", payload)
    await settle(world)
    assert direct(world, "alice") == []
