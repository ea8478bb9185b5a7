"""A log that nobody reads: writing never waits, and what is lost is counted and said."""

from __future__ import annotations

import contextlib
import io
import json
import logging
import os
from collections.abc import Iterator

import pytest

from bot.log import JsonFormatter, configure
from bot.log.streams import Unblocked

LINE = "x" * 99 + "\n"


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    """The two ends of a pipe."""
    ends = os.pipe()
    yield ends
    for end in ends:
        with contextlib.suppress(OSError):
            os.close(end)


def fill(writer: int) -> int:
    """Fill a pipe, and return with how many bytes."""
    os.set_blocking(writer, False)
    filled = 0
    with contextlib.suppress(BlockingIOError):
        while True:
            filled += os.write(writer, b"." * 4096)
    os.set_blocking(writer, True)
    return filled


def read_until(reader: int, words: str) -> str:
    """Everything up to these words."""
    text = ""
    while words not in text:
        text += os.read(reader, 65536).decode()
    return text


def test_what_is_written_arrives_in_order(pipe: tuple[int, int]) -> None:
    stream = Unblocked(pipe[1])
    for number in range(100):
        print("line", number, file=stream)
    assert read_until(pipe[0], "line 99\n").splitlines() == [f"line {number}" for number in range(100)]
    assert stream.drain(10)
    assert stream.dropped == 0


def test_a_full_pipe_stops_nobody_and_its_reader_is_told_how_much_is_missing(pipe: tuple[int, int]) -> None:
    fill(pipe[1])
    stream = Unblocked(pipe[1], limit=10_000)
    stream.notice = "{} lines are missing\n".format
    written = 2000
    for _ in range(written):
        stream.write(LINE)
    assert stream.dropped == written - 10_000 / len(LINE)
    assert not stream.drain(0)
    said = read_until(pipe[0], "missing\n")
    assert said.count(LINE) + stream.dropped == written
    assert said.endswith(f"{stream.dropped} lines are missing\n")
    # Said once, and it goes on.
    assert stream.drain(10)
    stream.write("again\n")
    assert read_until(pipe[0], "again") == "again\n"


def test_a_reader_that_is_gone_is_no_error(pipe: tuple[int, int]) -> None:
    stream = Unblocked(pipe[1])
    os.close(pipe[0])
    stream.write("nobody reads this\n")
    assert stream.drain(10)
    stream.write("nor this\n")
    stream.flush()
    assert stream.drain(10)
    assert stream.dropped == 2


def test_a_descriptor_that_somebody_made_non_blocking_loses_nothing(pipe: tuple[int, int]) -> None:
    os.set_blocking(pipe[1], False)
    stream = Unblocked(pipe[1])
    for _ in range(2000):
        stream.write(LINE)
    stream.write("end")
    assert read_until(pipe[0], "end").count(LINE) == 2000
    assert stream.dropped == 0


def test_a_full_disk_that_is_emptied_is_told_in_the_log(pipe: tuple[int, int]) -> None:
    full = os.open("/dev/full", os.O_WRONLY)
    stream = Unblocked(full)
    stream.notice = "{} lines are missing\n".format
    stream.write(LINE)
    assert stream.drain(10)
    os.dup2(pipe[1], full)
    stream.write("room again\n")
    assert read_until(pipe[0], "missing\n") == "room again\n1 lines are missing\n"
    os.close(full)


def test_only_text_is_written(pipe: tuple[int, int]) -> None:
    stream = Unblocked(pipe[1])
    with pytest.raises(TypeError):
        stream.write(b"bytes")  # type: ignore[arg-type]
    stream.write("half of a pair: \ud800\n")
    assert read_until(pipe[0], "\n") == "half of a pair: \\ud800\n"
    assert stream.fileno() == pipe[1]
    assert (stream.writable(), stream.isatty()) == (True, False)


@pytest.mark.parametrize("format", ["text", "json"])
def test_the_log_says_in_its_own_format_what_is_missing(
    pipe: tuple[int, int], format: str, restored: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    filled = fill(pipe[1])
    stream = Unblocked(pipe[1], limit=10_000)
    configure("info", format, stream)  # type: ignore[arg-type]
    for number in range(1000):
        logging.getLogger("bot.test").info("event %d", number, extra={"padding": "x" * 100})
    said = read_until(pipe[0], "nobody read it")
    line = said[filled:].splitlines()[-1]
    assert str(stream.dropped) in line
    if format == "json":
        assert json.loads(line)["level"] == "warning"
    else:
        assert " warning bot.log " in line


def test_a_plain_stream_is_written_to_at_once(restored: None) -> None:
    stream = io.StringIO()
    configure("info", "json", stream)
    assert isinstance(logging.getLogger().handlers[-1].formatter, JsonFormatter)
    logging.getLogger("bot.test").info("event")
    assert "event" in stream.getvalue()
