"""How many people are in a meeting and how many came, also of very many and with much coming and going."""

from __future__ import annotations

from collections.abc import Iterable

from bot.domain.attendance import MAX_CAME, MAX_SESSIONS, attended, present
from bot.domain.meetings import Joined, Left, MeetingEvent, apply, start_again
from bot.domain.records import Meeting
from tests.domain.test_meetings import FRESH


def after(events: Iterable[MeetingEvent], meeting: Meeting = FRESH) -> Meeting:
    for event in events:
        meeting = apply(meeting, event)
    return meeting


def come(people: Iterable[int]) -> list[MeetingEvent]:
    return [Joined(f"session {each}", f"person {each}") for each in people]


def go(people: Iterable[int]) -> list[MeetingEvent]:
    return [Left(f"session {each}", f"person {each}") for each in people]


def test_more_people_than_are_kept_are_counted_and_all_leave() -> None:
    crowd = after(come(range(1300)))
    assert (present(crowd), attended(crowd)) == (1300, 1300)
    half = after(go(range(0, 1300, 2)), crowd)
    assert (present(half), attended(half)) == (650, 1300)
    empty = after(go(range(1, 1300, 2)), half)
    assert (present(empty), attended(empty)) == (0, 1300)


def test_coming_and_going_uses_up_no_room() -> None:
    meeting = FRESH
    for turn in range(3 * MAX_SESSIONS):
        who = f"person {turn % 30}"
        meeting = after([Joined(str(turn), who), Left(str(turn), who)], meeting)
    assert (present(meeting), attended(meeting)) == (0, 30)
    meeting = after(come(range(900)), meeting)
    assert (present(meeting), attended(meeting), meeting.uncounted) == (900, 900, 0)
    assert len(meeting.joined) <= MAX_SESSIONS
    assert len(meeting.left) <= MAX_SESSIONS


def test_lately_over_sessions_are_not_begun_by_a_late_event_however_many_there_were() -> None:
    meeting = after(event for each in range(2500) for event in [*come([each]), *go([each])])
    assert present(after(come(range(2400, 2500)), meeting)) == 0


def test_people_who_leave_unseen_before_are_bounded_too() -> None:
    meeting = after(go(range(2500)))
    assert (present(meeting), attended(meeting)) == (0, 2500)
    assert len(meeting.left) <= MAX_SESSIONS


def test_more_people_than_are_remembered_are_said_to_be_more() -> None:
    many = MAX_SESSIONS + MAX_CAME + 500
    meeting = after([*come(range(many)), *go(range(many))])
    assert meeting.more_came
    assert present(meeting) == 0
    assert MAX_CAME <= attended(meeting) < many
    assert len(meeting.came) <= MAX_CAME


def test_the_next_session_of_a_meeting_counts_anew() -> None:
    meeting = start_again(after(come(range(1300))), "v==")
    assert (present(meeting), attended(meeting)) == (0, 0)
