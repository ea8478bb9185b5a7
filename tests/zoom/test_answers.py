"""Zoom's JSON, in all the ways in which it writes the same."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.errors import ZoomUnreachableError
from bot.zoom import answers
from bot.zoom.client import segment

MEETING = {"id": 123, "uuid": "a/b==", "topic": "T", "join_url": "https://z/j/123?pwd=x", "host_id": "h"}


@pytest.mark.parametrize("number", [12345678901, "12345678901", "123 4567 8901", "123-4567-8901"])
def test_numbers_may_be_texts(number: object) -> None:
    body = json.dumps(MEETING | {"id": number, "pmi": number}).encode()
    made = answers.meeting(body)
    assert (made.id, made.pmi) == (12345678901, 12345678901)


def test_absent_null_and_empty_fields_are_the_same() -> None:
    empty = answers.meeting(json.dumps({"id": 1, "uuid": "u"}).encode())
    nulls = dict.fromkeys(["topic", "join_url", "host_id", "timezone", "agenda", "pmi", "type", "start_time"])
    assert answers.meeting(json.dumps({"id": 1, "uuid": "u"} | nulls).encode()) == empty
    assert answers.meeting(json.dumps({"id": 1, "uuid": "u", "pmi": ""}).encode()) == empty


def test_a_meeting_is_read_without_a_uuid_and_with_odd_fields_but_not_without_its_number() -> None:
    body = {"id": 123, "join_url": "https://z/j/123", "topic": 7, "timezone": 5, "agenda": ["x"], "type": "2"}
    made = answers.meeting(json.dumps(body).encode())
    assert (made.uuid, made.join_url, made.topic, made.type) == ("", "https://z/j/123", "7", 2)
    for other in ({"uuid": "u"}, {"id": "none"}, {"id": None}):
        with pytest.raises(ZoomUnreachableError):
            answers.meeting(json.dumps(other).encode())


def test_one_odd_meeting_does_not_lose_the_list() -> None:
    page = {"meetings": [MEETING, {"id": 5}, {"topic": "no number"}, "x", None], "next_page_token": 7}
    found, token = answers.meetings(json.dumps(page).encode())
    assert ([each.id for each in found], token) == ([123, 5], "7")


def test_a_past_meeting_without_a_uuid_is_the_one_that_was_asked_for() -> None:
    body = json.dumps({"id": 5, "end_time": "2024-01-31T09:30:00Z"}).encode()
    assert answers.past(body, "u").uuid == "u"
    assert answers.past(body).uuid == ""


def test_the_hosts_link_is_not_kept() -> None:
    made = answers.meeting(json.dumps(MEETING | {"start_url": "https://z/s/1?zak=SECRET"}).encode())
    assert "SECRET" not in repr(made)
    assert not hasattr(made, "start_url")


def test_a_past_meeting_has_times_in_ms() -> None:
    body = {"uuid": "u", "id": 5, "start_time": "2024-01-31T09:00:00Z", "end_time": "2024-01-31T09:30:00Z"}
    past = answers.past(json.dumps(body).encode())
    assert past.end_ms - past.start_ms == 30 * 60_000


@pytest.mark.parametrize(
    ("body", "allowed"),
    [
        ({"schedule_meeting": {"personal_meeting": False}}, False),
        ({}, True),
        ({"schedule_meeting": None}, True),
    ],
)
def test_only_a_clear_no_disables_the_personal_room(body: object, allowed: bool) -> None:
    assert answers.settings(json.dumps(body).encode()).pmi_enabled is allowed


@given(st.binary(max_size=100))
def test_garbage_is_no_answer(body: bytes) -> None:
    with pytest.raises(ZoomUnreachableError):
        answers.meeting(body)


@pytest.mark.parametrize(
    ("which", "path"),
    [
        (123, "123"),
        ("abc==", "abc%3D%3D"),
        ("a/b+c==", "a%2Fb%2Bc%3D%3D"),
        ("/ab==", "%252Fab%253D%253D"),
        ("a//b==", "a%252F%252Fb%253D%253D"),
        ("alice+x@demo.example", "alice%2Bx@demo.example"),
        ("../me", "..%2Fme"),
    ],
)
def test_a_path_segment_is_encoded_once_or_twice(which: str | int, path: str) -> None:
    assert segment(which) == path
