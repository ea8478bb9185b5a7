"""Data that the sandbox's Zoom keeps: users, meetings, occurrences, requests and deliveries."""

from __future__ import annotations

from dataclasses import dataclass, field

from bot.sandbox.zoom.clock import iso

Json = dict[str, object]

INSTANT, SCHEDULED, RECURRING, PERSONAL, WEBINAR, RECURRING_FIXED = 1, 2, 3, 4, 5, 8
LICENSED, BASIC = 2, 1
_MADE = {"MP4": "recording", "TRANSCRIPT": "transcript"}


@dataclass(kw_only=True)
class User:
    """A Zoom user. ``type`` is 1 (basic) or 2 (licensed)."""

    id: str
    email: str
    first_name: str
    last_name: str
    account_id: str
    pmi: int
    type: int = LICENSED
    timezone: str = "Europe/Berlin"
    admin: bool = False
    webinar: bool = False
    pmi_enabled: bool = True

    @property
    def name(self) -> str:
        """The name shown in meetings."""
        return f"{self.first_name} {self.last_name}".strip()


@dataclass(kw_only=True)
class Participant:
    """One person's stay in an occurrence. ``user_id`` is new for each stay. Times are in ms."""

    user_id: str
    name: str
    email: str = ""
    zoom_id: str = ""
    uuid: str = ""
    joined_ms: int = 0
    left_ms: int = 0


@dataclass(kw_only=True)
class File:
    """A file of a cloud recording. ``type`` is MP4, M4A, CHAT, TIMELINE or TRANSCRIPT."""

    id: str
    type: str
    recording_type: str
    extension: str
    content: bytes
    content_type: str


@dataclass(kw_only=True)
class Take:
    """A recorded period of an occurrence. Times are in ms, 0 if not yet or not now."""

    started_ms: int
    ended_ms: int = 0
    paused_ms: int = 0


@dataclass(frozen=True, kw_only=True)
class Waiting:
    """Somebody who waits for the host. ``email`` is "" for people without an account."""

    name: str
    email: str = ""


@dataclass(kw_only=True)
class Occurrence:
    """One occurrence of a meeting, with its own uuid. Times are in ms, 0 if not yet."""

    uuid: str
    started_ms: int = 0
    ended_ms: int = 0
    stays: list[Participant] = field(default_factory=list)
    files: list[File] = field(default_factory=list)
    share_id: str = ""
    passcode: str = ""
    summary: Json | None = None
    takes: list[Take] = field(default_factory=list)

    @property
    def recording(self) -> bool:
        return bool(self.takes) and not self.takes[-1].ended_ms

    @property
    def published(self) -> set[str]:
        """Which of ``recording``, ``transcript`` and ``summary`` exist."""
        made = {_MADE[file.type] for file in self.files if file.type in _MADE}
        return made | {"summary"} if self.summary else made

    @property
    def present(self) -> dict[str, Participant]:
        """Current participants by session user id."""
        return {stay.user_id: stay for stay in self.stays if not stay.left_ms}


@dataclass(frozen=True, kw_only=True)
class Plan:
    """The settings of a new meeting. ``scheduled_ms`` is 0 for now, ``duration`` is in minutes."""

    topic: str
    agenda: str = ""
    scheduled_ms: int = 0
    duration: int = 0
    timezone: str = ""
    password: str = ""
    settings: Json = field(default_factory=dict)


@dataclass(kw_only=True)
class Meeting:
    """A meeting or webinar.

    ``status`` is ``waiting``, ``started``, ``ended`` (instant meetings only) or ``expired`` (never started in
    time). ``uuid`` is that of the current or next occurrence; an instant meeting has only one.
    """

    id: int
    host: User
    topic: str
    type: int
    password: str
    join_url: str
    start_url: str
    current: Occurrence
    agenda: str = ""
    status: str = "waiting"
    created_ms: int = 0
    scheduled_ms: int = 0
    duration: int = 0
    timezone: str = ""
    settings: Json = field(default_factory=dict)
    past: list[Occurrence] = field(default_factory=list)
    lobby: list[Waiting] = field(default_factory=list)

    @property
    def uuid(self) -> str:
        return self.current.uuid

    @property
    def host_id(self) -> str:
        return self.host.id

    @property
    def webinar(self) -> bool:
        """Whether it uses webinar events and routes."""
        return self.type in (WEBINAR, 6, 9)

    @property
    def participants(self) -> dict[str, Participant]:
        """Current participants by session user id."""
        return self.current.present

    @property
    def here(self) -> set[str]:
        """The e-mail addresses of all who are in the meeting or wait for the host."""
        inside = {stay.email for stay in self.participants.values()}
        return (inside | {waiting.email for waiting in self.lobby}) - {""}

    @property
    def last(self) -> Occurrence:
        """The current occurrence, else the last that ended, else the next."""
        if self.status == "waiting" and self.past:
            return self.past[-1]
        return self.current

    @property
    def start_time(self) -> str:
        """The last actual start in ISO format, "" if it never started."""
        return iso(self.last.started_ms)

    @property
    def end_time(self) -> str:
        """The last actual end in ISO format, "" if it has not ended."""
        return iso(self.last.ended_ms)


@dataclass(frozen=True, kw_only=True)
class Call:
    """A recorded request. ``user`` is an e-mail address, ``status`` 0 if the connection was cut."""

    method: str
    path: str
    user: str
    status: int
    json: object = None


@dataclass(frozen=True, kw_only=True)
class Event:
    """A webhook to deliver. ``payload`` is sent as is; ``at_ms`` becomes ``event_ts``, which 0 leaves out."""

    name: str
    payload: Json
    at_ms: int
    download_token: str = ""


@dataclass(frozen=True, kw_only=True)
class Delivery:
    """One attempt to deliver an event. ``status`` is 0 if there was no answer in time.

    ``valid`` is set only for ``endpoint.url_validation``: whether the answer was correct.
    """

    event: str
    status: int
    text: str
    attempt: int = 0
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    valid: bool = False

    @property
    def accepted(self) -> bool:
        """Whether Zoom counts the delivery as successful."""
        return self.status in (200, 204)

    @property
    def repeated(self) -> bool:
        """Whether Zoom sends the event again: only without an answer, or if the receiver failed. After any
        other answer (3xx or 4xx) the event is lost."""
        return self.status == 0 or self.status >= 500
