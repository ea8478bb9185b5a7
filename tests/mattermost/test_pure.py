"""Waiting times, the offset of clocks, the queue, and the errors that answers become."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.errors import (
    MattermostDeniedError,
    MattermostError,
    MattermostNotFoundError,
    MattermostRateLimitError,
    MattermostTokenError,
    MattermostUnreachableError,
)
from bot.mattermost.backlog import Backlog
from bot.mattermost.errors import asked_wait, error_from, handshake_error, retry_after
from bot.mattermost.frames import Data, Event
from bot.mattermost.server_clock import ServerClock


@pytest.mark.parametrize(("said", "asked"), [(0.0, 0.0), (5.0, 5.0), (5.1, None)])
def test_a_rate_limit_is_waited_for_up_to_a_bound(said: float, asked: float | None) -> None:
    limited = MattermostRateLimitError("slower", retry_after=said)
    assert asked_wait(5.0)(limited) == asked
    assert asked_wait()(limited) == said
    assert asked_wait(5.0)(MattermostUnreachableError("away")) == 0.0


@pytest.mark.parametrize(
    ("said", "seconds"),
    [
        ("2", 2.0),
        ("0", 0.0),
        ("-5", 0.0),
        ("86400", 300.0),
        ("", 1.0),
        ("soon", 1.0),
        ("nan", 1.0),
        ("inf", 1.0),
    ],
)
def test_retry_after_is_kept_in_bounds(said: str, seconds: float) -> None:
    assert retry_after({"Retry-After": said}) == seconds


JSON = b'{"id":"some.id","message":"Some\\nmessage.","status_code":0}'


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (400, JSON, MattermostError),
        (401, JSON, MattermostTokenError),
        (403, JSON, MattermostDeniedError),
        (403, b"<html>", MattermostUnreachableError),
        (404, JSON, MattermostNotFoundError),
        (404, b"not found", MattermostUnreachableError),
        (408, b"", MattermostUnreachableError),
        (429, b"limit exceeded\n", MattermostRateLimitError),
        (500, JSON, MattermostUnreachableError),
        (501, JSON, MattermostError),
        (502, b"<html>", MattermostUnreachableError),
        (301, b"", MattermostError),
        (307, b"", MattermostUnreachableError),
    ],
)
def test_an_answer_becomes_its_error(status: int, body: bytes, kind: type[MattermostError]) -> None:
    error = error_from(status, {}, body)
    assert type(error) is kind
    assert error.status == status
    assert "\n" not in str(error)
    if body == JSON and status != 429:
        assert error.code == "some.id"


HEADERS = st.dictionaries(st.sampled_from(["Location", "Retry-After"]), st.text())


@given(st.integers(100, 599), HEADERS, st.binary())
def test_every_answer_becomes_one_line(status: int, headers: dict[str, str], body: bytes) -> None:
    for error in (error_from(status, headers, body), handshake_error(status, headers)):
        assert len(str(error).splitlines()) == 1


def test_a_proxy_without_websockets_is_named() -> None:
    for status in (200, 400):
        assert "Upgrade" in str(handshake_error(status, {}))


class TestServerClock:
    def test_unknown_is_no_offset(self) -> None:
        clock = ServerClock()
        clock.note_date("", 0, 0)
        clock.note_date("yesterday", 0, 0)
        assert clock.offset == 0

    def test_what_cannot_be_told_from_none_is_none(self) -> None:
        clock = ServerClock()
        clock.note(1_000_000, 999_990, 1_000_040)
        assert clock.offset == 0

    def test_a_clock_that_was_set_is_followed(self) -> None:
        clock = ServerClock()
        clock.note(70_000, 10_000, 10_010)
        assert abs(clock.offset - 60_000) <= 10
        clock.note(5_000, 10_000, 10_010)
        assert abs(clock.offset + 5_000) <= 10

    @given(
        st.integers(-(10**9), 10**9),
        st.lists(st.tuples(st.integers(0, 10**6), st.integers(0, 500), st.integers(0, 500)), min_size=1),
    )
    def test_the_true_offset_is_within_what_the_delays_leave_open(
        self, offset: int, stamps: list[tuple[int, int, int]]
    ) -> None:
        clock = ServerClock()
        for asked, there, back in stamps:
            clock.note(asked + there + offset, asked, asked + there + back)
        narrowest = min(there + back for _, there, back in stamps) + 1
        assert abs(clock.offset - offset) <= narrowest


def sized(size: int) -> Event:
    return Event(0, data=Data(post="x" * size))


class TestBacklog:
    async def test_it_keeps_the_order_of_events_and_news(self) -> None:
        backlog = Backlog(10, 100)
        first, second = Event(1, data=Data(post="x")), Event(2, data=Data(post="y"))
        backlog.announce(False)
        assert backlog.offer(first)
        backlog.announce(True)
        assert backlog.offer(second)
        assert [await backlog.take() for _ in range(4)] == [False, first, True, second]

    async def test_it_is_bounded_by_frames_and_characters(self) -> None:
        assert [Backlog(0, 100).offer(sized(1)), Backlog(1, 0).offer(sized(1))] == [False, False]
        backlog = Backlog(2, 5)
        assert [backlog.offer(sized(size)) for size in (3, 3, 1)] == [True, False, True]
        assert not backlog.offer(sized(0))
        assert await backlog.take() == sized(3)
        assert backlog.offer(sized(4))

    async def test_emptied_waits_for_the_last_one(self) -> None:
        backlog = Backlog()
        await backlog.emptied()
        backlog.offer(sized(1))
        waiting = asyncio.ensure_future(backlog.emptied())
        await asyncio.sleep(0)
        assert not waiting.done()
        await backlog.take()
        await waiting
