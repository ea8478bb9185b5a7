"""``webinar``: for those whose plan has it; a clear sentence for the others."""

from __future__ import annotations

import asyncio

import pytest

from bot.domain.records import Item, ItemState
from bot.sandbox.zoom.clock import iso
from bot.sandbox.zoom.models import WEBINAR, Plan
from tests.conftest import MakeWorld, World
from tests.features.kit import held, replies, settle, told, with_stranger


async def test_a_webinar_is_announced_and_shows_its_life(trio: World) -> None:
    trio.zoom.user("bob@demo.example").webinar = True
    post = await trio.ask("bob", "dev", "@zoom webinar Town hall")
    webinar = trio.zoom.meetings[post.props["meeting_id"]]
    assert webinar.webinar
    assert webinar.topic == post.props["meeting_topic"] == "Town hall"
    assert "webinar" in post.message
    assert webinar.join_url in post.message
    await trio.bot.reconciler.reconcile()
    await held(trio, webinar)
    await trio.shows(post, lambda now: now.props["meeting_status"] == "ENDED")


async def test_the_host_ends_a_webinar_and_its_recording_is_posted(trio: World) -> None:
    trio.zoom.user("bob@demo.example").webinar = True
    post = await trio.ask("bob", "dev", "@zoom webinar Town hall")
    webinar = trio.zoom.meetings[post.props["meeting_id"]]
    await trio.zoom.start(webinar.id)
    assert await told(trio, "bob", "dev", "@zoom end") == "The webinar Town hall has ended."
    await trio.shows(post, lambda now: now.props["meeting_status"] == "ENDED")
    await trio.zoom.record(webinar.id)
    await settle(trio)
    assert len(replies(trio, post)) == 2


async def test_a_webinar_is_asked_about_like_a_meeting_and_goes_on_as_a_webinar(
    make_world: MakeWorld,
) -> None:
    world = await with_stranger(await make_world(meetings={"confirm_above": 2}))
    world.zoom.user("bob@demo.example").webinar = True
    crowd = await told(world, "bob", "dev", "@zoom webinar Town hall")
    assert "`yes`" in crowd
    await world.mattermost.post("bob", world.direct("bob"), "yes")
    await world.mattermost.wait_for(lambda: world.zoom.created)
    assert world.zoom.meetings[world.zoom.created[0]].webinar
    await settle(world)
    assert "`existing`" in await told(world, "carol", "dev", "@zoom webinar Another")


async def test_without_the_licence_it_is_said_privately(trio: World) -> None:
    said = await told(trio, "bob", "dev", "@zoom webinar Town hall")
    assert "licence" in said
    assert trio.mattermost.bot_posts("dev") == []


async def test_a_stranger_is_asked_to_connect(trio: World) -> None:
    assert "/oauth2/connect" in await told(trio, "mallory", "dev", "@zoom webinar Town hall")


async def test_a_restricted_channel_is_restricted_for_webinars_too(make_world: MakeWorld) -> None:
    world = await with_stranger(await make_world(meetings={"restrict_public_channels": True}))
    world.zoom.user("bob@demo.example").webinar = True
    await told(world, "bob", "dev", "@zoom webinar Town hall")
    assert world.zoom.created == []


@pytest.mark.parametrize(("body", "said"), [(None, "hasn't started"), ({"code": 3001}, "at the moment")])
async def test_a_webinar_that_cannot_be_ended_is_not_called_a_meeting(
    trio: World, body: object, said: str
) -> None:
    host = trio.zoom.user("bob@demo.example")
    webinar = trio.zoom.meeting_store.create(host, Plan(topic="Town hall"), WEBINAR)
    await trio.ask("bob", "dev", f"@zoom join {webinar.id}")
    if body:
        trio.zoom.faults.add(404, times=-1, path=r"/webinars/", body=body)
    answer = await told(trio, "bob", "dev", "@zoom end")
    assert said in answer
    assert "the webinar Town hall" in answer.replace("The webinar", "the webinar")
    assert "meeting" not in answer


async def test_a_daily_limit_is_not_said_to_be_about_creating_meetings(trio: World) -> None:
    until = iso(trio.zoom.clock.now_ms() + 3_600_000)
    headers = {"X-RateLimit-Type": "Daily-limit", "Retry-After": until}
    trio.zoom.faults.add(429, times=-1, method="GET", path=r"/meetings/", headers=headers, body={"code": 429})
    said = await told(trio, "bob", "dev", "@zoom join 81234567890")
    assert "Zoom's daily limit for this has been reached. It ends" in said


async def test_a_lost_answer_is_said_and_nothing_is_made_twice(trio: World) -> None:
    trio.zoom.user("bob@demo.example").webinar = True
    trio.zoom.faults.add(drop=True, after=True, times=1, method="POST", path=r"/webinars$")
    said = await told(trio, "bob", "dev", "@zoom webinar Town hall")
    assert "don't know" in said
    assert f"{trio.zoom.url}/webinar/list" in said
    assert len(trio.zoom.created) == 1


async def test_what_only_waited_before_a_restart_is_done_as_if_nothing_had_been(
    make_world: MakeWorld,
) -> None:
    world = await with_stranger(await make_world(meetings={"duplicate_window_ms": 0}))
    world.zoom.user("bob@demo.example").webinar = True
    channel, fault = world.direct("bob"), world.zoom.faults.add(method="POST", path=r"/meetings$", delay=30)
    asked = [await world.mattermost.post("bob", channel, "start standup")]
    while not fault.hits:
        await asyncio.sleep(0)
    for words in ("webinar town hall", "disconnect", "disconnect"):
        asked.append(await world.mattermost.post("bob", channel, words))
        # Each is written down before the next one, in a later millisecond.
        at = world.now()
        while len(await waiting(world)) < len(asked) or world.now() <= at:
            await asyncio.sleep(0)
    await world.stop()
    await world.start()
    for each in asked:
        await world.answer_to(each)
    await settle(world)
    said = [world.answers_to(each)[0] for each in asked]
    assert said[1].props["meeting_topic"] == "town hall"
    assert "deleted its keys" in said[2].message
    assert "You're not connected to Zoom" in said[3].message


async def waiting(world: World) -> list[Item]:
    return await world.bot.ctx.store.find(Item, "state", ItemState.WAITING)
