"""Parses Zoom's JSON into models. Pure.

Numbers may arrive as strings and strings as numbers; fields may be absent, null, or not what they should be.
Only without its id, or if it is not Zoom's JSON, an answer raises :class:`bot.errors.ZoomUnreachableError`.
"""

from __future__ import annotations

from typing import Any, TypeVar

import msgspec

from bot.errors import ZoomUnreachableError
from bot.zoom import lenient
from bot.zoom.models import MeetingInfo, Past, Settings, ZoomUser
from bot.zoom.times import parse_time

S = TypeVar("S", bound=msgspec.Struct)

Number = int | str | None
# What should be text: a topic, a name or a passcode of digits may come as a number.
Text = str | int | float | None


class _Meeting(msgspec.Struct):
    # Zoom's description of the answer to a create call has no ``uuid``, ``host_id`` or ``status``.
    id: Number = None
    uuid: str | None = None
    topic: Text = None
    join_url: str | None = None
    password: Text = None
    host_id: str | None = None
    timezone: str | None = None
    agenda: Text = None
    pmi: Number = None
    type: Number = None
    status: str | None = None
    created_at: str | None = None
    start_time: str | None = None


class _Meetings(msgspec.Struct):
    meetings: list[_Meeting] = []
    next_page_token: str | None = None


class _Past(msgspec.Struct):
    uuid: str | None = None
    start_time: str | None = None
    end_time: str | None = None


class _User(msgspec.Struct):
    id: Number = None
    email: str | None = None
    account_id: Text = None
    pmi: Number = None


class _Scheduling(msgspec.Struct):
    personal_meeting: bool | None = None


class _Preferences(msgspec.Struct):
    schedule_meeting: _Scheduling | None = None


def meeting(body: bytes) -> MeetingInfo:
    """Parse the answer of ``GET /meetings/{id}`` or of a create call."""
    found = _meeting(_read(body, _Meeting))
    if not found.id:
        raise _not_json("there is no id")
    return found


def meetings(body: bytes) -> tuple[list[MeetingInfo], str]:
    """Parse a page of a meeting list; also return the token of the next page (empty on the last)."""
    page = _read(body, _Meetings)
    listed = [_meeting(each) for each in page.meetings]
    return [each for each in listed if each.id], page.next_page_token or ""


def past(body: bytes, asked: str = "") -> Past:
    """Parse the answer of ``GET /past_meetings/{id or uuid}``. ``asked`` is the uuid that was asked for."""
    raw = _read(body, _Past)
    return Past(raw.uuid or asked, parse_time(raw.start_time or ""), parse_time(raw.end_time or ""))


def user(body: bytes) -> ZoomUser:
    """Parse the answer of ``GET /users/{…}``."""
    raw = _read(body, _User)
    if not raw.id:
        raise _not_json("there is no id")
    return ZoomUser(str(raw.id), raw.email or "", written(raw.account_id), number(raw.pmi))


def settings(body: bytes) -> Settings:
    """Parse the answer of ``GET /users/{…}/settings``; ``schedule_meeting.personal_meeting`` allows PMIs."""
    scheduling = _read(body, _Preferences).schedule_meeting
    return Settings(pmi_enabled=scheduling is None or scheduling.personal_meeting is not False)


def document(body: bytes) -> dict[str, Any]:
    """Parse an answer that has the shape of a webhook's object."""
    return _decode(body)


def number(value: Number) -> int:
    """Parse a number or its text; 0 if it is not a number. Zoom writes long numbers in groups."""
    try:
        return int(str(value or 0).replace(" ", "").replace("-", ""))
    except ValueError:
        return 0


def written(value: Text) -> str:
    """The text in a field; empty if there is none."""
    return "" if value is None else str(value)


def _meeting(raw: _Meeting) -> MeetingInfo:
    return MeetingInfo(
        id=number(raw.id),
        uuid=raw.uuid or "",
        topic=written(raw.topic),
        join_url=raw.join_url or "",
        passcode=written(raw.password),
        host_id=raw.host_id or "",
        timezone=raw.timezone or "",
        agenda=written(raw.agenda),
        pmi=number(raw.pmi),
        type=number(raw.type),
        status=raw.status or "",
        created_ms=parse_time(raw.created_at or ""),
        start_ms=parse_time(raw.start_time or ""),
    )


def _read(body: bytes, kind: type[S]) -> S:
    return lenient.read(_decode(body), kind)


def _decode(body: bytes) -> dict[str, Any]:
    try:
        return msgspec.json.decode(body, type=dict[str, Any])
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        reason = str(error)
    raise _not_json(reason)


def _not_json(reason: str) -> ZoomUnreachableError:
    text = f"the answer is not Zoom's JSON ({reason}): is zoom.api_url right?"
    return ZoomUnreachableError(text, status=200)
