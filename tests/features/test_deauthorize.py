"""Somebody removes the app at Zoom: signed or refused; what is theirs goes, and they are told."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from bot.domain.records import LinkedAccount, LostLink, Preference, Subscription
from bot.sandbox.zoom.models import Json
from bot.zoom import ACCOUNT
from tests.conftest import MakeWorld, World
from tests.features.kit import as_app, ask, connect, direct, planned, settle


def payload(world: World, email: str = "bob@demo.example") -> Json:
    return {"user_id": world.zoom.user(email).id, "client_id": world.zoom.client_id}


async def links(world: World) -> set[str]:
    return {link.id for link in await world.bot.ctx.store.all(LinkedAccount)}


@pytest.mark.parametrize("path", ["webhook", "deauthorization"])
async def test_link_settings_and_subscriptions_go_and_the_person_is_told_once(trio: World, path: str) -> None:
    trio.zoom.webhook_url = trio.zoom.webhook_url.replace("/webhook", f"/{path}")
    bob, carol = trio.mattermost.user("bob"), trio.mattermost.user("carol")
    meeting = planned(trio, "bob")
    await ask(trio, "bob", "dev", f"@zoom subscribe {meeting.id}")
    await ask(trio, "bob", trio.direct("bob"), "settings pmi always")
    before = len(direct(trio, "bob"))
    await trio.zoom.deauthorize("bob@demo.example")
    await trio.zoom.redeliver(trio.zoom.deliveries[-1])
    await settle(trio)
    assert await links(trio) == {carol.id}
    assert await trio.bot.ctx.store.get(Preference, bob.id) is None
    assert await trio.bot.ctx.store.all(Subscription) == []
    assert len(direct(trio, "bob")) == before + 1
    assert direct(trio, "carol") == []


@pytest.mark.parametrize("path", ["webhook", "deauthorization"])
async def test_what_is_not_signed_deletes_nothing(trio: World, path: str) -> None:
    trio.zoom.webhook_url = trio.zoom.webhook_url.replace("/webhook", f"/{path}")
    known = await links(trio)
    forged = await trio.zoom.deliver("app_deauthorized", payload(trio), secret="guess")
    unsigned = await trio.zoom.deliver(
        "app_deauthorized", payload(trio), headers={"x-zm-signature": "", "x-zm-request-timestamp": ""}
    )
    assert [forged.status, unsigned.status] == [403, 403]
    trio.zoom.webhook_url = trio.zoom.webhook_url.replace("url-secret", "guess")
    assert (await trio.zoom.deliver("app_deauthorized", payload(trio))).status == 403
    await settle(trio)
    assert await links(trio) == known


async def test_another_app_s_news_deletes_nothing(trio: World) -> None:
    known = await links(trio)
    await trio.zoom.deliver("app_deauthorized", payload(trio) | {"client_id": "another"})
    await trio.zoom.deliver("app_deauthorized", {"user_id": ["x"]})
    await trio.zoom.deliver("app_deauthorized", {})
    await settle(trio)
    assert await links(trio) == known


async def test_news_from_before_the_present_link_leave_it_alone(trio: World) -> None:
    known = await links(trio)
    hour_ago = trio.zoom.clock.now_ms() - 3_600_000
    await trio.zoom.deliver("app_deauthorized", payload(trio), event_ts=hour_ago)
    await settle(trio)
    assert await links(trio) == known
    assert direct(trio, "bob") == []


async def test_news_of_a_removal_a_moment_before_the_present_link_leave_it_alone(trio: World) -> None:
    known = await links(trio)
    moment = trio.zoom.clock.now_ms() - 5_000
    await trio.zoom.deliver("app_deauthorized", payload(trio), event_ts=moment)
    await settle(trio)
    assert await links(trio) == known


async def test_a_removal_that_was_noticed_before_it_was_told_deletes_as_much(trio: World) -> None:
    bob = trio.mattermost.user("bob")
    meeting = planned(trio, "bob")
    await ask(trio, "bob", "dev", f"@zoom subscribe {meeting.id}")
    await ask(trio, "bob", trio.direct("bob"), "settings pmi always")
    trio.zoom.revoke("bob@demo.example")
    await ask(trio, "bob", "dev", "@zoom standup")
    assert bob.id not in await links(trio)
    await trio.zoom.deliver("app_deauthorized", payload(trio))
    await settle(trio)
    store = trio.bot.ctx.store
    assert await store.all(Subscription) == []
    assert await store.get(Preference, bob.id) is None
    assert await store.all(LostLink) == []
    assert "removed me at Zoom" in direct(trio, "bob")[-1]


async def test_a_link_to_connect_that_was_deleted_with_the_rest_is_taken_out_of_its_message(
    trio: World,
) -> None:
    trio.zoom.revoke("bob@demo.example")
    (asked,) = await ask(trio, "bob", "dev", "@zoom standup")
    assert "/oauth2/connect" in asked.message
    await trio.zoom.deliver("app_deauthorized", payload(trio))
    now = await trio.shows(asked, lambda post: "/oauth2/connect" not in post.message)
    assert now.message == "The link that was here has expired. Write `connect` to get a new one."


async def test_who_linked_an_account_is_told_that_it_is_gone(make_world: MakeWorld) -> None:
    world = await make_world(zoom={"app": "account"})
    world.zoom.app = "account"
    (invitation,) = await ask(world, "alice", world.direct("alice"), "connect")
    await connect(world, "alice", invitation.message)
    await world.zoom.deauthorize("alice@demo.example")
    await settle(world)
    assert await links(world) == set()
    assert "disconnected from this server" in direct(world, "alice")[-1]


async def test_everybody_who_linked_the_account_is_told(trio: World) -> None:
    mallory = trio.mattermost.user("mallory")
    ctx = trio.bot.ctx
    back = await trio.zoom.consent(ctx.oauth.authorize_url("s", "v" * 64), "bob@demo.example")
    grant = await ctx.oauth.exchange(back.split("code=")[1].split("&")[0], "v" * 64)
    await ctx.store.commit(*ctx.tokens.linked(mallory.id, grant, await ctx.zoom.identify(grant)))
    await trio.zoom.deauthorize("bob@demo.example")
    await settle(trio)
    assert await links(trio) == {trio.mattermost.user("carol").id}
    assert len(direct(trio, "bob")) == len(direct(trio, "mallory")) == 1


async def account(make_world: MakeWorld) -> World:
    """An app of the whole account, which alice authorized; dora is another administrator of it at Zoom."""
    world = await as_app(await make_world(start=False), "account")
    world.zoom.add_user("dora@demo.example", admin=True)
    return world


async def test_another_administrator_of_the_account_removes_the_app(make_world: MakeWorld) -> None:
    world = await account(make_world)
    await world.zoom.deauthorize("dora@demo.example")
    await settle(world)
    assert await links(world) == set()
    assert "administrator" in (await world.ask("bob", "dev", "@zoom standup")).message


async def test_another_account_s_news_leave_the_account_s_link_alone(make_world: MakeWorld) -> None:
    world = await account(make_world)
    elsewhere: Json = {"account_id": "another", "user_id": "nobody", "client_id": world.zoom.client_id}
    await world.zoom.deliver("app_deauthorized", elsewhere, event_ts=0)
    await settle(world)
    assert await links(world) == {ACCOUNT}


async def test_the_account_s_link_that_was_lost_before_is_told_of_once_more(make_world: MakeWorld) -> None:
    """Zoom refuses the tokens first, and says later which account removed the app."""
    world = await account(make_world)
    alice = world.mattermost.user("alice")
    store = world.bot.ctx.store
    await store.update(LinkedAccount, ACCOUNT, lambda link: replace(link, linked_by=alice.id))
    await world.zoom.deauthorize("dora@demo.example", deliver=False)
    world.zoom.clock.advance(3600)
    await ask(world, "bob", "dev", "@zoom standup")
    assert [lost.id for lost in await store.all(LostLink)] == [ACCOUNT]
    await world.zoom.deauthorize("dora@demo.example")
    await settle(world)
    assert await store.all(LostLink) == []
    assert "removed me at Zoom" in direct(world, "alice")[-1]


async def test_two_removals_of_one_person_are_two(trio: World) -> None:
    carol = trio.mattermost.user("carol")
    for removals in (1, 2):
        await trio.zoom.deauthorize("bob@demo.example")
        await trio.zoom.redeliver(trio.zoom.deliveries[-1])
        await settle(trio)
        assert await links(trio) == {carol.id}
        assert len(direct(trio, "bob")) == removals
        await trio.link("bob")


async def test_a_removal_without_any_time_counts_from_when_it_arrives(trio: World) -> None:
    await trio.zoom.deliver("app_deauthorized", payload(trio), event_ts=0)
    await settle(trio)
    assert await links(trio) == {trio.mattermost.user("carol").id}
