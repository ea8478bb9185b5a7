"""The OAuth endpoints, in threads, with every answer that may come."""

from __future__ import annotations

import asyncio
import logging
import time
import traceback
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest
from aiohttp import web
from yarl import URL

from bot.errors import (
    ConfigError,
    ZoomClientError,
    ZoomError,
    ZoomLinkError,
    ZoomRateLimitError,
    ZoomUnreachableError,
)
from bot.sandbox.zoom import Zoom as Sandbox
from bot.zoom import OAuth
from tests.zoom.conftest import PATIENT, QUICK, REDIRECT, grant_of, oauth_of

VERIFIER = "v" * 64


async def code_for(sandbox: Sandbox, oauth: OAuth, email: str = "alice@demo.example") -> str:
    back = URL(await sandbox.consent(oauth.authorize_url("STATE", VERIFIER), email))
    assert back.query["state"] == "STATE"
    return back.query["code"]


async def test_a_code_becomes_tokens(sandbox: Sandbox, oauth: OAuth) -> None:
    grant = await oauth.exchange(await code_for(sandbox, oauth), VERIFIER)
    assert grant.access_token
    assert grant.refresh_token
    assert 3_500_000 < grant.expires_at - sandbox.clock.now_ms() <= 3_600_000


async def test_the_link_carries_a_challenge_and_not_the_verifier(oauth: OAuth) -> None:
    url = oauth.authorize_url("s t&te", VERIFIER)
    query = URL(url).query
    assert VERIFIER not in url
    assert (query["state"], query["code_challenge_method"]) == ("s t&te", "S256")
    assert query["redirect_uri"] == REDIRECT


async def test_another_verifier_is_refused(sandbox: Sandbox, oauth: OAuth) -> None:
    with pytest.raises(ZoomLinkError):
        await oauth.exchange(await code_for(sandbox, oauth), "w" * 64)


async def test_a_code_works_once(sandbox: Sandbox, oauth: OAuth) -> None:
    code = await code_for(sandbox, oauth)
    await oauth.exchange(code, VERIFIER)
    with pytest.raises(ZoomLinkError):
        await oauth.exchange(code, VERIFIER)


async def test_a_refresh_rotates_and_the_old_token_is_refused(sandbox: Sandbox, oauth: OAuth) -> None:
    old = grant_of(sandbox, "alice@demo.example")
    new = await oauth.refresh(old.refresh_token)
    assert new.refresh_token != old.refresh_token
    with pytest.raises(ZoomLinkError, match="Invalid Token!"):
        await oauth.refresh(old.refresh_token)


async def test_a_wrong_client_is_the_operators_matter(sandbox: Sandbox) -> None:
    oauth = OAuth(sandbox.url, sandbox.client_id, "wrong", REDIRECT)
    with pytest.raises(ZoomClientError, match="Invalid client_id or client_secret"):
        await oauth.refresh(grant_of(sandbox, "alice@demo.example").refresh_token)


async def test_revoking_ends_the_grant(sandbox: Sandbox, oauth: OAuth) -> None:
    grant = grant_of(sandbox, "alice@demo.example")
    await oauth.revoke(grant.access_token)
    assert sandbox.revoked == [grant.access_token]
    with pytest.raises(ZoomLinkError):
        await oauth.revoke(grant.access_token)


async def test_a_server_to_server_app_gets_a_token() -> None:
    async with Sandbox(app="server-to-server") as sandbox:
        grant = await oauth_of(sandbox).account_credentials()
        assert grant.access_token
        assert grant.refresh_token == ""
        wrong = OAuth(sandbox.url, sandbox.client_id, sandbox.client_secret, "", account_id="nobody")
        with pytest.raises(ZoomError):
            await wrong.account_credentials()


async def test_nothing_secret_shows(sandbox: Sandbox, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.NOTSET)
    oauth = oauth_of(sandbox)
    grant = grant_of(sandbox, "alice@demo.example")
    fresh = await oauth.refresh(grant.refresh_token)
    secrets = [grant.access_token, grant.refresh_token, fresh.access_token, fresh.refresh_token]
    with pytest.raises(ZoomLinkError) as refused:
        await oauth.refresh(grant.refresh_token)
    await sandbox.stop_server()
    with pytest.raises(ZoomUnreachableError) as away:
        await oauth.refresh(fresh.refresh_token)
    shown = "".join(
        [repr(oauth), repr(grant), repr(fresh), caplog.text]
        + ["".join(traceback.format_exception(each.value)) for each in (refused, away)]
    )
    for secret in [*secrets, sandbox.client_secret]:
        assert secret not in shown


def test_libraries_that_log_tokens_are_kept_quiet() -> None:
    for name in ("requests_oauthlib", "oauthlib", "urllib3"):
        assert logging.getLogger(name).level >= logging.INFO


def test_plain_http_is_for_this_machine_alone() -> None:
    with pytest.raises(ConfigError, match=r"zoom\.url"):
        OAuth("http://zoom.example.com", "id", "secret", REDIRECT)


async def test_the_environment_has_no_say(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    oauth = oauth_of(sandbox)
    await oauth.refresh(grant_of(sandbox, "alice@demo.example").refresh_token)


Handler = Callable[[web.Request], web.StreamResponse]


@asynccontextmanager
async def odd_zoom(*answers: Handler, timeout_s: float = 5.0) -> AsyncIterator[tuple[OAuth, list[str]]]:
    """An endpoint that answers as told, the last answer for ever; and the paths that were asked."""
    asked: list[str] = []

    async def handle(request: web.Request) -> web.StreamResponse:
        asked.append(request.path)
        return answers[min(len(asked), len(answers)) - 1](request)

    app = web.Application()
    app.router.add_route("*", "/{tail:.*}", handle)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield OAuth(url, "id", "secret", REDIRECT, timeout_s=timeout_s, backoff=QUICK.token_backoff), asked
    finally:
        await runner.cleanup()


def cut(request: web.Request) -> web.Response:
    assert request.transport is not None
    request.transport.close()
    return web.Response()


@pytest.mark.parametrize(
    "answer",
    [
        lambda _: web.Response(status=502, text="<html>", content_type="text/html"),
        lambda _: web.Response(status=200, text="<html>", content_type="text/html"),
        lambda _: web.Response(text='{"access_token":"AAA","refre'),
        lambda _: web.Response(text='{"access_token":"AAA","expires_in":"soon"}'),
        lambda _: web.Response(text='{"access_token":"AAA","error":"invalid_grant"}'),
        lambda _: web.Response(status=302, headers={"Location": "/elsewhere"}),
        lambda _: web.Response(body=b"x" * 1_000_000),
        cut,
    ],
    ids=["502", "html", "truncated", "expires", "both", "redirect", "huge", "cut"],
)
async def test_an_answer_that_says_nothing_is_lost_and_not_asked_for_again(answer: Handler) -> None:
    async with odd_zoom(answer) as (oauth, asked):
        with pytest.raises(ZoomUnreachableError) as caught:
            await oauth.refresh("REFRESH")
        assert caught.value.maybe_done
        assert "REFRESH" not in str(caught.value)
        assert asked == ["/oauth/token"]


async def test_a_rate_limit_is_told() -> None:
    limit = web.json_response({"reason": "slow", "error": "x"}, status=429, headers={"Retry-After": "3"})
    async with odd_zoom(lambda _: limit) as (oauth, _):
        with pytest.raises(ZoomRateLimitError) as caught:
            await oauth.refresh("R")
        assert caught.value.retry_at > 0


async def test_a_token_without_its_life_holds_an_hour() -> None:
    bare = {"access_token": "AAA", "refresh_token": "RRR", "scope": "a:b c:d"}
    async with odd_zoom(lambda _: web.json_response(bare)) as (oauth, _):
        grant = await oauth.refresh("R")
        assert abs(grant.expires_at - time.time() * 1000 - 3_600_000) < 60_000
        assert grant.scope == "a:b c:d"


async def test_a_refused_connection_is_tried_again(sandbox: Sandbox, oauth: OAuth) -> None:
    grant = grant_of(sandbox, "alice@demo.example")
    await sandbox.stop_server()
    with pytest.raises(ZoomUnreachableError) as caught:
        await oauth.refresh(grant.refresh_token)
    assert not caught.value.maybe_done
    waiting = asyncio.create_task(oauth_of(sandbox, backoff=PATIENT).refresh(grant.refresh_token))
    await asyncio.sleep(0)
    await sandbox.start_server()
    assert (await waiting).access_token


async def test_silence_ends_and_the_loop_turns_meanwhile(sandbox: Sandbox) -> None:
    sandbox.faults.add(delay=1.5, path="/oauth/token")
    oauth = oauth_of(sandbox, timeout_s=0.3)
    with pytest.raises(ZoomUnreachableError) as caught:
        await oauth.refresh(grant_of(sandbox, "alice@demo.example").refresh_token)
    assert caught.value.timed_out
    assert caught.value.maybe_done


async def test_no_more_than_four_at_a_time(sandbox: Sandbox, oauth: OAuth) -> None:
    people = [sandbox.add_user(f"person{number}@demo.example").email for number in range(12)]
    grants = [grant_of(sandbox, email) for email in people]
    fresh = await asyncio.gather(*(oauth.refresh(grant.refresh_token) for grant in grants))
    assert len({grant.access_token for grant in fresh}) == 12
