"""The record of a meeting. Times are in ms."""

from __future__ import annotations

import enum
from typing import ClassVar

import msgspec

from bot.domain.record import Record

# Kinds that only this bot creates, each for one announcement.
OURS = ("instant", "webinar")


class Status(enum.StrEnum):
    """A meeting's life, in the words of the ``meeting_status`` prop."""

    WAITING = "WAITING"
    STARTED = "STARTED"
    ENDED = "ENDED"


def day_of(at: int) -> int:
    """The number of the day (UTC, since the epoch) of a time in ms."""
    return at // (24 * 60 * 60_000)


class Recorded(msgspec.Struct, frozen=True):
    """What is known of a recording: the start and end of each part (ms), and the hash of the link that leads
    to all of them ("" while only links to single parts are known)."""

    parts: list[tuple[int, int]] = []
    link_hash: str = ""


class Meeting(Record, kw_only=True):
    """One meeting at Zoom that this bot announced. ``revision`` grows with every change to its post."""

    table: ClassVar[str] = "meetings"
    indexes: ClassVar[tuple[str, ...]] = ("uuid", "zoom_id", "awaits", "open", "over_on")

    uuid: str
    zoom_id: int
    topic: str
    join_url: str
    # What Zoom asks for where the link does not carry it; "" if there is none or it is not known.
    passcode: str = ""
    # Whether its topic is what a person wrote here, and not the topic at Zoom (a personal room has its own).
    named: bool = False
    host_id: str = ""
    host_zoom_id: str = ""
    host_name: str = ""
    # "instant", "personal", "recurring", "webinar" or "joined" (announced by ``join``).
    kind: str = "instant"
    # Whether one that was shared is a webinar: Zoom has other calls and other words for those.
    webinar: bool = False
    timezone: str = ""
    created_at: int
    status: Status = Status.WAITING
    open: bool = True
    # Whether ``uuid`` is known to name the session that the post shows. See :mod:`bot.domain.sessions`.
    bound: bool = False
    # The uuids of the sessions that the post showed before: the meeting ended and started again.
    earlier: list[str] = msgspec.field(default_factory=list)
    # Whether its number is no personal room's, and when Zoom says that it is planned to start.
    planned: bool = False
    planned_at: int = 0
    # Nobody started it, and it is too late to; a sign of life opens it again.
    expired: bool = False
    # When we gave up asking Zoom about it: what happened before this time does not show that it goes on.
    given_up_at: int = 0
    # The last time at which something showed that it goes on.
    alive_at: int = 0
    # The inbox item that ends it from the chat, so that it can go on after an interruption.
    ended_by: str = ""
    # As shown: what Zoom said, or else what we presume.
    started_at: int = 0
    ended_at: int = 0
    told_start: int = 0
    told_end: int = 0
    presumed_start: int = 0
    presumed_end: int = 0
    # Who is in and who has left: from Zoom's per-session user id to the person. See
    # :mod:`bot.domain.attendance`.
    joined: dict[str, str] = msgspec.field(default_factory=dict)
    left: dict[str, str] = msgspec.field(default_factory=dict)
    # Once they are many, the part of their ids that the records of its sessions and people share (see
    # :mod:`bot.domain.crowd`), and how many sessions, people, and people inside these are.
    crowd: str = ""
    seats: int = 0
    guests: int = 0
    inside: int = 0
    # How many sessions besides these are inside, and whether there ever were any.
    uncounted: int = 0
    more_came: bool = False
    # Hashes of people of whom version 0.1 kept no sessions.
    came: list[str] = msgspec.field(default_factory=list)
    # When its recording last began or went on, and when it last stopped or paused, by Zoom's clock.
    recording_on_at: int = 0
    recording_off_at: int = 0
    # By the key of its follow-up.
    recorded: dict[str, Recorded] = msgspec.field(default_factory=dict)
    revision: int = 1
    # The newest revision that changed more than the number of people.
    urgent_revision: int = 1
    # Its number while it may still begin or start again, else 0: an event with that number may be about this
    # meeting.
    awaits: int = 0
    # The day on which it ended, or was given up; see :func:`day_of`.
    over_on: int = 0

    def __post_init__(self) -> None:
        self.over_on = day_of(max(self.ended_at, self.given_up_at))
        over = self.begun or self.ended_at
        may_begin = (self.open or self.expired or self.given_up_at) and not over
        self.awaits = self.zoom_id if may_begin or (over and self.may_start_again) else 0

    @property
    def may_start_again(self) -> bool:
        """Whether a later session of its number is the same meeting: only if the bot made the meeting. Nobody
        announced the next session of a room or of a shared meeting, and each session of a followed one has a
        post of its own."""
        return self.kind in OURS

    @property
    def is_webinar(self) -> bool:
        """Whether it is a webinar, made or shared here."""
        return self.webinar or self.kind == "webinar"

    @property
    def noun(self) -> str:
        """The ``kind`` for messages that call it a meeting or a webinar."""
        return "webinar" if self.is_webinar else self.kind

    @property
    def begun(self) -> bool:
        """Whether something shows that it began."""
        return bool(self.started_at or self.joined or self.left or self.seats or self.recording_on_at)
