"""Which session at Zoom an announced meeting is about."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from bot.domain.meetings import Ended, GivenUp, Joined, Left, MeetingEvent, Started, apply
from bot.domain.records import Meeting
from bot.domain.sessions import (
    ANNOUNCED_MS,
    DOUBT_MS,
    SLACK_MS,
    Session,
    belongs,
    bind,
    is_awaited,
    is_bound,
    is_doubtful,
    may_bind,
)

T = 1_795_452_000_000
HOUR = 60 * 60_000

SHARED = Meeting(
    id="m",
    uuid="named==",
    zoom_id=12345678901,
    topic="standup",
    join_url="https://zoom.us/j/12345678901",
    kind="joined",
    planned=True,
    created_at=T,
)
ROOM = replace(SHARED, kind="personal", planned=False)
OWN = replace(SHARED, kind="instant", planned=False)

UUIDS = st.sampled_from(["named==", "other==", ""])
TIMES = st.integers(-3 * HOUR, 40 * HOUR).map(lambda ms: T + ms)
SESSIONS = st.builds(Session, UUIDS, TIMES | st.just(0), TIMES | st.just(0))
UNBOUND = st.sampled_from([SHARED, ROOM])


@given(UNBOUND, SESSIONS)
def test_a_session_that_began_before_the_announcement_is_never_the_announced_one(
    meeting: Meeting, session: Session
) -> None:
    if session.began < T - SLACK_MS:
        assert not belongs(meeting, session)


@given(UNBOUND, UUIDS.filter(bool), SESSIONS)
def test_a_meeting_that_was_shared_while_it_ran_is_about_that_session_and_no_other(
    meeting: Meeting, uuid: str, session: Session
) -> None:
    assert belongs(bind(meeting, uuid), session) == (session.uuid == uuid)


@given(SESSIONS)
def test_a_personal_room_is_announced_for_two_hours_and_a_planned_meeting_until_it_takes_place(
    session: Session,
) -> None:
    after = session.began >= T
    assert belongs(SHARED, session) or not after
    assert belongs(ROOM, session) == (T - SLACK_MS <= session.began <= T + ANNOUNCED_MS)


@given(SESSIONS)
def test_the_number_of_an_own_meeting_has_its_own_sessions_only(session: Session) -> None:
    assert belongs(OWN, replace(session, ended=0))
    assert belongs(OWN, replace(session, uuid=OWN.uuid))
    assert not belongs(OWN, Session("other==", T - HOUR, T - HOUR // 2))


@given(UNBOUND, st.permutations([Started(T + 1), Joined("1", "ann"), Left("1", "ann"), Ended(T + 9)]))
def test_what_happened_binds_a_meeting_to_one_session(meeting: Meeting, events: list[MeetingEvent]) -> None:
    for event in events:
        assert may_bind(meeting, "own==")
        meeting = apply(bind(meeting, "own=="), event)
        assert is_bound(meeting)
        assert not may_bind(meeting, "other==")
        assert bind(meeting, "own==") is meeting


@given(UNBOUND, st.lists(SESSIONS.filter(lambda each: bool(each.uuid)), max_size=6), st.randoms())
def test_events_of_sessions_before_the_announcement_change_nothing_in_any_order(
    meeting: Meeting, sessions: list[Session], chance: random.Random
) -> None:
    old = [replace(each, began=T - HOUR) for each in sessions]
    own = Session("own==", T + 60_000)
    told = [*old, own, *old, own]
    chance.shuffle(told)
    for session in told:
        if belongs(meeting, session):
            meeting = apply(bind(meeting, session.uuid), Started(session.began))
    assert (meeting.uuid, meeting.started_at) == ("own==", own.began)


def test_a_meeting_whose_session_is_unknown_waits_for_it_also_after_it_was_given_up() -> None:
    given_up = apply(SHARED, GivenUp(1))
    assert belongs(given_up, Session("own==", T + 60_000))
    assert not belongs(given_up, Session("own==", T - 60_000))


@pytest.mark.parametrize(
    ("meeting", "began", "doubtful"),
    [
        (ROOM, T - SLACK_MS - 1, True),
        (SHARED, T - DOUBT_MS, True),
        (ROOM, T - DOUBT_MS - 1, False),
        (ROOM, T - SLACK_MS, False),
        (ROOM, 0, False),
        (OWN, T - 60_000, False),
        (bind(ROOM, "own=="), T - 60_000, False),
    ],
)
def test_what_clocks_that_differ_may_explain_is_doubtful(
    meeting: Meeting, began: int, doubtful: bool
) -> None:
    assert is_doubtful(meeting, Session("other==", began)) is doubtful


def test_a_room_is_awaited_for_two_hours() -> None:
    assert is_awaited(ROOM, T + ANNOUNCED_MS)
    assert not is_awaited(ROOM, T + ANNOUNCED_MS + 1)
    assert is_awaited(SHARED, T + 40 * HOUR)
    assert is_awaited(OWN, T + 40 * HOUR)
