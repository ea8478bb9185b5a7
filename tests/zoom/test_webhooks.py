"""Zoom's webhooks: whether they are genuine, which they are, and what they say."""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import json
from typing import Any

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bot.domain.meetings import Ended, Joined, Left, MeetingEvent, RecordingOff, RecordingOn, Started
from bot.errors import EventError
from bot.zoom.artifacts import read_recording
from bot.zoom.times import MAX_TIME_MS
from bot.zoom.webhooks import (
    MAX_SKEW_S,
    MeetingObject,
    Participant,
    Webhook,
    encrypt_token,
    identity,
    is_signed,
    meeting_event,
    read_webhook,
)
from tests.mattermost.test_events import JSON

SECRET = "zoomwebhooksecret"
T = 1_795_512_600_000
NOW_S = T // 1000
BEGAN = "2026-11-24T09:30:00Z"
BODY = json.dumps(
    {"event": "meeting.started", "event_ts": T, "payload": {"object": {"uuid": "/u//=="}}}
).encode()


def signature(body: bytes = BODY, at: int | str = NOW_S, secret: str = SECRET) -> dict[str, str]:
    """The headers of Zoom, made as its documentation says."""
    digest = hmac.new(secret.encode(), b"v0:" + str(at).encode() + b":" + body, hashlib.sha256)
    return {"x-zm-request-timestamp": str(at), "x-zm-signature": f"v0={digest.hexdigest()}"}


def webhook(event: str = "meeting.started", ts: int = T, **about: Any) -> Webhook:
    return read_webhook(json.dumps({"event": event, "event_ts": ts, "payload": {"object": about}}).encode())


def told(received: Webhook) -> MeetingEvent | None:
    return meeting_event(received, received.meeting)


# Which event it is.


def removal(**payload: Any) -> Webhook:
    return read_webhook(
        json.dumps({"event": "app_deauthorized", "payload": {"user_id": "u", **payload}}).encode()
    )


def test_an_event_without_a_time_of_its_own_is_known_by_all_that_it_says() -> None:
    first = removal(signature="a", deauthorization_time="2024-09-08T15:58:40Z")
    assert identity(first) == identity(removal(deauthorization_time="2024-09-08T15:58:40Z", signature="a"))
    others = [
        removal(signature="b", deauthorization_time="2024-09-08T15:58:40Z"),
        removal(signature="a", deauthorization_time="2024-09-09T15:58:40Z"),
        removal(event_ts=T),
        removal(event_ts="2024-09-08 15:58:40"),
        removal(account_id="a"),
    ]
    assert len({identity(each) for each in [first, *others]}) == 6


def test_two_events_of_one_moment_about_several_meetings_are_two() -> None:
    """A batch names no meeting of its own."""
    event = "recording.batch_trashed"
    trashed = [webhook(event, meetings=[{"meeting_uuid": uuid}]) for uuid in ("a", "b", "a")]
    assert identity(trashed[0]) == identity(trashed[2]) != identity(trashed[1])


@pytest.mark.parametrize("at", [1_725_811_120_000, "1725811120000", "2024-09-08 15:58:40"])
def test_a_time_inside_the_payload_counts_where_there_is_no_other(at: int | str) -> None:
    assert removal(event_ts=at).at == 1_725_811_120_000


# Signatures.


def test_zooms_own_vector_of_the_url_validation() -> None:
    encrypted = encrypt_token(SECRET, "Kn5a3Wv7SP6YP5b4BWfZpg")
    assert encrypted.startswith("2a41c313")
    assert encrypted.endswith("2241e0a")
    assert len(encrypted) == 64


def test_what_zoom_signed_is_taken() -> None:
    assert is_signed(signature(), BODY, SECRET, T)


@given(st.binary(), st.integers(0, 10**12 - 1), st.text(min_size=1, max_size=40))
def test_every_body_can_be_signed(body: bytes, at: int, secret: str) -> None:
    assert is_signed(signature(body, at, secret), body, secret, at * 1000)


@given(st.integers(0, len(BODY) - 1), st.integers(1, 255))
def test_a_body_with_one_byte_changed_is_refused(index: int, change: int) -> None:
    forged = BODY[:index] + bytes([BODY[index] ^ change]) + BODY[index + 1 :]
    assert not is_signed(signature(), forged, SECRET, T)


@given(st.integers(0, 66), st.characters(categories=None))
@example(3, "é")
@example(3, "\udcff")
def test_a_signature_with_one_character_changed_is_refused(index: int, char: str) -> None:
    headers = signature()
    signed = headers["x-zm-signature"]
    forged = signed[:index] + char + signed[index + 1 :]
    assert is_signed(headers | {"x-zm-signature": forged}, BODY, SECRET, T) == (forged == signed)


def test_another_secret_another_time_or_another_format_is_refused() -> None:
    signed = signature()["x-zm-signature"]
    assert not is_signed(signature(secret="another"), BODY, SECRET, T)
    assert not is_signed(signature() | {"x-zm-request-timestamp": str(NOW_S + 1)}, BODY, SECRET, T)
    for forged in (
        "",
        signed[3:],
        signed.upper(),
        f" {signed}",
        f"{signed} ",
        f"{signed}0",
        "v1" + signed[2:],
    ):
        assert not is_signed(signature() | {"x-zm-signature": forged}, BODY, SECRET, T)


def test_json_that_means_the_same_is_not_the_same_body() -> None:
    same = json.dumps(json.loads(BODY), separators=(",", ":")).encode()
    assert same != BODY
    assert not is_signed(signature(), same, SECRET, T)


@pytest.mark.parametrize("missing", ["x-zm-signature", "x-zm-request-timestamp"])
def test_without_its_headers_nothing_is_signed(missing: str) -> None:
    headers = {name: value for name, value in signature().items() if name != missing}
    assert not is_signed(headers, BODY, SECRET, T)


@pytest.mark.parametrize(
    ("skew_ms", "taken"),
    [
        (0, True),
        (MAX_SKEW_S * 1000, True),
        (-MAX_SKEW_S * 1000, True),
        (MAX_SKEW_S * 1000 + 1, False),
        (-MAX_SKEW_S * 1000 - 1, False),
        (24 * 60 * 60 * 1000, False),
    ],
)
def test_a_signature_holds_for_five_minutes_either_way(skew_ms: int, taken: bool) -> None:
    assert MAX_SKEW_S == 300
    assert is_signed(signature(), BODY, SECRET, T + skew_ms) is taken


@pytest.mark.parametrize(
    "at", ["", " ", "now", f" {NOW_S}", f"{NOW_S}.0", f"-{NOW_S}", f"+{NOW_S}", "1_0", "٣", "9" * 13]
)
def test_a_time_that_is_no_number_of_seconds_is_refused(at: str) -> None:
    assert not is_signed(signature(at=at), BODY, SECRET, T)


@given(st.dictionaries(st.sampled_from(["x-zm-request-timestamp", "x-zm-signature"]), st.text()), st.binary())
def test_whatever_a_stranger_sends_is_refused(headers: dict[str, str], body: bytes) -> None:
    assert not is_signed(headers, body, SECRET, T)


# Frames.


@given(st.binary() | st.text().map(str.encode) | JSON.map(lambda value: json.dumps(value).encode()))
def test_any_body_is_a_webhook_or_an_error(body: bytes) -> None:
    with contextlib.suppress(EventError):
        assert isinstance(read_webhook(body), Webhook)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"{}",
        b'{"event":5}',
        b'{"event":"x","payload":[]}',
        b'{"event":"\xff"}',
        b'{"event":"\\ud800"}',
        b'{"event":"x","payload":{"a":' + b"[" * 100_000,
    ],
)
def test_what_has_not_the_shape_of_a_webhook_is_an_error(body: bytes) -> None:
    with pytest.raises(EventError):
        read_webhook(body)


@pytest.mark.parametrize("ts", [T, float(T), str(T)])
def test_what_nobody_needs_may_be_null_or_written_otherwise(ts: object) -> None:
    about = dict.fromkeys(["topic", "timezone", "host_id", "type", "duration", "host_email"])
    who = {"user_id": 7, "user_name": None, "email": None, "join_time": None, "id": None}
    body = {"event": "meeting.participant_joined", "event_ts": ts, "download_token": None}
    body["payload"] = {"object": about | {"id": "1", "uuid": "u", "duration": "5", "participant": who}}
    received = read_webhook(json.dumps(body).encode())
    assert received.at == T
    assert told(received) == Joined(session="7", person="7", at=T)
    ended = webhook("meeting.ended", start_time=None, end_time=None, topic=None)
    assert told(ended) == Ended(at=T)


@pytest.mark.parametrize("ts", ["now", -5, 10**30, None, float(10**300)])
def test_a_time_that_is_none_is_not_known(ts: object) -> None:
    assert read_webhook(json.dumps({"event": "x", "event_ts": ts}).encode()).at == 0


@pytest.mark.parametrize("depth", [500, 990, 5_000, 9_990, 100_000])
def test_what_is_nested_too_deeply_is_an_error_and_no_crash(depth: int) -> None:
    # Where too deep begins differs from one Python to the next.
    nested = b"[" * depth + b"]" * depth
    body = b'{"event":"meeting.started","payload":{"object":{"uuid":' + nested + b"}}}"
    try:
        received = read_webhook(body)
    except EventError:
        return
    assert identity(received).startswith("zoom:")
    assert received.meeting.uuid == ""


def test_an_unknown_event_is_read_too() -> None:
    unknown = read_webhook(b'{"event":"user.created","payload":{"x":1},"more":[1]}')
    assert (unknown.event, unknown.object, unknown.event_ts) == ("user.created", {}, 0)
    assert told(unknown) is None


KEYS = [
    "id",
    "uuid",
    "participant",
    "start_time",
    "end_time",
    "type",
    "duration",
    "meeting_id",
    "meeting_uuid",
]
EVENTS = ["meeting.started", "meeting.ended", "meeting.participant_joined", "meeting.participant_left", "x"]
EVENTS += ["recording.started", "recording.resumed", "recording.paused", "recording.stopped"]


@given(st.sampled_from(EVENTS), st.integers(), st.dictionaries(st.sampled_from(KEYS), JSON))
@example("meeting.ended", 10**30, {})
@example("meeting.started", -5, {"start_time": "0001-01-01T00:00:00Z"})
@example("meeting.participant_joined", T, {"participant": {"user_id": 5}})
def test_any_webhook_has_an_identity_and_says_something_or_is_an_error(
    event: str, ts: int, about: dict[str, Any]
) -> None:
    try:
        received = webhook(event, ts, **about)
        assert identity(received).startswith("zoom:")
        said = told(received)
    except EventError:
        return
    times = [said.at] if isinstance(said, Started | Ended | RecordingOn | RecordingOff) else []
    assert all(0 <= at < MAX_TIME_MS for at in times)


# Identity.


def joined(ts: int = T, name: str = "meeting.participant_joined", uuid: str = "u==", **who: Any) -> Webhook:
    return webhook(name, ts, id="1", uuid=uuid, topic="standup", participant=who)


def test_a_redelivery_is_the_same_event() -> None:
    first = joined(user_id="16778240", user_name="Ann")
    again = read_webhook(
        json.dumps(
            {
                "download_token": "new",
                "payload": {
                    "object": {"participant": {"user_id": "16778240"}, "uuid": "u=="},
                    "account_id": "a",
                },
                "event_ts": T,
                "event": "meeting.participant_joined",
            }
        ).encode()
    )
    assert identity(first) == identity(again)


def test_every_event_of_its_own_has_an_identity_of_its_own() -> None:
    webhooks = [
        joined(user_id="1"),
        joined(user_id="2"),
        joined(user_id="1", ts=T + 1),
        joined(user_id="1", uuid="v=="),
        joined(user_id="1", name="meeting.participant_left"),
        joined(participant_uuid="p"),
        joined(id="i"),
        joined(user_name="Ann"),
        joined(user_name="Bob"),
        webhook(uuid="u=="),
        webhook(id="1"),
        webhook(id="2"),
        webhook("meeting.summary_completed", meeting_uuid="u=="),
        webhook("meeting.summary_completed", meeting_uuid="v=="),
        Webhook("app_deauthorized", T, {"user_id": "a"}),
        Webhook("app_deauthorized", T, {"user_id": "b"}),
    ]
    assert len({identity(one) for one in webhooks}) == len(webhooks)


# What they say.


@pytest.mark.parametrize(
    ("received", "said"),
    [
        (webhook("meeting.started", start_time=BEGAN), Started(T)),
        (webhook("meeting.started"), Started(T)),
        (webhook("meeting.started", start_time="soon", ts=T + 5), Started(T + 5)),
        (
            webhook("meeting.ended", start_time=BEGAN, end_time="2026-11-24T10:30:00Z"),
            Ended(T + 3_600_000, T),
        ),
        (webhook("meeting.ended"), Ended(T)),
        (webhook("meeting.ended", ts=10**30), Ended(0)),
        (joined(user_id="7", user_name="Ann", email="ann@x.y"), Joined("7", "ann@x.y", T)),
        (joined(user_id=7, user_name="Ann", email=""), Joined("7", "Ann", T)),
        (joined(user_id="7", id="z", email="ann@x.y"), Joined("7", "z", T)),
        (joined(user_id="7", email=None, id=None), Joined("7", "7", T)),
        (joined(user_id="7", id="z", join_time="2026-11-24T10:30:00Z"), Joined("7", "z", T + 3_600_000)),
        (joined(name="meeting.participant_left", user_id="7", user_name="Ann"), Left("7", "Ann")),
        (webhook("recording.started", T + 5, start_time=BEGAN), RecordingOn(T + 5)),
        (webhook("recording.resumed", T + 5), RecordingOn(T + 5)),
        (webhook("recording.paused", T + 5), RecordingOff(T + 5)),
        (webhook("recording.stopped", T + 5), RecordingOff(T + 5)),
        (webhook("recording.started", 0), None),
        (webhook("recording.stopped", 10**30), None),
        (webhook("meeting.participant_joined"), None),
        (webhook("recording.completed"), None),
        (joined(name="meeting.participant_jbh_waiting", user_name="Ann"), None),
    ],
)
def test_what_a_webhook_says_of_its_meeting(received: Webhook, said: MeetingEvent | None) -> None:
    assert told(received) == said


@pytest.mark.parametrize(
    ("id", "number"),
    [
        ("12345678901", 12345678901),
        (12345678901, 12345678901),
        ("", 0),
        (0, 0),
        (-5, 0),
        ("x", 0),
        ("9" * 30, 0),
        ("²", 0),
    ],
)
def test_a_meetings_number_comes_as_text_or_as_a_number(id: str | int, number: int) -> None:
    assert MeetingObject(id=id).zoom_id == number
    assert webhook(id=id).meeting.zoom_id == number


def test_a_summary_names_its_meeting_in_its_own_way() -> None:
    about = webhook("meeting.summary_completed", meeting_id=12345678901, meeting_uuid="u==").meeting
    assert (about.zoom_id, about.uuid) == (12345678901, "u==")


@pytest.mark.parametrize(
    "wrong",
    [
        {"uuid": []},
        {"participant": "Ann"},
        {"id": []},
        {"start_time": {}},
        {"topic": True},
        {"host_id": None},
    ],
)
def test_a_field_that_is_not_as_it_should_be_counts_as_left_out(wrong: dict[str, Any]) -> None:
    right = {
        "uuid": "u==",
        "id": "12345678901",
        "topic": "standup",
        "host_id": "h",
        "participant": {"id": "p"},
    }
    left_out: dict[str, Any] = {name: value for name, value in right.items() if name not in wrong}
    assert webhook(**right | wrong).meeting == webhook(**left_out).meeting


def test_a_number_where_text_is_wanted_is_its_digits() -> None:
    about = webhook(
        uuid=5, topic=2027, participant={"user_id": 1.5, "user_name": 7, "id": [], "email": "a@b"}
    )
    assert (about.meeting.uuid, about.meeting.topic) == ("5", "2027")
    assert about.meeting.participant == Participant(user_id="1.5", user_name="7", email="a@b")


def test_of_a_recording_the_files_that_can_be_read_are_kept() -> None:
    files = [7, {"file_type": "CHAT", "download_url": "https://zoom.us/x", "play_url": 5, "id": {}}, None]
    recording = read_recording(webhook("recording.completed", share_url=[], recording_files=files))
    (chat,) = recording.files("CHAT")
    assert (chat.download_url, chat.id, recording.url) == ("https://zoom.us/x", None, "")


def test_a_download_token_that_is_no_text_is_none() -> None:
    body = b'{"event":"recording.completed","event_ts":[],"download_token":{"a":1},"payload":{}}'
    received = read_webhook(body)
    assert (received.token, received.at) == ("", 0)


def test_a_webhook_reads_its_meeting_once() -> None:
    one = webhook(id="123456789", uuid="abc")
    assert one.meeting is one.meeting
    # A changed copy reads its own.
    other = msgspec.structs.replace(one, payload={"object": {"id": "987654321"}})
    assert (one.meeting.zoom_id, other.meeting.zoom_id) == (123456789, 987654321)


def test_a_number_that_is_written_with_a_fraction_is_the_same_number() -> None:
    body = b'{"event":"meeting.started","payload":{"object":{"id":85012345678.0,"uuid":"u","topic":7.0}}}'
    about = read_webhook(body).meeting
    assert (about.zoom_id, about.uuid, about.topic) == (85012345678, "u", "7")


def test_what_a_webhook_opens_is_in_no_repr() -> None:
    about = {"uuid": "u", "password": "PASS", "recording_files": [{"download_url": "https://zoom.us/SECRET"}]}
    webhook = Webhook(event="recording.completed", payload={"object": about}, download_token="TOKEN")
    shown = repr([webhook, read_recording(webhook)])
    assert "recording.completed" in shown
    for secret in ("PASS", "SECRET", "TOKEN"):
        assert secret not in shown
