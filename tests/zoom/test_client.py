"""API calls: one call, one answer, and what is tried again."""

from __future__ import annotations

import asyncio
import logging
import traceback
from collections.abc import AsyncIterator
from dataclasses import replace

import aiohttp
import pytest

from bot.errors import (
    NotLinkedError,
    ZoomError,
    ZoomLicenceError,
    ZoomLinkError,
    ZoomNotFoundError,
    ZoomRateLimitError,
    ZoomScopeError,
    ZoomUnreachableError,
    ZoomUserUnknownError,
)
from bot.retrying import Backoff
from bot.sandbox.zoom import Zoom as Sandbox
from bot.stores import Store
from bot.vault import Vault
from bot.zoom import AccountToken, Caller, Tokens, Zoom, ZoomTimings
from bot.zoom.calls import MAX_ANSWER
from tests.zoom.conftest import ALICE, BOB, PATIENT, QUICK, grant_of, link, oauth_of

MARKER = "zoombot:abc123"


async def create(zoom: Zoom, topic: str = "Standup") -> int:
    return (await zoom.create_meeting(ALICE, topic=topic, marker=MARKER)).id


async def test_a_meeting_is_one_call(sandbox: Sandbox, zoom: Zoom) -> None:
    made = await zoom.create_meeting(ALICE, topic="Stand*up* ☕", marker=MARKER)
    meeting = sandbox.meetings[made.id]
    assert (made.topic, made.agenda, made.join_url) == ("Stand*up* ☕", MARKER, meeting.join_url)
    assert made.host_id == sandbox.user(ALICE.email).id
    assert [(call.method, call.path) for call in sandbox.calls] == [("POST", "/v2/users/me/meetings")]
    assert sandbox.calls[0].json == {"topic": "Stand*up* ☕", "type": 1, "agenda": MARKER}


async def test_a_meeting_is_found_by_its_marker(sandbox: Sandbox, zoom: Zoom) -> None:
    number = await create(zoom)
    found = await zoom.find_meeting(ALICE, MARKER)
    assert found
    assert found.id == number
    await sandbox.start(number)
    found = await zoom.find_meeting(ALICE, MARKER)
    assert found
    assert found.id == number
    assert await zoom.find_meeting(ALICE, "another") is None


@pytest.mark.parametrize("status", [400, 404])
async def test_a_list_that_zoom_does_not_know_is_passed_over(
    sandbox: Sandbox, zoom: Zoom, status: int
) -> None:
    number = await create(zoom)
    unknown = {"code": 300, "message": "Invalid parameter: type."}
    sandbox.faults.add(status, method="GET", path="/meetings$", body=unknown)
    found = await zoom.find_meeting(ALICE, MARKER)
    assert found
    assert found.id == number


async def test_a_meeting_is_found_where_lists_leave_agendas_out(sandbox: Sandbox, zoom: Zoom) -> None:
    number = await create(zoom)
    bare = {"id": number, "uuid": sandbox.meetings[number].uuid, "topic": "Standup"}
    sandbox.faults.add(200, times=-1, method="GET", path="/meetings$", body={"meetings": [bare]})
    found = await zoom.find_meeting(ALICE, MARKER)
    assert found
    assert found.join_url == sandbox.meetings[number].join_url
    assert [each.agenda for each in await zoom.meetings(ALICE)] == [MARKER]
    assert await zoom.find_meeting(ALICE, "another") is None


async def test_what_the_answer_leaves_out_is_known_or_asked_for(sandbox: Sandbox, zoom: Zoom) -> None:
    answer = {"id": 91234567890, "uuid": "u==", "join_url": "https://zoom.us/j/91234567890"}
    sandbox.faults.add(201, method="POST", body=answer)
    assert (await zoom.create_meeting(ALICE, topic="Standup", marker=MARKER)).topic == "Standup"
    sandbox.faults.add(201, method="POST", path="/meetings", after=True, body=answer | {"join_url": ""})
    made = await zoom.create_meeting(ALICE, topic="Standup", marker=MARKER)
    assert made.join_url == sandbox.meetings[sandbox.created[0]].join_url


async def test_where_there_may_be_another_one_it_is_said(sandbox: Sandbox, zoom: Zoom) -> None:
    sandbox.faults.add(500, times=2, method="POST", path="/meetings", after=True)
    # Six lists: both searches after the first try find nothing; those after the second do.
    sandbox.faults.add(200, times=6, method="GET", path="/meetings$", body={"meetings": []})
    made = await zoom.create_meeting(ALICE, topic="Standup", marker=MARKER)
    assert made.doubtful
    assert len(sandbox.created) == 2


async def test_a_meeting_lives_and_ends(sandbox: Sandbox, zoom: Zoom) -> None:
    number = await create(zoom)
    assert (await zoom.meeting(ALICE, number)).status == "waiting"
    await sandbox.start(number)
    uuid = (await zoom.meeting(ALICE, number)).uuid
    await sandbox.join(number, "Guest")
    sandbox.clock.advance(600)
    await zoom.end_meeting(ALICE, number)
    with pytest.raises(ZoomNotFoundError):
        await zoom.meeting(ALICE, number)
    past = await zoom.past_meeting(ALICE, uuid)
    assert past.uuid == uuid
    assert past.end_ms - past.start_ms == pytest.approx(600_000, abs=2000)


@pytest.mark.parametrize("uuid", ["/ab+cd==", "a//b+c==", "a/b+c==", "plain=="])
async def test_any_uuid_arrives_whole(sandbox: Sandbox, zoom: Zoom, uuid: str) -> None:
    number = await create(zoom)
    meeting = sandbox.meetings[number]
    run = meeting.current
    sandbox.meeting_store._runs[uuid] = (meeting, run)
    run.uuid = uuid
    await sandbox.start(number)
    await sandbox.end(number)
    assert (await zoom.past_meeting(ALICE, uuid)).uuid == uuid


async def test_deleting_twice_is_no_error(sandbox: Sandbox, zoom: Zoom) -> None:
    number = await create(zoom)
    await zoom.delete_meeting(ALICE, number)
    await zoom.delete_meeting(ALICE, number)
    assert sandbox.meetings == {}


async def test_the_personal_room_is_not_made(sandbox: Sandbox, zoom: Zoom) -> None:
    room = await zoom.personal_room(ALICE)
    assert room.id == sandbox.user(ALICE.email).pmi == (await zoom.me(ALICE)).pmi
    assert sandbox.created == []


async def test_a_disabled_personal_room_is_not_found(sandbox: Sandbox, zoom: Zoom) -> None:
    assert (await zoom.settings(ALICE)).pmi_enabled
    sandbox.user(ALICE.email).pmi_enabled = False
    assert not (await zoom.settings(ALICE)).pmi_enabled
    with pytest.raises(ZoomNotFoundError):
        await zoom.personal_room(ALICE)


async def test_a_webinar_needs_its_licence(sandbox: Sandbox, zoom: Zoom) -> None:
    with pytest.raises(ZoomLicenceError):
        await zoom.create_webinar(ALICE, topic="W", marker=MARKER)
    sandbox.user(ALICE.email).webinar = True
    made = await zoom.create_webinar(ALICE, topic="W", marker=MARKER)
    assert (await zoom.meeting(ALICE, made.id, webinar=True)).topic == "W"
    await zoom.delete_meeting(ALICE, made.id, webinar=True)


async def test_who_gave_a_grant_is_known_before_the_link(sandbox: Sandbox, zoom: Zoom) -> None:
    person = await zoom.identify(grant_of(sandbox, BOB.email))
    assert person.email == BOB.email
    with pytest.raises(NotLinkedError):
        await zoom.me(BOB)


async def test_a_refused_token_costs_one_refresh_and_one_retry(sandbox: Sandbox, zoom: Zoom) -> None:
    sandbox.expire_tokens()
    await create(zoom)
    assert [call.status for call in sandbox.calls] == [401, 201]
    assert sandbox.refreshes == 1


async def test_a_token_that_stays_refused_is_refreshed_once(sandbox: Sandbox, zoom: Zoom) -> None:
    sandbox.faults.add(401, times=-1, path="/v2/", body={"code": 124, "message": "Invalid access token."})
    with pytest.raises(ZoomLinkError):
        await create(zoom)
    assert (len(sandbox.calls), sandbox.refreshes) == (2, 1)


async def test_a_hundred_calls_with_an_expired_token_make_one_refresh(sandbox: Sandbox, zoom: Zoom) -> None:
    sandbox.expire_tokens()
    await asyncio.gather(*(zoom.me(ALICE) for _ in range(100)))
    assert (sandbox.refreshes, sandbox.refresh_refused) == (1, 0)


async def test_a_missing_scope_is_named(sandbox: Sandbox, zoom: Zoom) -> None:
    sandbox.missing_scopes(None, "meeting:write:meeting")
    with pytest.raises(ZoomScopeError) as caught:
        await create(zoom)
    assert caught.value.scopes == ("meeting:write:meeting",)


async def test_the_daily_limit_is_told_and_not_waited_for(sandbox: Sandbox, zoom: Zoom) -> None:
    sandbox.daily_limit(ALICE.email, "2999-01-01T00:00:00Z")
    with pytest.raises(ZoomRateLimitError) as caught:
        await create(zoom)
    assert caught.value.daily
    assert caught.value.retry_at > sandbox.clock.now_ms()
    assert len(sandbox.calls) == 1


async def test_a_short_limit_is_waited_for(sandbox: Sandbox, zoom: Zoom) -> None:
    sandbox.faults.add(429, path="/v2/", body={"code": 429, "message": "x"}, headers={"Retry-After": "0"})
    await create(zoom)
    assert len(sandbox.created) == 1


async def test_a_limit_that_does_not_end_is_not_tried_for_ever(sandbox: Sandbox, zoom: Zoom) -> None:
    sandbox.faults.add(429, times=-1, method="POST", headers={"Retry-After": "0"})
    with pytest.raises(ZoomRateLimitError):
        await create(zoom)
    assert sum(call.method == "POST" for call in sandbox.calls) == 3


async def test_a_long_limit_is_not_waited_for(sandbox: Sandbox, zoom: Zoom) -> None:
    sandbox.faults.add(429, path="/v2/", body={"code": 429, "message": "x"}, headers={"Retry-After": "60"})
    with pytest.raises(ZoomRateLimitError):
        await create(zoom)


@pytest.mark.parametrize("drop", [False, True])
async def test_reading_is_tried_again(sandbox: Sandbox, zoom: Zoom, drop: bool) -> None:
    sandbox.faults.add(503, times=2, method="GET", path="/v2/users/me", drop=drop)
    assert (await zoom.me(ALICE)).email == ALICE.email


async def test_reading_is_given_up(sandbox: Sandbox, zoom: Zoom) -> None:
    sandbox.faults.add(503, times=-1)
    with pytest.raises(ZoomUnreachableError):
        await zoom.me(ALICE)
    assert len(sandbox.calls) == 3


@pytest.mark.parametrize(
    ("status", "body", "drop"),
    [(0, None, True), (502, "<html>", False), (201, '{"id": 12', False)],
    ids=["cut", "502", "truncated"],
)
async def test_a_lost_answer_never_makes_two(
    sandbox: Sandbox, zoom: Zoom, status: int, body: str | None, drop: bool
) -> None:
    sandbox.faults.add(status, method="POST", path="/meetings", after=True, body=body, drop=drop)
    made = await zoom.create_meeting(ALICE, topic="Standup", marker=MARKER)
    assert sandbox.created == [made.id]
    assert made.join_url == sandbox.meetings[made.id].join_url


async def test_silence_never_makes_two(sandbox: Sandbox, http: aiohttp.ClientSession, tokens: Tokens) -> None:
    await link(sandbox, tokens, ALICE)
    zoom = Zoom(http, sandbox.api_url, tokens, timeout_s=0.2)
    sandbox.faults.add(method="POST", path="/meetings", delay=0.5)
    made = await create(zoom)
    assert sandbox.created == [made]


async def test_a_request_that_was_lost_before_zoom_is_not_repeated(sandbox: Sandbox, zoom: Zoom) -> None:
    sandbox.faults.add(method="POST", drop=True)
    with pytest.raises(ZoomUnreachableError) as caught:
        await create(zoom)
    assert caught.value.maybe_done
    assert sandbox.created == []


async def test_a_lost_answer_that_cannot_be_looked_up_is_said(sandbox: Sandbox, zoom: Zoom) -> None:
    sandbox.missing_scopes(None, "meeting:read:list_meetings")
    sandbox.faults.add(method="POST", drop=True, after=True)
    with pytest.raises(ZoomUnreachableError) as caught:
        await create(zoom)
    assert caught.value.maybe_done
    assert len(sandbox.created) == 1


async def test_a_server_error_before_it_was_made_is_tried_again(sandbox: Sandbox, zoom: Zoom) -> None:
    sandbox.faults.add(503, times=2, method="POST", body={"code": 0, "message": "busy"})
    made = await create(zoom)
    assert sandbox.created == [made]


async def test_silence_is_told_with_what_may_have_happened(
    sandbox: Sandbox, http: aiohttp.ClientSession, tokens: Tokens
) -> None:
    await link(sandbox, tokens, ALICE)
    zoom = Zoom(http, sandbox.api_url, tokens, timings=ZoomTimings(create_s=0.3))
    sandbox.faults.add(method="POST", delay=1, after=True)
    with pytest.raises(ZoomUnreachableError) as caught:
        await create(zoom)
    assert caught.value.timed_out
    assert caught.value.maybe_done


async def test_a_restart_of_zoom_is_waited_for(
    sandbox: Sandbox, http: aiohttp.ClientSession, tokens: Tokens
) -> None:
    await link(sandbox, tokens, ALICE)
    zoom = Zoom(http, sandbox.api_url, tokens, timings=replace(QUICK, backoff=PATIENT))
    await sandbox.stop_server()
    creating = asyncio.create_task(create(zoom))
    await asyncio.sleep(0)
    await sandbox.start_server()
    assert sandbox.created == [await creating]


async def test_zoom_away_is_told_in_time_and_then_at_once(
    sandbox: Sandbox, http: aiohttp.ClientSession, tokens: Tokens
) -> None:
    await link(sandbox, tokens, ALICE)
    timings = ZoomTimings(away_after_s=0.2, backoff=Backoff(0.05, 4.0, attempts=3, least=0.5))
    zoom = Zoom(http, sandbox.api_url, tokens, timings=timings)
    await sandbox.stop_server()
    loop = asyncio.get_running_loop()
    began = loop.time()
    with pytest.raises(ZoomUnreachableError) as first:
        await create(zoom)
    assert loop.time() - began < 22
    assert not first.value.maybe_done
    began = loop.time()
    with pytest.raises(ZoomUnreachableError):
        await create(zoom)
    assert loop.time() - began < 0.5


async def test_calls_are_counted(sandbox: Sandbox, http: aiohttp.ClientSession, tokens: Tokens) -> None:
    counted: list[tuple[str, int]] = []
    await link(sandbox, tokens, ALICE)

    def count(name: str, status: int) -> None:
        counted.append((name, status))

    zoom = Zoom(http, sandbox.api_url, tokens, timings=QUICK, on_call=count)
    await zoom.me(ALICE)
    sandbox.faults.add(drop=True, method="POST", after=True)
    await create(zoom)
    assert counted[:2] == [("user", 200), ("create_meeting", 0)]
    assert ("list_meetings", 200) in counted


async def test_redirects_are_not_followed(sandbox: Sandbox, zoom: Zoom) -> None:
    sandbox.faults.add(302, path="/v2/users/me", headers={"Location": "/v2/users/me"}, times=-1)
    with pytest.raises(ZoomUnreachableError, match=r"zoom\.api_url"):
        await zoom.me(ALICE)


async def test_an_answer_without_end_is_cut(sandbox: Sandbox, zoom: Zoom) -> None:
    sandbox.faults.add(200, times=-1, path="/v2/users/me", body=" " * (MAX_ANSWER + 1))
    with pytest.raises(ZoomUnreachableError, match="larger"):
        await zoom.me(ALICE)


async def test_no_error_shows_a_token(
    sandbox: Sandbox, zoom: Zoom, tokens: Tokens, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    token = await tokens.access(ALICE.user_id)
    shown = [repr(zoom)]
    for status, drop in ((404, False), (503, False), (0, True)):
        sandbox.faults.clear()
        sandbox.faults.add(status, times=-1, drop=drop)
        with pytest.raises(ZoomError) as caught:
            await zoom.me(ALICE)
        shown += traceback.format_exception(caught.value)
        assert all(token not in repr(value) for value in vars(caught.value).values())
    assert token not in "".join(shown) + caplog.text


@pytest.fixture
async def company() -> AsyncIterator[Sandbox]:
    async with Sandbox(app="server-to-server") as sandbox:
        sandbox.lists_waiting = True
        yield sandbox
        assert sandbox.unknown == []


async def test_a_server_to_server_app_names_the_person(company: Sandbox, http: aiohttp.ClientSession) -> None:
    shared = AccountToken(oauth_of(company), company.clock.now_ms)
    zoom = Zoom(http, company.api_url, shared, app="server-to-server")
    made = await zoom.create_meeting(BOB, topic="T", marker=MARKER)
    assert made.host_id == company.user(BOB.email).id
    assert (await zoom.me(BOB)).email == BOB.email
    found = await zoom.find_meeting(BOB, MARKER)
    assert found
    assert found.id == made.id
    with pytest.raises(ZoomUserUnknownError):
        await zoom.create_meeting(Caller("x", "stranger@demo.example"), topic="T", marker=MARKER)
    with pytest.raises(ZoomUserUnknownError):
        await zoom.create_meeting(Caller("x", ""), topic="T", marker=MARKER)
    await shared.close()


async def test_an_account_app_uses_the_accounts_link(
    http: aiohttp.ClientSession, store: Store, vault: Vault
) -> None:
    async with Sandbox(app="account") as sandbox:
        tokens = Tokens(store, vault, oauth_of(sandbox), sandbox.clock.now_ms)
        zoom = Zoom(http, sandbox.api_url, tokens, app="account")
        with pytest.raises(NotLinkedError):
            await zoom.create_meeting(BOB, topic="T", marker=MARKER)
        await link(sandbox, tokens, ALICE, "account")
        made = await zoom.create_meeting(BOB, topic="T", marker=MARKER)
        assert made.host_id == sandbox.user(BOB.email).id
        await tokens.close()
