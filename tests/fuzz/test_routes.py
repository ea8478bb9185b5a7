"""Strangers at the public port: whatever they send, they get a clear answer, and the bot goes on."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from yarl import URL

from tests.conftest import MakeWorld, World
from tests.fuzz.test_readers import BYTES, SHAPED

fuzzed = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])

HEADER = st.text(st.characters(min_codepoint=32, max_codepoint=255, blacklist_characters="\x7f"), max_size=60)
NAME = st.sampled_from(["state", "code", "error", "confirm", "cancel"])
TEXT = st.text(st.characters(blacklist_categories=["Cs"]), max_size=60)


@pytest.fixture
async def world(make_world: MakeWorld, caplog: pytest.LogCaptureFixture) -> AsyncIterator[World]:
    world = await make_world()
    await world.link("alice")
    yield world
    # It still answers, and nothing was met that nobody had thought of.
    answer = await world.ask("alice", "dev", "@zoom help")
    assert answer.message
    assert [record.message for record in caplog.records if record.exc_info] == []


def url(world: World, path: str) -> URL:
    return URL(world.config.web.public_url + path)


async def status_of(world: World, method: str, path: str, **request: Any) -> int:
    async with asyncio.timeout(10):
        async with world.http.request(method, url(world, path), allow_redirects=False, **request) as response:
            text = await response.text(errors="replace")
    assert "Traceback" not in text
    return response.status


@given(body=BYTES)
@fuzzed
async def test_a_webhook_that_is_signed_and_senseless(world: World, body: bytes) -> None:
    headers = {"Content-Type": "application/json", **world.zoom.sign(body)}
    assert await status_of(world, "POST", "/webhook?secret=url-secret", data=body, headers=headers) in (
        200,
        400,
        503,
    )


@given(
    event=st.sampled_from(
        [
            "meeting.started",
            "meeting.participant_joined",
            "endpoint.url_validation",
            "recording.completed",
            "recording.transcript_completed",
            "meeting.summary_completed",
            "app_deauthorized",
        ]
    ),
    payload=SHAPED,
)
@fuzzed
async def test_a_known_event_about_something_senseless(world: World, event: str, payload: object) -> None:
    body = json.dumps({"event": event, "event_ts": 1, "payload": payload}).encode()
    headers = {"Content-Type": "application/json", **world.zoom.sign(body)}
    assert await status_of(world, "POST", "/webhook?secret=url-secret", data=body, headers=headers) in (
        200,
        400,
        503,
    )
    await world.bot.worker.idle()


@given(signature=HEADER, timestamp=HEADER, kind=HEADER, secret=TEXT)
@fuzzed
async def test_a_webhook_that_nobody_signed(
    world: World, signature: str, timestamp: str, kind: str, secret: str
) -> None:
    headers = {
        "x-zm-signature": signature,
        "x-zm-request-timestamp": timestamp,
        "Content-Type": kind or "application/json",
    }
    for path in ("/webhook?secret=url-secret", str(URL("/webhook").with_query(secret=secret))):
        status = await status_of(world, "POST", path, data=b"{}", headers=headers)
        assert status in (400, 403, 415)


@given(query=st.dictionaries(NAME, TEXT))
@fuzzed
async def test_a_callback_of_oauth(world: World, query: dict[str, str]) -> None:
    for path in ("/oauth2/connect", "/oauth2/complete"):
        status = await status_of(world, "GET", str(URL(path).with_query(query)))
        assert status < 500
    assert await status_of(world, "POST", "/oauth2/complete", data=query) < 500


KINDS = st.sampled_from(
    (
        "application/json",
        "application/x-www-form-urlencoded",
        "application/x-www-form-urlencoded; charset=none-such",
        "multipart/form-data; boundary=x",
        "multipart/form-data",
        "x/y",
    )
)


@given(body=BYTES, kind=KINDS)
@fuzzed
async def test_a_command_a_button_and_a_dialog(world: World, body: bytes, kind: str) -> None:
    for path in ("/command", "/action", "/dialog", "/oauth2/complete"):
        status = await status_of(world, "POST", path, data=body, headers={"Content-Type": kind})
        assert 200 <= status < 500


@given(raw=st.binary(max_size=300))
@fuzzed
async def test_bytes_that_are_no_http(world: World, raw: bytes) -> None:
    address = urlsplit(world.config.web.public_url)
    reader, writer = await asyncio.open_connection(address.hostname, address.port)
    try:
        writer.write(raw)
        writer.write_eof()
        async with asyncio.timeout(10):
            answer = await reader.read(65536)
        assert b"Traceback" not in answer
    except ConnectionError:
        pass
    finally:
        writer.close()
        with_close = asyncio.gather(writer.wait_closed(), return_exceptions=True)
        await with_close


async def test_a_body_without_end_is_cut_off(world: World) -> None:
    async def without_end() -> AsyncIterator[bytes]:
        while True:
            yield b"x" * 65536

    headers = {"Content-Type": "application/json"}
    target = url(world, "/webhook?secret=url-secret")
    # Refused with 503, or with the connection while the rest is still being sent.
    with contextlib.suppress(aiohttp.ClientError):
        async with world.http.post(target, data=without_end(), headers=headers) as response:
            assert response.status == 503
