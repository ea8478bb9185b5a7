"""Kinds of records for these tests alone."""

from __future__ import annotations

import enum
from typing import Any, ClassVar

import msgspec

from bot.domain.records import Record


class Colour(enum.StrEnum):
    RED = "red"
    BLUE = "blue"


class Thing(Record, kw_only=True):
    table: ClassVar[str] = "things"
    indexes: ClassVar[tuple[str, ...]] = ("colour", "number", "on")

    colour: Colour = Colour.RED
    number: int
    on: bool = True
    note: str = ""
    detail: dict[str, Any] = msgspec.field(default_factory=dict)


class Other(Record, kw_only=True):
    table: ClassVar[str] = "others"

    at: int = 0
