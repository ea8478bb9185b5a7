"""What a meeting's post looks like."""

from __future__ import annotations

import json
import re
from typing import Any, NamedTuple

import pytest
from hypothesis import example, given

from bot.domain.meetings import (
    Ended,
    Expired,
    GivenUp,
    Joined,
    Left,
    MeetingEvent,
    RecordingOff,
    RecordingOn,
    Started,
    apply,
)
from bot.domain.records import Announcement, Meeting
from bot.domain.topics import is_visible
from bot.features import collect
from bot.messages.card import Button, Card, shown
from bot.messages.cards import (
    BLUE,
    GREEN,
    GREY,
    answered_card,
    meeting_card,
    question_card,
    recording_card,
    spaced,
)
from bot.messages.catalogue import catalogue
from bot.messages.content import text
from bot.messages.markdown import safe_url
from bot.messages.problems import problem
from bot.zoom.artifacts import File, Recording
from tests.messages.test_markdown import ANY_TEXT, cleaned, inline, mentioned
from tests.messages.test_markdown import shown as visible

# 24 November 2026, 09:30 UTC.
T = 1_795_512_600_000
MINUTE = 60_000
URL = "https://zoom.us/j/12345678901?pwd=a.b"
LIVES: dict[str, list[MeetingEvent]] = {
    "waiting": [],
    "started": [Started(T)],
    "busy": [Started(T), Joined("1", "ann"), Joined("2", "bob"), Left("1", "ann")],
    "recorded": [Started(T), RecordingOn(T + 1), Joined("1", "ann")],
    "ended": [Started(T), Joined("1", "ann"), Joined("2", "bob"), Ended(T + 62 * MINUTE)],
    "unseen": [Ended(T)],
    "expired": [Expired()],
    "presumed over": [Started(T), Joined("1", "ann"), GivenUp(T + 62 * MINUTE)],
    "unknown": [GivenUp(1)],
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
    return shown(meeting_card(meeting, announced), catalogue())


class Post(NamedTuple):
    """What Mattermost is given."""

    message: str
    props: dict[str, Any]


def post_of(card: Card) -> Post:
    return Post(*shown(card, catalogue()))


def buttons_of(*words: str) -> list[Button]:
    return [
        Button(word, text(f"choice-{word}"), "default", "https://bot.example/action", f"t-{word}")
        for word in words
    ]


def card_in(props: dict[str, Any]) -> dict[str, Any]:
    """The one card of a post."""
    (attachment,) = props["attachments"]
    assert isinstance(attachment, dict)
    return attachment


def fields_of(props: dict[str, Any]) -> dict[str, str]:
    return {field["title"]: field["value"] for field in card_in(props)["fields"]}


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
    assert card_in(props) == {
        "color": BLUE,
        "title": "Join the meeting",
        "title_link": URL,
        "text": "Waiting for the host",
        "fields": [],
        "footer": "Host: alice · Meeting ID: 123 4567 8901",
        "fallback": f"Zoom meeting “standup”: {URL}",
    }


def test_a_running_meeting_says_who_started_it_since_when_and_how_many_are_in() -> None:
    message, props = card_of(*LIVES["busy"])
    assert message == f"alice started a Zoom meeting: [standup]({URL})"
    assert props["meeting_status"] == "STARTED"
    card = card_in(props)
    assert (card["title_link"], card["text"]) == (URL, "Live, 1 person in the meeting")
    assert fields_of(props) == {"Since": "Tue 24 Nov 2026, 10:30 CET"}
    assert card["footer"] == "Host: alice · Meeting ID: 123 4567 8901"


def test_a_running_meeting_claims_no_more_than_is_known() -> None:
    _, props = card_of(Joined("1", "ann"))
    assert (card_in(props)["text"], fields_of(props)) == ("Live, 1 person in the meeting", {})
    assert card_in(card_of(Started(T))[1])["text"] == "Live"


def test_a_running_meeting_says_when_it_is_being_recorded() -> None:
    recorded = [*LIVES["busy"], RecordingOn(T + 1)]
    assert card_in(card_of(*recorded)[1])["text"] == "Live and being recorded, 1 person in the meeting"
    assert card_of(*recorded, RecordingOff(T + 2)) == card_of(*LIVES["busy"])


def test_an_ended_meeting_says_when_it_was_how_long_it_lasted_and_how_many_came() -> None:
    message, props = card_of(*LIVES["ended"])
    assert message == "The Zoom meeting “standup” has ended."
    assert props["meeting_status"] == "ENDED"
    assert props["meeting_end_time"] == T + 62 * MINUTE
    card = card_in(props)
    assert set(card) == {"color", "fields", "footer", "fallback"}
    assert card["fallback"] == "The Zoom meeting “standup” has ended after 1 h 2 min."
    assert card["footer"] == "Host: alice"
    assert fields_of(props) == {
        "When": "Tue 24 Nov 2026, 10:30–11:32 CET",
        "Duration": "1 h 2 min",
        "Attended": "2 people",
    }
    # A first field that is long would stand below an empty row.
    assert len(card["fields"][0]["value"]) > 30
    assert [field["short"] for field in card["fields"]] == [True, True, True]


def test_more_people_than_can_be_counted_are_said_to_be_more() -> None:
    _, props = card_of(*LIVES["ended"], came=["a", "b", "c"], more_came=True)
    assert fields_of(props)["Attended"] == "5+ people"


def test_an_end_whose_start_is_unknown_claims_no_length() -> None:
    _, props = card_of(*LIVES["unseen"])
    assert fields_of(props) == {"Until": "Tue 24 Nov 2026, 10:30 CET"}
    assert card_in(props)["fallback"] == "The Zoom meeting “standup” has ended."


def test_a_meeting_that_never_was_says_so() -> None:
    message, props = card_of(*LIVES["expired"])
    assert message == "The Zoom meeting “standup” was never started."
    assert fields_of(props) == {"Announced": "Tue 24 Nov 2026, 10:30 CET"}
    assert "meeting_end_time" not in props
    assert card_in(props)["fallback"] == "The Zoom meeting “standup” was never started."


@pytest.mark.parametrize(
    ("events", "words"),
    [
        (LIVES["waiting"], ["created a Zoom webinar", "Join the webinar", "Webinar ID: 123 4567 8901"]),
        (LIVES["busy"], ["created a Zoom webinar", "Join the webinar", "1 person in the webinar"]),
        (LIVES["ended"], ["The Zoom webinar “standup” has ended.", "webinar “standup” has ended after 1 h"]),
        (LIVES["unseen"], ["The Zoom webinar “standup” has ended."]),
        (LIVES["expired"], ["The Zoom webinar “standup” was never started."]),
    ],
)
def test_a_webinar_is_called_so(events: list[MeetingEvent], words: list[str]) -> None:
    message, props = card_of(*events, kind="webinar")
    said = f"{message}\n{json.dumps(props['attachments'], ensure_ascii=False)}"
    assert [each for each in words if each not in said] == []
    assert "meeting" not in said.lower()


@life
@pytest.mark.parametrize("kind", KINDS)
def test_a_card_is_readable_without_colour_and_without_attachments(
    events: list[MeetingEvent], kind: str
) -> None:
    message, props = card_of(*events, kind=kind)
    card = card_in(props)
    assert "standup" in message
    assert "standup" in card["fallback"]
    over = props["meeting_status"] == "ENDED"
    assert over == any(each in message for each in ("has ended", "never started", "is probably over"))
    assert bool(card.get("text")) == bool(card.get("title")) == ("title_link" in card) == (not over)


@life
@pytest.mark.parametrize("kind", KINDS)
def test_nothing_is_said_twice(events: list[MeetingEvent], kind: str) -> None:
    message, props = card_of(*events, kind=kind, host_name="bob")
    card = card_in(props)
    parts = [message, *(card.get(key, "") for key in ("title", "text", "footer"))]
    said = re.findall(r"\w+", " ".join([*parts, *fields_of(props), *fields_of(props).values()]).lower())
    for word in ("ended", "live", "waiting", "standup", "bob", "2026"):
        assert said.count(word) <= 1
    assert len(card["fields"]) <= 3


@pytest.mark.parametrize("page", ["#FFFFFF", "#191B1F", "#111827"])
@pytest.mark.parametrize("colour", [BLUE, GREEN, GREY])
def test_the_bar_of_a_card_stands_out_in_light_and_dark_themes(colour: str, page: str) -> None:
    one, other = sorted((luminance(colour), luminance(page)))
    assert (other + 0.05) / (one + 0.05) >= 3


def luminance(colour: str) -> float:
    """Relative, as WCAG 2.1 has it."""
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


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
    said = " ".join([message, attachment["fallback"], attachment["footer"]])
    assert mentioned(said) & {"all", "here", "channel", "zoom"} == set()
    assert all(isinstance(attachment[key], str) for key in attachment if key != "fields")
    for field in attachment["fields"]:
        assert isinstance(field["short"], bool)
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
    assert visible(tokens[opening:-1]).strip() == (cleaned(topic) if is_visible(topic) else "Zoom meeting")


@pytest.mark.parametrize("events", [LIVES["ended"], LIVES["expired"]], ids=["ended", "expired"])
@given(topic=ANY_TEXT)
def test_a_meeting_that_is_over_is_one_paragraph_without_a_link(
    events: list[MeetingEvent], topic: str
) -> None:
    tokens = inline(card_of(*events, topic=topic)[0])
    assert {token.type for token in tokens} == {"text"}
    assert (cleaned(topic) if is_visible(topic) else "Zoom meeting") in visible(tokens)


@pytest.mark.parametrize("topic", ["", " ", "\u200b", "\u200d"])
def test_a_topic_that_cannot_be_seen_gets_a_name(topic: str) -> None:
    message, props = card_of(topic=topic)
    assert message == f"alice started a Zoom meeting: [Zoom meeting]({URL})"
    assert card_in(props)["fallback"] == f"Zoom meeting “Zoom meeting”: {URL}"
    assert card_of(Ended(T), topic=topic)[0] == "The Zoom meeting “Zoom meeting” has ended."


def test_of_a_pasted_link_no_more_is_said_than_is_known() -> None:
    _, props = card_of(zoom_id=0, host_name="", kind="joined", open=False)
    card = card_in(props)
    assert (card["text"], card["fields"], card["footer"]) == ("", [], "")
    assert (card["title"], card["title_link"]) == ("Join the meeting", URL)
    assert props["meeting_id"] == 0


# Recordings.


def recording_of(**changes: Any) -> Recording:
    """Two stretches with a pause, as several files each; ``recording_files`` and the like replace it."""
    files = [
        File("v1", "MP4", recording_start="2026-11-24T09:31:00Z", recording_end="2026-11-24T09:51:00Z"),
        File("a1", "M4A", recording_start="2026-11-24T09:31:00Z", recording_end="2026-11-24T09:51:02Z"),
        File("v2", "MP4", recording_start="2026-11-24T10:01:00Z", recording_end="2026-11-24T10:31:00Z"),
        File("c", "CHAT", recording_start=None, recording_end="soon"),
    ]
    known: dict[str, Any] = {
        "share_url": "https://zoom.us/rec/share/1?pwd=p.w",
        "password": "8?hA*",
        "recording_files": files,
        "start_time": "2026-11-24T09:30:00Z",
    }
    return Recording(**(known | changes))


def news_of(recording: Recording, *, topic: str = "standup", with_passcode: bool = False) -> Post:
    meeting = Meeting(
        id="m", uuid="u", zoom_id=1, topic=topic, join_url=URL, timezone="Europe/Berlin", created_at=T
    )
    card = recording_card(
        meeting,
        recording.url,
        passcode=recording.password or "",
        with_passcode=with_passcode,
        began=recording.began,
        duration=recording.length,
    )
    return post_of(card)


def test_a_recording_says_where_it_is_when_it_was_made_and_how_long_it_is() -> None:
    url = "https://zoom.us/rec/share/1"
    card = news_of(recording_of())
    assert card.message == f"The recording of [standup]({url}) is ready.\nThe host has the passcode."
    assert card_in(card.props) == {
        "color": BLUE,
        "title": "Watch the recording",
        "title_link": url,
        "fields": [
            {"title": "Recorded", "value": "Tue 24 Nov 2026, 10:31 CET", "short": True},
            {"title": "Duration", "value": "50 min", "short": True},
        ],
        "fallback": f"The recording of “standup”: {url}",
    }


@pytest.mark.parametrize(
    ("files", "start", "fields"),
    [
        (None, "2026-11-24T09:30:00Z", {"Recorded": "Tue 24 Nov 2026, 10:30 CET"}),
        ([], None, {}),
        ([File(recording_start="2026-11-24T09:30:00Z", recording_end="2026-11-24T09:00:00Z")], "soon", {}),
    ],
)
def test_of_a_recording_no_more_is_said_than_zoom_says(
    files: list[File] | None, start: str | None, fields: dict[str, str]
) -> None:
    assert fields_of(news_of(recording_of(recording_files=files, start_time=start)).props) == fields


@pytest.mark.parametrize("with_passcode", [True, False])
@pytest.mark.parametrize("name", ["pwd", "passcode", "Password"])
def test_a_passcode_is_only_in_the_message_and_only_where_it_may_be(name: str, with_passcode: bool) -> None:
    recording = recording_of(share_url=f"https://zoom.us/rec/share/1?a=b&{name}=8%3FhA*")
    card = news_of(recording, with_passcode=with_passcode)
    assert ("\nPasscode: `8?hA*`" in card.message) == with_passcode
    for secret in ("8?hA*", "8%3FhA*", f"{name}="):
        assert secret not in json.dumps(card.props)
        assert secret not in card.message.replace("`8?hA*`", "")


@given(topic=ANY_TEXT, rest=ANY_TEXT, passcode=ANY_TEXT)
@example(topic="](http://evil.example) [x", rest=") [y](http://evil.example", passcode="`@all")
@example(topic="\ud800", rest="\ud800", passcode="\ud800")
def test_a_recording_s_card_holds_any_text(topic: str, rest: str, passcode: str) -> None:
    recording = recording_of(share_url=f"https://zoom.us/{rest}", password=passcode)
    card = news_of(recording, topic=topic[:200], with_passcode=True)
    json.dumps([card.message, card.props], ensure_ascii=False).encode()
    assert [token.type for token in inline(card.message)].count("link_open") == 1
    said = f"{card.message.splitlines()[0]} {card_in(card.props)['fallback']}"
    assert mentioned(said) & {"all", "here", "channel"} == set()


# Problems.


def test_a_problem_is_one_sentence_with_a_sign_in_front() -> None:
    said = Card(problem(text("zoom-timed-out")))
    assert post_of(said) == Post("⚠️ Zoom didn't answer in time. Please try again in a minute.", {})


# Questions.


def test_a_question_says_what_is_asked_how_to_answer_and_where_it_leads() -> None:
    title = text("duplicate-title", topic="standup")
    card = post_of(
        question_card(
            text("left"),
            title=title,
            words=["existing", "new"],
            buttons=buttons_of("existing", "new"),
            url=URL,
        )
    )
    assert card.message.splitlines() == [
        "You're no longer in that channel, so I didn't post anything there.",
        "Press a button, or write `existing` or `new` to me.",
    ]
    assert card_in(card.props) == {
        "title": "Join “standup”?",
        "title_link": URL,
        "actions": [
            {
                "id": "existing",
                "name": "Join that one",
                "type": "button",
                "style": "default",
                "integration": {"url": "https://bot.example/action", "context": {"token": "t-existing"}},
            },
            {
                "id": "new",
                "name": "Start another",
                "type": "button",
                "style": "default",
                "integration": {"url": "https://bot.example/action", "context": {"token": "t-new"}},
            },
        ],
        "fallback": f"Join “standup”? (existing or new) {URL}",
    }


def test_a_question_about_nothing_that_one_can_go_to_has_no_link() -> None:
    asked = question_card(
        text("left"),
        title=text("settings-room"),
        words=["yes", "no", "ask"],
        buttons=buttons_of("yes", "no", "ask"),
    )
    card = card_in(post_of(asked).props)
    assert "title_link" not in card
    assert card["fallback"] == "Where your meetings take place (yes, no or ask)"


@pytest.mark.parametrize("word", sorted(collect().words))
def test_whatever_was_answered_is_said_in_place_of_the_buttons(word: str) -> None:
    card = post_of(answered_card(word))
    assert re.fullmatch(r"You chose: [A-Z][\w ]+", card.message)
    assert card.props == {"attachments": []}


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


@pytest.mark.parametrize("zone", ["", "Nowhere/Land", "../../etc/passwd", "America", "\0", "x" * 5000])
def test_a_zone_that_is_none_is_utc(zone: str) -> None:
    assert fields_of(card_of(Started(T), timezone=zone)[1])["Since"].endswith(" UTC")
