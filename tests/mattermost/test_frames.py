"""Frames: what the real server sent is read, and nothing that comes raises."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.mattermost.events import read_posted
from bot.mattermost.frames import Event, Hello, Reply, Sequence, read_frame, write_ping
from bot.mattermost.models import Channel, Post, PostList, User

DATA = Path(__file__).parents[1] / "data"
POSTED = sorted(DATA.glob("ws_posted_*.json"))
EVENTS = [path for path in sorted(DATA.glob("ws_*.json")) if not path.stem.endswith("_reply")]

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)
FRAMES = st.fixed_dictionaries(
    {},
    optional={
        "event": JSON | st.sampled_from(["hello", "posted", "typing"]),
        "seq": JSON | st.integers(),
        "seq_reply": JSON | st.integers(),
        "data": JSON | st.fixed_dictionaries({}, optional={"connection_id": JSON, "server_time": JSON}),
        "error": JSON | st.fixed_dictionaries({}, optional={"status_code": JSON, "id": JSON}),
    },
)


@given(st.text() | st.binary())
def test_no_text_raises(text: str | bytes) -> None:
    read_frame(text)


@given(FRAMES | JSON)
def test_no_json_raises(frame: Any) -> None:
    read_frame(json.dumps(frame))
    read_frame(json.dumps(frame, ensure_ascii=False).encode("utf-8", "surrogatepass"))


@given(st.sampled_from(EVENTS), st.data())
def test_no_damaged_event_raises(path: Path, data: st.DataObject) -> None:
    text = path.read_text()
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, len(text)))
    read_frame(text[:start] + data.draw(st.text(max_size=5)) + text[end:])


@pytest.mark.parametrize("text", ['{"x":' + "[" * 100_000, "\ud800", '{"event":"hello"}', "", b"\xff"])
def test_what_is_no_frame_is_none(text: str | bytes) -> None:
    assert read_frame(text) is None


@pytest.mark.parametrize("path", EVENTS, ids=lambda path: path.stem)
def test_captured_events_are_read_with_their_number(path: Path) -> None:
    frame = read_frame(path.read_bytes())
    seq = json.loads(path.read_bytes())["seq"]
    if path.stem == "ws_hello":
        assert frame == Hello(json.loads(path.read_bytes())["data"]["connection_id"], seq)
    else:
        assert isinstance(frame, Event)
        assert (frame.seq, frame.name) == (seq, json.loads(path.read_bytes())["event"])
        data = json.loads(path.read_bytes())["data"]
        assert frame.data is not None
        assert (frame.data.post, frame.data.user_id) == (data.get("post", ""), data.get("user_id", ""))
        assert frame.size == len(data.get("post", ""))


def test_captured_replies_are_read() -> None:
    assert read_frame((DATA / "ws_ping_reply.json").read_text()) == Reply(2, 1795452122545)
    assert read_frame((DATA / "ws_challenge_reply.json").read_text()) == Reply(1)
    refusal = '{"status":"FAIL","error":{"id":"x","status_code":401},"seq_reply":3}'
    assert read_frame(refusal) == Reply(3, unauthenticated=True)


@pytest.mark.parametrize("path", POSTED, ids=lambda path: path.stem)
def test_captured_posts_are_read_from_their_events(path: Path) -> None:
    frame = read_frame(path.read_text())
    assert isinstance(frame, Event)
    posted = read_posted(frame)
    event = json.loads(path.read_text())["data"]
    post = json.loads(event["post"])
    assert posted is not None
    message = posted.message
    assert (message.id, message.message, message.root_id) == (post["id"], post["message"], post["root_id"])
    assert (message.create_at, message.type) == (post["create_at"], post["type"])
    assert (posted.channel_type, posted.team_id) == (event["channel_type"], event["team_id"])


@pytest.mark.parametrize(
    "path",
    [path for path in EVENTS if path not in POSTED and path.stem != "ws_hello"],
    ids=lambda path: path.stem,
)
def test_other_captured_events_are_no_new_posts(path: Path) -> None:
    frame = read_frame(path.read_text())
    assert isinstance(frame, Event)
    assert read_posted(frame) is None


def test_captured_answers_are_read() -> None:
    def captured(name: str, type: type[Any]) -> Any:
        return msgspec.json.decode((DATA / name).read_bytes(), type=type)

    assert captured("rest_bot_me.json", User).username
    assert captured("rest_bot_post.json", Post).props
    assert captured("rest_post_created.json", Post).create_at > 0
    assert captured("rest_patch.json", Post).id
    assert captured("rest_posts_since.json", PostList).ordered()
    assert captured("rest_direct_channel.json", Channel).type == "D"


@given(st.lists(st.integers(0, 5)))
def test_only_the_event_that_is_due_is_accepted(numbers: list[int]) -> None:
    sequence, due = Sequence(), 1
    sequence.begin(Hello("c", 0))
    for number in numbers:
        assert sequence.accept(Event(number)) == (number == due)
        due += number == due
        assert sequence.query() == {"connection_id": "c", "sequence_number": str(due)}
    sequence.forget()
    assert sequence.query() == {}


def test_a_ping_is_json() -> None:
    assert json.loads(write_ping(7)) == {"action": "ping", "seq": 7}
