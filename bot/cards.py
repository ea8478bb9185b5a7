"""What a meeting's post looks like. Pure: from the record to message and props.

Cards are message attachments: they show in every client, the mobile apps too, without a plugin. A state is
always said in words, never by colour alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from typing import Any
from zoneinfo import ZoneInfo

from bot import texts
from bot.markdown import escape, is_visible, link, plain, safe_url, sendable
from bot.meetings import attended, present
from bot.records import Announcement, Meeting, Status

_COLOURS = {Status.WAITING: "#2D8CFF", Status.STARTED: "#2E7D32", Status.ENDED: "#8A8F98"}

_ANNOUNCED = {
    "joined": texts.MEETING_JOINED,
    "recurring": texts.MEETING_FOLLOWED,
    "webinar": texts.MEETING_WEBINAR,
}


@dataclass(frozen=True, slots=True)
class Card:
    """A post's message and props."""

    message: str
    props: dict[str, Any]


def meeting_card(meeting: Meeting, announcement: Announcement) -> Card:
    """The post that announces a meeting, as it is now."""
    return Card(_message(meeting, announcement), _props(meeting, announcement))


def _message(meeting: Meeting, announcement: Announcement) -> str:
    who = escape(announcement.user_name)
    if meeting.status is Status.ENDED:
        said = texts.MEETING_EXPIRED if _never_started(meeting) else texts.MEETING_ENDED
        return said.format(topic=escape(_topic(meeting)))
    said = _ANNOUNCED.get(meeting.kind, texts.MEETING_ANNOUNCED)
    return said.format(who=who, topic=link(_topic(meeting), meeting.join_url))


def _props(meeting: Meeting, announcement: Announcement) -> dict[str, Any]:
    props: dict[str, Any] = {
        "meeting_id": meeting.zoom_id,
        "meeting_uuid": meeting.uuid,
        "meeting_link": sendable(meeting.join_url),
        "meeting_status": meeting.status.value,
        "meeting_topic": sendable(meeting.topic),
        "meeting_creator_username": sendable(announcement.user_name),
        "meeting_provider": "Zoom",
        "zoombot_trigger": announcement.trigger,
        "zoombot_id": announcement.id,
        "attachments": [_attachment(meeting)],
    }
    if meeting.ended_at:
        props["meeting_end_time"] = meeting.ended_at
    return props


def _attachment(meeting: Meeting) -> dict[str, Any]:
    attachment: dict[str, Any] = {
        "color": _COLOURS[meeting.status],
        "fallback": _fallback(meeting),
        "fields": [{"title": title, "value": value, "short": True} for title, value in _fields(meeting)],
    }
    if meeting.status is Status.ENDED:
        title = texts.CARD_EXPIRED if _never_started(meeting) else texts.CARD_ENDED
        return {**attachment, "title": title}
    return {**attachment, "title": texts.CARD_JOIN, "title_link": safe_url(meeting.join_url)}


def _fields(meeting: Meeting) -> list[tuple[str, str]]:
    fields = []
    # Of a link that somebody pasted nothing more is known.
    if meeting.open or meeting.status is not Status.WAITING:
        fields.append((texts.FIELD_STATUS, _state(meeting)))
    if meeting.host_name:
        fields.append((texts.FIELD_HOST, escape(meeting.host_name)))
    zone = _zone(meeting.timezone)
    if meeting.started_at:
        fields.append((texts.FIELD_STARTED, moment(meeting.started_at, zone)))
    if meeting.ended_at:
        fields.append((texts.FIELD_ENDED, moment(meeting.ended_at, zone)))
        if meeting.started_at:
            fields.append((texts.FIELD_LENGTH, length(meeting.ended_at - meeting.started_at)))
        if people := attended(meeting):
            fields.append((texts.FIELD_PEOPLE, texts.people(people)))
    if meeting.zoom_id:
        fields.append((texts.FIELD_ID, spaced(meeting.zoom_id)))
    return fields


def _state(meeting: Meeting) -> str:
    if meeting.status is Status.WAITING:
        return texts.STATE_WAITING
    if meeting.status is Status.STARTED:
        inside = present(meeting)
        return texts.STATE_LIVE_WITH.format(people=texts.people(inside)) if inside else texts.STATE_LIVE
    return texts.STATE_EXPIRED if _never_started(meeting) else texts.STATE_ENDED


def _fallback(meeting: Meeting) -> str:
    topic = plain(_topic(meeting))
    if meeting.status is not Status.ENDED:
        return texts.FALLBACK_OPEN.format(topic=topic, url=safe_url(meeting.join_url))
    if _never_started(meeting):
        return texts.FALLBACK_EXPIRED.format(topic=topic)
    if not meeting.started_at:
        return texts.MEETING_ENDED.format(topic=topic)
    lasted = meeting.ended_at - meeting.started_at
    return texts.FALLBACK_ENDED.format(topic=topic, length=length(lasted))


def _topic(meeting: Meeting) -> str:
    """What the meeting is called: a link without text could not be seen."""
    return meeting.topic if is_visible(meeting.topic) else texts.DEFAULT_TOPIC


def _never_started(meeting: Meeting) -> bool:
    return meeting.expired and not meeting.ended_at


def spaced(zoom_id: int) -> str:
    """A meeting's number in groups, as Zoom shows it: ``123 4567 8901``."""
    digits = str(zoom_id)
    if len(digits) not in (9, 10, 11):
        return digits
    last = -3 if len(digits) == 9 else -4
    return f"{digits[:3]} {digits[3:last]} {digits[last:]}"


def moment(at: int, zone: tzinfo) -> str:
    """A time (ms) for people, with the zone's name, since nobody sees where the host is."""
    then = datetime.fromtimestamp(at / 1000, zone)
    return f"{then:%a} {then.day} {then:%b %Y, %H:%M} {then.tzname()}"


def length(milliseconds: int) -> str:
    """How long something lasted."""
    minutes = round(max(0, milliseconds) / 60_000)
    if minutes < 1:
        return "less than a minute"
    hours, minutes = divmod(minutes, 60)
    if not hours:
        return f"{minutes} min"
    return f"{hours} h {minutes} min" if minutes else f"{hours} h"


def _zone(name: str) -> tzinfo:
    try:
        return ZoneInfo(name) if name else UTC
    except (ValueError, OSError, KeyError):
        return UTC
