"""Messages before they are rendered: a key of the catalogue, and its arguments.

Records keep content as JSON, and it is rendered only when it is posted or shown. A plain string comes from
outside and is escaped for the output format. Everything else has one of the types below.
"""

from __future__ import annotations

import re
from typing import Literal, TypeAlias, Union

import msgspec

_PLAIN_EMAIL = re.compile(r"[\w.%+'-]{1,64}@[\w.-]{1,255}")


class Text(msgspec.Struct, frozen=True, tag=True, omit_defaults=True):
    """A message of the catalogue. Whole numbers select its plural forms."""

    key: str
    args: dict[str, Content | int] = {}


class Markdown(msgspec.Struct, frozen=True, tag=True):
    """Text that is already safe Markdown."""

    text: str


class Code(msgspec.Struct, frozen=True, tag=True):
    """Text to copy verbatim, from outside or not."""

    text: str


class Strong(msgspec.Struct, frozen=True, tag=True):
    """Text from outside, in bold."""

    text: str


class Url(msgspec.Struct, frozen=True, tag=True):
    """A URL, shown as text or used as the destination of a link."""

    url: str


class Link(msgspec.Struct, frozen=True, tag=True):
    """A link that shows ``text``; only the text in formats without links."""

    text: Content
    url: str


class Moment(msgspec.Struct, frozen=True, tag=True):
    """A time in ms since the epoch, shown in the time zone with this name."""

    at: int
    zone: str = ""


class Span(msgspec.Struct, frozen=True, tag=True):
    """A period between two times, both in ms since the epoch."""

    begin: int
    end: int
    zone: str = ""


class Listing(msgspec.Struct, frozen=True, tag=True):
    """A list within a sentence."""

    items: list[Content]
    style: Literal["or", "standard"] = "standard"


class Lines(msgspec.Struct, frozen=True, tag=True, omit_defaults=True):
    """Parts joined by ``between``, by default one per line."""

    lines: list[Content]
    between: str = "\n"


class Table(msgspec.Struct, frozen=True, tag=True):
    """A table: the headings of its columns, and its rows."""

    head: list[Content]
    rows: list[list[Content]]


Content: TypeAlias = Union[  # noqa: UP007 - a string stands for itself, as in the records
    str, Text, Markdown, Code, Strong, Url, Link, Moment, Span, Listing, Lines, Table
]


def text(key: str, /, **args: Content | int) -> Text:
    """Build the message with this key and these arguments."""
    return Text(key, args)


def address(email: str) -> Content:
    """An e-mail address: shown verbatim if it has only plain characters, otherwise escaped."""
    return Code(email) if _PLAIN_EMAIL.fullmatch(email) else email


def length(milliseconds: int) -> Text:
    """A duration in hours and minutes."""
    hours, minutes = divmod(round(max(0, milliseconds) / 60_000), 60)
    if not hours:
        return text("length-minutes", minutes=minutes) if minutes else text("length-none")
    return text("length-both", hours=hours, minutes=minutes) if minutes else text("length-hours", hours=hours)


def ago(milliseconds: int) -> Text:
    """The approximate distance to a time, past or future."""
    minutes = max(1, round(milliseconds / 60_000))
    hours = round(minutes / 60)
    if minutes < 60:
        return text("ago-minutes", count=minutes)
    return text("ago-hours", count=hours) if hours < 48 else text("ago-days", count=round(hours / 24))
