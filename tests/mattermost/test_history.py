"""Reading what was missed, however much it is."""

from __future__ import annotations

import aiohttp

from bot.mattermost import Mattermost
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
