from __future__ import annotations

import io
import json
import logging
import sys
from datetime import datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.log import JsonFormatter, TextFormatter, configure, escaped, quoted

NASTY = 'line\nbreak\r\x1b[31mred\x00\u2028\u202e\x85 "quoted" back\\slash'


def record(message: str = "meeting created", *args: object, **extra: Any) -> logging.LogRecord:
    made = logging.LogRecord("bot.web", logging.INFO, __file__, 1, message, args, None)
    made.created = 1_769_860_800.0
    vars(made).update(extra)
    return made


def failing(**extra: Any) -> logging.LogRecord:
    made = record("it failed", **extra)
    try:
        raise ValueError("first\nsecond")
    except ValueError:
        made.exc_info = sys.exc_info()
    return made


def test_text_is_words_and_then_what_it_is_about() -> None:
    line = TextFormatter().format(record("meeting %s", "created", meeting=123, topic="two words", none=None))
    assert line == (
        '2026-01-31T12:00:00.000Z info bot.web meeting created meeting=123 topic="two words" none=None'
    )


def test_json_is_one_object_with_types_kept() -> None:
    line = JsonFormatter().format(record("meeting %s", "created", meeting=123, open=True, topic="a"))
    assert json.loads(line) == {
        "time": "2026-01-31T12:00:00.000Z",
        "level": "info",
        "logger": "bot.web",
        "message": "meeting created",
        "meeting": 123,
        "open": True,
        "topic": "a",
    }


def test_an_exception_stays_on_the_line() -> None:
    text = TextFormatter().format(failing(post="p1"))
    assert "\n" not in text
    assert "first\\nsecond" in text
    event = json.loads(JsonFormatter().format(failing(post="p1")))
    assert event["post"] == "p1"
    assert event["exception"].startswith("Traceback")
    assert event["exception"].endswith("ValueError: first\nsecond")


@pytest.mark.parametrize("formatter", [TextFormatter(), JsonFormatter()])
def test_nothing_written_by_others_begins_a_line_or_colours_it(formatter: logging.Formatter) -> None:
    line = formatter.format(record("from %s", NASTY, user=NASTY))
    assert line.isprintable()


def test_a_value_cannot_pretend_to_be_another_key() -> None:
    assert quoted("a user=root") == '"a user=root"'
    assert quoted('x" user=root "') == '"x\\" user=root \\""'
    assert quoted("") == '""'
    assert quoted("a=b") == '"a=b"'
    assert quoted("tail\\") == '"tail\\\\"'


@given(st.text(), st.text())
def test_any_text_stays_on_one_line(message: str, value: str) -> None:
    for formatter in (TextFormatter(), JsonFormatter()):
        line = formatter.format(record("%s", message, topic=value))
        assert line.isprintable()
    event = json.loads(line)
    assert (event["message"], event["topic"]) == (message, value)


@given(st.text(), st.text())
def test_different_texts_look_different(one: str, other: str) -> None:
    assert (escaped(one) == escaped(other)) == (one == other)


def test_a_huge_value_is_cut() -> None:
    assert len(TextFormatter().format(record("m", body="x" * 1_000_000))) < 10_000
    assert len(JsonFormatter().format(record("m" * 1_000_000, body="x" * 1_000_000))) < 20_000


def test_numbers_that_json_lacks_become_texts() -> None:
    event = json.loads(JsonFormatter().format(record(lag=float("nan"), top=float("inf"), n=1)))
    assert (event["lag"], event["top"], event["n"]) == ("nan", "inf", 1)


def test_a_wrong_format_string_does_not_lose_the_line() -> None:
    assert "%d things (TypeError while formatting)" in TextFormatter().format(record("%d things", "x"))


@pytest.mark.usefixtures("restored")
def test_configure_sends_what_is_at_its_level_once() -> None:
    first, stream = io.StringIO(), io.StringIO()
    configure("debug", "text", first)
    configure("info", "json", stream)
    log = logging.getLogger("bot.somewhere")
    log.debug("not this")
    log.info("this", extra={"post": "p1"})
    (line,) = stream.getvalue().splitlines()
    event = json.loads(line)
    assert (event["message"], event["post"]) == ("this", "p1")
    assert datetime.fromisoformat(event["time"]).tzinfo is not None
    assert first.getvalue() == ""


@pytest.mark.usefixtures("restored")
@pytest.mark.parametrize(
    "name",
    ["oauthlib.oauth2", "requests_oauthlib.oauth2_session", "urllib3.connectionpool", "mattermostdriver"],
)
def test_those_that_write_secrets_at_debug_are_kept_quiet(name: str) -> None:
    stream = io.StringIO()
    configure("debug", "text", stream)
    logging.getLogger(name).debug("a token")
    logging.getLogger(name).info("a token")
    assert stream.getvalue() == ""
    logging.getLogger(name).warning("worth knowing")
    assert "worth knowing" in stream.getvalue()


@pytest.mark.usefixtures("restored")
def test_a_higher_level_holds_for_them_too() -> None:
    stream = io.StringIO()
    configure("error", "text", stream)
    logging.getLogger("urllib3").warning("not this")
    assert stream.getvalue() == ""
