"""Every event that the bot handles, with every field left out, null, or of another JSON type."""

from __future__ import annotations

import copy
import dataclasses
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest

from bot.domain.records import Item, LinkedAccount, Meeting
from bot.features import collect
from bot.runtime.worker import RetryPolicy
from bot.stores import Put
from tests.conftest import MakeWorld, World
from tests.features.kit import settle

# What stands in place of a field. LEFT_OUT removes it.
LEFT_OUT = object()
OTHERS: tuple[Any, ...] = (LEFT_OUT, None, "", "x", 7, -1.5, True, [], [7], {}, {"a": None})
EVENTS = (
    "meeting.updated",
    "meeting.started",
    "meeting.ended",
    "meeting.participant_joined",
    "meeting.participant_left",
    "recording.started",
    "recording.paused",
    "recording.resumed",
    "recording.stopped",
    "recording.completed",
    "recording.transcript_completed",
    "meeting.summary_completed",
    "app_deauthorized",
    "webinar.updated",
    "webinar.started",
    "webinar.ended",
    "webinar.participant_joined",
    "webinar.participant_left",
)
Path = tuple[str | int, ...]


def paths(value: Any, above: Path = ()) -> Iterator[Path]:
    """Where the fields of a body are; of a list, its first item and the list itself."""
    inside: list[tuple[str | int, Any]] = []
    if isinstance(value, dict):
        inside = list(value.items())
    elif isinstance(value, list):
        inside = list(enumerate(value[:1]))
    for name, below in inside:
        yield (*above, name)
        yield from paths(below, (*above, name))


def changed(body: Any, path: Path, other: Any) -> Any:
    """The body with something else at this place."""
    made = copy.deepcopy(body)
    *above, last = path
    place = made
    for name in above:
        place = place[name]
    if other is LEFT_OUT:
        del place[last]
    else:
        place[last] = other
    return made


async def bodies(world: World, number: int) -> dict[str, Any]:
    """A body of each event, from a meeting that takes place. The bot does not get them."""
    zoom, store, meeting = world.zoom, world.zoom.meeting_store, world.zoom.meetings[number]
    url, zoom.webhook_url = zoom.webhook_url, "http://127.0.0.1:9/nobody"
    zoom.retry_delays = ()
    await zoom.webhooks.send(store.change(meeting, topic="Planning", password="secret"))
    await zoom.start(number)
    await zoom.leave(number, await zoom.join(number, "Guest"))
    for change in (store.record, store.pause, store.resume, store.cut):
        await zoom.webhooks.send(change(meeting))
    await zoom.end(number)
    for publish in (zoom.record, zoom.transcribe, zoom.summarize):
        await publish(number)
    await zoom.deauthorize("carol@demo.example")
    zoom.webhook_url = url
    made = {delivery.event: json.loads(delivery.body) for delivery in zoom.deliveries}
    # Those of webinars have the same fields.
    same = {name.replace("meeting.", "webinar."): body for name, body in made.items()}
    return {name: body | {"event": name} for name, body in (same | made).items()}


async def send(world: World, body: Any) -> int:
    name = str(body.get("event"))
    delivery = await world.zoom.deliver(name, {}, raw=json.dumps(body).encode())
    return delivery.status


@pytest.fixture
async def world(make_world: MakeWorld) -> World:
    world = await make_world(start=False, meetings={"duplicate_window_ms": 0})
    # An item that fails is set aside at once.
    world.timings = dataclasses.replace(world.timings, retry_policy=RetryPolicy(pauses_s=()))
    await world.start()
    for name in ("alice", "bob", "carol"):
        await world.link(name)
    return world


def test_the_events_of_this_test_are_all_that_the_bot_handles() -> None:
    assert set(EVENTS) == set(collect().webhooks)


@pytest.mark.parametrize("event", EVENTS)
async def test_an_event_with_any_field_amiss_disturbs_nothing(
    world: World, event: str, caplog: pytest.LogCaptureFixture
) -> None:
    ctx = world.bot.ctx
    _, meeting = await world.meeting("alice", "dev", "standup")
    other_post, other = await world.meeting("bob", "town-square", "planning")
    await world.zoom.start(other.id)
    await settle(world)
    body = (await bodies(world, meeting.id))[event]
    (shown,) = await ctx.store.find(Meeting, "zoom_id", meeting.id)
    (untouched,) = await ctx.store.find(Meeting, "zoom_id", other.id)
    links = {link.id: link for link in await ctx.store.all(LinkedAccount)}
    card = next(each for each in world.mattermost.bot_posts() if each.id == other_post.id)
    before = (card.message, card.props)
    caplog.clear()

    for count, (path, value) in enumerate((path, value) for path in paths(body) for value in OTHERS):
        amiss = changed(body, path, value)
        if path != ("event_ts",) and "event_ts" in amiss:
            amiss["event_ts"] += count
        await ctx.store.commit(Put(shown), *(Put(link) for link in links.values()))
        status = await send(world, amiss)
        # What has the name of an event but cannot be read is asked for again.
        unread = {"event": 400, "payload": 503}.get(str(path[0]), 200)
        assert status in (200, unread), (path, value)
        await world.bot.worker.idle()

    await settle(world)
    assert [record.getMessage() for record in caplog.records if record.exc_info] == []
    assert [record.getMessage() for record in caplog.records if record.levelno >= logging.ERROR] == []
    assert [item for item in await ctx.store.all(Item) if item.error] == []
    assert await ctx.store.find(Meeting, "zoom_id", other.id) == [untouched]
    card = next(each for each in world.mattermost.bot_posts() if each.id == other_post.id)
    assert (card.message, card.props) == before
    for name in ("alice", "bob"):
        id = world.mattermost.user(name).id
        assert await ctx.store.get(LinkedAccount, id) == links[id]
    assert (await world.ask("bob", "dev", "@zoom help")).message
