"""How many people are in a meeting and how many came, as long as they are few."""

from __future__ import annotations

from bot.domain.attendance import MAX_HELD, attended, is_full, present
from bot.domain.meetings import Joined, Left, MeetingEvent, apply, start_again
from bot.domain.records import Meeting
from tests.domain.test_meetings import FRESH


def after(events: list[MeetingEvent], meeting: Meeting = FRESH) -> Meeting:
    for event in events:
        meeting = apply(meeting, event)
    return meeting


def test_a_record_is_full_of_those_who_came_and_of_those_of_whom_only_the_leave_is_known() -> None:
    came: list[MeetingEvent] = [Joined(str(each), str(each)) for each in range(MAX_HELD)]
    left: list[MeetingEvent] = [Left(str(each), str(each)) for each in range(MAX_HELD)]
    assert [is_full(after(events)) for events in (came, left, came[1:], left[1:])] == [
        True,
        True,
        False,
        False,
    ]


def test_the_next_session_of_a_meeting_counts_anew() -> None:
    crowd = after([Joined("1", "ann")], FRESH)
    crowd.crowd, crowd.seats, crowd.guests, crowd.inside, crowd.uncounted = "c", 9, 8, 7, 6
    assert (present(crowd), attended(crowd)) == (14, 9)
    again = start_again(crowd, "v==")
    assert (present(again), attended(again), again.crowd, again.seats) == (0, 0, "", 0)
