"""Zoom's objects as far as the bot uses them. Times are ms since the epoch, 0 if Zoom gives none."""

from __future__ import annotations

from dataclasses import dataclass, field

# Zoom's meeting type for a personal room.
PERSONAL = 4


@dataclass(frozen=True, slots=True)
class Caller:
    """The person for whom a call is made: their Mattermost user id, their e-mail address, and the id of their
    Zoom user. Apps with one shared token (``account``, ``server-to-server``) name the person at Zoom by that
    id, or by the address if the id is not known yet."""

    user_id: str
    email: str = ""
    zoom_id: str = ""


@dataclass(frozen=True, slots=True)
class MeetingInfo:
    """The current state of a meeting or webinar.

    ``status`` is ``waiting`` or ``started``, ``type`` Zoom's number. ``start_url`` is left out, because it
    makes anybody who opens it the host. ``pmi`` is the host's personal room, 0 if Zoom does not say; the
    meeting takes place there only if ``id`` is the same number.
    """

    id: int
    uuid: str
    topic: str
    join_url: str
    host_id: str
    # What Zoom asks for where the link does not carry it; "" if there is none.
    passcode: str = field(default="", repr=False)
    timezone: str = ""
    agenda: str = ""
    pmi: int = 0
    type: int = 0
    status: str = ""
    created_ms: int = 0
    # When it is planned to start, by Zoom's answer; 0 for meetings without a time.
    start_ms: int = 0
    # Set on a new meeting if an earlier try had no clear answer: there may be a second meeting.
    doubtful: bool = False

    @property
    def personal(self) -> bool:
        """Whether it is somebody's personal room."""
        return self.type == PERSONAL or self.id == self.pmi


@dataclass(frozen=True, slots=True)
class Past:
    """A past meeting."""

    uuid: str
    start_ms: int
    end_ms: int


@dataclass(frozen=True, slots=True)
class ZoomUser:
    """A Zoom user. ``pmi`` is 0 if there is none."""

    id: str
    email: str
    account_id: str = ""
    pmi: int = 0


@dataclass(frozen=True, slots=True)
class Settings:
    """A person's Zoom settings. ``pmi_enabled`` is true if Zoom does not say."""

    pmi_enabled: bool = True


@dataclass(frozen=True, slots=True)
class Grant:
    """The answer of the token endpoint. ``refresh_token`` is empty for server-to-server apps."""

    access_token: str = field(repr=False)
    refresh_token: str = field(repr=False)
    expires_at: int
    scope: str = ""
