"""Zoom's webhooks: their signature, their identity, and their events of meetings. Pure.

The shapes follow Zoom's webhook reference. Ids are numbers or text, depending on the event.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from functools import cached_property
from typing import Any

import msgspec

from bot.domain.meetings import Ended, Joined, Left, MeetingEvent, RecordingOff, RecordingOn, Started
from bot.domain.sessions import Session
from bot.errors import EventError
from bot.zoom import lenient
from bot.zoom.times import MAX_TIME_MS, parse_time

# Zoom's own limit, applied in both directions.
MAX_SKEW_S = 5 * 60


class Participant(msgspec.Struct, frozen=True):
    """A participant of a meeting. ``user_id`` is new for each session."""

    user_id: str | int = ""
    user_name: str = ""
    email: str | None = None
    id: str | None = None
    participant_uuid: str | None = None
    registrant_id: str | None = None
    join_time: str | None = None

    @property
    def session(self) -> str:
        """An id for the session. One person may have several sessions."""
        return str(self.user_id or self.participant_uuid or self.id or self.user_name)

    @property
    def person(self) -> str:
        """An id for the person, as far as Zoom identifies people."""
        # A guest has a new ``participant_uuid`` in each session: guests with the same name are one.
        written = (self.email or "").strip().casefold() or " ".join(self.user_name.split())
        return self.id or self.registrant_id or written or self.participant_uuid or self.session


class MeetingObject(msgspec.Struct, frozen=True):
    """``payload.object`` of meeting and recording events."""

    id: str | int = 0
    uuid: str = ""
    host_id: str = ""
    host_email: str | None = None
    topic: str = ""
    start_time: str = ""
    end_time: str = ""
    timezone: str = ""
    participant: Participant | None = None

    @property
    def zoom_id(self) -> int:
        """The meeting's number, 0 if there is none."""
        text = str(self.id)
        return int(text) if text.isdecimal() and len(text) < 19 else 0

    @property
    def session(self) -> Session:
        """The session that it is about, as far as Zoom says."""
        return Session(self.uuid, parse_time(self.start_time), parse_time(self.end_time))


class Changed(msgspec.Struct, frozen=True):
    """What ``meeting.updated`` says of a meeting. "" or None: that did not change, or Zoom does not say."""

    topic: str = ""
    join_url: str = ""
    passcode: str | None = msgspec.field(default=None, name="password")

    def __repr__(self) -> str:
        return f"Changed({self.topic!r})"


class Webhook(msgspec.Struct, frozen=True, dict=True):
    """The envelope of a webhook. The content of ``object`` depends on the event."""

    event: str
    # In ms, unchanged: it tells repeated deliveries of one event from other events. It and the token are read
    # whatever they are, since an event that is refused for them would never come again.
    event_ts: Any = 0
    payload: dict[str, Any] = {}
    download_token: Any = ""

    def __repr__(self) -> str:
        # The rest may hold passcodes, and the token that opens files.
        return f"Webhook({self.event!r}, {self.event_ts!r})"

    @property
    def at(self) -> int:
        """When it happened, in ms; 0 if unknown. ``app_deauthorized`` has its time inside the payload."""
        return _ms(self.event_ts) or _ms(self.payload.get("event_ts"))

    @property
    def token(self) -> str:
        """The token that opens the event's downloads; empty if Zoom sent none."""
        return self.download_token if isinstance(self.download_token, str) else ""

    @property
    def object(self) -> dict[str, Any]:
        """``payload.object``, empty if there is none."""
        found = self.payload.get("object")
        return found if isinstance(found, dict) else {}

    @cached_property
    def meeting(self) -> MeetingObject:
        """``payload.object`` as a meeting, parsed once. What cannot be read of it is empty."""
        found = self.object
        if "meeting_uuid" in found or "meeting_id" in found:
            # Summaries use other names for the same fields.
            found = {name.removeprefix("meeting_"): value for name, value in found.items()}
        return lenient.read(found, MeetingObject)


_webhooks = msgspec.json.Decoder(Webhook, strict=True)


def read_webhook(body: bytes) -> Webhook:
    """Parse the webhook in a request's body; :class:`EventError` if it is not one."""
    try:
        return _webhooks.decode(body)
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        raise EventError("the body is not a webhook of Zoom's") from None


def with_uuid(webhook: Webhook, uuid: str) -> Webhook:
    """The webhook, whose object names this session."""
    name = "meeting_uuid" if "meeting_id" in webhook.object else "uuid"
    named = {**webhook.payload, "object": {**webhook.object, name: uuid}}
    return msgspec.structs.replace(webhook, payload=named)


def changed_in(webhook: Webhook) -> Changed:
    """The new details in ``meeting.updated``, whose object holds what changed."""
    return lenient.read(webhook.object, Changed)


def is_urgent(webhook: Webhook) -> bool:
    """Whether an event says more than that somebody came or went."""
    return not webhook.event.endswith((".participant_joined", ".participant_left"))


def identity(webhook: Webhook) -> str:
    """The id shared by all deliveries of one event, made of its name, time, meeting and participant, and of
    what it has in place of these."""
    found = webhook.object
    participant = found.get("participant")
    who = participant if isinstance(participant, dict) else {}
    parts = [
        webhook.event,
        webhook.event_ts,
        found.get("uuid") or found.get("meeting_uuid") or found.get("id") or "",
        who.get("user_id") or who.get("participant_uuid") or who.get("id") or who.get("user_name") or "",
        webhook.payload.get("user_id") or "",
        *_particulars(webhook),
    ]
    return "zoom:" + hashlib.sha256(msgspec.json.encode(parts, order="deterministic")).hexdigest()[:32]


def _particulars(webhook: Webhook) -> list[Any]:
    """What tells an event from others that has no time of its own, or is not about one meeting."""
    payload, found = webhook.payload, webhook.object
    if not webhook.event_ts:
        return [payload]
    about_one = any(found.get(name) for name in ("uuid", "meeting_uuid", "id"))
    # Zoom makes a signature for each deauthorization.
    own = [payload[name] for name in ("signature", "deauthorization_time") if payload.get(name)]
    return own if about_one or not found else [*own, found]


def _ms(value: object) -> int:
    """A time as ms since the epoch; 0 if it is none. Zoom writes ms, or ``2024-09-08 15:58:40``."""
    if not isinstance(value, int | float | str) or isinstance(value, bool):
        return 0
    try:
        at = int(value)
    except (ValueError, OverflowError):
        return parse_time(str(value))
    return at if 0 < at < MAX_TIME_MS else 0


def meeting_event(webhook: Webhook, meeting: MeetingObject, arrived: int = 0) -> MeetingEvent | None:
    """The meeting event in a webhook; None if it changes nothing that a post shows. Where Zoom says no time,
    ``arrived`` (ms) counts until it does."""
    at, began, ended = webhook.at or arrived, parse_time(meeting.start_time), parse_time(meeting.end_time)
    match webhook.event:
        case "meeting.started":
            return Started(at=began or at, presumed=bool(arrived) and not (began or webhook.at))
        case "meeting.ended":
            return Ended(
                at=ended or at, started_at=began, presumed=bool(arrived) and not (ended or webhook.at)
            )
        case "recording.started" | "recording.resumed":
            return RecordingOn(at) if at else None
        case "recording.paused" | "recording.stopped":
            return RecordingOff(at) if at else None
    if meeting.participant is None:
        return None
    who = meeting.participant
    match webhook.event:
        case "meeting.participant_joined":
            joined_at = parse_time(who.join_time or "") or at
            return Joined(session=who.session, person=who.person, at=joined_at)
        case "meeting.participant_left":
            return Left(session=who.session, person=who.person)
    return None


def session_of(meeting: MeetingObject, event: MeetingEvent) -> Session:
    """The session that an event is about. Zoom may leave out when it began: then an event that shows that it
    goes on shows that it began by then."""
    session = meeting.session
    if not session.began and isinstance(event, Started | Joined):
        return msgspec.structs.replace(session, began=event.at)
    return session


def is_signed(headers: Mapping[str, str], body: bytes, secret: str, now_ms: int) -> bool:
    """Whether Zoom signed exactly these bytes, within five minutes of ``now_ms``.

    ``x-zm-signature: v0=`` + HMAC-SHA256 over ``v0:{timestamp}:{raw body}``; the timestamp is in seconds.
    """
    timestamp = headers.get("x-zm-request-timestamp", "")
    if not (timestamp.isascii() and timestamp.isdecimal() and len(timestamp) <= 12):
        return False
    expected = "v0=" + _hmac(secret, f"v0:{timestamp}:".encode() + body)
    signed = hmac.compare_digest(
        expected.encode(), headers.get("x-zm-signature", "").encode("utf-8", "replace")
    )
    return signed and abs(now_ms / 1000 - int(timestamp)) <= MAX_SKEW_S


def encrypt_token(secret: str, plain_token: str) -> str:
    """The encrypted token for the answer to ``endpoint.url_validation``."""
    return _hmac(secret, plain_token.encode())


def _hmac(secret: str, message: bytes) -> str:
    return hmac.new(secret.encode(), message, hashlib.sha256).hexdigest()
