"""What the bot's posts look like. Pure: from what is known to message and props.

Cards are message attachments: they show in every client, the mobile apps too, without a plugin. What state
something is in is said in a line of text, never by colour alone; facts are fields, and who and which stands
small below them. Nothing is said twice: once a meeting has ended, its message says so and its card when.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from bot.domain.meetings import attended, is_recorded, present
from bot.domain.records import Announcement, Meeting, Status
from bot.domain.topics import is_visible
from bot.messages import sentences, texts
from bot.messages.dates import length, moment, span, zone_of
from bot.messages.markdown import code, escape, link, plain, safe_url, sendable

# Each stands out from a white page and from a dark one.
BLUE, GREEN, GREY = "#2D8CFF", "#2E7D32", "#8A8F98"

# Two values of at most so many characters stand side by side, on a phone, too.
SHORT = 30

_COLOURS = {Status.WAITING: BLUE, Status.STARTED: GREEN, Status.ENDED: GREY}

_ANNOUNCED = {
    "joined": sentences.MEETING_JOINED,
    "recurring": sentences.MEETING_FOLLOWED,
    "webinar": sentences.MEETING_WEBINAR,
}


@dataclass(frozen=True, slots=True)
class Card:
    """A post's message and props."""

    message: str
    props: dict[str, Any]


def meeting_card(meeting: Meeting, announcement: Announcement) -> Card:
    """The post that announces a meeting, as it is now."""
    return Card(_message(meeting, announcement), _props(meeting, announcement))


def recording_card(
    meeting: Meeting, address: str, *, passcode: str, with_passcode: bool, began: int, duration: int
) -> Card:
    """The news that a recording of the meeting is at ``address``; the passcode is never part of a link.

    ``began`` and ``duration`` are in ms, 0 where Zoom does not say.
    """
    topic, url = topic_of(meeting), safe_url(address)
    lines = [sentences.RECORDING.format(link=link(topic, address))]
    if passcode:
        said = sentences.RECORDING_PASSCODE.format(passcode=code(passcode))
        lines.append(said if with_passcode else sentences.RECORDING_PASSCODE_KEPT)
    attachment = {
        "color": BLUE,
        "title": sentences.RECORDING_CARD,
        "title_link": url,
        "fields": _fields(_recorded(meeting, began, duration)),
        "fallback": sentences.RECORDING_FALLBACK.format(topic=plain(topic), url=url),
    }
    return Card("\n".join(lines), {"attachments": [attachment]})


def question_card(
    text: str, *, title: str, words: list[str], actions: list[dict[str, Any]], url: str = ""
) -> Card:
    """A question to one person: ``words`` answer it, and so do the buttons ``actions``. Its title leads to
    ``url``, if it is about something that one can go to."""
    either = texts.either(words)
    fallback = texts.QUESTION_FALLBACK.format(title=title, words=either.replace("`", ""), url=safe_url(url))
    attachment: dict[str, Any] = {"title": title, "actions": actions, "fallback": fallback.strip()}
    if url:
        attachment["title_link"] = safe_url(url)
    message = f"{text}\n{texts.QUESTION_IN_WORDS.format(words=either)}"
    return Card(message, {"attachments": [attachment]})


def answered_card(word: str) -> Card:
    """What is left of a question that was answered with this word."""
    return Card(texts.ANSWER_TAKEN.format(choice=texts.CHOICES[word]), {"attachments": []})


def problem(text: str) -> Card:
    """What went wrong, told to who asked. The sign is a character: it shows in notifications, too."""
    return Card(texts.PROBLEM.format(text=text), {})


def noun_of(meeting: Meeting) -> str:
    """What people call it."""
    return sentences.WEBINAR if meeting.kind == "webinar" else sentences.MEETING


def topic_of(meeting: Meeting) -> str:
    """What the meeting is called: a link without text could not be seen."""
    return meeting.topic if is_visible(meeting.topic) else texts.DEFAULT_TOPIC


def spaced(zoom_id: int) -> str:
    """A meeting's number in groups, as Zoom shows it: ``123 4567 8901``."""
    digits = str(zoom_id)
    if len(digits) not in (9, 10, 11):
        return digits
    last = -3 if len(digits) == 9 else -4
    return f"{digits[:3]} {digits[3:last]} {digits[last:]}"


def _message(meeting: Meeting, announcement: Announcement) -> str:
    if meeting.status is Status.ENDED:
        said = sentences.MEETING_EXPIRED if _never_started(meeting) else sentences.MEETING_ENDED
        return said.format(noun=noun_of(meeting), topic=escape(topic_of(meeting)))
    said = _ANNOUNCED.get(meeting.kind, sentences.MEETING_ANNOUNCED)
    who = escape(announcement.user_name)
    return said.format(who=who, topic=link(topic_of(meeting), meeting.join_url))


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
        "fields": _fields(_facts(meeting)),
        "footer": _footer(meeting),
    }
    if meeting.status is Status.ENDED:
        return attachment
    title = sentences.CARD_JOIN.format(noun=noun_of(meeting))
    return attachment | {"title": title, "title_link": safe_url(meeting.join_url), "text": _state(meeting)}


def _state(meeting: Meeting) -> str:
    """The line below the title; empty where nothing is known, as of a link that somebody pasted."""
    if meeting.status is Status.WAITING:
        return sentences.STATE_WAITING if meeting.open else ""
    state = sentences.STATE_RECORDED if is_recorded(meeting) else sentences.STATE_LIVE
    if inside := present(meeting):
        state += sentences.STATE_INSIDE.format(people=texts.people(inside), noun=noun_of(meeting))
    return state


def _facts(meeting: Meeting) -> Iterator[tuple[str, str]]:
    zone = zone_of(meeting.timezone)
    if meeting.status is not Status.ENDED:
        if meeting.started_at:
            yield sentences.FIELD_SINCE, moment(meeting.started_at, zone)
    elif _never_started(meeting):
        yield sentences.FIELD_POSTED, moment(meeting.created_at, zone)
    else:
        if meeting.started_at:
            yield sentences.FIELD_WHEN, span(meeting.started_at, meeting.ended_at, zone)
            yield sentences.FIELD_LENGTH, length(meeting.ended_at - meeting.started_at)
        else:
            yield sentences.FIELD_UNTIL, moment(meeting.ended_at, zone)
        if people := attended(meeting):
            yield sentences.FIELD_PEOPLE, texts.people(people)


def _recorded(meeting: Meeting, began: int, duration: int) -> Iterator[tuple[str, str]]:
    if began:
        yield sentences.RECORDING_BEGAN, moment(began, zone_of(meeting.timezone))
    if duration:
        yield sentences.FIELD_LENGTH, length(duration)


def _fields(facts: Iterable[tuple[str, str]]) -> list[dict[str, Any]]:
    return [{"title": title, "value": value, "short": len(value) <= SHORT} for title, value in facts]


def _footer(meeting: Meeting) -> str:
    """Who and which: plain text, since no client renders Markdown there."""
    parts = []
    if host := plain(meeting.host_name):
        parts.append(sentences.CARD_HOST.format(host=host))
    if meeting.zoom_id and meeting.status is not Status.ENDED:
        noun = noun_of(meeting).capitalize()
        parts.append(sentences.CARD_ID.format(noun=noun, id=spaced(meeting.zoom_id)))
    return sentences.CARD_BETWEEN.join(parts)


def _fallback(meeting: Meeting) -> str:
    noun, topic = noun_of(meeting), plain(topic_of(meeting))
    if meeting.status is not Status.ENDED:
        return sentences.FALLBACK_OPEN.format(noun=noun, topic=topic, url=safe_url(meeting.join_url))
    if _never_started(meeting):
        return sentences.MEETING_EXPIRED.format(noun=noun, topic=topic)
    if not meeting.started_at:
        return sentences.MEETING_ENDED.format(noun=noun, topic=topic)
    lasted = length(meeting.ended_at - meeting.started_at)
    return sentences.FALLBACK_ENDED.format(noun=noun, topic=topic, length=lasted)


def _never_started(meeting: Meeting) -> bool:
    return meeting.expired and not meeting.ended_at
