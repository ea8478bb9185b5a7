"""What the doctor found."""

from __future__ import annotations

import enum
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
    return Finding(Level.OK, subject, text)


def note(subject: str, text: str) -> Finding:
    """It may be meant so."""
    return Finding(Level.NOTE, subject, text)


def wrong(subject: str, text: str) -> Finding:
    """It must be mended."""
    return Finding(Level.WRONG, subject, text)
