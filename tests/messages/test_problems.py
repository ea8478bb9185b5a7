"""What Zoom refuses is said to who asked, in a sentence that helps."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from bot.domain.records import LinkedAccount
from bot.sandbox.mattermost import Post
from bot.sandbox.zoom.models import Json
from tests.conftest import MakeWorld, World
from tests.features.kit import App, as_app, settle

CREATE = r"/meetings$"


async def problem(world: World, message: str = "@zoom standup", name: str = "alice") -> str:
    """The one private answer to a request; the channel sees nothing."""
    asked = await world.mattermost.post(name, "dev", message)
    answer: Post = (await world.mattermost.wait_for(lambda: world.answers_to(asked), timeout=30))[0]
    await settle(world)
    assert world.answers_to(asked) == [answer]
    assert answer.channel_id == world.direct(name).id
    assert world.mattermost.bot_posts("dev") == []
    return str(answer.message)


async def serves(world: World) -> None:
    """The next request is served as if nothing had been."""
    world.zoom.faults.clear()
    assert (await world.ask("bob", "town-square", "@zoom again")).props["meeting_topic"] == "again"


async def test_a_missing_scope_is_named_with_who_can_add_it(world: World) -> None:
    world.zoom.missing_scopes(None, "meeting:write:meeting")
    text = await problem(world)
    assert text.startswith("⚠️ ")
    assert "`meeting:write:meeting`" in text
    assert "administrator" in text
    assert "`disconnect` and `connect`" in text
    assert "leave it ticked" in text
    # Asked again, it would be refused again.
    assert len(world.zoom.calls) == 1


@pytest.mark.parametrize(("app", "then"), [("account", "connect again"), ("server-to-server", "activate")])
async def test_who_connects_nothing_is_not_told_to_connect_again(
    make_world: MakeWorld, app: App, then: str
) -> None:
    world = await as_app(await make_world(start=False), app)
    world.zoom.missing_scopes(None, "meeting:write:meeting")
    text = await problem(world, name="bob")
    assert "`meeting:write:meeting:admin`" in text
    assert then in text
    assert "to me" not in text


@pytest.mark.parametrize(
    ("code", "message", "words"),
    [
        (
            3161,
            "Your user account is not allowed meeting hosting and scheduling capabilities.",
            "isn't allowed",
        ),
        (1120, "A valid invitation to join the Zoom account was not found for this user.", "invitation"),
    ],
)
@pytest.mark.parametrize("app", ["user", "server-to-server"])
async def test_who_may_not_host_is_told_why_and_whom_to_ask(
    make_world: MakeWorld, app: App, code: int, message: str, words: str
) -> None:
    world = await as_app(await make_world(start=False), app)
    if app == "user":
        await world.link("alice")
    body: Json = {"code": code, "message": message}
    world.zoom.faults.add(400, method="POST", path=CREATE, body=body, times=-1)
    text = await problem(world)
    assert words in text
    assert "Zoom administrator" in text
    assert "Zoom says" not in text


async def test_a_limit_that_only_zoom_s_reset_names_says_when_it_ends(world: World) -> None:
    reset = str(world.now() // 1000 + 605)
    headers = {"X-RateLimit-Type": "QPS", "X-RateLimit-Reset": reset}
    body: Json = {"code": 429, "message": "You have reached the maximum per-second rate limit for this API."}
    world.zoom.faults.add(429, method="POST", path=CREATE, body=body, headers=headers)
    assert "10 minutes" in await problem(world)


async def test_a_daily_limit_that_only_its_message_names_ends_at_midnight(world: World) -> None:
    message = "You have exceeded the daily rate limit (100) of Meeting Create/Update API requests."
    world.zoom.faults.add(429, method="POST", path=CREATE, body={"code": 429, "message": message})
    text = await problem(world)
    assert "daily limit" in text
    assert "00:00 UTC" in text
    assert len(world.zoom.calls) == 1


async def test_a_daily_limit_says_when_it_ends(world: World) -> None:
    until = (datetime.now(UTC) + timedelta(hours=3)).replace(minute=0, second=0, microsecond=0)
    world.zoom.daily_limit("alice@demo.example", until.strftime("%Y-%m-%dT%H:%M:%SZ"))
    text = await problem(world)
    assert "daily limit" in text
    assert f"{until:%H:%M} UTC" in text
    assert len(world.zoom.calls) == 1
    await serves(world)


async def test_a_longer_limit_says_when_to_try_again(world: World) -> None:
    world.zoom.faults.add(
        429,
        method="POST",
        path=CREATE,
        body={"code": 429, "message": "You have reached the maximum per-second rate limit for this API."},
        headers={"Retry-After": "600"},
    )
    text = await problem(world)
    assert "limiting requests" in text
    assert "10 minutes" in text


REFUSALS: list[tuple[int, Json, str]] = [
    (400, {"code": 200, "message": "Your plan needs a paid subscription."}, "plan"),
    (404, {"code": 1001, "message": "User does not exist: alice."}, "`disconnect`"),
    (400, {"code": 1010, "message": "User does not belong to this account."}, "`disconnect`"),
    (400, {"code": 300, "message": "Validation Failed. @all [x](https://evil.example)"}, "Zoom refused"),
    (
        400,
        {"code": 300, "message": "No.", "errors": [{"field": "topic", "message": "Too long."}]},
        "Too long",
    ),
    (404, {"code": 404, "message": "Not found here."}, "Not found here"),
    (403, {"code": 9999, "message": "No permission."}, "No permission"),
]


@pytest.mark.parametrize(("status", "body", "words"), REFUSALS)
async def test_a_refusal_is_put_into_words(world: World, status: int, body: Json, words: str) -> None:
    world.zoom.faults.add(status, method="POST", path=CREATE, body=body)
    text = await problem(world)
    assert words in text
    assert "@all" not in text
    assert "](https://evil" not in text
    assert len(world.zoom.calls) == 1
    await serves(world)


@pytest.mark.parametrize("body", [{"code": "x"}, {}, {"message": "no"}])
async def test_a_refusal_that_says_nothing_is_still_answered(world: World, body: object) -> None:
    world.zoom.faults.add(400, method="POST", path=CREATE, body=body, times=-1)
    assert await problem(world)
    await serves(world)


async def test_a_refused_token_is_refreshed_once_and_the_call_made_once_more(world: World) -> None:
    world.zoom.expire_tokens("alice@demo.example")
    post = await world.ask("alice", "dev", "@zoom standup")
    assert post.channel_id == world.mattermost.channel("dev").id
    assert [call.status for call in world.zoom.calls] == [401, 201]
    assert world.zoom.refreshes == 1
    # The new ones are kept, and used from now on.
    await world.ask("alice", "town-square", "@zoom retro")
    assert [call.status for call in world.zoom.calls] == [401, 201, 201]


async def test_the_new_tokens_outlive_a_restart(world: World) -> None:
    world.zoom.expire_tokens("alice@demo.example")
    await world.ask("alice", "dev", "@zoom standup")
    await world.stop()
    await world.start()
    await world.ask("alice", "town-square", "@zoom retro")
    assert world.zoom.refreshes == 1


async def test_many_requests_with_an_old_token_are_one_refresh(world: World) -> None:
    world.zoom.expire_tokens("alice@demo.example")
    for number in range(5):
        world.mattermost.add_channel(f"c{number}", members=("alice", "zoom"))
    asked = [await world.mattermost.post("alice", f"c{number}", "@zoom") for number in range(5)]
    for each in asked:
        assert "meeting_id" in (await world.answer_to(each)).props
    assert world.zoom.refreshes == 1
    assert world.zoom.refresh_refused == 0


async def test_a_token_that_stays_refused_asks_to_connect_again(world: World) -> None:
    refusal = {"code": 124, "message": "Invalid access token."}
    world.zoom.faults.add(401, path=CREATE, times=-1, body=refusal)
    text = await problem(world)
    assert "connect" in text.lower()
    assert world.zoom.refreshes == 1
    assert len([call for call in world.zoom.calls if call.method == "POST"]) == 2


async def test_a_link_that_zoom_revoked_asks_to_connect_again(world: World) -> None:
    world.zoom.revoke("alice@demo.example")
    text = await problem(world)
    assert "no longer accepts" in text
    assert "/oauth2/connect?state=" in text
    await serves(world)


async def test_an_app_that_zoom_refuses_is_the_administrator_s_business(world: World) -> None:
    world.zoom.expire_tokens("alice@demo.example")
    refusal = {"reason": "Invalid client_id or client_secret", "error": "invalid_client"}
    world.zoom.faults.add(401, path="/oauth/token", times=-1, body=refusal)
    text = await problem(world)
    assert "administrator" in text
    assert "zoombot check" in text
    # It is no reason to forget whose account is whose.
    assert len(await world.bot.ctx.store.all(LinkedAccount)) == 2


async def test_a_refresh_that_does_not_get_through_is_no_reason_to_link_again(world: World) -> None:
    world.zoom.expire_tokens("alice@demo.example")
    world.zoom.faults.add(503, path="/oauth/token", times=-1)
    text = await problem(world)
    assert "can't reach Zoom" in text or "in time" in text
    world.zoom.faults.clear()
    assert len(await world.bot.ctx.store.all(LinkedAccount)) == 2


async def test_zoom_s_trouble_is_waited_out_before_it_is_told(world: World) -> None:
    fault = world.zoom.faults.add(503, method="POST", path=CREATE, times=1)
    post = await world.ask("alice", "dev", "@zoom standup")
    assert post.props["meeting_topic"] == "standup"
    assert fault.hits == 1
    assert len(world.zoom.meetings) == 1


async def test_a_refusal_in_a_direct_message_is_said_there(world: World) -> None:
    world.zoom.missing_scopes(None, "meeting:write:meeting")
    direct = world.direct("alice")
    answer = await world.ask("alice", direct, "start")
    assert answer.channel_id == direct.id
    assert "meeting:write:meeting" in answer.message


async def test_a_channel_that_the_bot_may_not_write_in_is_named_and_zoom_kept_clean(world: World) -> None:
    world.mattermost.faults.add(
        403,
        method="POST",
        path=r"/posts$",
        body={"id": "api.context.permissions.app_error", "message": "no", "status_code": 403},
    )
    text = await problem(world)
    assert "not allowed to write" in text
    assert world.zoom.meetings == {}
