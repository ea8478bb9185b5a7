"""Build the cards of the bot's posts. Pure.

A card states the meeting's status in a line of text, never by colour alone. Facts are fields; the host and
the meeting ID are in the footer. Nothing appears twice: once a meeting has ended, the message says so and
the card says when.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from bot.domain.attendance import attended, present
from bot.domain.meetings import is_recorded
from bot.domain.records import Announcement, Meeting, Status
from bot.domain.topics import is_visible
from bot.messages.card import Attachment, Button, Card, Field
from bot.messages.content import (
    Code,
    Content,
    Lines,
    Link,
    Listing,
    Moment,
    Span,
    Text,
    Url,
    length,
    text,
)
from bot.messages.markdown import plain, sendable

_CARRIES_PASSCODE = re.compile(r"[?&]pwd=[^&#]", re.IGNORECASE)

# Each is easy to see on a light and on a dark background.
BLUE, GREEN, GREY = "#2D8CFF", "#2E7D32", "#8A8F98"

_COLOURS = {Status.WAITING: BLUE, Status.STARTED: GREEN, Status.ENDED: GREY}


def meeting_card(meeting: Meeting, announcement: Announcement) -> Card:
    """The post that announces a meeting, in the meeting's current state."""
    return Card(_message(meeting, announcement), [_attachment(meeting)], _props(meeting, announcement))


def recording_card(
    meeting: Meeting, address: str, *, passcode: str, with_passcode: bool, began: int, duration: int
) -> Card:
    """The post about a meeting's recording at ``address``. The passcode is never part of a link.

    ``began`` and ``duration`` are in ms, 0 if Zoom does not say.
    """
    topic = topic_of(meeting)
    lines: list[Content] = [text("recording", topic=Link(topic, address))]
    if passcode:
        said = text("recording-passcode", passcode=Code(passcode))
        lines.append(said if with_passcode else text("recording-passcode-kept"))
    fallback = text("recording-fallback", topic=topic, url=Url(address))
    attachment = Attachment(
        color=BLUE,
        title=text("recording-card"),
        title_link=address,
        fields=list(_recorded(meeting, began, duration)),
        fallback=fallback,
    )
    return Card(Lines(lines), [attachment])


def end_card(meeting: Meeting) -> Card:
    """The reply that says how a meeting ended, below a post that cannot be edited to say so."""
    return Card(_fallback(meeting), [_attachment(meeting)])


def question_card(
    question: Text,
    *,
    title: Text,
    words: list[str],
    buttons: list[Button],
    url: str = "",
    how: Text | None = None,
) -> Card:
    """A question to one person, who answers it with one of the words or its button, if there are buttons.
    The title links to ``url``, if there is one. ``how`` says how to answer, where it is not such a word."""
    said = Listing([Code(word) for word in words], "or")
    fallback = text("question-fallback", title=title, words=said, url=Url(url))
    attachment = Attachment(title=title, title_link=url, actions=buttons or None, fallback=fallback)
    by = "button" if buttons else "words"
    return Card(Lines([question, how or text("question-in-words", by=by, words=said)]), [attachment])


def answered_card(word: str) -> Card:
    """The post that replaces a question once ``word`` has answered it."""
    return Card(text("answer-taken", choice=choice(word)), [])


def choice(word: str) -> Text:
    """The label of the button for this word."""
    return text(f"choice-{word}")


def topic_of(meeting: Meeting) -> Content:
    """The meeting's topic, or the default topic if it is invisible: nobody would see a link without text."""
    return meeting.topic if is_visible(meeting.topic) else text("default-topic")


def passcode_of(meeting: Meeting) -> str:
    """The passcode that people need besides the link; "" if the link carries it or there is none."""
    return "" if _CARRIES_PASSCODE.search(meeting.join_url) else plain(meeting.passcode)


def spaced(zoom_id: int) -> str:
    """Group the digits of a meeting's number as Zoom does: ``123 4567 8901``."""
    digits = str(zoom_id)
    if len(digits) not in (9, 10, 11):
        return digits
    last = -3 if len(digits) == 9 else -4
    return f"{digits[:3]} {digits[3:last]} {digits[last:]}"


def _message(meeting: Meeting, announcement: Announcement) -> Text:
    topic = topic_of(meeting)
    if meeting.status is Status.ENDED:
        return text(_over(meeting), kind=meeting.noun, topic=topic)
    who, shown = announcement.user_name, Link(topic, meeting.join_url)
    kind = "shared" if meeting.webinar else meeting.kind
    return text("meeting-announced", kind=kind, who=who, topic=shown)


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
    }
    if meeting.ended_at:
        props["meeting_end_time"] = meeting.ended_at
    return props


def _attachment(meeting: Meeting) -> Attachment:
    over = meeting.status is Status.ENDED
    return Attachment(
        title="" if over else text("card-join", kind=meeting.noun),
        title_link="" if over else meeting.join_url,
        color=_COLOURS[meeting.status],
        text=None if over else _state(meeting),
        fields=list(_facts(meeting)),
        footer=_footer(meeting),
        fallback=_fallback(meeting),
    )


def _state(meeting: Meeting) -> Content:
    """The line below the title; empty if the state is unknown, as for a pasted link."""
    if meeting.status is Status.WAITING:
        return text("state-waiting") if meeting.open else ""
    key, inside = "state-recorded" if is_recorded(meeting) else "state-live", present(meeting)
    return text(f"{key}-with", count=inside, kind=meeting.noun) if inside else text(key)


def _facts(meeting: Meeting) -> Iterator[Field]:
    zone = meeting.timezone
    if meeting.status is not Status.ENDED:
        if meeting.started_at:
            yield Field(text("field-since"), Moment(meeting.started_at, zone))
        if passcode := passcode_of(meeting):
            yield Field(text("field-passcode"), Code(passcode))
    elif not (meeting.begun or meeting.ended_at):
        yield Field(text("field-announced"), Moment(meeting.created_at, zone))
    else:
        yield from _times(meeting)
        if people := attended(meeting):
            key = "people-at-least" if meeting.more_came else "people"
            yield Field(text("field-attended"), text(key, count=people))


def _times(meeting: Meeting) -> Iterator[Field]:
    """When a meeting that is over took place, as far as that is known."""
    zone = meeting.timezone
    if meeting.started_at and meeting.ended_at:
        yield Field(text("field-when"), Span(meeting.started_at, meeting.ended_at, zone))
        yield Field(text("field-length"), length(meeting.ended_at - meeting.started_at))
    elif meeting.ended_at:
        yield Field(text("field-until"), Moment(meeting.ended_at, zone))
    elif meeting.started_at:
        yield Field(text("field-began"), Moment(meeting.started_at, zone))


def _recorded(meeting: Meeting, began: int, duration: int) -> Iterator[Field]:
    if began:
        yield Field(text("recording-began"), Moment(began, meeting.timezone))
    if duration:
        yield Field(text("field-length"), length(duration))


def _footer(meeting: Meeting) -> Content:
    """The host and the meeting ID, as plain text: no client renders Markdown in a footer."""
    parts: list[Content] = []
    if plain(meeting.host_name):
        parts.append(text("card-host", host=meeting.host_name))
    if meeting.zoom_id and meeting.status is not Status.ENDED:
        parts.append(text("card-id", kind=meeting.noun, id=spaced(meeting.zoom_id)))
    return Lines(parts, " · ")


def _fallback(meeting: Meeting) -> Text:
    kind, topic = meeting.noun, topic_of(meeting)
    if meeting.status is not Status.ENDED:
        url = Url(meeting.join_url)
        if passcode := passcode_of(meeting):
            return text("meeting-open-passcode", kind=kind, topic=topic, url=url, passcode=passcode)
        return text("meeting-open", kind=kind, topic=topic, url=url)
    if not meeting.ended_at or not meeting.started_at:
        return text(_over(meeting), kind=kind, topic=topic)
    lasted = length(meeting.ended_at - meeting.started_at)
    return text("meeting-ended-after", kind=kind, topic=topic, length=lasted)


def _over(meeting: Meeting) -> str:
    """The key of what is known of a meeting's end."""
    if meeting.ended_at:
        return "meeting-ended"
    if meeting.begun:
        return "meeting-presumed-over"
    return "meeting-expired" if meeting.expired else "meeting-unknown"
