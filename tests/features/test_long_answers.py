"""An answer that is longer than the server's limit arrives whole, in order, once."""

from __future__ import annotations

import re

import pytest

from bot.domain.records import ChannelPolicy, Subscription
from bot.messages.fitting import MAX_PARTS
from bot.sandbox.zoom.models import Json
from bot.stores import Put
from tests.conftest import World
from tests.features.kit import held, replies, settle

POSTS = r"/posts$"


async def subscribed(world: World, count: int) -> None:
    """The channel follows this many meetings with long topics."""
    channel, bob = world.mattermost.channel("dev"), world.mattermost.user("bob")
    records = [
        Subscription(
            id=f"{channel.id}:{number}",
            zoom_id=number,
            channel_id=channel.id,
            user_id=bob.id,
            user_name="bob",
            host_zoom_id="h",
            topic=f"Topic {number} " + "*" * 180,
            join_url="https://zoom.us/j/1",
            created_at=number,
        )
        for number in range(100_000_000, 100_000_000 + count)
    ]
    await world.bot.ctx.store.commit(*map(Put, records))


def numbers(messages: list[str]) -> list[int]:
    return [int(found) for message in messages for found in re.findall(r"Topic (\d+)", message)]


@pytest.mark.parametrize(("limit", "count"), [(16_383, 80), (4_000, 80), (1_000, 20)])
async def test_a_long_list_of_subscriptions_is_several_posts(trio: World, limit: int, count: int) -> None:
    trio.mattermost.world.max_post_size = limit
    await subscribed(trio, count)
    asked = await trio.mattermost.post("bob", "dev", "@zoom subscriptions")
    await trio.answer_to(asked)
    await settle(trio)
    posts = trio.mattermost.bot_posts("dev")
    assert len(posts) > 1
    assert all(len(post.message) <= limit for post in posts)
    assert all(post.message.count("| --- | --- | --- |") == 1 for post in posts)
    assert all(post.props["zoombot_trigger"] == asked.id for post in posts)
    found = numbers([post.message for post in posts])
    assert found == sorted(set(found))
    assert len(found) == count


async def test_a_list_is_complete_and_nothing_twice_after_a_crash_between_its_posts(trio: World) -> None:
    trio.mattermost.world.dedupe_ms = 0
    await subscribed(trio, 80)
    # The first post is made, but its answer is lost. The others are refused until the restart.
    trio.mattermost.faults.add(method="POST", path=POSTS, user="zoom", drop=True, after=True)
    away = trio.mattermost.faults.add(503, times=-1, method="POST", path=POSTS, user="zoom")
    asked = await trio.mattermost.post("bob", "dev", "@zoom subscriptions")
    await trio.mattermost.wait_for(lambda: away.hits)
    await trio.stop()
    assert len(trio.answers_to(asked)) == 1
    trio.mattermost.faults.clear()
    await trio.start()
    await settle(trio)
    found = numbers([post.message for post in trio.answers_to(asked)])
    assert found == sorted(set(found))
    assert len(found) == 80


async def test_a_long_list_of_rules_is_several_direct_messages(trio: World) -> None:
    rules = [
        ChannelPolicy(id=f"c{n}", rule="restrict", name=f"channel {n:03} " + "_" * 40) for n in range(400)
    ]
    await trio.bot.ctx.store.commit(*map(Put, rules))
    asked = await trio.mattermost.post("alice", "dev", "@zoom channel list")
    await trio.answer_to(asked)
    await settle(trio)
    posts = trio.mattermost.bot_posts(trio.direct("alice"))
    found = [each for post in posts for each in re.findall(r"channel (\d{3})", post.message)]
    assert found == [f"{n:03}" for n in range(400)]


async def test_a_long_summary_fits_into_a_small_server(trio: World) -> None:
    trio.mattermost.world.max_post_size = 2_000
    post, meeting = await trio.meeting("bob")
    await held(trio, meeting)
    await trio.zoom.summarize(meeting.id, deliver=False)
    about: Json = {
        "meeting_id": meeting.id,
        "meeting_uuid": meeting.last.uuid,
        "meeting_host_id": meeting.host_id,
        "summary_overview": "What was said.",
        "summary_details": [{"label": f"Part {n}", "summary": f"sentence {n}. " * 40} for n in range(8)],
    }
    await trio.zoom.deliver("meeting.summary_completed", {"object": about})
    await settle(trio)
    said = replies(trio, post)
    assert len(said) > 1
    assert all(len(each.message) <= 2_000 for each in said)
    whole = "".join(each.message for each in said)
    assert all(f"sentence {n}." in whole for n in range(8))


async def test_a_short_post_asks_for_no_limit(trio: World) -> None:
    trio.mattermost.clear_calls()
    await trio.meeting("bob")
    await settle(trio)
    assert not [call for call in trio.mattermost.calls if call.path.endswith("/config/client")]


async def test_a_meeting_whose_link_is_longer_than_a_post_is_announced_all_the_same(trio: World) -> None:
    trio.mattermost.world.max_post_size = 4_000
    link = "https://zoom.us/j/12345678901?pwd=" + "x" * 3_950
    post = await trio.ask("bob", "dev", f"@zoom join {link}")
    assert post.channel_id == trio.mattermost.channel("dev").id
    assert "I shortened it" in post.message
    assert post.props["attachments"][0]["title_link"] == link


async def test_a_server_that_takes_less_than_it_says_gets_shorter_posts(trio: World) -> None:
    await subscribed(trio, 80)
    body = {"id": "model.post.is_valid.message_length.app_error", "message": "no", "status_code": 400}
    trio.mattermost.faults.add(400, method="POST", path=POSTS, user="zoom", body=body)
    asked = await trio.mattermost.post("bob", "dev", "@zoom subscriptions")
    await trio.answer_to(asked)
    await settle(trio)
    assert len(numbers([post.message for post in trio.answers_to(asked)])) == 80


@pytest.mark.parametrize("taken", [1, 3])
async def test_nothing_comes_twice_if_a_later_post_has_to_be_shorter(trio: World, taken: int) -> None:
    trio.mattermost.world.max_post_size = 4_000
    await subscribed(trio, 80)
    body = {"id": "model.post.is_valid.message_length.app_error", "message": "no", "status_code": 400}
    faults = trio.mattermost.faults
    for _ in range(taken):
        faults.add(method="POST", path=POSTS, user="zoom")
    faults.add(400, method="POST", path=POSTS, user="zoom", body=body)
    asked = await trio.mattermost.post("bob", "dev", "@zoom subscriptions")
    await trio.answer_to(asked)
    await settle(trio)
    posts = [post.message for post in trio.mattermost.bot_posts("dev")]
    found = numbers(posts)
    assert found == sorted(set(found))
    assert len(found) == 80
    assert len(posts[taken - 1]) > 2_000
    assert all(len(each) <= 2_000 for each in posts[taken:])
    assert all(each.count("| --- | --- | --- |") == 1 for each in posts)


async def test_a_message_becomes_no_more_posts_than_others_if_a_later_one_has_to_be_shorter(
    trio: World,
) -> None:
    trio.mattermost.world.max_post_size = 4_000
    await subscribed(trio, 300)
    body = {"id": "model.post.is_valid.message_length.app_error", "message": "no", "status_code": 400}
    trio.mattermost.faults.add(method="POST", path=POSTS, user="zoom")
    trio.mattermost.faults.add(400, times=2, method="POST", path=POSTS, user="zoom", body=body)
    asked = await trio.mattermost.post("bob", "dev", "@zoom subscriptions")
    await trio.answer_to(asked)
    await settle(trio)
    posts = [post.message for post in trio.mattermost.bot_posts("dev")]
    assert len(posts) == MAX_PARTS
    assert "I shortened it" in posts[-1]
    found = numbers(posts)
    assert found == sorted(set(found))
