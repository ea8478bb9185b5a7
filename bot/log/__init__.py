"""The log: one line per event, as ``key=value`` text or as JSON.

Pass an event's details as ``extra``: ``log.info("meeting created", extra={"meeting": id})``. Values are
escaped: even text from strangers cannot start a new line or send control codes to a terminal.
"""

from __future__ import annotations

import json
import logging
import re
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import partial
from typing import Any, TextIO

from bot.log.streams import Unblocked

# These log tokens and secrets at DEBUG.
_TALKATIVE = ("oauthlib", "requests_oauthlib", "urllib3", "mattermostdriver")
# These log every request at INFO, and much more at DEBUG.
_CHATTY = ("aiohttp.access", "asyncio")
# Quotes what strangers send, including the secret in a URL. The routes log our own errors.
_QUOTING = "aiohttp.server"

MAX_VALUE = 8192
MAX_TRACE = 32_768

_STANDARD = frozenset(vars(logging.LogRecord("", 0, "", 0, "", (), None))) | {
    "message",
    "asctime",
    "taskName",
}
_BARE = re.compile(r"[^\s\"'=\\]+")


def configure(level: str = "info", format: str = "text", stream: TextIO | None = None) -> None:
    """Send every log line at ``level`` or above to ``stream`` (stderr) in the ``format`` "text" or "json".

    Replaces what an earlier call set up.
    """
    handler = logging.StreamHandler(stream or sys.stderr)
    formatter = JsonFormatter() if format == "json" else TextFormatter()
    handler.setFormatter(formatter)
    if isinstance(handler.stream, Unblocked):
        handler.stream.notice = partial(_notice, formatter)
    root = logging.getLogger()
    for old in [each for each in root.handlers if isinstance(each.formatter, JsonFormatter | TextFormatter)]:
        root.removeHandler(old)
    root.addHandler(handler)
    root.setLevel(level.upper())
    logging.captureWarnings(True)
    _quieten(root.level)


def _notice(formatter: logging.Formatter, lines: int) -> str:
    text = "%d lines of the log were dropped because nobody read it"
    record = logging.LogRecord(__name__, logging.WARNING, __file__, 0, text, (lines,), None)
    return formatter.format(record) + "\n"


def _quieten(level: int) -> None:
    # Importing the driver sets INFO on its child loggers, which would override the level set on the parent.
    below = [name for name in logging.Logger.manager.loggerDict if name.startswith("mattermostdriver.")]
    for name in (*_TALKATIVE, *_CHATTY, *below):
        logging.getLogger(name).setLevel(max(level, logging.WARNING))
    logging.getLogger(_QUOTING).setLevel(logging.CRITICAL)


class TextFormatter(logging.Formatter):
    """``2026-01-31T12:00:00.000Z info bot.web meeting created meeting=123``"""

    def format(self, record: logging.LogRecord) -> str:
        """Format a record as one line."""
        words = [_time_of(record), record.levelname.lower(), record.name, escaped(_message_of(record))]
        words += [f"{escaped(name)}={quoted(value)}" for name, value in _extra_of(record).items()]
        if trace := _trace_of(self, record):
            words.append(f"exception={quoted(trace, MAX_TRACE)}")
        return " ".join(words)


class JsonFormatter(logging.Formatter):
    """A JSON object: ``time``, ``level``, ``logger``, ``message``, the values in ``extra``, ``exception``."""

    def format(self, record: logging.LogRecord) -> str:
        """Format a record as one line."""
        event: dict[str, Any] = {
            "time": _time_of(record),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": _message_of(record)[:MAX_VALUE],
        }
        for name, value in _extra_of(record).items():
            event.setdefault(name, value if isinstance(value, int | float | None) else str(value)[:MAX_VALUE])
        if trace := _trace_of(self, record):
            event["exception"] = trace
        return _json(event)


def _json(event: Mapping[str, Any]) -> str:
    # JSON has no NaN or infinity. The output is ASCII: line separators and surrogates are escaped.
    try:
        return json.dumps(event, allow_nan=False)
    except ValueError:
        return json.dumps({name: _finite(value) for name, value in event.items()})


def _finite(value: Any) -> Any:
    return str(value) if isinstance(value, float) else value


def escaped(text: str, limit: int = MAX_VALUE) -> str:
    """``text`` on one line: unprintable characters are escaped, and backslashes doubled."""
    kept = text if len(text) <= limit else f"{text[:limit]}…"
    if kept.isprintable() and "\\" not in kept:
        return kept
    return "".join(_visible(character) for character in kept)


def _visible(character: str) -> str:
    if character == "\\":
        return "\\\\"
    return character if character.isprintable() else repr(character)[1:-1]


def quoted(value: object, limit: int = MAX_VALUE) -> str:
    """A value as written after ``=``: in quotes unless it is one plain word."""
    text = str(value)
    if _BARE.fullmatch(text) and text.isprintable() and len(text) <= limit:
        return text
    return '"{}"'.format(escaped(text, limit).replace('"', '\\"'))


def _time_of(record: logging.LogRecord) -> str:
    moment = datetime.fromtimestamp(record.created, UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _message_of(record: logging.LogRecord) -> str:
    try:
        return record.getMessage()
    except Exception as error:
        # A wrong format string must neither lose the line nor stop the caller.
        return f"{record.msg} ({type(error).__name__} while formatting)"


def _extra_of(record: logging.LogRecord) -> dict[str, Any]:
    return {name: value for name, value in vars(record).items() if name not in _STANDARD}


def _trace_of(formatter: logging.Formatter, record: logging.LogRecord) -> str:
    parts = []
    if record.exc_info and record.exc_info[0]:
        parts.append(formatter.formatException(record.exc_info))
    if record.stack_info:
        parts.append(record.stack_info)
    trace = "\n".join(parts)
    # The end of a trace is the most useful part.
    return trace if len(trace) <= MAX_TRACE else f"…{trace[-MAX_TRACE:]}"
