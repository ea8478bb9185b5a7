"""The card shows the topic, link and passcode that the meeting has at Zoom now, and the passcode where needed."""

from __future__ import annotations

import pytest

from bot.domain.records import Meeting as Record
from bot.runtime.reconciler import Reconciler
from bot.sandbox.mattermost import Post
from tests.conftest import World
from tests.features.kit import RECURRING, ask, changed, direct, planned, replies, settle


def fields(post: Post) -> dict[str, str]:
    (card,) = post.props["attachments"]
    return {field["title"]: field["value"] for field in card["fields"]}


def now_of(world: World, post: Post) -> Post:
    (found,) = [each for each in world.mattermost.bot_posts() if each.id == post.id]
    return found


@pytest.mark.parametrize("how", ["start", "webinar", "number", "me"])
async def test_a_link_without_a_passcode_has_it_beside_it(world: World, how: str) -> None:
    world.zoom.meeting_store.embeds_passcodes = False
    alice = world.zoom.user("alice@demo.example")
    alice.webinar = True
    shared = planned(world, "alice", kind=RECURRING)
    asked = {"start": "standup", "webinar": "webinar talk", "number": f"join {shared.id}", "me": "join me"}
    post = await world.ask("alice", "dev", f"@zoom {asked[how]}")
    meeting = world.zoom.meetings[post.props["meeting_id"]]
    assert "pwd" not in meeting.join_url
    assert fields(post)["Passcode"] == f"`{meeting.password}`"
    assert meeting.password in post.props["attachments"][0]["fallback"]


async def test_a_link_that_carries_the_passcode_does_not_show_it(world: World) -> None:
    post, meeting = await world.meeting()
    assert "Passcode" not in fields(post)
    assert meeting.password not in str(post.props)


async def test_a_followed_meeting_shows_its_passcode_too(world: World) -> None:
    world.zoom.meeting_store.embeds_passcodes = False
    meeting = planned(world, "alice")
    await ask(world, "alice", "dev", f"@zoom subscribe {meeting.id}")
    await world.zoom.start(meeting.id)
    await settle(world)
    (post,) = [each for each in world.mattermost.bot_posts("dev") if each.props.get("meeting_id")]
    assert fields(post)["Passcode"] == f"`{meeting.password}`"
    # Once it is over, nobody needs it.
    await world.zoom.end(meeting.id)
    await settle(world)
    assert "Passcode" not in fields(now_of(world, post))


async def test_whoever_joins_the_meeting_that_exists_is_told_its_passcode(world: World) -> None:
    world.zoom.meeting_store.embeds_passcodes = False
    _, meeting = await world.meeting("alice")
    await ask(world, "bob", "dev", "@zoom retro")
    await world.mattermost.post("bob", world.direct("bob"), "existing")
    wanted = f"(passcode: `{meeting.password}`)"
    await world.mattermost.wait_for(lambda: any(wanted in said for said in direct(world, "bob")))


@pytest.mark.parametrize("told", [True, False])
async def test_a_new_topic_and_passcode_are_shown(world: World, told: bool) -> None:
    post, meeting = await world.meeting()
    old = meeting.join_url
    await changed(world, meeting, topic="retro *all*", password="n3w", deliver=told)
    if not told:
        await Reconciler(world.bot.ctx).reconcile()
    await settle(world)
    shown = now_of(world, post)
    assert shown.props["meeting_topic"] == "retro *all*"
    assert shown.props["meeting_link"] == meeting.join_url != old
    assert old not in str(shown.props)
    assert old not in shown.message


async def test_what_changed_unseen_is_shown_from_the_start_on(world: World) -> None:
    meeting = planned(world, "alice")
    post = await world.ask("alice", "dev", f"@zoom join {meeting.id}")
    await changed(world, meeting, password="n3w", topic="Other", deliver=False)
    await world.zoom.start(meeting.id)
    await settle(world)
    shown = now_of(world, post)
    assert (shown.props["meeting_status"], shown.props["meeting_topic"]) == ("STARTED", "Other")
    assert shown.props["meeting_link"] == meeting.join_url


async def test_without_an_answer_of_zoom_s_the_new_passcode_stands_beside_the_link(world: World) -> None:
    post, meeting = await world.meeting()
    world.zoom.faults.add(status=404, times=-1, method="GET", path=r"/v2/meetings/")
    await changed(world, meeting, password="n3w")
    await settle(world)
    shown = now_of(world, post)
    assert "pwd" not in shown.props["meeting_link"]
    assert fields(shown)["Passcode"] == "`n3w`"


async def test_a_topic_of_one_s_own_in_the_personal_room_stays(world: World) -> None:
    await ask(world, "alice", world.direct("alice"), "settings pmi always")
    post = await world.ask("alice", "dev", "@zoom standup")
    room = world.zoom.meetings[post.props["meeting_id"]]
    await changed(world, room, topic="My room", password="n3w")
    await settle(world)
    shown = now_of(world, post)
    assert shown.props["meeting_topic"] == "standup"
    assert shown.props["meeting_link"] == room.join_url


async def test_an_ended_meeting_keeps_its_topic_and_a_pasted_link_is_not_looked_up(world: World) -> None:
    post, meeting = await world.meeting()
    await world.zoom.start(meeting.id)
    await world.zoom.end(meeting.id)
    await settle(world)
    pasted = await world.ask("bob", "town-square", f"@zoom join {meeting.join_url}")
    world.zoom.clear_calls()
    await changed(world, meeting, topic="secret")
    await settle(world)
    assert now_of(world, post).props["meeting_topic"] == "standup"
    assert "secret" not in str(now_of(world, pasted).props)
    assert world.zoom.calls == []
    assert replies(world, pasted) == []
    assert all(each.topic != "secret" for each in await world.bot.ctx.store.all(Record))
