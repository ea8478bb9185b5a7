"""What a meeting's post looks like."""

from __future__ import annotations

import json
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given

from bot.cards import length, meeting_card, moment, spaced
from bot.markdown import is_visible, safe_url
from bot.meetings import Ended, Expired, Joined, Left, MeetingEvent, Started, apply
from bot.records import Announcement, Meeting
from tests.test_markdown import ANY_TEXT, cleaned, inline, mentioned, shown

# 24 November 2026, 09:30 UTC.
T = 1_795_512_600_000
MINUTE = 60_000
URL = "https://zoom.us/j/12345678901?pwd=a.b"
LIVES: dict[str, list[MeetingEvent]] = {
    "waiting": [],
    "started": [Started(T)],
    "busy": [Started(T), Joined("1", "ann"), Joined("2", "bob"), Left("1", "ann")],
    "ended": [Started(T), Joined("1", "ann"), Joined("2", "bob"), Ended(T + 62 * MINUTE)],
    "unseen": [Ended(T)],
    "expired": [Expired()],
}
life = pytest.mark.parametrize("events", LIVES.values(), ids=LIVES)
KINDS = ["instant", "personal", "recurring", "webinar", "joined"]


def card_of(*events: MeetingEvent, user: str = "alice", **fields: Any) -> tuple[str, dict[str, Any]]:
    """The message and the props of a meeting's post."""
    known: dict[str, Any] = {
        "zoom_id": 12345678901,
        "topic": "standup",
        "join_url": URL,
        "timezone": "Europe/Berlin",
        "host_name": "alice",
    }
    meeting = Meeting(id="m", uuid="/u//=", created_at=T, **(known | fields))
    for event in events:
        meeting = apply(meeting, event)
    announced = Announcement(
        id="a1", meeting="m", channel_id="c", user_name=user, trigger="post1", created_at=T
    )
    card = meeting_card(meeting, announced)
    return card.message, card.props


def fields_of(props: dict[str, Any]) -> dict[str, str]:
    return {field["title"]: field["value"] for field in props["attachments"][0]["fields"]}


def test_a_new_meeting_is_announced_with_one_link() -> None:
    message, props = card_of()
    assert message == f"alice started a Zoom meeting: [standup]({URL})"
    assert {key: value for key, value in props.items() if key != "attachments"} == {
        "meeting_id": 12345678901,
        "meeting_uuid": "/u//=",
        "meeting_link": URL,
        "meeting_status": "WAITING",
        "meeting_topic": "standup",
        "meeting_creator_username": "alice",
        "meeting_provider": "Zoom",
        "zoombot_trigger": "post1",
        "zoombot_id": "a1",
    }
    (attachment,) = props["attachments"]
    assert attachment["title_link"] == URL
    assert attachment["fallback"] == f"Zoom meeting standup: {URL}"
    assert fields_of(props) == {
        "Meeting ID": "123 4567 8901",
        "Host": "alice",
        "Status": "Waiting for the host",
    }


def test_a_running_meeting_says_since_when_and_how_many_are_in() -> None:
    _, props = card_of(*LIVES["busy"])
    assert props["meeting_status"] == "STARTED"
    assert fields_of(props)["Status"] == "Live, 1 person in the meeting"
    assert fields_of(props)["Started"] == "Tue 24 Nov 2026, 10:30 CET"


def test_an_ended_meeting_says_when_it_was_and_how_long_it_lasted() -> None:
    message, props = card_of(*LIVES["ended"])
    assert message == "The Zoom meeting standup has ended."
    assert props["meeting_status"] == "ENDED"
    assert props["meeting_end_time"] == T + 62 * MINUTE
    (attachment,) = props["attachments"]
    assert "title_link" not in attachment
    assert attachment["fallback"] == "The Zoom meeting standup has ended after 1 h 2 min."
    assert fields_of(props) == {
        "Meeting ID": "123 4567 8901",
        "Host": "alice",
        "Status": "Ended",
        "Started": "Tue 24 Nov 2026, 10:30 CET",
        "Ended": "Tue 24 Nov 2026, 11:32 CET",
        "Duration": "1 h 2 min",
        "Attended": "2 people",
    }


def test_an_end_whose_start_is_unknown_claims_no_length() -> None:
    _, props = card_of(*LIVES["unseen"])
    assert "Duration" not in fields_of(props)
    assert props["attachments"][0]["fallback"] == "The Zoom meeting standup has ended."


def test_a_meeting_that_never_was_says_so() -> None:
    message, props = card_of(*LIVES["expired"])
    assert message == "The Zoom meeting standup was never started."
    assert fields_of(props)["Status"] == "Never started"
    assert "meeting_end_time" not in props
    assert props["attachments"][0]["fallback"] == "The Zoom meeting standup was never started."


@life
@pytest.mark.parametrize("kind", KINDS)
def test_a_card_is_readable_without_colour_and_without_attachments(
    events: list[MeetingEvent], kind: str
) -> None:
    message, props = card_of(*events, kind=kind)
    (attachment,) = props["attachments"]
    assert "standup" in message
    assert "standup" in attachment["fallback"]
    assert attachment["title"]
    assert fields_of(props)["Status"]
    assert ("title_link" in attachment) == (props["meeting_status"] != "ENDED")


@life
@given(topic=ANY_TEXT, user=ANY_TEXT, host=ANY_TEXT, zone=ANY_TEXT, url=ANY_TEXT)
@example(topic="\ud800", user="\ud800", host="\udfff", zone="\ud800", url="\ud800")
@example(topic="@all " * 40, user="@all", host="@all", zone="../../etc/passwd", url="@all")
@example(topic="{topic}", user="{who}", host="{0}", zone="America", url="{url}")
def test_a_card_is_valid_json_of_short_texts_whatever_is_in_it(
    events: list[MeetingEvent], topic: str, user: str, host: str, zone: str, url: str
) -> None:
    texts = {"topic": topic[:200], "user": user[:64], "host_name": host[:64], "timezone": zone}
    message, props = card_of(*events, **texts, join_url=f"https://zoom.us/{url[:300]}")
    body = json.dumps({"message": message, "props": props}, ensure_ascii=False).encode()
    assert json.loads(body) == {"message": message, "props": props}
    assert len(body) < 12_000
    (attachment,) = props["attachments"]
    assert 0 < len(attachment["fallback"]) < 2_000
    assert mentioned(message + " " + attachment["fallback"]) & {"all", "here", "channel", "zoom"} == set()
    assert all(isinstance(attachment[key], str) for key in attachment if key != "fields")
    for field in attachment["fields"]:
        assert field["short"] is True
        assert isinstance(field["title"], str)
        assert isinstance(field["value"], str)
        assert 0 < len(field["title"]) < 20
        assert len(field["value"]) < 300


@pytest.mark.parametrize("kind", KINDS)
@given(topic=ANY_TEXT, rest=ANY_TEXT)
@example(topic="](http://evil.example) [x", rest=") [y](http://evil.example")
@example(topic="standup", rest="j/1?a=1&amp;b=2")
def test_an_open_meeting_is_one_paragraph_with_one_link(kind: str, topic: str, rest: str) -> None:
    url = f"https://zoom.us/{rest}"
    tokens = inline(card_of(kind=kind, topic=topic, join_url=url)[0])
    assert [token.type for token in tokens] == ["text", "link_open", "text", "link_close"] or (
        # A parser may cut a text into several.
        {token.type for token in tokens} == {"text", "link_open", "link_close"}
        and [token.type for token in tokens].count("link_open") == 1
    )
    opening = next(index for index, token in enumerate(tokens) if token.type == "link_open")
    assert tokens[opening].attrs == {"href": safe_url(url)}
    assert tokens[-1].type == "link_close"
    assert shown(tokens[opening:-1]).strip() == (cleaned(topic) if is_visible(topic) else "Zoom meeting")


@pytest.mark.parametrize("events", [LIVES["ended"], LIVES["expired"]], ids=["ended", "expired"])
@given(topic=ANY_TEXT)
def test_a_meeting_that_is_over_is_one_paragraph_without_a_link(
    events: list[MeetingEvent], topic: str
) -> None:
    tokens = inline(card_of(*events, topic=topic)[0])
    assert {token.type for token in tokens} == {"text"}
    assert (cleaned(topic) if is_visible(topic) else "Zoom meeting") in shown(tokens)


@pytest.mark.parametrize("topic", ["", " ", "\u200b", "\u200d"])
def test_a_topic_that_cannot_be_seen_gets_a_name(topic: str) -> None:
    message, props = card_of(topic=topic)
    assert message == f"alice started a Zoom meeting: [Zoom meeting]({URL})"
    assert props["attachments"][0]["fallback"] == f"Zoom meeting Zoom meeting: {URL}"
    assert card_of(Ended(T), topic=topic)[0] == "The Zoom meeting Zoom meeting has ended."


def test_of_a_pasted_link_no_more_is_said_than_is_known() -> None:
    _, props = card_of(zoom_id=0, host_name="", kind="joined", open=False)
    assert fields_of(props) == {}
    assert props["meeting_id"] == 0


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (123456789, "123 456 789"),
        (1234567890, "123 456 7890"),
        (12345678901, "123 4567 8901"),
        (12345678, "12345678"),
        (123456789012, "123456789012"),
    ],
)
def test_a_number_is_grouped_as_zoom_groups_it(number: int, text: str) -> None:
    assert spaced(number) == text


@pytest.mark.parametrize(
    ("milliseconds", "text"),
    [
        (-MINUTE, "less than a minute"),
        (0, "less than a minute"),
        (29_000, "less than a minute"),
        (MINUTE, "1 min"),
        (59 * MINUTE + 29_000, "59 min"),
        (59 * MINUTE + 31_000, "1 h"),
        (60 * MINUTE, "1 h"),
        (62 * MINUTE, "1 h 2 min"),
        (25 * 60 * MINUTE, "25 h"),
    ],
)
def test_a_length_is_said_in_hours_and_minutes(milliseconds: int, text: str) -> None:
    assert length(milliseconds) == text


@pytest.mark.parametrize(
    ("zone", "text"),
    [
        ("UTC", "Tue 24 Nov 2026, 09:30 UTC"),
        ("Europe/Berlin", "Tue 24 Nov 2026, 10:30 CET"),
        ("America/Los_Angeles", "Tue 24 Nov 2026, 01:30 PST"),
        ("Asia/Kathmandu", "Tue 24 Nov 2026, 15:15 +0545"),
    ],
)
def test_a_time_names_its_zone(zone: str, text: str) -> None:
    assert moment(T, ZoneInfo(zone)) == text


@pytest.mark.parametrize("zone", ["", "Nowhere/Land", "../../etc/passwd", "America", "\0", "x" * 5000])
def test_a_zone_that_is_none_is_utc(zone: str) -> None:
    assert fields_of(card_of(Started(T), timezone=zone)[1])["Started"].endswith(" UTC")
