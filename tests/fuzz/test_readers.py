"""Whatever bytes come in, a reader returns what it promises or raises its one error."""

from __future__ import annotations

import contextlib
import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from bot.errors import EventError
from bot.mattermost.events import read_posted
from bot.mattermost.frames import Event, read_frame
from bot.zoom.webhooks import identity, is_signed, meeting_event, read_webhook

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=6,
)
# Words that the readers look for, so that what is generated gets past the first look.
WORDS = st.sampled_from(
    [
        "event",
        "event_ts",
        "payload",
        "object",
        "id",
        "uuid",
        "participant",
        "user_id",
        "start_time",
        "data",
        "post",
        "seq",
        "seq_reply",
        "status",
        "error",
        "connection_id",
        "message",
        "props",
        "type",
        "create_at",
    ]
)
EVENTS = st.sampled_from(
    [
        "meeting.started",
        "meeting.ended",
        "meeting.participant_joined",
        "meeting.participant_left",
        "posted",
        "hello",
        "recording.started",
        "recording.stopped",
        "recording.completed",
        "app_deauthorized",
    ]
)
SHAPED = st.recursive(
    JSON | EVENTS,
    lambda inner: st.dictionaries(WORDS, inner, max_size=6),
    max_leaves=12,
)
BYTES = st.binary(max_size=200) | SHAPED.map(lambda value: json.dumps(value).encode())


@given(BYTES)
@settings(max_examples=150, deadline=None)
def test_a_webhooks_body(body: bytes) -> None:
    with contextlib.suppress(EventError):
        webhook = read_webhook(body)
        assert identity(webhook) == identity(read_webhook(body))
        meeting_event(webhook, webhook.meeting)


@given(EVENTS, SHAPED, st.integers())
@settings(max_examples=150, deadline=None)
def test_a_webhook_about_anything(event: str, about: Any, at: int) -> None:
    body = json.dumps({"event": event, "event_ts": at, "payload": {"object": about}}).encode()
    with contextlib.suppress(EventError):
        webhook = read_webhook(body)
        meeting_event(webhook, webhook.meeting)


@given(
    st.dictionaries(st.sampled_from(["x-zm-signature", "x-zm-request-timestamp"]), st.text(max_size=80)),
    st.binary(max_size=50),
    st.integers(min_value=0, max_value=2**53),
)
@settings(max_examples=150, deadline=None)
def test_no_header_is_a_signature_by_chance(headers: dict[str, str], body: bytes, now: int) -> None:
    assert not is_signed(headers, body, "secret", now)


@given(BYTES)
@settings(max_examples=150, deadline=None)
def test_a_frame_of_the_socket(frame: bytes) -> None:
    for text in (frame, frame.decode("utf-8", "replace")):
        event = read_frame(text)
        if isinstance(event, Event):
            with contextlib.suppress(EventError):
                read_posted(event)


@given(st.text(max_size=100) | SHAPED.map(json.dumps))
@settings(max_examples=150, deadline=None)
def test_a_post_inside_a_frame(post: str) -> None:
    event = read_frame(json.dumps({"event": "posted", "data": {"post": post}, "seq": 1}))
    assert isinstance(event, Event)
    with contextlib.suppress(EventError):
        posted = read_posted(event)
        assert posted is None or isinstance(posted.message.id, str)
