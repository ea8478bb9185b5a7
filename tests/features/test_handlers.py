"""Handlers called as what they are: ``(context, job, request) → changes``, with nothing written by themselves."""

from __future__ import annotations

import pytest

from bot.core.context import Job
from bot.domain.grammar import Request
from bot.domain.records import (
    Announcement,
    LinkedAccount,
    Meeting,
    Notice,
    Preference,
    Recent,
    Subscription,
)
from bot.errors import NotLinkedError
from bot.features import connect, deauthorize, end, join, personal_room, policy, start, subscriptions
from bot.messages.content import Text
from bot.stores import Change, Delete, Put
from bot.zoom.webhooks import Webhook
from tests.conftest import World
from tests.features.kit import planned, said_by

JOB = Job("post:direct")


def asked(world: World, name: str, command: str, argument: str = "", channel: str = "dev") -> Request:
    """A request as the listener makes it of a post."""
    user = world.mattermost.user(name)
    return Request(
        command=command,
        argument=argument,
        user_id=user.id,
        user_name=name,
        channel_id=world.mattermost.channel(channel).id,
        channel_type="O",
        channel_name="Dev",
        trigger="p" * 26,
        asked_at=world.bot.ctx.now(),
    )


def written(changes: object) -> list[str]:
    """The kinds of records that changes write, and delete (with a minus)."""
    assert isinstance(changes, list | tuple)
    return [
        f"-{each.kind.__name__}" if isinstance(each, Delete) else type(each.record).__name__
        for each in changes
        if isinstance(each, Delete | Put)
    ]


async def test_start_wants_a_meeting_its_announcement_and_the_channel_s_newest(trio: World) -> None:
    ctx = trio.bot.ctx
    changes = list(await start.start(ctx, JOB, asked(trio, "bob", "start", "standup")))
    assert written(changes) == [Meeting.__name__, Announcement.__name__, Recent.__name__]
    assert await ctx.store.all(Meeting) == []
    assert len(trio.zoom.created) == 1


async def test_settings_say_what_they_keep(trio: World) -> None:
    ctx = trio.bot.ctx
    changes = list(await personal_room.settings(ctx, JOB, asked(trio, "bob", "settings", "pmi never")))
    assert written(changes) == [Preference.__name__, Notice.__name__]
    assert said_by(ctx, changes) == [Text("settings-kept", {"pmi": "never"})]


async def test_a_pasted_host_s_link_is_refused_without_a_call(trio: World) -> None:
    request = asked(trio, "bob", "join", "https://zoom.us/s/12345678901?zak=secret")
    assert said_by(trio.bot.ctx, list(await join.join(trio.bot.ctx, JOB, request))) == [
        Text("join-host-link")
    ]
    assert trio.zoom.calls == []


async def test_end_without_a_meeting_says_so(trio: World) -> None:
    changes = list(await end.end(trio.bot.ctx, JOB, asked(trio, "bob", "end")))
    assert said_by(trio.bot.ctx, changes) == [Text("end-nothing")]


async def test_a_rule_is_set_by_those_who_administer_only(trio: World) -> None:
    changes = list(await policy.channel(trio.bot.ctx, JOB, asked(trio, "bob", "channel", "restrict")))
    assert said_by(trio.bot.ctx, changes) == [Text("policy-denied")]


async def test_a_channel_that_follows_nothing_has_nothing_to_unfollow(trio: World) -> None:
    request = asked(trio, "bob", "unsubscribe", "12345678901")
    changes = list(await subscriptions.unsubscribe(trio.bot.ctx, JOB, request))
    assert said_by(trio.bot.ctx, changes) == [Text("not-subscribed", {"id": "123 4567 8901"})]
    assert await trio.bot.ctx.store.all(Subscription) == []


async def test_a_retried_request_is_answered_like_any_other(trio: World) -> None:
    ctx, again = trio.bot.ctx, Job("post:again", retried=True)
    unknown = list(
        await subscriptions.unsubscribe(ctx, again, asked(trio, "bob", "unsubscribe", "12345678901"))
    )
    assert said_by(ctx, unknown) == [Text("not-subscribed", {"id": "123 4567 8901"})]
    number = str(planned(trio, "bob").id)
    await ctx.store.commit(*await subscriptions.subscribe(ctx, JOB, asked(trio, "bob", "subscribe", number)))
    known = list(await subscriptions.subscribe(ctx, again, asked(trio, "bob", "subscribe", number)))
    assert written(known) == [Notice.__name__]


async def test_who_disconnects_is_linked_until_it_is_written(trio: World) -> None:
    ctx, bob = trio.bot.ctx, trio.mattermost.user("bob").id
    changes = list(await connect.disconnect(ctx, JOB, asked(trio, "bob", "disconnect")))
    assert "-LinkedAccount" in written(changes)
    await assert_linked_until_committed(trio, bob, changes)


async def test_who_removed_the_app_is_linked_until_it_is_written(trio: World) -> None:
    ctx, bob = trio.bot.ctx, trio.mattermost.user("bob").id
    link = await ctx.store.get(LinkedAccount, bob)
    assert link is not None
    webhook = Webhook(
        event="app_deauthorized", event_ts=ctx.now(), payload={"user_id": link.zoom_user_id, "client_id": ""}
    )
    changes = list(await deauthorize.deauthorize(ctx, JOB, webhook))
    assert "-LinkedAccount" in written(changes)
    await assert_linked_until_committed(trio, bob, changes)


async def assert_linked_until_committed(world: World, user_id: str, changes: list[Change]) -> None:
    ctx = world.bot.ctx
    assert await ctx.store.get(LinkedAccount, user_id) is not None
    assert await ctx.tokens.held(user_id) is not None
    await ctx.store.commit(*changes)
    assert await ctx.store.get(LinkedAccount, user_id) is None
    with pytest.raises(NotLinkedError):
        await ctx.tokens.access(user_id)
