"""The socket: what it delivers, how it reconnects, and what ends it."""

from __future__ import annotations

import asyncio
import json

import aiohttp
import pytest
from aiohttp import web

from bot.errors import MattermostTokenError
from bot.mattermost import SocketTimings, open_session
from bot.mattermost.frames import Event
from bot.sandbox.mattermost import Mattermost as Sandbox
from tests.mattermost.listeners import QUICK, RecordingListener, bot_listener, odd_server, running_listener

BRISK = SocketTimings(backoff_base_s=0.01, backoff_cap_s=0.02, ping_s=0.02, answer_s=0.2)


def texts(prefix: str, count: int) -> list[str]:
    return [f"{prefix} {number}" for number in range(count)]


async def test_events_come_in_order_after_the_news_of_the_connection(
    server: Sandbox, http: aiohttp.ClientSession
) -> None:
    async with bot_listener(http, server) as listener:
        for text in texts("post", 200):
            await server.post("alice", "dev", text)
        await listener.until(lambda: len(listener.messages) == 200)
        assert listener.received == [False, *texts("post", 200)]
        assert listener.state.connects == 1
        assert listener.state.open_since > 0
    assert listener.state.open_since == 0
    await server.wait_for(lambda: server.sockets == 0)


async def test_a_dropped_connection_is_resumed_and_nothing_is_lost(
    server: Sandbox, http: aiohttp.ClientSession
) -> None:
    expected: list[str] = []
    async with bot_listener(http, server) as listener:
        for turn in range(5):
            for text in texts(f"turn {turn}", 20):
                expected.append(text)
                await server.post("alice", "dev", text)
            await server.drop_sockets()
            expected.append(f"missed {turn}")
            await server.post("alice", "dev", f"missed {turn}")
            await listener.until(lambda: listener.messages == expected)
        await listener.until(lambda: len(listener.connections) == 6)
        assert listener.connections == [False, True, True, True, True, True]
        assert (listener.state.connects, listener.state.resumes) == (6, 5)
        assert listener.state.gaps == 0


async def test_a_silent_resumption_is_known_by_the_answer_to_the_ping(
    server: Sandbox, http: aiohttp.ClientSession
) -> None:
    async with bot_listener(http, server) as listener:
        await server.drop_sockets()
        await listener.until(lambda: listener.connections == [False, True])
        assert listener.messages == []


async def test_a_forgotten_connection_begins_afresh(server: Sandbox, http: aiohttp.ClientSession) -> None:
    async with bot_listener(http, server) as listener:
        server.faults.add(503, path="/websocket", times=-1)
        await server.drop_sockets()
        await server.post("alice", "dev", "missed")
        await server.forget_connections()
        server.faults.clear()
        await listener.until(lambda: listener.connections == [False, False])
        await server.post("alice", "dev", "heard")
        await listener.until(lambda: listener.messages == ["heard"])


async def test_more_than_the_server_keeps_begins_afresh(server: Sandbox, http: aiohttp.ClientSession) -> None:
    async with bot_listener(http, server) as listener:
        server.faults.add(503, path="/websocket", times=-1)
        await server.drop_sockets()
        for text in texts("missed", 200):
            await server.post("alice", "dev", text)
        server.faults.clear()
        await listener.until(lambda: listener.connections == [False, False])
        assert listener.state.resumes == 0


async def test_a_restarted_server_is_found_again(server: Sandbox, http: aiohttp.ClientSession) -> None:
    async with bot_listener(http, server) as listener:
        await server.stop()
        await listener.until(lambda: listener.state.open_since == 0)
        await server.start()
        await listener.until(lambda: listener.connections == [False, False])
        await server.post("alice", "dev", "back")
        await listener.until(lambda: listener.messages == ["back"])


async def test_a_deaf_socket_is_noticed_and_opened_afresh(
    server: Sandbox, http: aiohttp.ClientSession
) -> None:
    async with bot_listener(http, server, timing=BRISK) as listener:
        server.deafen("zoom")
        await listener.until(lambda: listener.connections == [False, False])
        assert listener.state.deaf == 1
        await server.post("alice", "dev", "heard again")
        await listener.until(lambda: listener.messages == ["heard again"])


async def test_after_the_account_was_off_for_a_moment_the_refused_ping_opens_a_fresh_socket(
    server: Sandbox, http: aiohttp.ClientSession
) -> None:
    async with bot_listener(http, server, timing=BRISK) as listener:
        server.disable("zoom")
        server.enable("zoom")
        await listener.until(lambda: listener.connections == [False, False])
        assert listener.state.deaf == 0
        await server.post("alice", "dev", "heard again")
        await listener.until(lambda: listener.messages == ["heard again"])


async def test_pings_keep_a_quiet_socket_open_beyond_the_sessions_timeout(server: Sandbox) -> None:
    asked: list[int] = []
    loop = asyncio.get_running_loop()
    enough, start = asyncio.Event(), loop.time()

    def now() -> int:
        asked.append(0)
        if loop.time() - start > 0.4:
            enough.set()
        return 0

    async with (
        open_session(timeout_s=0.2) as http,
        bot_listener(http, server, timing=BRISK, now=now) as listener,
    ):
        await asyncio.wait_for(enough.wait(), 5)
        assert len(asked) > 4
        assert (listener.state.connects, listener.connections) == (1, [False])


async def test_a_bad_token_is_fatal(server: Sandbox, http: aiohttp.ClientSession) -> None:
    with pytest.raises(MattermostTokenError, match="refuses the token"):
        await RecordingListener(http, server.url, "wrong").run()


async def test_a_token_that_is_revoked_is_fatal(server: Sandbox, http: aiohttp.ClientSession) -> None:
    async with bot_listener(http, server, timing=BRISK) as listener:
        await server.set_token("zoom")
        assert listener.running is not None
        with pytest.raises(MattermostTokenError):
            await asyncio.wait_for(asyncio.shield(listener.running), 10)


async def test_a_bad_token_that_is_closed_without_a_frame_is_fatal(http: aiohttp.ClientSession) -> None:
    async def handle(request: web.Request) -> web.StreamResponse:
        if not request.path.endswith("/websocket"):
            return web.json_response({"id": "api.context.session_expired.app_error"}, status=401)
        ws = web.WebSocketResponse()
        await ws.prepare(request)
        await ws.close()
        return ws

    async with odd_server(handle) as url:
        with pytest.raises(MattermostTokenError):
            await RecordingListener(http, url, "wrong").run()


async def test_a_slow_delivery_stops_neither_reading_nor_pinging(
    server: Sandbox, http: aiohttp.ClientSession
) -> None:
    looks = 0
    many = asyncio.Event()

    def now() -> int:
        # Called for every ping, and for every answer to one.
        nonlocal looks
        looks += 1
        if looks == 20:
            many.set()
        return 0

    async with bot_listener(http, server, timing=BRISK, now=now) as listener:
        listener.gate.clear()
        for text in texts("post", 300):
            await server.post("alice", "dev", text)
        await asyncio.wait_for(many.wait(), 10)
        assert listener.messages == []
        listener.gate.set()
        await listener.until(lambda: len(listener.messages) == 300)
        assert (listener.state.connects, listener.state.deaf) == (1, 0)
        assert listener.received == [False, *texts("post", 300)]


async def test_an_event_passes_only_when_all_earlier_ones_are_handled(
    server: Sandbox, http: aiohttp.ClientSession
) -> None:
    def is_talk(event: Event) -> bool:
        return event.data is not None and "talk" in event.data.post

    async with bot_listener(http, server, names={"posted"}, passes=is_talk) as listener:
        listener.gate.clear()
        first = await server.post("alice", "dev", "first")
        await server.post("alice", "dev", "talk behind it")
        await server.edit("alice", first.id, "edited")
        await server.post("alice", "dev", "second")
        await listener.until(lambda: len(listener.taken) == 1)
        listener.gate.set()
        await listener.until(lambda: len(listener.messages) == 3)
        await server.post("alice", "dev", "talk that passes")
        await server.post("alice", "dev", "last")
        await listener.until(lambda: listener.messages[-1] == "last")
        assert listener.messages == ["first", "talk behind it", "second", "last"]
        assert {event.name for event in listener.events} == {"posted"}


@pytest.mark.parametrize("limit", [{"max_frames": 10}, {"max_characters": 6000}])
async def test_an_overflow_leads_to_a_fresh_connection_once_the_queue_is_worked_off(
    server: Sandbox, http: aiohttp.ClientSession, limit: dict[str, int]
) -> None:
    async with bot_listener(http, server, **limit) as listener:
        listener.gate.clear()
        for text in texts("post", 50):
            await server.post("alice", "dev", text)
        await listener.until(lambda: listener.state.overflows == 1)
        assert listener.connections == [False]
        listener.gate.set()
        await listener.until(lambda: listener.connections == [False, False])
        before = listener.received[1:-1]
        assert before == texts("post", len(before))
        assert 0 < len(before) < 50
        await server.post("alice", "dev", "after")
        await listener.until(lambda: listener.received[-1] == "after")


async def test_a_frame_that_is_too_large_leads_to_a_fresh_connection(
    server: Sandbox, http: aiohttp.ClientSession
) -> None:
    async with bot_listener(http, server, max_frame=4096) as listener:
        await server.post("alice", "dev", "x" * 8000)
        await listener.until(lambda: listener.connections == [False, False])
        await server.post("alice", "dev", "small")
        await listener.until(lambda: listener.messages == ["small"])


async def test_an_event_that_cannot_be_handled_leads_to_a_fresh_connection(
    server: Sandbox, http: aiohttp.ClientSession
) -> None:
    async with bot_listener(http, server) as listener:
        listener.fails_on = "this fails"
        await server.post("alice", "dev", "this fails")
        await listener.until(lambda: listener.connections == [False, False])
        await server.post("alice", "dev", "fine")
        await listener.until(lambda: listener.messages == ["fine"])


async def test_a_failure_while_a_resumption_is_under_way_begins_afresh(
    server: Sandbox, http: aiohttp.ClientSession
) -> None:
    async with bot_listener(http, server) as listener:
        listener.gate.clear()
        listener.fails_on = "this fails"
        await server.post("alice", "dev", "this fails")
        server.clear_calls()
        server.faults.add(path="/websocket", delay=0.2)
        await server.drop_sockets()
        await server.wait_for(lambda: server.calls)
        listener.gate.set()
        await listener.until(lambda: listener.connections == [False, False])
        assert listener.state.deaf == 0


async def test_a_missing_event_leads_to_a_fresh_connection(http: aiohttp.ClientSession) -> None:
    visits = 0

    async def handle(request: web.Request) -> web.StreamResponse:
        nonlocal visits
        visits += 1
        assert "connection_id" not in request.query
        ws = web.WebSocketResponse()
        await ws.prepare(request)
        hello = {"event": "hello", "data": {"connection_id": f"c{visits}"}, "seq": 0}
        await ws.send_str(json.dumps(hello))
        await ws.send_str(json.dumps({"event": "typing", "data": {}, "seq": 1 if visits > 1 else 2}))
        async for _ in ws:
            pass
        return ws

    async with odd_server(handle) as url, running_listener(http, url, "token") as listener:
        await listener.until(lambda: len(listener.events) == 1)
        assert listener.connections == [False, False]
        assert listener.state.gaps == 1


async def test_junk_between_the_frames_is_passed_over(http: aiohttp.ClientSession) -> None:
    async def handle(request: web.Request) -> web.StreamResponse:
        ws = web.WebSocketResponse()
        await ws.prepare(request)
        await ws.send_str("junk")
        await ws.send_bytes(b"\x00\xff")
        await ws.send_str('{"x":' + "[" * 100_000)
        await ws.send_str('{"event":"hello","data":{"connection_id":"c"},"seq":0}')
        await ws.send_str('{"event":"typing","data":{},"seq":1}')
        async for _ in ws:
            pass
        return ws

    async with odd_server(handle) as url, running_listener(http, url, "token") as listener:
        await listener.until(lambda: len(listener.events) == 1)
        assert listener.state.connects == 1


async def test_a_limited_rate_is_waited_for(server: Sandbox, http: aiohttp.ClientSession) -> None:
    server.faults.add(429, path="/websocket", headers={"Retry-After": "1"})
    start = asyncio.get_running_loop().time()
    async with bot_listener(http, server) as listener:
        assert asyncio.get_running_loop().time() - start >= 1.0
        assert listener.state.connects == 1


async def test_it_connects_under_a_sub_path_and_runs_twice(http: aiohttp.ClientSession) -> None:
    async with Sandbox(path="/chat") as server:
        listener = RecordingListener(http, server.url, server.bot_token)
        for turn in range(2):
            task = asyncio.ensure_future(listener.run())
            await listener.until(lambda: len(listener.connections) == turn + 1)  # noqa: B023
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
        assert listener.connections == [False, False]
        assert server.unknown == []


async def test_the_clocks_offset_is_learned_from_the_pings(http: aiohttp.ClientSession) -> None:
    async with (
        Sandbox(clock_offset_ms=3_600_000) as server,
        bot_listener(http, server, timing=QUICK) as listener,
    ):
        await server.drop_sockets()
        await listener.until(lambda: listener.connections == [False, True])
        assert abs(listener.clock.offset - 3_600_000) < 1000
