"""What the doctor found."""

from __future__ import annotations

import enum
import re
from dataclasses import dataclass

from bot.core.clocks import LIMIT_MS


class Level(enum.StrEnum):
    """``WRONG`` keeps the bot from working; a ``NOTE`` is worth knowing."""

    OK = "ok"
    NOTE = "note"
    WRONG = "wrong"


@dataclass(frozen=True, slots=True)
class Finding:
    """One line from the doctor: ``subject`` is what was tried, ``text`` the result and how to fix it."""

    level: Level
    subject: str
    text: str

    def __str__(self) -> str:
        return f"{self.level:<5}  {self.subject}: {self.text}"


def ok(subject: str, text: str) -> Finding:
    """A finding that all is well."""
    return _found(Level.OK, subject, text)


def note(subject: str, text: str) -> Finding:
    """A finding that may be intended."""
    return _found(Level.NOTE, subject, text)


def wrong(subject: str, text: str) -> Finding:
    """A finding that must be fixed."""
    return _found(Level.WRONG, subject, text)


def _found(level: Level, subject: str, text: str) -> Finding:
    # If the text begins with a key, it is about that key.
    key = re.match(r"([a-z]+\.[a-z_]+): ", text)
    subject, text = (key[1], text[key.end() :]) if key else (subject, text)
    # aiohttp says this of every connection, even without TLS.
    return Finding(level, subject, text.replace(" ssl:default", ""))


def asking(text: str, question: str) -> str:
    """The text followed by a question, unless it already ends with one."""
    return text if text.endswith("?") else f"{text}; {question}"


def clock_effect(skew_ms: int) -> str:
    """What follows for the bot from a clock that differs so much; empty if it is less than an hour."""
    return (
        ", and until they agree nothing is deleted or given up for its age" if abs(skew_ms) > LIMIT_MS else ""
    )
