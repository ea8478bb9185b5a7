"""``end``: for the host and administrators."""

from __future__ import annotations

import asyncio

import pytest

from bot.domain.records import Meeting
from bot.sandbox.zoom.models import BASIC
from tests.conftest import MakeWorld, World
from tests.features.kit import App, as_app, ask, direct, held, planned, settle, told


async def ended(world: World, post_id: str) -> None:
    await ended_by_itself(world, post_id)
    await settle(world)


async def ended_by_itself(world: World, post_id: str) -> None:
    await world.mattermost.wait_for(
        lambda: [
            post
            for post in world.mattermost.bot_posts()
            if post.id == post_id and post.props["meeting_status"] == "ENDED"
        ]
    )


async def test_the_host_ends_the_meeting_and_is_told_so_and_its_card_says_it_to_all(trio: World) -> None:
    post, meeting = await trio.meeting("bob")
    await trio.zoom.start(meeting.id)
    assert await told(trio, "bob", "dev", "@zoom end") == "The meeting standup has ended."
    await ended(trio, post.id)
    assert meeting.status == "ended"


async def test_an_interrupted_end_is_answered_once_and_ends_no_other_meeting(trio: World) -> None:
    _, other = await trio.meeting("bob", topic="retro")
    post, meeting = await trio.meeting("bob")
    for each in (other, meeting):
        await trio.zoom.start(each.id)
    trio.zoom.faults.add(method="GET", path=r"/past_meetings/", delay=30)
    asked = await trio.mattermost.post("bob", "dev", "@zoom end")
    await trio.shows(post, lambda now: now.props["meeting_status"] == "ENDED")
    await trio.stop()
    assert trio.answers_to(asked) == []
    await trio.start()
    await trio.answer_to(asked)
    await settle(trio)
    assert direct(trio, "bob") == ["The meeting standup has ended."]
    assert other.status == "started"


async def test_an_interrupted_end_that_zoom_then_refuses_is_answered_once(trio: World) -> None:
    _, meeting = await trio.meeting("bob")
    await trio.zoom.start(meeting.id)
    trio.zoom.faults.add(method="PUT", path=r"/status$", drop=True, delay=30)
    asked = await trio.mattermost.post("bob", "dev", "@zoom end")
    while not any(each.ended_by for each in await trio.bot.ctx.store.all(Meeting)):
        await asyncio.sleep(0)
    await trio.stop()
    trio.zoom.faults.clear()
    trio.zoom.faults.add(403, method="PUT", path=r"/status$", body={"code": 200, "message": "Not today."})
    await trio.start()
    await trio.answer_to(asked)
    await settle(trio)
    (said,) = direct(trio, "bob")
    assert "Not today." in said
    assert meeting.status == "started"


async def test_an_interrupted_end_takes_no_other_s_end_for_its_own(trio: World) -> None:
    other_post, other = await trio.meeting("carol", topic="retro")
    post, meeting = await trio.meeting("bob")
    for each in (other, meeting):
        await trio.zoom.start(each.id)
    trio.zoom.faults.add(method="PUT", path=r"/status$", delay=30)
    asked = await trio.mattermost.post("bob", "dev", "@zoom end")
    while not any(each.ended_by for each in await trio.bot.ctx.store.all(Meeting)):
        await asyncio.sleep(0)
    await trio.zoom.end(other.id)
    await ended_by_itself(trio, other_post.id)
    await trio.stop()
    trio.zoom.faults.clear()
    await trio.start()
    await trio.answer_to(asked)
    await ended(trio, post.id)
    assert direct(trio, "bob") == ["The meeting standup has ended."]
    assert meeting.status == "ended"


async def test_a_colleague_and_a_stranger_are_refused_privately(trio: World) -> None:
    _, meeting = await trio.meeting("bob")
    await trio.zoom.start(meeting.id)
    for name in ("carol", "mallory"):
        assert "bob" in await told(trio, name, "dev", "@zoom end")
    assert meeting.status == "started"


async def test_an_administrator_ends_it_with_the_host_s_account(trio: World) -> None:
    post, meeting = await trio.meeting("bob")
    await trio.zoom.start(meeting.id)
    await trio.mattermost.post("alice", "dev", "@zoom end")
    await ended(trio, post.id)
    assert meeting.status == "ended"


@pytest.mark.parametrize("app", ["account", "server-to-server"])
async def test_the_host_ends_a_meeting_that_somebody_else_let_the_channel_follow(
    make_world: MakeWorld, app: App
) -> None:
    world = await as_app(await make_world(start=False), app)
    meeting = planned(world, "bob")
    await ask(world, "alice", "dev", f"@zoom subscribe {meeting.id}")
    await world.zoom.start(meeting.id)
    await settle(world)
    denied = await told(world, "carol", "dev", "@zoom end")
    assert "host" in denied
    # Who subscribed is not the host.
    assert "alice" not in denied
    assert meeting.status == "started"
    await world.mattermost.post("bob", "dev", "@zoom end")
    await ended(world, world.mattermost.bot_posts("dev")[-1].id)
    assert len(meeting.past) == 1


async def test_who_made_a_meeting_may_end_it_without_an_e_mail_address_that_zoom_knows(
    make_world: MakeWorld,
) -> None:
    world = await as_app(await make_world(start=False), "account")
    post, meeting = await world.meeting("bob")
    await world.zoom.start(meeting.id)
    await world.stop()
    world.mattermost.user("bob").email = "another@demo.example"
    await world.start()
    await world.mattermost.post("bob", "dev", "@zoom end")
    await ended(world, post.id)
    assert meeting.status == "ended"


async def test_who_disconnected_is_told_that_the_meeting_cannot_be_ended_from_here(trio: World) -> None:
    _, meeting = await trio.meeting("bob")
    await trio.zoom.start(meeting.id)
    await ask(trio, "bob", trio.direct("bob"), "disconnect")
    assert "bob is no longer connected" in await told(trio, "bob", "dev", "@zoom end")


async def test_an_administrator_who_is_one_no_more_is_refused_at_once(trio: World) -> None:
    await ask(trio, "alice", trio.direct("alice"), "channel list")
    trio.mattermost.user("alice").roles = "system_user"
    _, meeting = await trio.meeting("bob")
    await trio.zoom.start(meeting.id)
    assert "Only the host" in await told(trio, "alice", "dev", "@zoom end")
    assert meeting.status == "started"


async def test_without_a_meeting_there_is_nothing_to_end(trio: World) -> None:
    await trio.meeting("bob", "town-square")
    assert "no meeting" in await told(trio, "bob", "dev", "@zoom end")


async def test_a_pasted_meeting_is_not_ended(trio: World) -> None:
    meeting = planned(trio, "bob")
    await trio.zoom.start(meeting.id)
    await trio.ask("mallory", "dev", f"@zoom join {trio.zoom.url}/j/{meeting.id}")
    assert "no meeting" in await told(trio, "mallory", "dev", "@zoom end")
    assert meeting.status == "started"


async def test_a_thread_ends_its_own_meeting(trio: World) -> None:
    post, meeting = await trio.meeting("bob")
    _, other = await trio.meeting("bob", topic="retro")
    for each in (meeting, other):
        await trio.zoom.start(each.id)
    await trio.mattermost.post("bob", "dev", "@zoom end", root_id=post.id)
    await ended(trio, post.id)
    assert other.status == "started"


async def test_one_that_nobody_started_is_deleted(trio: World) -> None:
    post, meeting = await trio.meeting("bob")
    assert "cancelled" in await told(trio, "bob", "dev", "@zoom end")
    await ended(trio, post.id)
    assert meeting.id not in trio.zoom.meetings


async def test_a_planned_meeting_that_has_not_started_is_left_alone(trio: World) -> None:
    meeting = planned(trio, "bob")
    await trio.ask("bob", "dev", f"@zoom join {meeting.id}")
    assert "hasn't started" in await told(trio, "bob", "dev", "@zoom end")
    assert meeting.id in trio.zoom.meetings


async def test_one_that_is_over_at_zoom_is_closed_with_zoom_s_times(trio: World) -> None:
    post, meeting = await trio.meeting("bob")
    await trio.zoom.start(meeting.id)
    trio.zoom.clock.advance(600)
    await trio.zoom.end(meeting.id, deliver=False)
    await trio.mattermost.post("bob", "dev", "@zoom end")
    await ended(trio, post.id)
    (shown,) = [each for each in trio.mattermost.bot_posts("dev") if each.id == post.id]
    assert shown.props["meeting_end_time"] // 1000 == meeting.last.ended_ms // 1000


async def test_a_host_who_is_no_longer_connected_is_named(trio: World) -> None:
    _, meeting = await trio.meeting("bob")
    await trio.zoom.start(meeting.id)
    await ask(trio, "bob", trio.direct("bob"), "disconnect")
    assert "bob is no longer connected" in await told(trio, "alice", "dev", "@zoom end")


async def test_it_ends_once(trio: World) -> None:
    post, meeting = await trio.meeting("bob")
    await held(trio, meeting)
    await trio.shows(post, lambda now: now.props["meeting_status"] == "ENDED")
    assert "no meeting" in await told(trio, "bob", "dev", "@zoom end")


async def test_what_zoom_does_not_know_for_a_moment_is_neither_closed_nor_called_cancelled(
    trio: World,
) -> None:
    post, meeting = await trio.meeting("bob")
    unknown = {"code": 3001, "message": "Meeting does not exist."}
    trio.zoom.faults.add(404, method="PUT", path=r"/status$", body=unknown)
    assert "at the moment" in await told(trio, "bob", "dev", "@zoom end")
    (shown,) = [each for each in trio.mattermost.bot_posts("dev") if each.id == post.id]
    assert shown.props["meeting_status"] == "WAITING"
    assert meeting.id in trio.zoom.meetings
    # Asked again, it is.
    assert "cancelled" in (await ask(trio, "bob", "dev", "@zoom end"))[0].message
    await ended(trio, post.id)


async def test_a_live_one_that_zoom_does_not_know_for_a_moment_is_not_said_to_be_over(trio: World) -> None:
    post, meeting = await trio.meeting("bob")
    await trio.zoom.start(meeting.id)
    unknown = {"code": 3001, "message": "Meeting does not exist."}
    trio.zoom.faults.add(404, method="PUT", path=r"/status$", body=unknown)
    assert "at the moment" in await told(trio, "bob", "dev", "@zoom end")
    assert meeting.status == "started"
    await ask(trio, "bob", "dev", "@zoom end")
    await ended(trio, post.id)


async def test_a_live_room_that_is_over_at_zoom_is_not_said_never_to_have_started(trio: World) -> None:
    # Zoom tells no ends of free accounts.
    trio.zoom.user("bob@demo.example").type = BASIC
    post = await trio.ask("bob", "dev", "@zoom join me")
    await trio.zoom.start(post.props["meeting_id"])
    await settle(trio)
    await trio.zoom.end(post.props["meeting_id"], deliver=False)
    assert "isn't running any more" in await told(trio, "bob", "dev", "@zoom end")
    for _ in range(2):
        trio.zoom.clock.advance(300)
        await trio.bot.reconciler.reconcile()
    await ended(trio, post.id)
