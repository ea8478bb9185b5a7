"""What the doctor found."""

from __future__ import annotations

import enum
import re
from dataclasses import dataclass


class Level(enum.StrEnum):
    """``wrong`` keeps the bot from doing its work; a ``note`` is worth knowing."""

    OK = "ok"
    NOTE = "note"
    WRONG = "wrong"


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the doctor's: ``subject`` is what was tried, ``text`` how it is and what mends it."""

    level: Level
    subject: str
    text: str

    def __str__(self) -> str:
        return f"{self.level:<5}  {self.subject}: {self.text}"


def ok(subject: str, text: str) -> Finding:
    """It is right."""
    return _found(Level.OK, subject, text)


def note(subject: str, text: str) -> Finding:
    """It may be meant so."""
    return _found(Level.NOTE, subject, text)


def wrong(subject: str, text: str) -> Finding:
    """It must be mended."""
    return _found(Level.WRONG, subject, text)


def _found(level: Level, subject: str, text: str) -> Finding:
    # A text that names a key of its own is about that one.
    key = re.match(r"([a-z]+\.[a-z_]+): ", text)
    subject, text = (key[1], text[key.end() :]) if key else (subject, text)
    # aiohttp says this of every connection, also of one without TLS.
    return Finding(level, subject, text.replace(" ssl:default", ""))


def asking(text: str, question: str) -> str:
    """The text, and a question after it unless it ends with one."""
    return text if text.endswith("?") else f"{text}; {question}"
