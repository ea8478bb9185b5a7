"""Reading what was missed, however much it is."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import aiohttp
import msgspec
import pytest

from bot.errors import MattermostUnreachableError
from bot.mattermost import Mattermost
from bot.mattermost.history import Page, read_page, read_since
from bot.sandbox.mattermost import Mattermost as Sandbox
from bot.sandbox.mattermost import Post


async def read(client: Mattermost, channel_id: str, since_ms: int) -> list[str]:
    return [post.message async for page in client.posts_since(channel_id, since_ms) for post in page]


async def write(server: Sandbox, count: int, size: int = 0) -> list[Post]:
    """Posts, of which few share a millisecond, as on a real server."""
    posts: list[Post] = []
    for number in range(count):
        posts.append(await server.post("alice", "dev", f"post {number}".ljust(size, ".")))
        if number % 20 == 19:
            await later(server, posts[-1].create_at)
    return posts


def texts(posts: list[Post]) -> list[str]:
    return [post.message for post in posts]


async def later(server: Sandbox, moment: int) -> None:
    """Write elsewhere until the clock shows a later millisecond."""
    while (await server.post("alice", "town-square", "tick")).create_at <= moment:
        pass


async def test_nothing_new_is_nothing(mattermost: Mattermost, server: Sandbox) -> None:
    posts = await write(server, 3)
    assert await read(mattermost, posts[-1].channel_id, posts[-1].create_at) == []


async def test_only_what_was_created_later_comes_oldest_first(
    mattermost: Mattermost, server: Sandbox
) -> None:
    old = await server.post("alice", "dev", "old")
    await later(server, old.create_at)
    new = [await server.post("bob", "dev", "post 0")]
    for number in range(1, 5):
        await later(server, new[-1].create_at)
        new.append(await server.post("bob", "dev", f"post {number}"))
    await server.edit("alice", old.id, "old, edited")
    await server.edit("bob", new[1].id, "new, edited")
    await server.delete(new[2].id)
    expected = ["post 0", "new, edited", "post 3", "post 4"]
    assert await read(mattermost, old.channel_id, old.create_at) == expected


async def test_a_reply_comes_without_its_old_root(mattermost: Mattermost, server: Sandbox) -> None:
    root = await server.post("alice", "dev", "root")
    await later(server, root.create_at)
    await server.post("bob", "dev", "reply", root_id=root.id)
    assert await read(mattermost, root.channel_id, root.create_at) == ["reply"]


async def test_thousands_come_in_pages_oldest_first_without_the_deleted(
    mattermost: Mattermost, server: Sandbox
) -> None:
    before = await write(server, 300)
    await later(server, before[-1].create_at)
    posts = await write(server, 2600)
    for post in before[:50]:
        await server.edit("alice", post.id, "old, edited")
    for post in posts[::100]:
        await server.edit("alice", post.id, f"{post.message}, edited")
    for post in posts[50::100]:
        await server.delete(post.id)
    server.clear_calls()
    expected = [post.message for post in server.posts("dev")[300:]]
    assert len(expected) == 2574
    pages = [page async for page in mattermost.posts_since(posts[0].channel_id, before[-1].create_at)]
    assert max(map(len, pages)) <= 200
    assert [post.message for page in pages for post in page] == expected
    assert len(server.calls) < 40


async def test_everything_of_a_channel_is_read_from_zero(mattermost: Mattermost, server: Sandbox) -> None:
    posts = await write(server, 1200)
    assert await read(mattermost, posts[0].channel_id, 0) == texts(posts)


async def test_nothing_is_lost_where_people_go_on_writing(mattermost: Mattermost, server: Sandbox) -> None:
    posts = await write(server, 1500)
    found = []
    async for page in mattermost.posts_since(posts[0].channel_id, 0):
        found += [post.message for post in page]
        for number in range(30):
            await server.post("bob", "dev", f"meanwhile {number}")
    assert [text for text in found if text.startswith("post")] == texts(posts)


async def test_answers_that_are_too_large_are_asked_for_in_smaller_pieces(
    http: aiohttp.ClientSession, server: Sandbox
) -> None:
    posts = await write(server, 120, size=4000)
    client = Mattermost(http, server.url, server.bot_token, max_answer=100_000)
    assert await read(client, posts[0].channel_id, 0) == texts(posts)


async def test_a_read_that_fails_once_goes_on(mattermost: Mattermost, server: Sandbox) -> None:
    posts = await write(server, 1300)
    server.faults.add(502, path="/posts$", method="GET", times=2)
    assert await read(mattermost, posts[0].channel_id, 0) == texts(posts)


def nested(depth: int) -> msgspec.Raw:
    """A value that the real server takes and that ordinary readers fall over."""
    return msgspec.Raw(b"[" * depth + b"]" * depth)


@pytest.mark.parametrize("depth", [1_500, 9_000])
async def test_a_post_that_is_nested_without_end_hides_no_other(
    mattermost: Mattermost, server: Sandbox, depth: int
) -> None:
    before = await server.post("alice", "dev", "before")
    deep = await server.post("bob", "dev", "deep", props={"x": nested(depth)})
    await server.post("alice", "dev", "after")
    assert await read(mattermost, before.channel_id, before.create_at - 1) == ["before", "deep", "after"]
    assert (await mattermost.post(deep.id)).message == "deep"
    assert mattermost.unreadable.count == 0


async def test_posts_nested_without_end_are_paged_through(mattermost: Mattermost, server: Sandbox) -> None:
    posts = [
        await server.post("bob", "dev", f"deep {number}", props={"x": nested(1_500)})
        for number in range(1_100)
    ]
    assert await read(mattermost, posts[0].channel_id, 0) == texts(posts)


def written(*posts: Mapping[str, Any]) -> bytes:
    """A list of posts as the server writes it, newest first."""
    return json.dumps(
        {"order": [post["id"] for post in posts], "posts": {post["id"]: post for post in posts}}
    ).encode()


def a_post(id: str, **changes: Any) -> dict[str, Any]:
    return {"id": id, "channel_id": "c", "user_id": "u", "message": id, "create_at": 5, "props": {}} | changes


@pytest.mark.parametrize(
    "changes",
    [{"user_id": 5}, {"create_at": "now"}, {"message": None}, {"props": []}, {"edit_at": {}}],
    ids=str,
)
def test_a_post_that_cannot_be_read_hides_no_other_of_its_page(changes: dict[str, Any]) -> None:
    page = read_page(written(a_post("c"), a_post("b", **changes), a_post("a")))
    assert [post.id for post in page.posts] == ["c", "a"]
    assert page.ids == ["c", "b", "a"]
    assert list(page.unreadable) == ["b"]


def test_a_post_with_bytes_that_are_no_text_hides_no_other() -> None:
    body = written(a_post("b", message="?"), a_post("a")).replace(b'"?"', b'"\xff"')
    page = read_page(body)
    assert ([post.id for post in page.posts], list(page.unreadable)) == (["a"], ["b"])


def test_what_is_no_list_of_posts_is_no_answer() -> None:
    for body in (b"<html>", b"[]", b'{"order":5}', written(a_post("a"))[:-3]):
        with pytest.raises(MattermostUnreachableError):
            read_page(body)


async def test_pages_of_which_no_post_can_be_read_are_passed() -> None:
    posts = [a_post(f"p{number:04}", create_at=number + 1) for number in range(1_000)]
    for post in posts[300:900]:
        post["user_id"] = 5
    asked = 0

    async def fetch(query: Mapping[str, Any]) -> Page:
        nonlocal asked
        asked += 1
        assert asked < 50
        if "since" in query:
            return read_page(written(*reversed(posts)))
        older = [post for post in posts if not query.get("before") or post["id"] < query["before"]]
        return read_page(written(*reversed(older[-query["per_page"] :])))

    found = [post.message async for page in read_since(fetch, 0) for post in page]
    assert found == [post["id"] for post in posts if post["user_id"] == "u"]


async def test_an_unreadable_post_is_counted_and_logged_once(
    mattermost: Mattermost, server: Sandbox, caplog: pytest.LogCaptureFixture
) -> None:
    post = await server.post("alice", "dev", "between us")
    body = written(a_post("b" * 26, message="between us", user_id=5), a_post("a" * 26))
    server.faults.add(200, times=3, path="/posts$", method="GET", body=body)
    for _ in range(3):
        assert await read(mattermost, post.channel_id, 1) == ["a" * 26]
    assert mattermost.unreadable.count == 1
    (record,) = [each for each in caplog.records if "cannot be read" in each.message]
    assert "b" * 26 in record.message
    assert "between us" not in record.message
