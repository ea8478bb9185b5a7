"""What strangers can cause as often as they like is one line in a while."""

from __future__ import annotations

import asyncio
import logging

import pytest

from bot.log.repeats import Repeats

log = logging.getLogger("bot.test")


def said(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records]


async def test_a_message_is_written_at_once_and_then_counted(caplog: pytest.LogCaptureFixture) -> None:
    repeats = Repeats(log)
    for _ in range(605):
        repeats.warning("refused")
    repeats.warning("something else")
    assert said(caplog) == ["refused", "something else"]
    repeats.close()
    assert said(caplog)[2:] == ["refused; 604 more times within a minute"]


async def test_the_count_is_written_when_the_time_is_over(caplog: pytest.LogCaptureFixture) -> None:
    written = asyncio.Event()

    class Watching(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            if "more times" in record.getMessage():
                written.set()

    handler = Watching()
    log.addHandler(handler)
    try:
        repeats = Repeats(log, 0.01)
        repeats.warning("refused")
        repeats.warning("refused")
        async with asyncio.timeout(10):
            await written.wait()
    finally:
        log.removeHandler(handler)
    assert said(caplog) == ["refused", "refused; 1 more times within a minute"]
    repeats.close()


async def test_of_errors_the_first_is_written_with_its_trace(caplog: pytest.LogCaptureFixture) -> None:
    repeats = Repeats(log)
    for _ in range(3):
        try:
            raise ValueError("a bug")
        except ValueError:
            repeats.exception("it failed")
    repeats.close()
    assert [bool(record.exc_info) for record in caplog.records] == [True, False]
