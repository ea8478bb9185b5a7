"""Who is in a meeting of many people: records of its own for each session and each person. Pure.

The meeting's record has only how many there are, so that an event costs the same however many people came.
"""

from __future__ import annotations

import hashlib
from base64 import urlsafe_b64encode
from collections import Counter
from collections.abc import Iterator
from typing import ClassVar

import msgspec
from msgspec.structs import replace

from bot.domain.record import Record


class Seat(Record, kw_only=True):
    """A session in a meeting: the person who came in and who left, None before that."""

    table: ClassVar[str] = "seats"
    indexes: ClassVar[tuple[str, ...]] = ("meeting",)

    meeting: str
    joined: str | None = None
    left: str | None = None

    @property
    def person(self) -> str | None:
        """Whose session it is; None before any event. Zoom may say less about a person when they leave."""
        return self.left if self.joined is None else self.joined

    @property
    def inside(self) -> bool:
        """Whether the person is in the meeting."""
        return self.joined is not None and self.left is None


class Guest(Record, kw_only=True):
    """A person in a meeting: how many sessions they have or had, and how many of these are inside."""

    table: ClassVar[str] = "guests"
    indexes: ClassVar[tuple[str, ...]] = ("meeting",)

    meeting: str
    sessions: int = 0
    inside: int = 0


class Moved(msgspec.Struct, frozen=True):
    """What an event changes of a meeting's figures; ``at`` (ms, by Zoom's clock) as in ``Joined``.

    ``seats`` is for sessions that are written down, ``uncounted`` for those beyond.
    """

    at: int = 0
    seats: int = 0
    guests: int = 0
    inside: int = 0
    uncounted: int = 0


def seated(seat: Seat, person: str, *, leaves: bool) -> Seat:
    """The session after an event. Which of two names came first makes no difference."""
    if leaves:
        return replace(seat, left=_first(seat.left, person))
    return replace(seat, joined=_first(seat.joined, person))


def differences(before: Seat, after: Seat) -> dict[str, tuple[int, int]]:
    """By the hash of each person whom a changed session is about: how many sessions more, and how many more
    of these inside."""
    sessions: Counter[str] = Counter()
    inside: Counter[str] = Counter()
    for sign, seat in ((-1, before), (1, after)):
        if seat.person is not None:
            sessions[hash_of(seat.person)] += sign
            inside[hash_of(seat.person)] += sign * seat.inside
    return {each: (sessions[each], inside[each]) for each in sessions if sessions[each] or inside[each]}


def counted(guest: Guest, sessions: int, inside: int) -> Guest:
    """The person with so many sessions more, and so many more of these inside."""
    return replace(guest, sessions=guest.sessions + sessions, inside=guest.inside + inside)


def guests_of(meeting: str, crowd: str, seats: list[Seat], came: list[str]) -> Iterator[Guest]:
    """The people of these sessions, and those of whom only the hash is known."""
    sessions, inside = Counter(dict.fromkeys(came, 1)), Counter[str]()
    for seat in seats:
        if seat.person is not None:
            sessions[hash_of(seat.person)] += 1
            inside[hash_of(seat.person)] += seat.inside
    for each, number in sessions.items():
        id = id_of(meeting, crowd, each)
        yield Guest(id=id, meeting=meeting, sessions=number, inside=inside[each])


def id_of(meeting: str, crowd: str, what: str) -> str:
    """The id of a session's record, or of the one of a person's hash."""
    return f"{meeting}/{crowd}/{what}"


def hash_of(person: str) -> str:
    """What stands for a person in an id."""
    return urlsafe_b64encode(hashlib.sha256(person.encode("utf-8", "surrogatepass")).digest()[:6]).decode()


def _first(known: str | None, person: str) -> str:
    return person if known is None else min(known, person)
