"""A meeting's record, from events that come twice, late and in any order."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from bot.domain.attendance import attended, present
from bot.domain.meetings import (
    Details,
    Ended,
    Expired,
    GivenUp,
    Joined,
    Left,
    MeetingEvent,
    RecordingOff,
    RecordingOn,
    Started,
    apply,
    describe,
    is_presumed_over,
    is_recorded,
)
from bot.domain.records import Announcement, Meeting, Status
from bot.messages.cards import meeting_card

T = 1_795_452_000_000
MINUTE = 60_000
ORDER = [Status.WAITING, Status.STARTED, Status.ENDED]

FRESH = Meeting(
    id="m",
    uuid="u==",
    zoom_id=12345678901,
    topic="standup",
    join_url="https://zoom.us/j/12345678901",
    created_at=T,
)
POST = Announcement(id="a", meeting="m", channel_id="c", user_name="alice", trigger="p", created_at=T)


def after(*events: MeetingEvent, meeting: Meeting = FRESH) -> Meeting:
    for event in events:
        meeting = apply(meeting, event)
    return meeting


def unnumbered(meeting: Meeting) -> Meeting:
    """The meeting without the numbers that count its changes."""
    return replace(meeting, revision=0, urgent_revision=0)


TIMES = st.integers(1, 5).map(lambda minutes: T + minutes * MINUTE)
SESSIONS = st.sampled_from(["1", "2", "3"])
PEOPLE = st.sampled_from(["ann", "bob"])
STARTED = st.builds(Started, TIMES, st.booleans())
ENDED = st.builds(Ended, TIMES, TIMES | st.just(0), st.booleans())
PEOPLE_EVENTS = st.builds(Joined, SESSIONS, PEOPLE, TIMES | st.just(0)) | st.builds(Left, SESSIONS, PEOPLE)
RECORDING = st.builds(RecordingOn, TIMES) | st.builds(RecordingOff, TIMES)
EVIDENCE = STARTED | ENDED | PEOPLE_EVENTS | RECORDING
EVENTS = EVIDENCE | st.builds(Expired) | st.builds(GivenUp, TIMES)


@given(st.lists(EVENTS, max_size=8), st.randoms(use_true_random=False), st.data())
def test_any_order_and_repetition_leads_to_the_same_record(
    events: list[MeetingEvent], chance: random.Random, data: st.DataObject
) -> None:
    again = events + (data.draw(st.lists(st.sampled_from(events), max_size=8)) if events else [])
    chance.shuffle(again)
    assert unnumbered(after(*again)) == unnumbered(after(*events))


def test_what_zoom_tells_replaces_what_was_presumed_whichever_comes_first() -> None:
    presumed: list[MeetingEvent] = [Started(T + MINUTE, presumed=True), Ended(T + 9 * MINUTE, presumed=True)]
    told: list[MeetingEvent] = [Started(T + 2 * MINUTE), Ended(T + 8 * MINUTE)]
    for events in (presumed + told, told + presumed):
        meeting = after(*events)
        assert (meeting.started_at, meeting.ended_at) == (T + 2 * MINUTE, T + 8 * MINUTE)
    meeting = after(*presumed)
    assert (meeting.started_at, meeting.ended_at) == (T + MINUTE, T + 9 * MINUTE)


def test_a_number_is_awaited_until_the_meeting_begins_or_is_over() -> None:
    room = replace(FRESH, kind="personal")
    assert room.awaits == room.zoom_id
    begun: list[MeetingEvent] = [Started(T), Ended(T), Joined("1", "ann")]
    assumed: list[MeetingEvent] = [Expired(), GivenUp(T)]
    for event in begun:
        assert after(event, meeting=room).awaits == 0
        # One with a number of its own may start again.
        assert after(event).awaits == FRESH.zoom_id
    for event in assumed:
        assert after(event, meeting=room).awaits == room.zoom_id
        assert after(event, Started(T + 1), meeting=room).awaits == 0
    assert replace(FRESH, open=False).awaits == 0


@given(st.lists(EVIDENCE, max_size=10))
def test_the_status_only_moves_forward(events: list[MeetingEvent]) -> None:
    meeting = FRESH
    for event in events:
        changed = apply(meeting, event)
        assert ORDER.index(changed.status) >= ORDER.index(meeting.status)
        assert changed.open == (changed.status is not Status.ENDED)
        meeting = changed


@given(st.lists(EVENTS, max_size=10))
def test_a_meeting_ends_for_good_unless_its_expiry_was_only_assumed(events: list[MeetingEvent]) -> None:
    meeting = FRESH
    for event in events:
        changed = apply(meeting, event)
        if meeting.ended_at or not (meeting.expired or meeting.given_up_at):
            assert ORDER.index(changed.status) >= ORDER.index(meeting.status)
        meeting = changed


@given(st.lists(EVENTS, max_size=10))
def test_the_revision_grows_exactly_when_the_post_changes(events: list[MeetingEvent]) -> None:
    meeting = FRESH
    for event in events:
        changed = apply(meeting, event)
        differs = meeting_card(changed, POST) != meeting_card(meeting, POST)
        assert changed.revision == meeting.revision + differs
        assert (changed is meeting) == (changed == meeting)
        meeting = changed


@given(st.lists(EVENTS, max_size=10))
def test_a_revision_is_urgent_unless_only_the_number_of_people_changed(events: list[MeetingEvent]) -> None:
    meeting = FRESH
    for event in events:
        changed = apply(meeting, event)
        if changed.revision == meeting.revision:
            assert changed.urgent_revision == meeting.urgent_revision
        elif changed.urgent_revision == meeting.urgent_revision:
            assert changed.status is meeting.status
            assert (changed.started_at, changed.ended_at) == (meeting.started_at, meeting.ended_at)
            assert (present(changed), attended(changed)) != (present(meeting), attended(meeting))
        else:
            assert changed.urgent_revision == changed.revision
        meeting = changed


@pytest.mark.parametrize(
    ("event", "urgent"),
    [
        (Joined("2", "bob"), False),
        (Left("1", "ann"), False),
        (Ended(T + MINUTE), True),
        (RecordingOn(T + MINUTE), True),
        (GivenUp(T + MINUTE), True),
    ],
)
def test_who_comes_and_goes_is_not_urgent(event: MeetingEvent, urgent: bool) -> None:
    live = after(Started(T), Joined("1", "ann"))
    changed = apply(live, event)
    assert changed.revision == live.revision + 1
    assert (changed.urgent_revision == changed.revision) is urgent


def test_a_new_topic_is_urgent() -> None:
    changed = describe(FRESH, Details(topic="retro"))
    assert changed.urgent_revision == changed.revision == FRESH.revision + 1


@given(st.lists(EVENTS, max_size=10), EVENTS)
def test_an_event_that_comes_again_changes_nothing(events: list[MeetingEvent], event: MeetingEvent) -> None:
    once = after(*events, event)
    assert apply(once, event) is once


@pytest.mark.parametrize(
    ("events", "status"),
    [
        ([], Status.WAITING),
        ([Started(T)], Status.STARTED),
        ([Joined("1", "ann")], Status.STARTED),
        ([Left("1", "ann")], Status.STARTED),
        ([Started(T), Ended(T + 1)], Status.ENDED),
        ([Ended(T + 1), Started(T)], Status.ENDED),
        ([Ended(T + 1), Joined("1", "ann")], Status.ENDED),
        ([Expired()], Status.ENDED),
        ([GivenUp(T)], Status.ENDED),
        ([GivenUp(T), Started(T + 1)], Status.STARTED),
        ([Started(T + 1), GivenUp(T)], Status.STARTED),
        ([Started(T), GivenUp(T)], Status.ENDED),
        ([GivenUp(T), Started(T)], Status.ENDED),
        ([Started(T), GivenUp(T + 5), Joined("1", "ann", T + 4)], Status.ENDED),
        ([Started(T), GivenUp(T + 5), Joined("1", "ann", T + 6)], Status.STARTED),
        ([Started(T), GivenUp(T + 5), Left("1", "ann")], Status.ENDED),
        ([Started(T), Expired()], Status.STARTED),
        ([Expired(), Started(T)], Status.STARTED),
        ([RecordingOn(T)], Status.STARTED),
        # Zoom says it after the end as well.
        ([RecordingOff(T)], Status.WAITING),
        ([Ended(T + 1), RecordingOn(T)], Status.ENDED),
        ([Started(0)], Status.WAITING),
        ([Ended(0)], Status.WAITING),
    ],
)
def test_the_status_follows_from_what_is_known(events: list[MeetingEvent], status: Status) -> None:
    assert after(*events).status is status


@given(st.lists(EVENTS, max_size=8), TIMES, TIMES)
def test_a_sign_of_life_opens_what_was_given_up_before_it_unless_its_end_is_known(
    events: list[MeetingEvent], given_up: int, alive: int
) -> None:
    meeting = after(*events, GivenUp(given_up), Started(alive))
    latest = max(given_up, *(event.at for event in events if isinstance(event, GivenUp)), 0)
    if meeting.ended_at:
        assert meeting.status is Status.ENDED
    else:
        assert (meeting.status is Status.STARTED) == (meeting.alive_at > latest)
        assert is_presumed_over(meeting) == (meeting.status is Status.ENDED)


def test_what_zoom_tells_of_the_end_replaces_that_it_was_given_up() -> None:
    meeting = after(Started(T), GivenUp(T + 5), Ended(T + 9))
    assert (meeting.ended_at, is_presumed_over(meeting)) == (T + 9, False)


def test_zooms_own_times_are_kept() -> None:
    meeting = after(Started(T + 5), Ended(T + 90, T + 3), Ended(T + 80))
    assert (meeting.started_at, meeting.ended_at) == (T + 3, T + 90)


@given(st.lists(RECORDING, max_size=8))
def test_the_latest_word_on_the_recording_counts_and_of_two_at_once_the_off(
    events: list[RecordingOn | RecordingOff],
) -> None:
    latest = max((event.at for event in events), default=0)
    on = bool(events) and RecordingOff(latest) not in events
    assert is_recorded(after(Started(T), *events)) == on
    assert not is_recorded(after(Started(T), *events, Ended(T + MINUTE)))


def test_who_is_in_counts_people_and_not_their_sessions() -> None:
    two_devices = after(Joined("1", "ann"), Joined("2", "ann"), Joined("3", "bob"))
    assert present(two_devices) == 2
    assert present(after(Left("1", "ann"), meeting=two_devices)) == 2
    assert present(after(Left("1", "ann"), Left("2", "ann"), meeting=two_devices)) == 1
    assert attended(after(Left("1", "ann"), Left("2", "ann"), meeting=two_devices)) == 2


def test_a_leave_that_overtakes_its_join_leaves_nobody_inside() -> None:
    assert present(after(Started(T), Left("1", "ann"), Joined("1", "ann"))) == 0


def test_a_person_who_leaves_under_another_name_is_counted_once() -> None:
    assert attended(after(Joined("1", "ann@demo.example"), Left("1", "Ann"))) == 1
