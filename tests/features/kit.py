"""What the tests of the features share: waiting until all is done, and looking at who was told what."""

from __future__ import annotations

import dataclasses
import re
from typing import Literal

import msgspec
from yarl import URL

from bot.core.context import Body, Context
from bot.domain.records import Notice
from bot.messages.content import Content
from bot.sandbox.mattermost import Channel, Post
from bot.sandbox.zoom.models import INSTANT, PERSONAL, RECURRING, Meeting, Plan
from bot.stores import Change, Put
from bot.zoom import ACCOUNT
from tests.conftest import World

App = Literal["user", "account", "server-to-server"]

__all__ = ["INSTANT", "PERSONAL", "RECURRING", "Plan"]


async def settle(world: World) -> None:
    """Until every webhook is delivered, every item handled and every post written."""
    await world.zoom.settle()
    for _ in range(3):
        await world.bot.worker.idle()
        await world.bot.publisher.idle()


async def ask(world: World, name: str, channel: str | Channel, message: str) -> list[Post]:
    """Post as a person; every answer once all is done."""
    asked = await world.mattermost.post(name, channel, message)
    await world.mattermost.wait_for(lambda: world.answers_to(asked))
    await settle(world)
    return world.answers_to(asked)


async def told(world: World, name: str, channel: str | Channel, message: str) -> str:
    """Post as a person; the one answer, which nobody else may see."""
    (answer,) = await ask(world, name, channel, message)
    assert answer.channel_id == world.direct(name).id
    return answer.message


def said_by(ctx: Context, changes: list[Change]) -> list[Content]:
    """What the notices among these changes say."""
    notices = [each.record for each in changes if isinstance(each, Put) and isinstance(each.record, Notice)]
    opened = [ctx.vault.open(notice.id, notice.sealed_body) for notice in notices]
    return [msgspec.json.decode(body, type=Body).card.message for body in opened]


def replies(world: World, post: Post) -> list[Post]:
    """What the bot wrote under a post."""
    return [each for each in world.mattermost.bot_posts() if each.root_id == post.id]


def direct(world: World, name: str) -> list[str]:
    """What the bot wrote to a person."""
    return [post.message for post in world.mattermost.bot_posts(world.direct(name))]


def content(world: World, post: Post) -> bytes:
    """The one file of a post."""
    assert isinstance(post.file_ids, list)
    (file_id,) = post.file_ids
    return world.mattermost.world.files[file_id][1]


def planned(world: World, name: str, topic: str = "Weekly", kind: int = RECURRING) -> Meeting:
    """A meeting that somebody planned in Zoom itself."""
    return world.zoom.meeting_store.create(world.zoom.user(f"{name}@demo.example"), Plan(topic=topic), kind)


async def held(world: World, meeting: Meeting) -> None:
    """The meeting takes place, and ends."""
    await world.zoom.start(meeting.id)
    await world.zoom.end(meeting.id)


async def changed(world: World, meeting: Meeting, *, deliver: bool = True, **new: str) -> None:
    """The meeting gets a new topic or passcode on Zoom's own page."""
    events = world.zoom.meeting_store.change(meeting, **new)
    if deliver:
        await world.zoom.webhooks.send(events)


async def started_again(world: World, meeting: Meeting) -> None:
    """An instant meeting that ended starts once more, under the same number."""
    await world.zoom.webhooks.send(world.zoom.meeting_store.open_again(meeting))


async def as_app(world: World, app: App) -> World:
    """The same with an app of the whole account, linked where it needs to be; the bot is started."""
    world.zoom.app = app
    zoom = dataclasses.replace(world.config.zoom, app=app, account_id=world.zoom.account_id)
    world.config = dataclasses.replace(world.config, zoom=zoom)
    await world.start()
    if app == "account":
        ctx = world.bot.ctx
        back = await world.zoom.consent(ctx.oauth.authorize_url("s", "v" * 64), "alice@demo.example")
        grant = await ctx.oauth.exchange(URL(back).query["code"], "v" * 64)
        await ctx.store.commit(*ctx.tokens.linked(ACCOUNT, grant, await ctx.zoom.identify(grant)))
    return world


async def connect(world: World, name: str, invitation: str) -> None:
    """Follow a private invitation to link, as a browser does."""
    found = re.search(r"\((http[^)]*/oauth2/connect[^)]*)\)", invitation)
    assert found
    async with world.http.get(found[1], allow_redirects=False) as response:
        authorize = response.headers["Location"]
    async with world.http.get(await world.zoom.consent(authorize, f"{name}@demo.example")) as response:
        page = await response.text()
    hidden = dict(re.findall(r'name="(state|confirm)" value="([^"]*)"', page))
    async with world.http.post(world.bot.ctx.url("/oauth2/complete"), data=hidden) as response:
        assert response.status == 200
    await settle(world)


async def with_stranger(world: World) -> World:
    """Bob is a host, carol a linked colleague, mallory somebody in the same channel."""
    for name in ("bob", "carol"):
        await world.link(name)
    mallory = world.mattermost.add_user("mallory")
    for channel in ("dev", "town-square"):
        world.mattermost.join(mallory, channel)
    return world
