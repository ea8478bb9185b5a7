"""Mattermost's events, as a real server sent them and as nobody should."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.errors import EventError
from bot.mattermost.decoding import IN_LOOP
from bot.mattermost.events import (
    Message,
    Posted,
    Props,
    deleted_post,
    post_id_in,
    read_posted,
    reopened_channel,
)
from bot.mattermost.frames import Event, RawEvent, read_frame

CAPTURED = {path.stem: path for path in sorted((Path(__file__).parents[1] / "data").glob("ws_*.json"))}
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=10,
)


def read(text: str | bytes) -> Posted | None:
    """The new post in a frame; None for every other frame."""
    frame = read_frame(text)
    return read_posted(frame) if isinstance(frame, Event) else None


def captured(name: str) -> Posted:
    posted = read(CAPTURED[name].read_bytes())
    assert posted is not None
    return posted


def frame(event: str = "posted", **post: Any) -> str:
    given: dict[str, Any] = {"id": "p", "channel_id": "c", "user_id": "u"}
    return json.dumps({"event": event, "data": {"post": json.dumps(given | post)}})


@pytest.mark.parametrize("name", CAPTURED)
def test_what_a_real_server_sent_is_read(name: str) -> None:
    text = CAPTURED[name].read_text()
    event = json.loads(text)
    posted = read(text)
    if event.get("event") != "posted":
        assert posted is None
        return
    assert posted is not None
    post = json.loads(event["data"]["post"])
    message = posted.message
    assert (message.id, message.channel_id, message.user_id) == (
        post["id"],
        post["channel_id"],
        post["user_id"],
    )
    assert (message.message, message.root_id, message.type) == (
        post["message"],
        post["root_id"],
        post["type"],
    )
    assert (message.create_at, message.edit_at) == (post["create_at"], post["edit_at"])
    assert posted.channel_type == event["data"]["channel_type"]
    assert posted.channel_name == event["data"]["channel_display_name"]
    assert posted.team_id == event["data"]["team_id"]
    assert not posted.sender_name.startswith("@")


def event_of(text: str | bytes) -> Event:
    found = read_frame(text)
    assert isinstance(found, Event)
    return found


def test_a_deleted_post_is_known_by_its_id() -> None:
    assert deleted_post(event_of(CAPTURED["ws_post_deleted"].read_bytes())) == "ybmugyfetfrtt8bwmfizchphpo"
    assert deleted_post(event_of(CAPTURED["ws_post_edited"].read_bytes())) == ""


def test_the_channel_that_the_bot_was_added_to_is_known() -> None:
    event = event_of(CAPTURED["ws_user_added"].read_bytes())
    assert reopened_channel(event, "cmhphozhsirh7kokedh643mzqr") == "33yp7okpctbizk3yerc5cfewco"
    assert reopened_channel(event, "somebody else") == ""


@pytest.mark.parametrize("name", ["post_deleted", "channel_restored", "user_added"])
@pytest.mark.parametrize("data", ["[]", '{"post": 1, "channel_id": 1, "user_id": 1}'])
def test_an_event_that_cannot_be_read_is_an_error_and_nothing_else(name: str, data: str) -> None:
    event = event_of(f'{{"event": "{name}", "data": {data}, "seq": 1}}')
    with pytest.raises(EventError):
        assert deleted_post(event) or reopened_channel(event, "bot")


def test_there_are_captured_events_of_every_kind() -> None:
    assert {"ws_hello", "ws_posted_channel", "ws_posted_dm", "ws_posted_own", "ws_ping_reply"} <= set(
        CAPTURED
    )


@pytest.mark.parametrize(
    ("name", "by_person"),
    [
        ("ws_posted_channel", True),
        ("ws_posted_channel_mention", True),
        ("ws_posted_at_channel", True),
        ("ws_posted_thread_reply", True),
        ("ws_posted_dm", True),
        ("ws_posted_group", True),
        ("ws_posted_own", False),
        ("ws_posted_incoming_webhook", False),
        ("ws_posted_from_command", False),
    ],
)
def test_posts_of_machines_are_told_from_those_of_people(name: str, by_person: bool) -> None:
    assert captured(name).message.by_person is by_person


def test_a_direct_message_stands_in_a_direct_channel_of_no_team() -> None:
    posted = captured("ws_posted_dm")
    assert (posted.channel_type, posted.team_id, posted.sender_name) == ("D", "", "alice")


def test_a_reply_names_its_threads_root() -> None:
    assert captured("ws_posted_thread_reply").message.root_id


@pytest.mark.parametrize(
    ("props", "by_machine"),
    [
        (Props(), False),
        (Props(from_bot="true"), True),
        (Props(from_bot=True), True),
        (Props(from_bot="false"), False),
        (Props(from_bot=False, from_webhook=""), False),
        (Props(from_bot=5, from_webhook=["true"], from_plugin={}), False),
        (Props(from_webhook="true"), True),
        (Props(from_plugin="true"), True),
    ],
)
def test_props_tell_who_wrote(props: Props, by_machine: bool) -> None:
    assert props.by_machine is by_machine
    assert Message(id="p", channel_id="c", user_id="u", props=props).by_person is not by_machine


def test_a_system_message_is_by_no_person() -> None:
    posted = read(frame(type="system_join_channel", message="@zoom joined"))
    assert posted is not None
    assert not posted.message.by_person


def test_props_may_be_null() -> None:
    posted = read(frame(props=None, message="hi"))
    assert posted is not None
    assert posted.message.by_person


@pytest.mark.parametrize(
    "text",
    [
        '{"event":"posted"}',
        '{"event":"posted","data":null}',
        '{"event":"posted","data":{"post":{}}}',
        '{"event":"posted","data":{"post":"{}"}}',
        '{"event":"posted","data":{"post":"not json"}}',
        frame(props=[]),
        frame(create_at="now"),
    ],
)
def test_what_has_not_the_shape_of_a_post_is_an_error(text: str) -> None:
    with pytest.raises(EventError):
        read(text)


@pytest.mark.parametrize("name", [name for name in CAPTURED if name != "ws_hello"])
def test_a_large_event_is_read_as_a_small_one(name: str) -> None:
    text = CAPTURED[name].read_text()
    small, large = read_frame(text), read_frame(text.replace("{", '{"more": "' + "x" * IN_LOOP + '", ', 1))
    if not isinstance(small, Event):
        assert large == small
        return
    assert isinstance(large, RawEvent)
    assert (large.seq, large.name, large.broadcast) == (small.seq, small.name, small.broadcast)
    assert read_posted(large) == read_posted(small)
    assert reopened_channel(large, "cmhphozhsirh7kokedh643mzqr") == reopened_channel(
        small, "cmhphozhsirh7kokedh643mzqr"
    )
    assert deleted_post(large) == deleted_post(small)


@pytest.mark.parametrize("odd", ['"channel_type":7', '"user":7', '"user_id":{}', '"server_time":"x"'])
def test_an_event_with_an_odd_field_keeps_its_place_in_the_sequence(odd: str) -> None:
    event = event_of(f'{{"event":"posted","data":{{{odd},"post":"{{}}"}},"broadcast":7,"seq":4}}')
    assert (event.seq, event.name) == (4, "posted")
    with pytest.raises(EventError):
        read_posted(event)


def test_an_error_does_not_tell_what_people_wrote() -> None:
    with pytest.raises(EventError) as caught:
        read(frame(message="between us", create_at="now"))
    assert "between us" not in repr(caught.value)
    assert caught.value.__suppress_context__


@pytest.mark.parametrize("depth", [100, 1_000, 100_000])
@pytest.mark.parametrize("nested", ["[%s]", '{"x":%s}'])
def test_props_nested_without_end_do_no_harm(depth: int, nested: str) -> None:
    opening, closing = nested.split("%s")
    deep = f'{{"x":{opening * depth}1{closing * depth},"from_bot":"true"}}'
    post = f'{{"id":"p","props":{deep},"channel_id":"c","user_id":"u","message":"hi"}}'
    posted = read(json.dumps({"event": "posted", "data": {"post": post}}))
    assert posted is not None
    assert posted.message.message == "hi"
    # What stands beside it is read as well.
    assert not posted.message.by_person


def test_the_post_that_cannot_be_read_is_named() -> None:
    post = json.dumps({"id": "p" * 26}, separators=(",", ":"))
    event = read_frame(json.dumps({"event": "posted", "data": {"post": post}}))
    assert isinstance(event, Event)
    assert post_id_in(event) == "p" * 26
    unnamed = read_frame('{"event":"posted","seq":7,"data":{}}')
    assert isinstance(unnamed, Event)
    assert post_id_in(unnamed) == "in event 7"


@given(st.text() | st.binary() | JSON.map(json.dumps))
def test_any_frame_is_a_post_or_none_or_an_error(text: str | bytes) -> None:
    with contextlib.suppress(EventError):
        assert read(text) is None


@given(st.dictionaries(st.sampled_from(["id", "user_id", "message", "type", "props", "create_at"]), JSON))
def test_any_post_is_read_or_an_error(post: dict[str, Any]) -> None:
    with contextlib.suppress(EventError):
        assert isinstance(read(frame(**post)), Posted)


@given(st.text(), st.text())
def test_a_message_is_read_as_it_was_written(message: str, root_id: str) -> None:
    posted = read(frame(message=message, root_id=root_id))
    assert posted is not None
    assert (posted.message.message, posted.message.root_id) == (message, root_id)
