"""What Mattermost refuses is said where it can be, tried again when that may help, and never in the way."""

from __future__ import annotations

import asyncio
import dataclasses
import re
from typing import Any

import pytest

from bot.domain.records import Announcement, Notice
from bot.runtime.patience import Patience
from bot.runtime.posting import NewPost, Posting
from bot.sandbox.mattermost import Post
from bot.sandbox.zoom import Meeting
from bot.setup.mattermost import check_mattermost
from bot.setup.store import check_store
from tests.conftest import MakeWorld, World
from tests.features.kit import connect, direct, held, planned, replies, settle
from tests.runtime.test_health import reasons

DIRECT = "create_direct_channel"
POSTS = r"/posts$"


def now_of(world: World, post: Post) -> Post:
    """The post as it is now."""
    return next(each for each in world.mattermost.bot_posts() if each.id == post.id)


def status(world: World, post: Post) -> str:
    return str(now_of(world, post).props["meeting_status"])


async def looked(world: World) -> None:
    """The next looks at what is held, and what comes of them."""
    for _ in range(2):
        await world.bot.out.second_tries.look()
        await settle(world)


async def lived(world: World, **asked: str) -> tuple[Post, Meeting]:
    """A meeting that goes on."""
    post, meeting = await world.meeting("bob", **asked)
    await world.zoom.start(meeting.id)
    await world.shows(post, lambda post: post.props["meeting_status"] == "STARTED")
    await settle(world)
    return post, meeting


# The bot may not edit its post.


@pytest.mark.parametrize("why", ["limit", "permission"])
async def test_the_end_is_said_once_below_a_post_that_cannot_be_edited(trio: World, why: str) -> None:
    post, meeting = await lived(trio)
    if why == "limit":
        trio.mattermost.world.post_edit_time_limit = 60
        trio.zoom.clock.advance(42 * 60)
    else:
        trio.mattermost.world.permissions.discard("edit_post")
        trio.zoom.clock.advance(42 * 60)
    await trio.zoom.end(meeting.id)
    await settle(trio)
    (end,) = replies(trio, post)
    assert re.search(r"“standup” has ended after 4\d min", end.message)
    (card,) = end.props["attachments"]
    assert {field["title"] for field in card["fields"]} >= {"When", "Duration"}
    assert "meeting_id" not in end.props
    # Later news still come, and the end is not said again.
    await trio.zoom.record(meeting.id)
    await trio.zoom.summarize(meeting.id)
    for delivery in [each for each in trio.zoom.deliveries if each.event == "meeting.ended"]:
        await trio.zoom.redeliver(delivery)
    await settle(trio)
    assert sum("has ended" in each.message for each in replies(trio, post)) == 1
    assert len(replies(trio, post)) == 4
    assert await trio.bot.ctx.store.find(Announcement, "stale", True) == []


async def test_a_proxy_that_blocks_every_edit_leads_to_the_end_in_a_reply_too(make_world: MakeWorld) -> None:
    world = await impatient(make_world)
    post, meeting = await lived(world)
    world.mattermost.faults.add(403, times=-1, method="PUT", path=post.id, body="<html>Blocked</html>")
    await world.zoom.end(meeting.id)
    await settle(world)
    (end,) = replies(world, post)
    assert "has ended" in end.message


async def test_a_meeting_that_nobody_started_is_said_so_below_its_post(trio: World) -> None:
    post, meeting = await trio.meeting("bob")
    trio.mattermost.world.post_edit_time_limit = 60
    trio.zoom.clock.advance(25 * 3600)
    del trio.zoom.meetings[meeting.id]
    for _ in range(3):
        await trio.bot.reconciler.reconcile()
        trio.zoom.clock.advance(3600)
    await settle(trio)
    assert ["never started" in each.message for each in replies(trio, post)] == [True]


async def test_what_the_edit_limit_means_is_said_by_the_doctor(world: World) -> None:
    def notes(findings: list[str]) -> list[str]:
        return [each for each in findings if "can be edited for 300 s only" in each]

    assert notes([str(each) for each in await check_mattermost(world.config)]) == []
    world.mattermost.world.post_edit_time_limit = 300
    (found,) = notes([str(each) for each in await check_mattermost(world.config)])
    assert found.startswith("note")


# The channel is archived, or the bot is removed from it.


@pytest.mark.parametrize("how", ["archived", "removed"])
@pytest.mark.parametrize("notice", ["event", "look", "start"])
async def test_a_post_catches_up_when_its_channel_is_back(trio: World, how: str, notice: str) -> None:
    post, meeting = await lived(trio)
    if how == "archived":
        trio.mattermost.archive("dev")
    else:
        trio.mattermost.leave("zoom", "dev", by="alice")
    await trio.zoom.end(meeting.id)
    await trio.zoom.record(meeting.id)
    await settle(trio)
    await looked(trio)
    assert status(trio, post) == "STARTED"
    assert replies(trio, post) == []
    if notice == "look":
        # The event is missed.
        await trio.mattermost.drop_sockets("zoom")
        trio.mattermost.deafen()
    elif notice == "start":
        await trio.stop()
    if how == "archived":
        trio.mattermost.unarchive("dev")
    else:
        trio.mattermost.join("zoom", "dev", by="alice")
    if notice == "start":
        await trio.start()
    elif notice == "look":
        await looked(trio)
    await trio.shows(post, lambda post: post.props["meeting_status"] == "ENDED")
    await trio.mattermost.wait_for(lambda: len(replies(trio, post)) == 2)
    await settle(trio)
    assert len(replies(trio, post)) == 2
    assert await trio.bot.ctx.store.find(Announcement, "held", True) == []
    assert await trio.bot.ctx.store.find(Notice, "held", True) == []


async def test_somebody_else_who_is_added_is_no_reason_to_try_again(trio: World) -> None:
    await lived(trio)
    trio.mattermost.leave("mallory", "dev", by="alice")
    trio.mattermost.join("mallory", "dev", by="alice")
    await trio.ask("bob", trio.direct("bob"), "version")
    assert trio.bot.out.second_tries._turns == {}


async def test_where_posts_stay_refused_one_is_tried_at_a_time(trio: World) -> None:
    post, meeting = await lived(trio)
    body = {"id": "api.context.permissions.app_error", "message": "no", "status_code": 403}
    refused = trio.mattermost.faults.add(403, times=-1, method="POST", path=POSTS, user="zoom", body=body)
    await trio.zoom.end(meeting.id)
    await trio.zoom.record(meeting.id)
    await trio.zoom.summarize(meeting.id)
    await settle(trio)
    assert refused.hits == 3
    await looked(trio)
    assert refused.hits == 5
    trio.mattermost.faults.clear()
    await looked(trio)
    assert len(replies(trio, post)) == 3


# Each refusal has its own sentence.


async def refused_by(world: World, code: str, status: int, message: str = "no") -> str:
    """What bob is told if Mattermost refuses the post of his meeting like this."""
    body = {"id": code, "message": message, "status_code": status}
    world.mattermost.faults.add(status, method="POST", path=POSTS, user="zoom", body=body)
    answer = await world.ask("bob", "dev", "@zoom standup")
    await settle(world)
    assert answer.channel_id == world.direct("bob").id
    assert world.zoom.meetings == {}
    return answer.message


@pytest.fixture
def searches(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Since when the history of a channel was searched for a post (ms)."""
    found: list[int] = []
    find = Posting._find

    async def noting(self: Posting, new_post: NewPost) -> str:
        found.append(new_post.created_at)
        return await find(self, new_post)

    monkeypatch.setattr(Posting, "_find", noting)
    return found


def refuse_posts(world: World) -> None:
    """As where the bot's role may create no post."""
    body = {"id": "api.context.permissions.app_error", "message": "no", "status_code": 403}
    world.mattermost.faults.add(403, times=-1, method="POST", path=POSTS, user="zoom", body=body)


def once(world: World, post: Post) -> bool:
    """Whether the recording and its file are there, each once."""
    ids = [each.props["zoombot_id"] for each in replies(world, post)]
    return len(ids) == 2 == len(set(ids))


async def test_what_is_held_is_tried_again_without_a_search(trio: World, searches: list[int]) -> None:
    post, meeting = await lived(trio)
    refuse_posts(trio)
    await trio.zoom.end(meeting.id)
    await trio.zoom.record(meeting.id)
    await settle(trio)
    trio.mattermost.clear_calls()
    searches.clear()
    await looked(trio)
    tries = [call for call in trio.mattermost.calls if call.method == "POST" and call.path.endswith("/posts")]
    assert tries
    trio.mattermost.faults.clear()
    await looked(trio)
    await looked(trio)
    assert once(trio, post)
    assert searches == []


async def test_after_a_restart_what_is_held_is_searched_for_since_it_was_refused(
    trio: World, searches: list[int]
) -> None:
    post, meeting = await lived(trio)
    refuse_posts(trio)
    await trio.zoom.end(meeting.id)
    await trio.zoom.record(meeting.id)
    await settle(trio)
    day_ms = 24 * 3_600_000
    trio.zoom.clock.advance(day_ms / 1000)
    await looked(trio)
    await looked(trio)
    await trio.stop()
    searches.clear()
    trio.mattermost.faults.clear()
    await trio.start()
    await settle(trio)
    assert once(trio, post)
    assert len(searches) == 2
    assert min(searches) > trio.now() - day_ms / 2


async def test_a_post_whose_answer_was_lost_before_it_was_held_is_not_doubled(trio: World) -> None:
    post, meeting = await lived(trio)
    trio.mattermost.world.dedupe_ms = 0
    # It is posted, which nobody learns, and then nothing can be read or posted there for a while.
    trio.mattermost.faults.add(method="POST", path=r"/api/v4/posts$", user="zoom", drop=True, after=True)
    body = {"id": "api.context.permissions.app_error", "message": "no", "status_code": 403}
    path = r"/channels/\w+/posts$"
    denied = trio.mattermost.faults.add(403, method="GET", path=path, user="zoom", body=body)
    await trio.zoom.end(meeting.id)
    await trio.zoom.record(meeting.id)
    await settle(trio)
    assert denied.hits == 1
    await looked(trio)
    assert once(trio, post)
    assert await trio.bot.ctx.store.find(Notice, "held", True) == []


async def test_a_post_in_an_archived_channel_is_said_to_be_in_one(trio: World) -> None:
    meeting = planned(trio, "bob")
    await trio.ask("bob", "dev", f"@zoom subscribe {meeting.id}")
    trio.mattermost.archive("dev")
    await trio.zoom.start(meeting.id)
    await settle(trio)
    assert "because the channel is archived" in direct(trio, "bob")[-1]


@pytest.mark.parametrize(
    ("code", "code_status"),
    [
        ("api.post.create_post.odd.app_error", 400),
        ("app.post.save.app_error", 501),
        ("model.post.is_valid.props.app_error", 400),
    ],
)
async def test_an_unknown_refusal_is_not_called_a_missing_permission(
    trio: World, code: str, code_status: int
) -> None:
    said = await refused_by(trio, code, code_status)
    assert "Mattermost refused my post" in said
    assert "not allowed" not in said


async def test_where_the_bot_is_no_member_any_more_it_asks_to_be_invited(trio: World) -> None:
    meeting = planned(trio, "bob")
    await trio.ask("bob", "dev", f"@zoom subscribe {meeting.id}")
    trio.mattermost.leave("zoom", "dev", by="alice")
    await trio.zoom.start(meeting.id)
    await settle(trio)
    assert "not allowed to write there. Invite me" in direct(trio, "bob")[-1]


async def test_a_member_that_may_not_write_does_not_ask_to_be_invited(trio: World) -> None:
    said = await refused_by(trio, "api.context.permissions.app_error", 403)
    assert "not allowed to write" in said
    assert "Invite" not in said


async def test_a_restored_channel_that_still_refuses_is_tried_again(trio: World) -> None:
    body = {"id": "api.post.create_post.can_not_post_to_deleted.error", "message": "no", "status_code": 400}
    fault = trio.mattermost.faults.add(400, times=2, method="POST", path=POSTS, user="zoom", body=body)
    answer = await trio.ask("bob", "dev", "@zoom standup")
    assert "meeting_id" in answer.props
    assert fault.hits == 2


async def test_an_answer_that_the_channel_does_not_get_is_told_to_whoever_asked(trio: World) -> None:
    body = {"id": "api.post.create_post.odd.app_error", "message": "no", "status_code": 400}
    trio.mattermost.faults.add(400, method="POST", path=POSTS, user="zoom", body=body)
    answer = await trio.ask("bob", "dev", "@zoom subscriptions")
    assert answer.channel_id == trio.direct("bob").id
    assert "Mattermost refused my post" in answer.message


# The bot may open no direct channel.


@pytest.mark.parametrize("asked", ["standup", "connect", "help", "settings"])
async def test_without_direct_messages_one_sentence_is_said_where_it_was_asked(
    make_world: MakeWorld, asked: str
) -> None:
    world = await make_world()
    world.mattermost.world.permissions.discard(DIRECT)
    answer = await world.ask("carol", "dev", f"@zoom {asked}")
    await settle(world)
    assert answer.channel_id == world.mattermost.channel("dev").id
    assert answer.message.startswith("carol, I have an answer for you alone")
    assert "http" not in answer.message + str(answer.props)
    assert len(world.mattermost.bot_posts()) == 1
    assert await reasons(world) == {"mattermost direct messages"}
    for findings in (await check_store(world.config), await check_mattermost(world.config)):
        assert any(each.subject == "mattermost direct messages" for each in findings)
    # Looks without a reason change nothing.
    await looked(world)
    assert len(world.mattermost.bot_posts()) == 1

    world.mattermost.world.permissions.add(DIRECT)
    await looked(world)
    (private,) = world.mattermost.bot_posts(world.direct("carol"))
    assert private.props["zoombot_trigger"] == answer.props["zoombot_trigger"]
    assert await reasons(world) == set()


async def test_the_meeting_starts_after_the_link_that_came_late(make_world: MakeWorld) -> None:
    world = await make_world()
    world.mattermost.world.no_direct.add(world.mattermost.user("carol").id)
    asked = await world.mattermost.post("carol", "dev", "@zoom standup")
    await world.answer_to(asked)
    world.mattermost.world.no_direct.clear()
    await looked(world)
    (invitation,) = direct(world, "carol")
    await connect(world, "carol", invitation)
    assert any("meeting_id" in post.props for post in world.answers_to(asked))


async def test_a_link_that_expired_while_it_was_held_is_not_sent(make_world: MakeWorld) -> None:
    world = await make_world()
    world.mattermost.world.permissions.discard(DIRECT)
    await world.ask("carol", "dev", "@zoom connect")
    await settle(world)
    world.zoom.clock.advance(11 * 60)
    world.bot.worker.timer.fire()
    await settle(world)
    world.mattermost.world.permissions.add(DIRECT)
    await looked(world)
    (private,) = direct(world, "carol")
    assert "out of date" in private
    assert "http" not in private


async def test_a_direct_channel_that_exists_is_used_although_none_may_be_opened(
    make_world: MakeWorld,
) -> None:
    world = await make_world()
    world.direct("carol")
    world.mattermost.world.permissions.discard(DIRECT)
    answer = await world.ask("carol", "dev", "@zoom connect")
    assert answer.channel_id == world.direct("carol").id


async def test_who_writes_to_the_bot_gets_what_was_held(make_world: MakeWorld) -> None:
    world = await make_world()
    world.mattermost.world.permissions.discard(DIRECT)
    asked = await world.mattermost.post("carol", "dev", "@zoom connect")
    await world.answer_to(asked)
    await settle(world)
    # Opened by carol herself: the event is enough.
    channel = world.direct("carol")
    await world.mattermost.wait_for(lambda: world.mattermost.bot_posts(channel))
    await settle(world)
    (private,) = world.mattermost.bot_posts(channel)
    assert private.props["zoombot_trigger"] == asked.id
    assert await reasons(world) == set()


async def test_what_is_held_survives_a_restart_and_is_told_once(make_world: MakeWorld) -> None:
    world = await make_world()
    world.mattermost.world.permissions.discard(DIRECT)
    await world.ask("carol", "dev", "@zoom help")
    await settle(world)
    await world.stop()
    await world.start()
    await settle(world)
    assert await reasons(world) == {"mattermost direct messages"}
    assert len(world.mattermost.bot_posts()) == 1
    world.mattermost.world.permissions.add(DIRECT)
    await looked(world)
    assert len(direct(world, "carol")) == 1


# A person deletes the post.


@pytest.mark.parametrize("in_thread", [False, True])
@pytest.mark.parametrize("seen", [True, False])
async def test_below_a_deleted_post_nothing_is_said(trio: World, in_thread: bool, seen: bool) -> None:
    root = await trio.mattermost.post("carol", "dev", "shall we?")
    post = await trio.ask("bob", "dev", "@zoom standup", root_id=root.id if in_thread else "")
    meeting = trio.zoom.meetings[post.props["meeting_id"]]
    await held(trio, meeting)
    await settle(trio)
    if not seen:
        await trio.stop()
    await trio.mattermost.delete(post.id, by="alice")
    if not seen:
        await trio.start()
    else:
        await trio.mattermost.post("carol", trio.direct("carol"), "version")
        await trio.mattermost.wait_for(lambda: direct(trio, "carol"))
    await trio.zoom.record(meeting.id)
    await trio.zoom.transcribe(meeting.id)
    await trio.zoom.summarize(meeting.id)
    await settle(trio)
    assert trio.mattermost.bot_posts("dev") == []
    assert direct(trio, "bob") == []
    if seen:
        # Nor is anything fetched that nobody gets.
        assert not [call for call in trio.mattermost.calls if call.path.endswith("/files")]


async def test_a_deleted_thread_takes_the_news_of_its_meeting_with_it(trio: World) -> None:
    root = await trio.mattermost.post("carol", "dev", "shall we?")
    post = await trio.ask("bob", "dev", "@zoom standup", root_id=root.id)
    await trio.zoom.start(post.props["meeting_id"])
    await trio.mattermost.delete(root.id, by="alice")
    await trio.zoom.end(post.props["meeting_id"])
    await trio.zoom.record(post.props["meeting_id"])
    await settle(trio)
    assert trio.mattermost.bot_posts("dev") == []


async def test_the_end_of_a_meeting_whose_post_was_deleted_is_not_said(trio: World) -> None:
    post, meeting = await lived(trio)
    trio.mattermost.world.post_edit_time_limit = 60
    trio.zoom.clock.advance(600)
    await trio.mattermost.delete(post.id, by="alice")
    await trio.zoom.end(meeting.id)
    await settle(trio)
    assert trio.mattermost.bot_posts("dev") == []


# A call that alone is blocked.


async def impatient(make_world: MakeWorld) -> World:
    """A bot that soon gives up what alone is blocked."""
    world = await make_world(start=False, meetings={"duplicate_window_ms": 0})
    patience = Patience(page_s=0.05, trouble_s=0.05, limit_s=0.05, failures=3)
    policy = dataclasses.replace(world.timings.retry_policy, away_s=0.02)
    world.timings = dataclasses.replace(
        world.timings, patience=patience, post_retry_s=0.02, retry_policy=policy
    )
    await world.start()
    await world.link("bob")
    return world


BLOCKS: list[dict[str, Any]] = [
    {"status": 403, "body": "<html>Blocked</html>"},
    {"status": 200, "body": "<html>Hello</html>"},
    {"status": 502, "body": "<html>Bad gateway</html>"},
    {"drop": True},
    {"status": 413, "body": "<html>Too large</html>"},
    {"status": 301, "headers": {"Location": "https://blocked.example.com/"}, "body": "<html>Moved</html>"},
    {"status": 429, "headers": {"Retry-After": "0"}},
    {"status": 401, "body": "<html>Sign in</html>"},
]


@pytest.mark.parametrize("block", BLOCKS, ids=repr)
async def test_a_post_that_alone_is_blocked_is_given_up_and_said(
    make_world: MakeWorld, block: dict[str, Any]
) -> None:
    world = await impatient(make_world)
    fault = world.mattermost.faults.add(times=-1, method="POST", path=POSTS, text="standup", **block)
    answer = await world.ask("bob", "dev", "@zoom standup")
    assert fault.hits
    assert answer.channel_id == world.direct("bob").id
    assert "Mattermost" in answer.message
    await settle(world)
    assert world.zoom.meetings == {}
    # Whoever asks next is answered.
    later = await world.ask("bob", "dev", "@zoom retro")
    assert later.props["meeting_topic"] == "retro"


async def test_a_private_answer_that_alone_is_blocked_is_said_where_it_was_asked(
    make_world: MakeWorld,
) -> None:
    world = await impatient(make_world)
    page = "<html>Blocked</html>"
    world.mattermost.faults.add(403, times=-1, method="POST", path=POSTS, text="oauth2/connect", body=page)
    answer = await world.ask("carol", "dev", "@zoom connect")
    assert answer.channel_id == world.mattermost.channel("dev").id
    assert answer.message.startswith("carol, I have an answer for you alone, but I couldn't deliver it")
    helped = await world.ask("carol", "dev", "@zoom help")
    assert helped.channel_id == world.direct("carol").id


@pytest.mark.parametrize("times", [1, 2])
async def test_what_is_never_taken_below_a_post_is_told_once(make_world: MakeWorld, times: int) -> None:
    world = await impatient(make_world)
    post, meeting = await lived(world)
    await world.zoom.end(meeting.id)
    await settle(world)
    page = "<html>Blocked</html>"
    world.mattermost.faults.add(403, times=-1, method="POST", path=POSTS, text="The recording", body=page)
    for _ in range(times):
        await world.zoom.record(meeting.id)
        await settle(world)
    said = [each for each in direct(world, "bob") if "didn't accept a reply" in each]
    assert len(said) == 1
    assert "in Zoom" in said[0]
    assert "zoom.us/rec" not in said[0]
    assert not any("recording" in each.message for each in replies(world, post))


async def test_a_read_that_alone_is_blocked_holds_up_nobody(make_world: MakeWorld) -> None:
    world = await impatient(make_world)
    bob = world.mattermost.user("bob").id
    world.mattermost.faults.add(502, times=-1, method="GET", path=rf"/users/{bob}$")
    # Whether bob administers the server must be asked first.
    answer = await world.ask("bob", "dev", "@zoom channel restrict")
    assert "Something went wrong" in answer.message
    later = await world.ask("bob", "dev", "@zoom standup")
    assert "meeting_id" in later.props


async def test_an_outage_is_waited_out_however_long_it_lasts(make_world: MakeWorld) -> None:
    world = await impatient(make_world)
    away = world.mattermost.faults.add(502, times=-1, user="zoom", body="<html>Bad gateway</html>")
    asked = await world.mattermost.post("bob", "dev", "@zoom standup")
    loop = asyncio.get_running_loop()
    begun = loop.time()
    # Many times as long as the bot's patience with a call that alone is blocked.
    await world.mattermost.wait_for(lambda: away.hits > 20 and loop.time() - begun > 0.5)
    world.mattermost.faults.clear()
    answer = await world.answer_to(asked)
    assert "meeting_id" in answer.props
