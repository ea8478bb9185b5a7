"""A post is written exactly once, whatever becomes of the answer."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace

import aiohttp
import pytest

from bot.clock import now_ms
from bot.errors import (
    MattermostCertificateError,
    MattermostDeniedError,
    MattermostError,
)
from bot.mattermost import Mattermost, open_session
from bot.runtime.posting import NewPost, Posting
from bot.sandbox.mattermost import Mattermost as Sandbox
from bot.sandbox.mattermost import Post

POSTS = r"^/api/v4/posts$"


@pytest.fixture
async def server() -> AsyncIterator[Sandbox]:
    async with Sandbox() as running:
        # The server's own guard against doubles is off: another of its processes may take the second try.
        running.world.dedupe_ms = 0
        yield running
        assert running.unknown == []


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with open_session() as session:
        yield session


@pytest.fixture
def posting(http: aiohttp.ClientSession, server: Sandbox) -> Posting:
    return posting_with(http, server)


def posting_with(http: aiohttp.ClientSession, server: Sandbox, **override: str) -> Posting:
    mattermost = Mattermost(http, server.url, server.bot_token, retry_base_s=0.001, timeout_s=2.0)
    return Posting(mattermost, server.bot_id, override=override, base_s=0.001, cap_s=0.01)


@pytest.fixture
async def asked(server: Sandbox) -> Post:
    """The message of alice that the bot answers."""
    return await server.post("alice", "dev", "@zoom standup")


@pytest.fixture
def new_post(server: Sandbox, asked: Post) -> NewPost:
    return NewPost(
        id="d1",
        channel_id=server.channel("dev").id,
        message="alice started a Zoom meeting",
        props={"meeting_id": 1},
        created_at=asked.create_at,
    )


def attempts(server: Sandbox) -> int:
    return sum(call.method == "POST" and call.path.endswith("/posts") for call in server.calls)


def only(server: Sandbox) -> Post:
    """The bot's only post."""
    (post,) = server.bot_posts("dev")
    return post


async def test_a_post_is_known_by_its_id(posting: Posting, server: Sandbox, new_post: NewPost) -> None:
    post_id = await posting.write(new_post, doubtful=False)
    post = only(server)
    assert post.id == post_id
    assert post.message == new_post.message
    assert post.props["zoombot_id"] == "d1"
    assert post.props["meeting_id"] == 1
    assert attempts(server) == 1


async def test_a_post_without_doubt_is_not_looked_for(
    posting: Posting, server: Sandbox, new_post: NewPost
) -> None:
    server.clear_calls()
    await posting.write(new_post, doubtful=False)
    assert [(call.method, call.path.rpartition("/")[2]) for call in server.calls] == [("POST", "posts")]


@pytest.mark.parametrize("status", [500, 502, 503, 0])
async def test_a_post_whose_answer_was_lost_is_found(
    posting: Posting, server: Sandbox, new_post: NewPost, status: int
) -> None:
    server.faults.add(status, method="POST", path=POSTS, after=True, drop=not status)
    post_id = await posting.write(new_post, doubtful=False)
    assert only(server).id == post_id
    assert attempts(server) == 1


async def test_a_post_whose_answer_came_too_late_is_found(
    http: aiohttp.ClientSession, server: Sandbox, new_post: NewPost
) -> None:
    mattermost = Mattermost(http, server.url, server.bot_token, timeout_s=0.2)
    posting = Posting(mattermost, server.bot_id, override={}, base_s=0.001, cap_s=0.01)
    server.faults.add(method="POST", path=POSTS, after=True, delay=0.5)
    assert await posting.write(new_post, doubtful=False) == only(server).id


@pytest.mark.parametrize("status", [500, 503, 429, 408, 0])
async def test_a_post_that_was_not_taken_is_posted_again(
    posting: Posting, server: Sandbox, new_post: NewPost, status: int
) -> None:
    headers = {"Retry-After": "0"} if status == 429 else None
    server.faults.add(status, times=3, method="POST", path=POSTS, drop=not status, headers=headers)
    post_id = await posting.write(new_post, doubtful=False)
    assert only(server).id == post_id


@pytest.mark.parametrize("status", [301, 302, 307, 308])
async def test_a_proxy_that_redirects_for_a_while_is_waited_for(
    posting: Posting, server: Sandbox, new_post: NewPost, status: int
) -> None:
    headers = {"Location": "https://status.example.com/maintenance"}
    server.faults.add(status, times=2, method="POST", path=POSTS, headers=headers, body="<html>")
    post_id = await posting.write(new_post, doubtful=False)
    server.faults.add(status, times=2, method="PUT", headers=headers, body="<html>")
    await posting.edit(post_id, "it has ended", {})
    assert only(server).message == "it has ended"
    assert posting.retries == 4


async def test_a_search_that_fails_posts_nothing_blindly(
    posting: Posting, server: Sandbox, new_post: NewPost
) -> None:
    server.faults.add(503, method="POST", path=POSTS, after=True)
    server.faults.add(503, times=8, method="GET", path=r"/channels/\w+/posts")
    post_id = await posting.write(new_post, doubtful=False)
    assert only(server).id == post_id
    assert attempts(server) == 1


async def test_a_clock_that_was_ahead_when_it_was_asked_for_hides_nothing(
    posting: Posting, server: Sandbox, new_post: NewPost
) -> None:
    ahead = replace(new_post, created_at=new_post.created_at + 10 * 60_000)
    first = await posting.write(ahead, doubtful=False)
    assert await posting.write(ahead, doubtful=True) == first == only(server).id


async def test_after_a_crash_the_post_is_found_and_not_posted_again(
    http: aiohttp.ClientSession, server: Sandbox, new_post: NewPost
) -> None:
    first = await posting_with(http, server).write(new_post, doubtful=False)
    again = await posting_with(http, server).write(new_post, doubtful=True)
    assert first == again
    assert only(server).id == first


async def test_after_a_crash_the_post_that_is_found_says_what_is_so_by_now(
    http: aiohttp.ClientSession, server: Sandbox, new_post: NewPost
) -> None:
    """Others may have changed the record since the process died that made the post."""
    first = await posting_with(http, server).write(new_post, doubtful=False)
    newer = replace(new_post, message="it has ended", props={"meeting_status": "ENDED"})
    server.faults.add(503, method="PUT", path="/patch$")
    assert await posting_with(http, server).write(newer, doubtful=True) == first
    assert only(server).message == "it has ended"
    assert only(server).props["meeting_status"] == "ENDED"
    assert only(server).props["zoombot_id"] == new_post.id


async def test_a_post_that_is_found_and_may_not_be_edited_is_still_the_post(
    http: aiohttp.ClientSession, server: Sandbox, new_post: NewPost
) -> None:
    first = await posting_with(http, server).write(new_post, doubtful=False)
    server.faults.add(403, method="PUT", path="/patch$", times=-1)
    newer = replace(new_post, message="it has ended")
    assert await posting_with(http, server).write(newer, doubtful=True) == first
    assert only(server).message == new_post.message


async def test_after_a_crash_before_the_post_it_is_posted(
    posting: Posting, server: Sandbox, new_post: NewPost
) -> None:
    assert await posting.write(new_post, doubtful=True) == only(server).id


async def test_a_post_of_somebody_else_is_not_taken_for_ours(
    posting: Posting, server: Sandbox, new_post: NewPost
) -> None:
    forged = await server.post("bob", "dev", new_post.message, props={"zoombot_id": "d1"})
    post_id = await posting.write(new_post, doubtful=True)
    assert post_id != forged.id
    assert only(server).id == post_id


async def test_a_post_of_another_draft_is_not_taken_for_this_one(
    posting: Posting, server: Sandbox, new_post: NewPost
) -> None:
    first = await posting.write(new_post, doubtful=False)
    second = await posting.write(replace(new_post, id="d2"), doubtful=True)
    assert [post.id for post in server.bot_posts("dev")] == [first, second]


async def test_a_post_is_found_among_many(posting: Posting, server: Sandbox, new_post: NewPost) -> None:
    first = await posting.write(new_post, doubtful=False)
    for number in range(1100):
        await server.post("bob", "dev", f"talk {number}")
    assert await posting.write(new_post, doubtful=True) == first


@pytest.mark.parametrize("ahead_ms", [-3_600_000, 3_600_000])
async def test_a_post_is_found_where_our_clock_is_wrong(
    http: aiohttp.ClientSession, server: Sandbox, new_post: NewPost, ahead_ms: int
) -> None:
    mattermost = Mattermost(http, server.url, server.bot_token, now=lambda: now_ms() + ahead_ms)
    posting = Posting(mattermost, server.bot_id, override={}, base_s=0.001, cap_s=0.01)
    # The first answer tells how far the clocks are apart, as it does when the bot starts.
    await mattermost.me()
    server.faults.add(method="POST", path=POSTS, after=True, drop=True)
    ours = replace(new_post, created_at=new_post.created_at + ahead_ms)
    assert await posting.write(ours, doubtful=False) == only(server).id


async def test_a_reply_stands_in_its_thread(
    posting: Posting, server: Sandbox, new_post: NewPost, asked: Post
) -> None:
    await posting.write(replace(new_post, root_id=asked.id), doubtful=False)
    assert only(server).root_id == asked.id


async def test_where_the_threads_root_is_gone_it_is_said_in_the_channel(
    posting: Posting, server: Sandbox, new_post: NewPost, asked: Post
) -> None:
    await server.delete(asked.id)
    post_id = await posting.write(replace(new_post, root_id=asked.id), doubtful=False)
    post = only(server)
    assert (post.id, post.root_id) == (post_id, "")


async def test_where_the_bot_may_not_post_it_says_so(
    posting: Posting, server: Sandbox, new_post: NewPost
) -> None:
    server.leave("zoom", "dev")
    with pytest.raises(MattermostDeniedError):
        await posting.write(new_post, doubtful=False)
    with pytest.raises(MattermostDeniedError):
        await posting.write(new_post, doubtful=True)
    assert server.bot_posts("dev") == []


@pytest.mark.parametrize("root", [True, False])
async def test_what_mattermost_will_never_take_is_given_up(
    posting: Posting, server: Sandbox, new_post: NewPost, asked: Post, root: bool
) -> None:
    body = {"id": "api.post.create_post.odd.app_error", "message": "no", "status_code": 400}
    server.faults.add(400, times=-1, method="POST", path=POSTS, body=body)
    with pytest.raises(MattermostError) as caught:
        await posting.write(replace(new_post, root_id=asked.id if root else ""), doubtful=False)
    assert caught.value.status == 400
    assert attempts(server) == 1


async def test_a_token_that_was_revoked_is_waited_for(
    posting: Posting, server: Sandbox, new_post: NewPost
) -> None:
    server.faults.add(401, times=2, method="POST", path=POSTS)
    assert await posting.write(new_post, doubtful=False) == only(server).id
    assert posting.retries == 2


async def test_a_certificate_that_ran_out_is_waited_for(posting: Posting) -> None:
    answers: list[Exception | str] = [MattermostCertificateError("expired"), "taken"]

    async def call() -> str:
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    assert await posting.persist(call) == "taken"


async def test_a_server_that_is_away_is_waited_for(
    posting: Posting, server: Sandbox, new_post: NewPost
) -> None:
    await server.stop()
    writing = asyncio.create_task(posting.write(new_post, doubtful=False))
    while posting.retries < 2:
        assert not writing.done()
        await asyncio.sleep(0)
    await server.start()
    assert await writing == only(server).id


async def test_an_edit_says_the_new_and_keeps_the_post(
    posting: Posting, server: Sandbox, new_post: NewPost
) -> None:
    post_id = await posting.write(new_post, doubtful=False)
    server.faults.add(503, times=2, method="PUT")
    await posting.edit(post_id, "it has ended", {"zoombot_id": "d1", "meeting_status": "ENDED"})
    post = only(server)
    assert (post.id, post.message) == (post_id, "it has ended")
    assert post.props["meeting_status"] == "ENDED"
    assert post.props["from_bot"] == "true"
    assert "meeting_id" not in post.props


async def test_an_edit_of_a_post_that_is_gone_is_given_up(
    posting: Posting, server: Sandbox, new_post: NewPost
) -> None:
    post_id = await posting.write(new_post, doubtful=False)
    await server.delete(post_id)
    with pytest.raises(MattermostDeniedError):
        await posting.edit(post_id, "it has ended", {})


async def test_the_name_and_icon_that_are_shown_stay_in_every_edit(
    http: aiohttp.ClientSession, server: Sandbox, new_post: NewPost
) -> None:
    shown = {"override_username": "Zoom", "from_webhook": "true"}
    posting = posting_with(http, server, **shown)
    post_id = await posting.write(new_post, doubtful=False)
    assert shown.items() <= only(server).props.items()
    await posting.edit(post_id, "it has ended", {})
    assert shown.items() <= only(server).props.items()


async def test_many_at_once_are_each_written_once_through_faults(
    posting: Posting, server: Sandbox, new_post: NewPost
) -> None:
    for number in range(20):
        drop, after = bool(number % 3), bool(number % 2)
        server.faults.add(0 if drop else 503, method="POST", path=POSTS, drop=drop, after=after)
    new_posts = [replace(new_post, id=f"d{number}") for number in range(40)]
    ids = await asyncio.gather(*(posting.write(one, doubtful=False) for one in new_posts))
    written = {post.props["zoombot_id"]: post.id for post in server.bot_posts("dev")}
    assert len(server.bot_posts("dev")) == 40
    assert written == {one.id: id for one, id in zip(new_posts, ids, strict=True)}
