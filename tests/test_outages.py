"""Mattermost or Zoom away, in every way they can be away: one answer each all the same."""

from __future__ import annotations

import asyncio
import threading
from dataclasses import replace

import pytest

from bot.domain.records import Orphan
from bot.errors import StoreError
from bot.mattermost import SocketTimings
from bot.runtime.worker import RetryPolicy
from bot.sandbox.mattermost import Post
from bot.stores.sqlite import DocumentFile
from tests.conftest import QUICK, MakeWorld, World

CREATE = r"/users/[^/]+/meetings$"
POSTS = r"/posts$"

TIMINGS = replace(
    QUICK,
    broken_pause_s=0.05,
    post_retry_s=0.02,
    zoom=replace(QUICK.zoom, away_after_s=0.5, away_s=0.5),
    retry_policy=RetryPolicy(away_s=0.02),
    socket=SocketTimings(ping_s=0.2, answer_s=0.2, backoff_base_s=0.01, backoff_cap_s=0.05),
)


@pytest.fixture
async def world(make_world: MakeWorld) -> World:
    """A bot that waits for nothing long; no guard against doubles, so that a second meeting would show."""
    world = await make_world(start=False, meetings={"duplicate_window_ms": 0})
    world.timings = TIMINGS
    await world.start()
    await world.link("alice")
    return world


async def is_the_only_answer(world: World, asked: Post, answer: Post) -> bool:
    """Whether nothing else comes once all is said and done."""
    await world.bot.worker.idle()
    await world.bot.publisher.idle()
    return [post.id for post in world.answers_to(asked)] == [answer.id]


async def is_met_once(world: World, asked: Post) -> bool:
    answer = await world.answer_to(asked)
    assert answer.props["meeting_id"] in world.zoom.meetings
    assert len(world.zoom.meetings) == 1
    return await is_the_only_answer(world, asked, answer)


# Mattermost.


async def test_what_is_asked_while_mattermost_restarts_is_answered(world: World) -> None:
    await world.mattermost.stop()
    asked = await world.mattermost.post("alice", "dev", "@zoom standup")
    await world.mattermost.start()
    assert await is_met_once(world, asked)


async def test_an_answer_waits_for_a_mattermost_that_stops_meanwhile(world: World) -> None:
    world.mattermost.faults.add(503, times=-1, method="POST", path=POSTS, user="zoom")
    asked = await world.mattermost.post("alice", "dev", "@zoom standup")
    await world.zoom.wait_for(lambda: world.zoom.created)
    await world.mattermost.stop()
    await world.bot.worker.idle()
    assert world.bot.publisher.waiting == 1
    world.mattermost.faults.clear()
    await world.mattermost.start()
    assert await is_met_once(world, asked)


@pytest.mark.parametrize("status", [500, 502, 503, 504])
async def test_server_errors_are_waited_out(world: World, status: int) -> None:
    world.mattermost.faults.add(status, times=3, method="POST", path=POSTS, user="zoom")
    assert await is_met_once(world, await world.mattermost.post("alice", "dev", "@zoom standup"))


async def test_a_rate_limit_in_plain_text_is_waited_out(world: World) -> None:
    limit = world.mattermost.faults.add(
        429,
        times=2,
        method="POST",
        path=POSTS,
        user="zoom",
        body="limit exceeded\n",
        headers={"Retry-After": "0"},
    )
    assert await is_met_once(world, await world.mattermost.post("alice", "dev", "@zoom standup"))
    assert limit.hits == 2


@pytest.mark.parametrize("status", [400, 403, 404, 405])
async def test_a_page_of_a_proxy_is_no_refusal_of_mattermost(world: World, status: int) -> None:
    page = "<html>Blocked</html>"
    world.mattermost.faults.add(status, times=3, method="POST", path=POSTS, user="zoom", body=page)
    assert await is_met_once(world, await world.mattermost.post("alice", "dev", "@zoom standup"))
    assert len(world.zoom.meetings) == 1


async def test_connections_that_are_reset_are_made_again(world: World) -> None:
    world.mattermost.faults.add(times=3, method="POST", path=POSTS, user="zoom", drop=True)
    assert await is_met_once(world, await world.mattermost.post("alice", "dev", "@zoom standup"))


async def test_a_post_whose_answer_was_lost_is_not_posted_twice(world: World) -> None:
    world.mattermost.faults.add(times=2, method="POST", path=POSTS, user="zoom", drop=True, after=True)
    # Nor where the server has forgotten what it was sent.
    world.mattermost.world.dedupe_ms = 0
    assert await is_met_once(world, await world.mattermost.post("alice", "dev", "@zoom standup"))


async def test_an_html_page_in_place_of_an_answer_is_no_answer(world: World) -> None:
    world.mattermost.faults.add(200, method="POST", path=POSTS, user="zoom", body="<html>", after=True)
    world.mattermost.world.dedupe_ms = 0
    assert await is_met_once(world, await world.mattermost.post("alice", "dev", "@zoom standup"))


async def test_a_deaf_socket_is_noticed_and_what_it_missed_is_answered(world: World) -> None:
    world.mattermost.deafen()
    asked = await world.mattermost.post("alice", "dev", "@zoom standup")
    assert await is_met_once(world, asked)
    assert world.bot.socket.state.deaf == 1


async def test_a_cut_socket_goes_on_where_it_broke_off(world: World) -> None:
    await world.mattermost.drop_sockets("zoom")
    asked = await world.mattermost.post("alice", "dev", "@zoom standup")
    assert await is_met_once(world, asked)
    assert world.bot.socket.state.resumes == 1


async def test_a_connection_that_the_server_forgot_is_caught_up(world: World) -> None:
    await world.mattermost.drop_sockets("zoom")
    await world.mattermost.forget_connections()
    asked = await world.mattermost.post("alice", "dev", "@zoom standup")
    assert await is_met_once(world, asked)


async def test_posts_that_fell_behind_are_edited_when_mattermost_is_back(world: World) -> None:
    post, meeting = await world.meeting()
    await world.zoom.start(meeting.id)
    await world.mattermost.stop()
    await world.zoom.end(meeting.id)
    await world.bot.worker.idle()
    await world.mattermost.start()
    shown = await world.shows(post, lambda post: post.props["meeting_status"] == "ENDED")
    assert "has ended" in shown.message


async def test_a_revoked_token_ends_nothing_and_is_noticed_when_it_is_good_again(world: World) -> None:
    world.mattermost.disable("zoom")
    asked = await world.mattermost.post("alice", "dev", "@zoom standup")
    await world.mattermost.wait_for(lambda: any(call.status == 401 for call in world.mattermost.calls))
    world.mattermost.enable("zoom")
    assert await is_met_once(world, asked)


# The disk.


async def test_a_disk_that_hangs_does_not_keep_the_bot_from_stopping(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    answered, reached = threading.Event(), asyncio.Event()
    loop = asyncio.get_running_loop()

    def write(self: DocumentFile, changes: object) -> None:
        loop.call_soon_threadsafe(reached.set)
        answered.wait(60)

    monkeypatch.setattr(DocumentFile, "write", write)
    await world.mattermost.post("alice", "dev", "@zoom standup")
    await reached.wait()
    with pytest.raises(StoreError, match="does not answer"):
        await asyncio.wait_for(world.stop(), 30)
    answered.set()


# Zoom.


async def test_zoom_down_is_said_once_and_the_next_request_works(
    world: World,
) -> None:
    await world.zoom.stop_server()
    asked = await world.mattermost.post("alice", "dev", "@zoom standup")
    answer = await world.mattermost.wait_for(lambda: world.answers_to(asked), timeout=30)
    assert answer[0].channel_id == world.direct("alice").id
    assert await is_the_only_answer(world, asked, answer[0])
    await world.zoom.start_server()

    # Zoom is left in peace for a while; the next request after that works.
    while "meeting_id" not in (again := await world.ask("alice", "dev", "@zoom again")).props:
        pass
    assert again.props["meeting_topic"] == "again"


async def test_a_slow_zoom_is_waited_for(world: World) -> None:
    world.zoom.delay = 1.0
    assert await is_met_once(world, await world.mattermost.post("alice", "dev", "@zoom standup"))


async def test_a_short_limit_is_waited_out(world: World) -> None:
    world.zoom.faults.add(429, method="POST", path=CREATE, headers={"Retry-After": "1"})
    assert await is_met_once(world, await world.mattermost.post("alice", "dev", "@zoom standup"))


async def test_a_daily_limit_is_said_at_once_with_its_end(world: World) -> None:
    world.zoom.daily_limit("alice@demo.example", "2099-01-01T00:00:00Z")
    answer = await world.ask("alice", "dev", "@zoom standup")
    assert answer.channel_id == world.direct("alice").id
    assert len(world.zoom.calls) == 1
    assert world.zoom.created == []


@pytest.mark.parametrize("times", [1, 2])
async def test_errors_of_zoom_that_pass_are_not_seen(world: World, times: int) -> None:
    world.zoom.faults.add(500, times=times, method="POST", path=CREATE)
    assert await is_met_once(world, await world.mattermost.post("alice", "dev", "@zoom standup"))


async def test_errors_of_zoom_that_stay_are_said_once(world: World) -> None:
    world.zoom.faults.add(503, times=-1, method="POST", path=CREATE)
    asked = await world.mattermost.post("alice", "dev", "@zoom standup")
    answer = await world.answer_to(asked)
    assert await is_the_only_answer(world, asked, answer)
    assert answer.channel_id == world.direct("alice").id
    # Bounded: it does not go on for ever.
    assert sum(call.method == "POST" for call in world.zoom.calls) <= 5


@pytest.mark.parametrize(
    "body", ["<html>Bad gateway</html>", b'{"id": 8912', b"", b"\xff\xfe\x00", "[]", '{"id": {}}'], ids=repr
)
async def test_an_answer_that_cannot_be_read_makes_no_second_meeting(world: World, body: str | bytes) -> None:
    world.zoom.lists_waiting = True
    world.zoom.faults.add(201, method="POST", path=CREATE, body=body, after=True)
    assert await is_met_once(world, await world.mattermost.post("alice", "dev", "@zoom standup"))


async def test_an_answer_that_was_lost_makes_no_second_meeting(world: World) -> None:
    world.zoom.lists_waiting = True
    world.zoom.faults.add(method="POST", path=CREATE, drop=True, after=True)
    assert await is_met_once(world, await world.mattermost.post("alice", "dev", "@zoom standup"))


async def test_a_meeting_that_zoom_lists_too_late_is_deleted(world: World) -> None:
    world.zoom.lists_waiting = False
    world.zoom.faults.add(method="POST", path=CREATE, drop=True, after=True)
    asked = await world.mattermost.post("alice", "dev", "@zoom standup")
    answer = await world.answer_to(asked)
    assert "meeting_id" not in answer.props
    assert len(world.zoom.meetings) == 1
    assert len(await world.bot.ctx.store.all(Orphan)) == 1
    world.zoom.lists_waiting = True
    await world.zoom.wait_for(lambda: not world.zoom.meetings, timeout=30)


async def test_a_hundred_requests_of_one_person_with_an_expired_token_refresh_it_once(world: World) -> None:
    world.zoom.daily_creates = 1000
    world.zoom.expire_tokens()
    channels = [world.mattermost.add_channel(f"room-{n}", members=("alice", "zoom")) for n in range(100)]
    asked = [await world.mattermost.post("alice", channel, "@zoom standup") for channel in channels]
    for each in asked:
        assert "meeting_id" in (await world.answer_to(each)).props
    assert world.zoom.refreshes == 1
    assert world.zoom.refresh_refused == 0
    assert len(world.zoom.created) == 100


async def test_a_refresh_that_zoom_refuses_unlinks_and_says_so_once(world: World) -> None:
    world.zoom.revoke("alice@demo.example")
    first = await world.ask("alice", "dev", "@zoom standup")
    assert "no longer accepts" in first.message
    second = await world.ask("alice", "dev", "@zoom standup")
    assert "no longer accepts" not in second.message
    await world.bot.publisher.idle()
    told = [post for post in world.mattermost.bot_posts() if "no longer accepts" in post.message]
    assert len(told) == 1


async def test_a_part_of_the_bot_that_breaks_begins_again_and_ends_no_other(world: World) -> None:
    begun = 0
    steady = asyncio.Event()

    async def part() -> None:
        nonlocal begun
        begun += 1
        if begun < 3:
            raise RuntimeError("a bug")
        steady.set()

    keeping = asyncio.create_task(world.bot._keep("part", part))
    await steady.wait()
    assert "meeting_id" in (await world.ask("alice", "dev", "@zoom standup")).props
    keeping.cancel()
    await asyncio.gather(keeping, return_exceptions=True)
