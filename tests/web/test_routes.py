"""What strangers may send to the public port, and what they get."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import io
import json
import time
from collections.abc import Mapping
from dataclasses import replace
from urllib.parse import quote

import pytest
from yarl import URL

from bot.core.inbox import TASK
from bot.domain.records import Item
from bot.errors import StoreError
from bot.sandbox.zoom.models import Json
from bot.web.zoom import MAX_WEBHOOK
from tests.conftest import MakeWorld, World
from tests.features.kit import settle

EVENT: Json = {"event": "meeting.started", "payload": {"object": {"id": "1", "uuid": "u"}}, "event_ts": 1}
DEAUTHORIZED: Json = {
    "event": "app_deauthorized",
    "payload": {"user_id": "u", "account_id": "a", "client_id": "c"},
    "event_ts": 1,
}
JSON = {"Content-Type": "application/json"}


def encode(body: object) -> bytes:
    return json.dumps(body).encode()


def plain_token(text: object) -> bytes:
    return encode({"event": "endpoint.url_validation", "payload": {"plainToken": text}, "event_ts": 1})


async def send(
    world: World,
    body: bytes,
    *,
    path: str = "/webhook",
    query: str = "secret=url-secret",
    headers: Mapping[str, str] | None = None,
    at: int | None = None,
    signed: bool = True,
) -> tuple[int, str]:
    """A webhook, genuine unless told otherwise."""
    sent = {**JSON, **(world.zoom.sign(body, at) if signed else {}), **(headers or {})}
    url = URL(f"{world.config.web.public_url}{path}?{query}", encoded=True)
    async with world.http.post(url, data=io.BytesIO(body), headers=sent) as response:
        return response.status, await response.text()


async def taken_in(world: World) -> list[Item]:
    """What came from outside. Every start adds tasks of the bot's own."""
    return [item for item in await world.bot.ctx.store.all(Item) if item.kind != TASK]


async def refused(world: World, status: int, sent: tuple[int, str]) -> None:
    assert sent[0] == status
    for secret in (world.zoom.webhook_secret, "url-secret", "Traceback"):
        assert secret not in sent[1]
    assert await taken_in(world) == []


@pytest.fixture
async def world(make_world: MakeWorld) -> World:
    """Nobody is linked, and nothing was asked for."""
    return await make_world()


# Genuine ones


@pytest.mark.parametrize("path", ["/webhook", "/deauthorization"])
async def test_a_genuine_webhook_is_accepted(world: World, path: str) -> None:
    assert await send(world, encode(EVENT), path=path) == (200, "")


async def test_a_wrong_secret_in_the_url_is_named_to_the_operator_and_not_shown(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    await refused(world, 403, await send(world, encode(EVENT), query="secret=guess"))
    assert "web.url_secret" in caplog.text
    assert "guess" not in caplog.text


async def test_an_event_that_nobody_knows_is_accepted_and_forgotten(world: World) -> None:
    event = {"event": "phone.callee_ringing", "payload": {"account_id": "x"}, "event_ts": 1}
    assert (await send(world, encode(event)))[0] == 200
    assert await taken_in(world) == []


async def test_a_content_type_may_carry_a_charset(world: World) -> None:
    headers = {"Content-Type": "application/json; charset=utf-8"}
    assert (await send(world, encode(EVENT), headers=headers))[0] == 200


async def test_what_is_signed_is_the_body_as_it_was_sent(world: World) -> None:
    body = (
        b'{ "event":"meeting.started" ,\n "payload":{"object":{"topic":"\xc3\xa4 \\u00e4 /"}},"event_ts":1}'
    )
    assert (await send(world, body))[0] == 200


async def test_a_webhook_needs_both_secrets(world: World) -> None:
    body = encode(EVENT)
    await refused(world, 403, await send(world, body, signed=False))
    await refused(world, 403, await send(world, body, query=""))
    await refused(world, 403, await send(world, body, query="secret="))
    await refused(world, 403, await send(world, body, query="secret=url-secre"))
    await refused(world, 403, await send(world, body, query="secret=wrong&secret=url-secret"))
    await refused(world, 403, await send(world, body, query="secret=%ff%00"))


@pytest.mark.parametrize(
    "headers",
    [
        {"x-zm-signature": "v0=" + "0" * 64},
        {"x-zm-signature": ""},
        {"x-zm-signature": "v0=ä"},
        {"x-zm-request-timestamp": ""},
        {"x-zm-request-timestamp": "now"},
        {"x-zm-request-timestamp": "-1"},
        {"x-zm-request-timestamp": "٣"},
        {"x-zm-request-timestamp": "9" * 400},
    ],
)
async def test_a_wrong_signature_is_refused(world: World, headers: dict[str, str]) -> None:
    await refused(world, 403, await send(world, encode(EVENT), headers=headers))


async def test_a_body_that_was_changed_is_refused(world: World) -> None:
    headers = world.zoom.sign(encode(EVENT))
    await refused(world, 403, await send(world, encode(EVENT) + b" ", headers=headers, signed=False))


@pytest.mark.parametrize("offset", [-301, 302])
async def test_a_webhook_of_another_time_is_refused(world: World, offset: int) -> None:
    await refused(world, 403, await send(world, encode(EVENT), at=int(time.time()) + offset))


@pytest.mark.parametrize("offset", [-280, 280])
async def test_clocks_may_differ_a_little(world: World, offset: int) -> None:
    assert (await send(world, encode(EVENT), at=int(time.time()) + offset))[0] == 200


# What cannot be read


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "text/json", "nonsense"])
async def test_a_genuine_event_is_taken_whatever_its_type(world: World, kind: str) -> None:
    assert (await send(world, encode(DEAUTHORIZED), headers={"Content-Type": kind}))[0] == 200
    assert len(await taken_in(world)) == 1


@pytest.mark.parametrize("kind", ["text/plain", "application/json"])
async def test_what_nobody_signed_is_refused_whatever_its_type(world: World, kind: str) -> None:
    sent = await send(world, encode(DEAUTHORIZED), headers={"Content-Type": kind}, signed=False)
    await refused(world, 403, sent)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b'"meeting.started"',
        b'{"payload": {}}',
        b'{"event": 1}',
        b'{"event": "\xff"}',
        b"[" * 100_000,
    ],
)
async def test_a_body_that_is_no_webhook_is_refused(world: World, body: bytes) -> None:
    await refused(world, 400, await send(world, body))


@pytest.mark.parametrize(
    "body",
    [
        b'{"event": "meeting.started", "payload": []}',
        b'{"event": "an event that nobody has heard of", "payload": 1}',
    ],
)
async def test_a_genuine_event_that_cannot_be_read_is_asked_for_again(world: World, body: bytes) -> None:
    await refused(world, 503, await send(world, body))


async def test_a_large_event_is_taken_and_a_larger_one_is_asked_for_again(world: World) -> None:
    for_strangers = encode({**DEAUTHORIZED, "padding": "x" * (1 << 20)})
    await refused(world, 403, await send(world, for_strangers, signed=False))
    await refused(world, 503, await send(world, encode({**EVENT, "padding": "x" * MAX_WEBHOOK})))
    assert (await send(world, for_strangers))[0] == 200
    assert len(await taken_in(world)) == 1


@pytest.mark.parametrize(
    "path", ["/webhook/", "//webhook", "//webhook//", "/deauthorization/", "//deauthorization"]
)
async def test_a_slash_too_many_leads_to_the_webhook_all_the_same(world: World, path: str) -> None:
    assert (await send(world, encode(DEAUTHORIZED), path=path))[0] == 200
    assert len(await taken_in(world)) == 1


async def test_a_slash_too_many_needs_both_secrets(world: World) -> None:
    await refused(
        world, 403, await send(world, encode(DEAUTHORIZED), path="//webhook/", query="secret=guess")
    )
    await refused(world, 403, await send(world, encode(DEAUTHORIZED), path="//webhook/", signed=False))


async def test_a_store_that_hangs_while_it_is_read_gets_the_event_again(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def hangs(kind: object, index: str, value: object) -> bool:
        await asyncio.Event().wait()
        return False

    quick = replace(world.bot.ctx.timings, store_s=0.01)
    object.__setattr__(world.bot.ctx, "timings", quick)
    monkeypatch.setattr(world.bot.ctx.store, "has", hangs)
    await refused(world, 503, await send(world, encode(EVENT)))


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "PATCH", "OPTIONS", "HEAD"])
@pytest.mark.parametrize("path", ["/webhook", "/deauthorization"])
async def test_only_post_reaches_a_webhook(world: World, method: str, path: str) -> None:
    url = f"{world.config.web.public_url}{path}?secret=url-secret"
    async with world.http.request(method, url) as response:
        assert response.status == 405


@pytest.mark.parametrize(
    "path", ["/", "/webhook/", "/webhook/x", "/metrics", "/healthz", "/readyz", "/../webhook"]
)
async def test_nothing_else_is_there(world: World, path: str) -> None:
    url = URL(world.config.web.public_url + path, encoded=True)
    async with world.http.get(url) as response:
        assert response.status in (404, 405)


# The check of the URL


async def test_zoom_s_check_of_the_url_is_answered(world: World) -> None:
    delivery = await world.zoom.validate_url()
    assert delivery.valid
    token = json.loads(delivery.text)["plainToken"]
    digest = hmac.new(world.zoom.webhook_secret.encode(), token.encode(), hashlib.sha256).hexdigest()
    assert json.loads(delivery.text) == {"plainToken": token, "encryptedToken": digest}


async def test_an_unsigned_check_is_not_answered(world: World) -> None:
    await refused(world, 403, await send(world, plain_token("abc"), signed=False))
    await refused(world, 403, await send(world, plain_token("abc"), query="secret=wrong"))


@pytest.mark.parametrize(
    "text",
    [
        'v0:1:{"event":"meeting.ended"}',
        "v0:1",
        "",
        "a b",
        "x" * 257,
        "a\nb",
        "a\n",
        1,
        None,
        ["a"],
        {"a": "b"},
    ],
)
async def test_nothing_but_a_token_is_signed(world: World, text: object) -> None:
    await refused(world, 400, await send(world, plain_token(text)))


async def test_a_check_without_a_token_is_refused(world: World) -> None:
    body = encode({"event": "endpoint.url_validation", "payload": {}, "event_ts": 1})
    await refused(world, 400, await send(world, body))


# Where it is


@pytest.mark.parametrize("secret", ["a+b/c=d", "a b", "%2B", "ä&=+", "x" * 200])
async def test_any_url_secret_works_as_people_paste_it(make_world: MakeWorld, secret: str) -> None:
    world = await make_world(web={"url_secret": secret})
    assert (await send(world, encode(EVENT), query=f"secret={quote(secret, safe='')}"))[0] == 200
    assert (await send(world, encode(EVENT), query="x=y&secret=" + quote(secret, safe="")))[0] == 200
    await refused(world, 403, await send(world, encode(EVENT), query="secret=" + quote(secret[:-1], safe="")))


async def test_a_plus_in_the_secret_may_be_pasted_as_it_is(make_world: MakeWorld) -> None:
    world = await make_world(web={"url_secret": "a+b+c"})
    assert (await send(world, encode(EVENT), query="secret=a+b+c"))[0] == 200
    await refused(world, 403, await send(world, encode(EVENT), query="secret=a-b-c"))


async def test_the_routes_lie_under_the_path_of_the_public_url(make_world: MakeWorld) -> None:
    world = await make_world(start=False)
    public = f"http://127.0.0.1:{world.config.web.port}/plugins/zoom"
    world.config = replace(world.config, web=replace(world.config.web, public_url=public))
    await world.start()
    assert (await send(world, encode(EVENT)))[0] == 200
    answer = await world.ask("carol", world.direct("carol"), "connect")
    assert f"{public}/oauth2/connect?state=" in answer.message
    assert (await send(world, encode(EVENT), path="//webhook/"))[0] == 200
    async with world.http.get(f"{public}/oauth2/connect") as response:
        assert response.status == 400
    async with world.http.get(f"http://127.0.0.1:{world.config.web.port}/oauth2/connect") as response:
        assert response.status == 404


# What strangers cause in the log


@pytest.mark.parametrize(
    ("path", "body", "line"),
    [
        ("/webhook?secret=wrong", b"{}", "secret in its URL"),
        ("/deauthorization", b"{}", "secret in its URL"),
        ("/webhook?secret=url-secret", b"{}", "the signature or its time"),
        ("/command", b"token=wrong", "mattermost.command_token"),
        ("/action", encode({"user_id": "u", "context": {"token": "forged"}}), "action refused"),
        ("/dialog", encode({"user_id": "u", "state": "forged", "submission": {}}), "dialog refused"),
    ],
)
async def test_what_is_refused_again_and_again_is_one_line_and_a_count(
    world: World, caplog: pytest.LogCaptureFixture, path: str, body: bytes, line: str
) -> None:
    kind = "application/x-www-form-urlencoded" if b"=" in body else "application/json"
    for _ in range(50):
        async with world.http.post(
            world.config.web.public_url + path, data=body, headers={"Content-Type": kind}
        ) as response:
            assert response.status == 403
    said = [record.getMessage() for record in caplog.records if record.name == "bot.web.server"]
    assert len(said) == 1
    assert line in said[0]
    await world.stop()
    said = [record.getMessage() for record in caplog.records if record.name == "bot.web.server"]
    assert said[1:] == [f"{said[0]}; 49 more times within a minute"]


async def test_webhooks_that_cannot_be_stored_are_one_line_and_a_count(
    world: World, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fails(item: Item) -> bool:
        raise StoreError("the disk is full")

    monkeypatch.setattr(world.bot.ctx.store, "insert", fails)
    event = {"event": "app_deauthorized", "payload": {"user_id": "u", "account_id": "a", "client_id": "c"}}
    for _ in range(5):
        assert (await send(world, encode({**event, "event_ts": 1})))[0] == 503
    said = [record.getMessage() for record in caplog.records if record.name == "bot.web.server"]
    assert said == ["webhooks cannot be written down now; Zoom will send them again"]


# For the operator


async def admin(world: World, path: str) -> tuple[int, str]:
    async with world.http.get(f"http://127.0.0.1:{world.bot.admin_port}{path}") as response:
        return response.status, await response.text()


async def test_the_operator_sees_that_it_lives_and_is_ready(world: World) -> None:
    assert (await admin(world, "/healthz"))[0] == 200
    assert (await admin(world, "/readyz"))[0] == 200
    status, metrics = await admin(world, "/metrics")
    assert status == 200
    assert "# TYPE" in metrics


async def test_without_a_socket_it_is_alive_but_not_ready(world: World) -> None:
    await world.mattermost.stop()
    async with asyncio.timeout(10):
        while (answer := await admin(world, "/readyz"))[0] == 200:
            pass
    assert answer[0] == 503
    assert "mattermost" in json.loads(answer[1])["reasons"]
    assert (await admin(world, "/healthz"))[0] == 200
    await world.mattermost.start()
    await world.bot.socket.opened()
    assert (await admin(world, "/readyz"))[0] == 200


async def test_a_webhook_is_counted_by_its_status(world: World) -> None:
    await send(world, encode(EVENT))
    await send(world, encode(EVENT), signed=False)
    await settle(world)
    _, metrics = await admin(world, "/metrics")
    assert 'status="200"' in metrics
    assert 'status="403"' in metrics
