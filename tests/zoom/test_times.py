"""Zoom's times, however they are written."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.zoom.times import MAX_TIME_MS, parse_time, retry_at_ms

# 2026-11-24T09:30:00Z.
T = 1_795_512_600_000
MIDNIGHT = 1_795_478_400_000


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("2026-11-24T09:30:00Z", T),
        ("2026-11-24T10:30:00+01:00", T),
        ("2026-11-24T09:30:00.250Z", T + 250),
        ("0001-01-01T00:00:00Z", 0),
        ("9999-12-31T23:59:59Z", 0),
        ("1969-12-31T23:59:59Z", 0),
        ("soon", 0),
        ("", 0),
    ],
)
def test_a_time_is_iso_8601_with_its_zone(text: str, at: int) -> None:
    assert parse_time(text) == at


@pytest.mark.parametrize(("text", "at"), [("2026-11-24T09:30:00", T), ("2026-11-24", MIDNIGHT)])
def test_a_time_without_a_zone_is_utc(text: str, at: int) -> None:
    assert parse_time(text) == at


@given(st.text())
def test_any_text_is_a_time_or_zero(text: str) -> None:
    assert 0 <= parse_time(text) < MAX_TIME_MS
    at, _ = retry_at_ms(text, 1000)
    assert at >= 0
