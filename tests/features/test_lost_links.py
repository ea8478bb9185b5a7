"""A link that Zoom has ended is told of once: by the answer to who asked, else by a message of its own."""

from __future__ import annotations

import asyncio

import pytest

from bot.domain.records import LostLink
from bot.errors import ZoomLinkError
from bot.stores import Change
from bot.zoom import LINKING
from tests.conftest import MakeWorld, World
from tests.features.kit import ask, connect, direct, planned, settle, told


async def looked_after(world: World) -> None:
    """The bot has looked after its meetings, and the time that others have to say it is over."""
    await world.bot.reconciler.reconcile()
    await settle(world)
    world.zoom.clock.advance(31)
    world.bot.worker.timer.fire()
    await settle(world)


async def test_what_the_bot_finds_by_itself_is_told_once(trio: World) -> None:
    meeting = planned(trio, "bob")
    await trio.ask("bob", "dev", f"@zoom join {meeting.id}")
    trio.zoom.revoke("bob@demo.example")
    await looked_after(trio)
    (said,) = direct(trio, "bob")
    assert "no longer accepts" in said
    assert "`connect`" in said


async def test_who_asked_has_read_it_in_the_answer(trio: World) -> None:
    trio.zoom.revoke("bob@demo.example")
    assert "no longer accepts" in await told(trio, "bob", "dev", "@zoom standup")
    await looked_after(trio)
    assert len(direct(trio, "bob")) == 1


async def test_who_disconnects_has_read_enough(trio: World) -> None:
    trio.zoom.revoke("bob@demo.example")
    assert "disconnected" in await told(trio, "bob", trio.direct("bob"), "disconnect")
    await looked_after(trio)
    assert len(direct(trio, "bob")) == 1


async def test_who_connects_again_hears_nothing_of_it(trio: World) -> None:
    meeting = planned(trio, "bob")
    await trio.ask("bob", "dev", f"@zoom join {meeting.id}")
    trio.zoom.revoke("bob@demo.example")
    await trio.bot.reconciler.reconcile()
    assert await trio.bot.ctx.store.has(LostLink, "told", False)
    (invitation,) = await ask(trio, "bob", trio.direct("bob"), "connect")
    await connect(trio, "bob", invitation.message)
    await looked_after(trio)
    assert not any("no longer accepts" in said for said in direct(trio, "bob"))


async def test_a_link_that_is_made_anew_while_zoom_refuses_the_old_one_is_not_lost(trio: World) -> None:
    """Another process may be linking at that moment: both decide under one lock."""
    ctx, user = trio.bot.ctx, trio.mattermost.user("bob")
    lost: list[LostLink] = []

    def note(link: LostLink) -> list[Change]:
        lost.append(link)
        return []

    ctx.tokens.on_lost = note
    stale = await ctx.tokens.access(user.id)
    trio.zoom.revoke("bob@demo.example")
    async with ctx.store.lock(LINKING):
        refreshing = asyncio.ensure_future(ctx.tokens.refresh(user.id, stale))
        await trio.zoom.wait_for(lambda: trio.zoom.refresh_refused == 1)
        for _ in range(20):
            await ctx.mattermost.me()
        assert lost == []
        await trio.link("bob")
    with pytest.raises(ZoomLinkError):
        await refreshing
    assert lost == []
    assert await ctx.tokens.access(user.id) != stale


async def test_of_an_account_s_link_hears_who_made_it_and_the_admins(make_world: MakeWorld) -> None:
    world = await make_world(zoom={"app": "account"}, mattermost={"admins": ("bob",)})
    world.zoom.app = "account"
    (invitation,) = await ask(world, "alice", world.direct("alice"), "connect")
    await connect(world, "alice", invitation.message)
    world.zoom.revoke("alice@demo.example")
    said = await told(world, "carol", "dev", "@zoom standup")
    assert "system administrator" in said
    await looked_after(world)
    for name in ("alice", "bob"):
        assert sum("no longer accepts" in each for each in direct(world, name)) == 1
