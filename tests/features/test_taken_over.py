"""A Zoom account belongs to one person here: whoever links it last. Zoom ends the earlier tokens."""

from __future__ import annotations

import asyncio

import pytest

from bot.domain.records import LinkedAccount
from tests.conftest import MakeWorld, World
from tests.features.kit import direct, settle, told
from tests.features.test_connect import answered, invited, linked, links, signed_in

BOBS = "bob@demo.example"


@pytest.fixture
async def world(make_world: MakeWorld) -> World:
    """Bob is linked to his own Zoom account."""
    world = await make_world(meetings={"duplicate_window_ms": 0})
    await linked(world, await invited(world, "bob"), BOBS)
    return world


async def works(world: World, name: str) -> None:
    """The person's link still works once its access token has run out."""
    world.zoom.clock.advance(3600)
    post = await world.ask(name, "dev", "@zoom standup")
    assert world.zoom.meetings[post.props["meeting_id"]].host.email == BOBS


async def test_the_later_link_takes_over_and_the_earlier_person_is_told(world: World) -> None:
    await linked(world, await invited(world, "carol"), BOBS)
    await settle(world)
    assert await links(world) == {"carol": BOBS}
    said = direct(world, "bob")[-1]
    assert "carol has just connected" in said
    assert BOBS in said
    assert "`connect`" in said
    assert world.zoom.revoked == []
    await works(world, "carol")
    assert "/oauth2/connect" in await told(world, "bob", "dev", "@zoom retro")


async def test_of_two_who_confirm_at_once_one_is_linked_and_the_other_told(world: World) -> None:
    mallory = world.mattermost.add_user("mallory")
    questions = [await signed_in(world, await invited(world, name), BOBS) for name in ("carol", "mallory")]
    pages = await asyncio.gather(*(answered(world, question) for question in questions))
    assert [page.status for page in pages] == [200, 200]
    await settle(world)
    (link,) = await world.bot.ctx.store.all(LinkedAccount)
    won, lost = ("mallory", "carol") if link.id == mallory.id else ("carol", "mallory")
    world.mattermost.join(mallory, "dev")
    await works(world, won)
    for name in ("bob", lost):
        assert sum("which you were connected to" in said for said in direct(world, name)) == 1
    assert world.zoom.revoked == []


async def test_who_confirms_an_older_authorization_last_gets_tokens_that_work(world: World) -> None:
    older = await signed_in(world, await invited(world, "carol"), BOBS)
    world.zoom.clock.advance(1)
    await linked(world, await invited(world, "alice"), BOBS)
    assert (await answered(world, older)).status == 200
    await settle(world)
    assert await links(world) == {"carol": BOBS}
    await works(world, "carol")


async def test_who_cancels_leaves_the_present_link_working(world: World) -> None:
    """Bob opens a link that carol sent him. Zoom gives new tokens for it, and ends his own."""
    question = await signed_in(world, await invited(world, "carol"), BOBS)
    await answered(world, question, cancel="1")
    assert await links(world) == {"bob": BOBS}
    assert world.zoom.revoked == []
    await works(world, "bob")


async def test_who_may_not_link_it_leaves_the_present_link_working(make_world: MakeWorld) -> None:
    world = await make_world(zoom={"require_same_email": True}, meetings={"duplicate_window_ms": 0})
    await linked(world, await invited(world, "bob"), BOBS)
    assert (await signed_in(world, await invited(world, "carol"), BOBS)).status == 403
    assert await links(world) == {"bob": BOBS}
    await works(world, "bob")


async def test_another_administrator_of_the_same_account_revokes_nothing(make_world: MakeWorld) -> None:
    world = await make_world(zoom={"app": "account"}, mattermost={"admins": ("bob",)})
    world.zoom.app = "account"
    world.zoom.add_user("dora@demo.example", admin=True)
    first, second = await invited(world, "alice"), await invited(world, "bob")
    await linked(world, first, "alice@demo.example")
    await linked(world, second, "dora@demo.example")
    assert world.zoom.revoked == []
    post = await world.ask("carol", "dev", "@zoom standup")
    assert world.zoom.meetings[post.props["meeting_id"]].host.email == "carol@demo.example"


async def test_of_two_old_links_to_one_zoom_user_one_ends_without_the_other(world: World) -> None:
    """Older versions let two people link one Zoom user."""
    ctx, carol = world.bot.ctx, world.mattermost.user("carol")
    (link,) = await ctx.store.all(LinkedAccount)
    grant = await ctx.tokens.held(link.id)
    assert grant
    await ctx.store.commit(*ctx.tokens.linked(carol.id, grant, await ctx.zoom.identify(grant)))
    assert "disconnected" in await told(world, "carol", world.direct("carol"), "disconnect")
    assert await links(world) == {"bob": BOBS}
    assert world.zoom.revoked == []
