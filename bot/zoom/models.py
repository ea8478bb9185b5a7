"""What the bot knows of Zoom's things. Times are ms since the epoch, 0 where Zoom names none."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Caller:
    """For whom a call is made: a Mattermost user's id, and the e-mail by which apps without a token of
    that person's own (``account``, ``server-to-server``) name them at Zoom."""

    user_id: str
    email: str = ""


@dataclass(frozen=True, slots=True)
class MeetingInfo:
    """A meeting or webinar as it stands; ``status`` is ``waiting`` or ``started``, ``type`` Zoom's number.

    There is no ``start_url``: whoever opens it is the host. ``pmi`` is the host's personal room, 0 where
    Zoom does not say: the meeting is there only if it is ``id``.
    """

    id: int
    uuid: str
    topic: str
    join_url: str
    host_id: str
    timezone: str = ""
    agenda: str = ""
    pmi: int = 0
    type: int = 0
    status: str = ""
    created_ms: int = 0
    # Set on what was just made, where an answer got lost on the way: there may be another one beside it.
    doubtful: bool = False


@dataclass(frozen=True, slots=True)
class Past:
    """A meeting that was."""

    uuid: str
    start_ms: int
    end_ms: int


@dataclass(frozen=True, slots=True)
class ZoomUser:
    """A person at Zoom. ``pmi`` is 0 where there is none."""

    id: str
    email: str
    account_id: str = ""
    pmi: int = 0


@dataclass(frozen=True, slots=True)
class Settings:
    """What a person's Zoom settings allow; ``pmi_enabled`` is true where Zoom does not say."""

    pmi_enabled: bool = True


@dataclass(frozen=True, slots=True)
class Grant:
    """What the token endpoint gave. ``refresh_token`` is empty for server-to-server apps."""

    access_token: str = field(repr=False)
    refresh_token: str = field(repr=False)
    expires_at: int
    scope: str = ""
