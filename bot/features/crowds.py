"""The people of large meetings: each session and each person has a record, the meeting only the figures."""

from __future__ import annotations

import secrets

from msgspec.structs import replace

from bot.domain.attendance import is_full
from bot.domain.crowd import Guest, Moved, Seat, counted, differences, guests_of, hash_of, id_of, seated
from bot.domain.meetings import Joined, Left, MeetingEvent
from bot.domain.records import Meeting
from bot.errors import OutdatedError
from bot.stores import PAGE, Change, Delete, Insert, Put, Store, Update

# How many sessions of a meeting are written down. People beyond that are only counted.
MAX_SEATS = 20_000


class Counts:
    """What an event changes besides its meeting's record: nothing, or records of sessions and people.

    ``changes`` come before the meeting's own in the commit. ``event`` says afterwards what the meeting's
    record takes: the event itself, or the figures that they have changed.
    """

    def __init__(self, event: MeetingEvent, crowd: str = "") -> None:
        self.changes: list[Change] = []
        self._event = event
        self._crowd = crowd
        # By guest: how many guests more, and how many more of these inside.
        self._differences: dict[str, tuple[int, int]] = {}

    @property
    def event(self) -> MeetingEvent:
        """What the meeting's record takes, once the changes before its own are applied."""
        if not isinstance(self._event, Moved):
            return self._event
        guests = sum(each[0] for each in self._differences.values())
        inside = sum(each[1] for each in self._differences.values())
        return replace(self._event, guests=guests, inside=inside)

    def require(self, meeting: Meeting | None) -> None:
        """Raise :class:`OutdatedError` unless the people are still where they were when these were made."""
        people = isinstance(self._event, Joined | Left | Moved)
        if people and (meeting.crowd != self._crowd if meeting else self.changes):
            raise OutdatedError("a meeting was changed by another event at the same time")

    def seat(self, before: Seat, after: Seat) -> None:
        """Write a session down as it is after the event."""

        def change(now: Seat) -> Seat:
            if now != before:
                raise OutdatedError("a session was changed by another event at the same time")
            return after

        self.changes += [Insert(Seat(id=after.id, meeting=after.meeting)), Update(Seat, after.id, change)]

    def guest(self, id: str, meeting: str, sessions: int, inside: int) -> None:
        """Count a person's sessions, of which so many more are inside."""

        def change(now: Guest) -> Guest:
            after = counted(now, sessions, inside)
            more = (after.sessions > 0) - (now.sessions > 0)
            self._differences[id] = more, (after.inside > 0) - (now.inside > 0)
            return after

        self.changes += [Insert(Guest(id=id, meeting=meeting)), Update(Guest, id, change)]


async def count(store: Store, meeting: Meeting, event: Joined | Left) -> Counts:
    """What an event changes of the figures of this meeting, whose people have records of their own."""
    leaves = isinstance(event, Left)
    at = 0 if isinstance(event, Left) else event.at
    id = id_of(meeting.id, meeting.crowd, hash_of(event.session))
    known = await store.get(Seat, id)
    if known is None and (meeting.uncounted if leaves else meeting.seats >= MAX_SEATS):
        return Counts(Moved(at, uncounted=-1 if leaves else 1), meeting.crowd)
    counts = Counts(Moved(at, seats=int(known is None)), meeting.crowd)
    before = known or Seat(id=id, meeting=meeting.id)
    after = seated(before, event.person, leaves=leaves)
    if after != before:
        counts.seat(before, after)
    for person, (sessions, inside) in differences(before, after).items():
        counts.guest(id_of(meeting.id, meeting.crowd, person), meeting.id, sessions, inside)
    return counts


async def removed(store: Store, meeting: str) -> list[Change]:
    """The changes that delete the records of a meeting's sessions and people."""
    seats, guests = await store.find(Seat, "meeting", meeting), await store.find(Guest, "meeting", meeting)
    return [Delete(type(each), each.id) for each in [*seats, *guests]]


async def with_room(store: Store, meeting: Meeting) -> Meeting:
    """The meeting, whose people get records of their own once its record would hold too many."""
    return await move_out(store, meeting) if not meeting.crowd and is_full(meeting) else meeting


async def move_out(store: Store, meeting: Meeting) -> Meeting:
    """Give a meeting's people records of their own, and return the meeting, which has only their number.

    An older version's record may hold a thousand: they are written in small commits, the meeting last.
    """
    crowd = secrets.token_hex(4)
    seats = [
        Seat(
            id=id_of(meeting.id, crowd, hash_of(session)),
            meeting=meeting.id,
            joined=meeting.joined.get(session),
            left=meeting.left.get(session),
        )
        for session in meeting.left | meeting.joined
    ]
    guests = list(guests_of(meeting.id, crowd, seats, meeting.came))
    people = [*seats, *guests]
    for first in range(0, len(people), PAGE):
        await store.commit(*(Put(each) for each in people[first : first + PAGE]))
    inside = sum(guest.inside > 0 for guest in guests)

    def moved_out(now: Meeting) -> Meeting:
        if now.crowd or (now.joined, now.left, now.came) != (meeting.joined, meeting.left, meeting.came):
            raise OutdatedError("a meeting's people were changed by another event at the same time")
        figures = {"crowd": crowd, "seats": len(seats), "guests": len(guests), "inside": inside}
        return replace(now, joined={}, left={}, came=[], **figures)

    return await store.update(Meeting, meeting.id, moved_out) or meeting
