"""A channel follows a meeting: for its host, and only as long as the host is in the channel."""

from __future__ import annotations

import re

import pytest

from bot.sandbox.mattermost import Post
from bot.sandbox.zoom.models import PERSONAL, Json, Meeting
from tests.conftest import MakeWorld, World
from tests.features.kit import (
    App,
    as_app,
    ask,
    connect,
    direct,
    held,
    planned,
    replies,
    settle,
    told,
    with_stranger,
)


async def follow(world: World, name: str, channel: str, meeting: Meeting) -> Post:
    (answer,) = await ask(world, name, channel, f"@zoom subscribe {meeting.id}")
    assert answer.channel_id == world.mattermost.channel(channel).id
    return answer


def occurrences(world: World, channel: str, meeting: Meeting) -> list[Post]:
    return [
        post for post in world.mattermost.bot_posts(channel) if post.props.get("meeting_id") == meeting.id
    ]


async def test_each_occurrence_is_a_new_post_in_every_channel_with_the_passcode_link(trio: World) -> None:
    meeting = planned(trio, "bob", "Weekly")
    for channel in ("dev", "town-square"):
        assert "Weekly" in (await follow(trio, "bob", channel, meeting)).message
    for _ in range(2):
        await held(trio, meeting)
    await settle(trio)
    for channel in ("dev", "town-square"):
        posts = occurrences(trio, channel, meeting)
        assert [post.props["meeting_uuid"] for post in posts] == [run.uuid for run in meeting.past]
        assert all(post.props["meeting_link"] == meeting.join_url for post in posts)
        assert all(post.props["meeting_status"] == "ENDED" for post in posts)
    assert "?pwd=" in meeting.join_url


async def test_a_started_event_that_comes_twice_or_after_the_first_participant_is_one_post(
    trio: World,
) -> None:
    meeting = planned(trio, "bob")
    await follow(trio, "bob", "dev", meeting)
    await trio.zoom.start(meeting.id, deliver=False)
    events = trio.zoom.meeting_store.enter(meeting, "Guest")[1]
    await trio.zoom.webhooks.send(events)
    about = {"id": str(meeting.id), "uuid": meeting.uuid, "host_id": meeting.host_id, "topic": meeting.topic}
    for _ in range(2):
        await trio.zoom.deliver("meeting.started", {"object": about})
    await settle(trio)
    (post,) = occurrences(trio, "dev", meeting)
    assert post.props["meeting_status"] == "STARTED"
    await trio.zoom.end(meeting.id)
    await trio.shows(post, lambda now: now.props["meeting_status"] == "ENDED")


@pytest.mark.parametrize("shared", ["start", "join"])
async def test_a_channel_that_shows_the_meeting_already_gets_no_second_card(trio: World, shared: str) -> None:
    if shared == "start":
        _, meeting = await trio.meeting("bob", "dev")
    else:
        meeting = planned(trio, "bob")
    for channel in ("dev", "town-square"):
        await follow(trio, "bob", channel, meeting)
    if shared == "join":
        await trio.ask("bob", "dev", f"@zoom join {meeting.id}")
    await trio.zoom.start(meeting.id)
    await settle(trio)
    (post,) = occurrences(trio, "dev", meeting)
    assert post.props["meeting_status"] == "STARTED"
    assert len(occurrences(trio, "town-square", meeting)) == 1
    # What comes later means the same.
    await trio.zoom.join(meeting.id, "Guest")
    await settle(trio)
    assert len(occurrences(trio, "dev", meeting)) == 1


async def test_a_card_that_shows_nothing_of_the_meeting_stands_in_no_occurrence_s_way(trio: World) -> None:
    meeting = planned(trio, "bob")
    await follow(trio, "bob", "dev", meeting)
    await trio.ask("mallory", "dev", f"@zoom join {trio.zoom.url}/j/{meeting.id}")
    await held(trio, meeting)
    await settle(trio)
    assert [post.props["meeting_status"] for post in occurrences(trio, "dev", meeting)] == [
        "WAITING",
        "ENDED",
    ]


async def test_a_recording_goes_under_its_own_occurrence(trio: World) -> None:
    meeting = planned(trio, "bob")
    await follow(trio, "bob", "dev", meeting)
    await held(trio, meeting)
    await held(trio, meeting)
    await trio.zoom.record(meeting.id)
    await settle(trio)
    first, second = occurrences(trio, "dev", meeting)
    assert replies(trio, first) == []
    assert len(replies(trio, second)) == 2


async def test_only_the_host_can_let_a_channel_follow(trio: World) -> None:
    meeting = planned(trio, "bob", "Salaries")
    said = await told(trio, "carol", "dev", f"@zoom subscribe {meeting.id}")
    assert "Salaries" not in said
    assert "/oauth2/connect" in await told(trio, "mallory", "dev", f"@zoom subscribe {meeting.id}")
    await held(trio, meeting)
    await settle(trio)
    assert trio.mattermost.bot_posts("dev") == []


@pytest.mark.parametrize("app", ["user", "account", "server-to-server"])
async def test_a_refusal_does_not_tell_whether_there_is_such_a_meeting(
    make_world: MakeWorld, app: App
) -> None:
    world = await as_app(await make_world(start=False), app)
    if app == "user":
        await world.link("carol")
    world.mattermost.join(world.mattermost.add_user("mallory"), "dev")
    foreign, none = planned(world, "bob", "Salaries").id, 99999999999
    for name in ("carol", "mallory"):
        said = [await told(world, name, "dev", f"@zoom subscribe {number}") for number in (foreign, none)]
        hidden = [re.sub(r"[\d ]{11,}|state=[^)]*", "", text) for text in said]
        assert hidden[0] == hidden[1]


async def test_a_personal_room_is_refused(trio: World) -> None:
    room = planned(trio, "bob", "Room", PERSONAL)
    assert "personal" in (await told(trio, "bob", "dev", f"@zoom subscribe {room.id}")).lower()
    await held(trio, room)
    await settle(trio)
    assert trio.mattermost.bot_posts("dev") == []


async def test_who_left_the_channel_no_longer_feeds_it_and_is_told(trio: World) -> None:
    meeting = planned(trio, "bob", "Salaries")
    await follow(trio, "bob", "dev", meeting)
    trio.mattermost.leave("bob", "dev")
    await held(trio, meeting)
    await settle(trio)
    assert occurrences(trio, "dev", meeting) == []
    assert len(direct(trio, "bob")) == 1
    trio.mattermost.join("bob", "dev")
    await held(trio, meeting)
    await settle(trio)
    assert occurrences(trio, "dev", meeting) == []


async def test_who_left_the_channel_while_it_took_place_feeds_it_nothing_afterwards(trio: World) -> None:
    meeting = planned(trio, "bob", "Salaries")
    await follow(trio, "bob", "dev", meeting)
    await follow(trio, "bob", "town-square", meeting)
    await trio.zoom.start(meeting.id)
    await settle(trio)
    trio.mattermost.leave("bob", "dev")
    await trio.zoom.end(meeting.id)
    await trio.zoom.record(meeting.id)
    await trio.zoom.transcribe(meeting.id)
    await trio.zoom.summarize(meeting.id)
    await settle(trio)
    (left,), (stayed,) = occurrences(trio, "dev", meeting), occurrences(trio, "town-square", meeting)
    assert left.props["meeting_status"] == "ENDED"
    assert replies(trio, left) == []
    assert len(replies(trio, stayed)) == 4


async def test_who_was_deactivated_no_longer_feeds_it(make_world: MakeWorld) -> None:
    world = await with_stranger(await make_world())
    meeting = planned(world, "bob")
    await follow(world, "bob", "dev", meeting)
    await world.stop()
    world.mattermost.user("bob").delete_at = 1
    await world.start()
    await held(world, meeting)
    await settle(world)
    assert occurrences(world, "dev", meeting) == []


async def test_who_is_no_longer_connected_is_told_once_for_each_occurrence(trio: World) -> None:
    meeting = planned(trio, "bob")
    await follow(trio, "bob", "dev", meeting)
    await ask(trio, "bob", trio.direct("bob"), "disconnect")
    before = len(direct(trio, "bob"))
    await held(trio, meeting)
    await settle(trio)
    assert occurrences(trio, "dev", meeting) == []
    assert len(direct(trio, "bob")) == before + 1


async def test_a_zoom_that_does_not_answer_costs_no_occurrence(trio: World) -> None:
    meeting = planned(trio, "bob")
    await follow(trio, "bob", "dev", meeting)
    trio.zoom.faults.add(status=503, times=9, method="GET", path=r"/v2/meetings/")
    await trio.zoom.start(meeting.id)
    await settle(trio)
    (post,) = occurrences(trio, "dev", meeting)
    assert post.props["meeting_link"] == meeting.join_url


async def test_a_restricted_channel_neither_subscribes_nor_shows(make_world: MakeWorld) -> None:
    world = await with_stranger(await make_world())
    meeting = planned(world, "bob")
    await follow(world, "bob", "dev", meeting)
    await ask(world, "alice", "dev", "@zoom channel restrict")
    await held(world, meeting)
    await settle(world)
    assert occurrences(world, "dev", meeting) == []
    await told(world, "bob", "dev", f"@zoom subscribe {meeting.id}")


async def test_only_who_follows_the_host_or_an_administrator_ends_it(trio: World) -> None:
    meeting = planned(trio, "bob")
    await follow(trio, "bob", "dev", meeting)
    for name in ("carol", "mallory"):
        assert "bob" in await told(trio, name, "dev", f"@zoom unsubscribe {meeting.id}")
    (answer,) = await ask(trio, "alice", "dev", f"@zoom unsubscribe {meeting.id}")
    assert answer.channel_id == trio.mattermost.channel("dev").id
    await held(trio, meeting)
    await settle(trio)
    assert occurrences(trio, "dev", meeting) == []
    assert "doesn't follow" in await told(trio, "bob", "dev", f"@zoom unsubscribe {meeting.id}")


@pytest.mark.parametrize("app", ["account", "server-to-server"])
async def test_the_host_ends_what_somebody_else_subscribed(make_world: MakeWorld, app: App) -> None:
    world = await as_app(await make_world(start=False), app)
    meeting = planned(world, "bob")
    await follow(world, "alice", "dev", meeting)
    assert "alice" in await told(world, "carol", "dev", f"@zoom unsubscribe {meeting.id}")
    (answer,) = await ask(world, "bob", "dev", f"@zoom unsubscribe {meeting.id}")
    assert answer.channel_id == world.mattermost.channel("dev").id
    assert "no longer follows" in answer.message


async def test_zoom_being_away_is_said_to_who_unsubscribes(make_world: MakeWorld) -> None:
    world = await as_app(await make_world(start=False), "account")
    meeting = planned(world, "bob")
    await follow(world, "alice", "dev", meeting)
    await world.zoom.stop_server()
    assert "can't reach Zoom" in await told(world, "bob", "dev", f"@zoom unsubscribe {meeting.id}")
    # Who subscribed needs no Zoom for it.
    (answer,) = await ask(world, "alice", "dev", f"@zoom unsubscribe {meeting.id}")
    assert "no longer follows" in answer.message
    await world.zoom.start_server()


async def test_the_list_shows_this_channel_s_alone(trio: World) -> None:
    weekly, monthly = planned(trio, "bob", "Weekly"), planned(trio, "carol", "Monthly")
    await follow(trio, "bob", "dev", weekly)
    await follow(trio, "carol", "town-square", monthly)
    (answer,) = await ask(trio, "mallory", "dev", "@zoom subscriptions")
    assert "Weekly" in answer.message
    assert "Monthly" not in answer.message
    assert "pwd" not in answer.message
    (none,) = await ask(trio, "mallory", trio.direct("mallory"), "subscriptions")
    assert "doesn't follow any" in none.message


async def test_subscribing_before_linking_subscribes_after_it_and_starts_nothing(trio: World) -> None:
    meeting = planned(trio, "bob")
    await ask(trio, "bob", trio.direct("bob"), "disconnect")
    asked = await trio.mattermost.post("bob", "dev", f"@zoom subscribe {meeting.id}")
    await connect(trio, "bob", (await trio.answer_to(asked)).message)
    (answer,) = trio.mattermost.bot_posts("dev")
    assert answer.props["zoombot_trigger"] == asked.id
    assert trio.zoom.created == []


@pytest.mark.parametrize("app", ["account", "server-to-server"])
async def test_an_app_that_sees_everything_still_asks_who_the_host_is(
    make_world: MakeWorld, app: App
) -> None:
    world = await as_app(await make_world(start=False), app)
    meeting = planned(world, "bob", "Salaries")
    assert "Salaries" not in await told(world, "carol", "dev", f"@zoom subscribe {meeting.id}")
    await follow(world, "bob", "dev", meeting)
    # An administrator may let a channel follow anybody's.
    await follow(world, "alice", "town-square", meeting)
    await held(world, meeting)
    await settle(world)
    assert len(occurrences(world, "dev", meeting)) == len(occurrences(world, "town-square", meeting)) == 1


async def test_late_news_of_an_occurrence_that_is_over_are_not_posted(trio: World) -> None:
    meeting = planned(trio, "bob")
    await follow(trio, "bob", "dev", meeting)
    about: Json = {"id": str(meeting.id), "uuid": "old==", "start_time": "2020-01-01T00:00:00Z"}
    await trio.zoom.deliver("meeting.started", {"object": about})
    await settle(trio)
    assert occurrences(trio, "dev", meeting) == []


async def test_a_subscription_says_so_when_it_is_there_already(trio: World) -> None:
    meeting = planned(trio, "bob")
    await follow(trio, "bob", "dev", meeting)
    assert "already" in (await follow(trio, "bob", "dev", meeting)).message


UNKNOWN = {"code": 3001, "message": "Meeting does not exist."}


async def look_again(world: World, seconds: float = 130) -> None:
    """What is due later is done."""
    world.zoom.clock.advance(seconds)
    world.bot.worker.timer.fire()
    await settle(world)


@pytest.mark.parametrize("status", [404, 400, 403])
async def test_what_zoom_does_not_show_for_a_moment_is_followed_all_the_same(
    trio: World, status: int
) -> None:
    meeting = planned(trio, "bob")
    await follow(trio, "bob", "dev", meeting)
    trio.zoom.faults.add(status, method="GET", path=r"/v2/meetings/", body=UNKNOWN)
    await trio.zoom.start(meeting.id)
    await settle(trio)
    assert direct(trio, "bob") == []
    await look_again(trio)
    (post,) = occurrences(trio, "dev", meeting)
    assert post.props["meeting_status"] == "STARTED"
    await trio.zoom.end(meeting.id)
    await held(trio, meeting)
    await settle(trio)
    assert [each.props["meeting_status"] for each in occurrences(trio, "dev", meeting)] == ["ENDED"] * 2
    assert direct(trio, "bob") == []


async def test_an_event_that_comes_before_the_second_look_posts_it_once(trio: World) -> None:
    meeting = planned(trio, "bob")
    await follow(trio, "bob", "dev", meeting)
    trio.zoom.faults.add(404, method="GET", path=r"/v2/meetings/", body=UNKNOWN)
    await trio.zoom.start(meeting.id)
    await trio.zoom.join(meeting.id, "Guest")
    await settle(trio)
    await look_again(trio)
    assert len(occurrences(trio, "dev", meeting)) == 1


async def test_what_is_over_at_the_second_look_is_not_posted(trio: World) -> None:
    meeting = planned(trio, "bob")
    await follow(trio, "bob", "dev", meeting)
    trio.zoom.faults.add(404, method="GET", path=r"/v2/meetings/", times=-1, body=UNKNOWN)
    await held(trio, meeting)
    await settle(trio)
    trio.zoom.faults.clear()
    await look_again(trio)
    assert occurrences(trio, "dev", meeting) == []
    assert direct(trio, "bob") == []


async def test_what_zoom_no_longer_shows_at_the_second_look_is_not_followed_any_more(trio: World) -> None:
    meeting = planned(trio, "bob")
    await follow(trio, "bob", "dev", meeting)
    trio.zoom.faults.add(404, method="GET", path=r"/v2/meetings/", times=-1, body=UNKNOWN)
    await trio.zoom.start(meeting.id)
    await settle(trio)
    for _ in range(2):
        await look_again(trio)
    (said,) = direct(trio, "bob")
    assert "Zoom no longer shows it to you" in said


@pytest.mark.parametrize(
    "link",
    [
        "https://zoom.us/s/{}?zak=x",
        "https://zoom.us/j/{}?pwd=x&tk=y",
        "https://zoom.us/j/{}/register",
        "https://x.zoom.us/wc/{}/start",
        "https://zoom.us/join?action=join&confno={}",
        "https://example.com/agenda https://zoom.us/wc/join/{}",
    ],
)
async def test_any_link_to_the_meeting_names_it_since_it_is_not_posted(trio: World, link: str) -> None:
    meeting = planned(trio, "bob")
    (said,) = await ask(trio, "bob", "dev", f"@zoom subscribe {link.format(meeting.id)}")
    assert "now follows" in said.message
    (said,) = await ask(trio, "bob", "dev", f"@zoom unsubscribe {link.format(meeting.id)}")
    assert "no longer follows" in said.message
    assert "zak" not in said.message


@pytest.mark.parametrize("name", ["subscribe", "unsubscribe"])
@pytest.mark.parametrize(
    "link",
    ["https://zoom.us/my/bob", "https://zoom.us/meeting/register/tZ0", "https://evil.example/j/12345678"],
)
async def test_a_link_without_a_number_is_said_to_have_none(trio: World, name: str, link: str) -> None:
    said = await told(trio, "bob", "dev", f"@zoom {name} {link}")
    assert said.startswith("I can't find a meeting ID in that link.")
    assert f"`{name}`" in said
